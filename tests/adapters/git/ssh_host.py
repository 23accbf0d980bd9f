"""A Git host over SSH on loopback: a real SSH server (asyncssh) that fetches and pushes for one known key."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
from adapters.git.upstream import ENVIRONMENT

_SERVED = (["git-upload-pack"], ["git-receive-pack"])


class SshHost:
    """Lets one key in as the user `git`. `commands` are what clients ran; `watch` is called before each is served."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[str] = []
        self.watch: Callable[[], None] = lambda: None
        self._client, self._host = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self.private_key: str = self._client.export_private_key().decode()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: Any = self._call(self._listen())
        self.port: int = self._server.get_port()
        self.origin = f"ssh://git@localhost:{self.port}"
        public = self._host.export_public_key().decode()
        self.known_hosts = f"[localhost]:{self.port} {public}"

    def stop(self) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _close(self) -> None:
        """Ends when nothing of a connection is left to be done. In the loop's own thread: a connection that ends at
        this moment counts itself out of the server there."""
        self._server.close()
        await self._server.wait_closed()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=10)

    async def _listen(self) -> Any:
        keys = asyncssh.import_authorized_keys(self._client.export_public_key().decode())
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._host],
            authorized_client_keys=keys,
            process_factory=self._serve,
            encoding=None,
        )

    async def _serve(self, process: Any) -> None:
        command = process.command or ""
        self.commands.append(command)
        await self._loop.run_in_executor(None, self.watch)
        words = shlex.split(command)
        if process.get_extra_info("username") != "git" or words[:1] not in _SERVED:
            process.stderr.write(b"Permission denied (this user).\n")
            process.exit(1)
            return
        protocol = process.env.get("GIT_PROTOCOL", "")
        child = subprocess.Popen(
            ["git", words[0].removeprefix("git-"), str(self.root / words[1].lstrip("/"))],
            env={**ENVIRONMENT, "GIT_PROTOCOL": protocol},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr, send_eof=False)
        await process.stdout.drain()
        await process.stderr.drain()
        process.exit(await self._loop.run_in_executor(None, child.wait))
        await process.wait_closed()
