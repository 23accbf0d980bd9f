"""What the scenes play on: a sandbox, a config repository, a running controller, and the `dispatch` command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from demo.narrator import Narrator, Untrue
from reconciler import app
from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import Refusal
from reconciler.model.identity import identify
from reconciler.model.resource import API_VERSION

NAMESPACE = "team-a"
_SANDBOX = "demo"


class Stage:
    """Everything that it makes lies below `folder`; nothing else on the machine is touched but the tool cache."""

    def __init__(self, folder: Path, narrator: Narrator) -> None:
        self.folder = folder
        self.narrator = narrator
        self.config = folder / "config"
        self.bare = folder / "config.git"
        self.log = folder / "controller.log"
        self._controller: subprocess.Popen[bytes] | None = None
        self._cluster: KubeCluster | None = None
        self._environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"}
        self._environment.pop("KUBECONFIG", None)

    # -- the set

    def clear(self) -> None:
        """Start from nothing: an earlier demo that was kept is taken down."""
        if self.folder.exists():
            self._stop_kept_controller()
            self._run("sandbox", "down", "--name", _SANDBOX)
            shutil.rmtree(self.folder)
        self.folder.mkdir()

    def sandbox_up(self) -> None:
        """Its own lines are the progress that the reader sees: the first build takes a while."""
        command = [*_dispatch(), "sandbox", "up", "--name", _SANDBOX]
        if subprocess.run(command, env=self._environment, check=False).returncode:
            raise Untrue("the sandbox did not start; see above")
        exports = self.dispatch("sandbox", "env", "--name", _SANDBOX)
        for line in exports.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self._environment[name] = value.strip("'\"")
        self._cluster = app.connect(app.Settings(kubeconfig=Path(self._environment["KUBECONFIG"])))

    def start_controller(self) -> None:
        with self.log.open("ab") as log:
            self._controller = subprocess.Popen(
                [*_dispatch(), "run", "--allow-file-repositories", "--log-format", "text"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.folder / "controller.pid").write_text(str(self._controller.pid))

    def leave(self, keep: bool) -> None:
        """Take everything down, or say how to look at it."""
        if self._cluster is not None:
            self._cluster.close()
        if keep and self._controller is not None:
            self.narrator.say(f"\nIt is left running. The controller's log: {self._shown(self.log)}. Look at it with:")
            self.narrator.say(f"   export KUBECONFIG={self._environment['KUBECONFIG']}")
            self.narrator.say(f"   dispatch get applications -n {NAMESPACE}      # kubectl works as well")
            self.narrator.say(
                f"make demo starts anew; to take it down: kill the controller (pid {self._controller.pid}) and"
            )
            self.narrator.say(f"   XDG_STATE_HOME={self.folder / 'state'} dispatch sandbox down --name {_SANDBOX}")
            return
        if self._controller is not None and self._controller.poll() is None:
            self._controller.send_signal(signal.SIGTERM)
            self._controller.wait(15)
        if self.folder.exists():
            self._run("sandbox", "down", "--name", _SANDBOX)

    def explain(self) -> None:
        """When a promise is broken: what the controller said last."""
        if self.log.exists():
            print("   the controller's last lines:", file=sys.stderr)
            for line in self.log.read_text().splitlines()[-15:]:
                print(f"   | {line}", file=sys.stderr)

    # -- what the characters do

    def dispatch(self, *arguments: str, allow: tuple[int, ...] = (0,)) -> str:
        """Run the command as a user would; its output. Raises Untrue when it ends with another exit code."""
        done = self._run(*arguments)
        if done.returncode not in allow:
            raise Untrue(f"`dispatch {' '.join(arguments)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def shown(self, *arguments: str, allow: tuple[int, ...] = (0,)) -> str:
        """The same, told to the reader."""
        output = self.dispatch(*arguments, allow=allow)
        self.narrator.shows(f"dispatch {' '.join(self._plain(a) for a in arguments)}", output)
        return output

    def git(self, *arguments: str, at: Path | None = None) -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=at or self.config, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def push(self, message: str) -> str:
        """Commit all changes of the config repository and push them; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        commit = self.git("rev-parse", "HEAD")
        self.narrator.say(f"commit {commit[:10]}: {message}")
        return commit

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text in a file of the config repository."""
        path = self.config / file
        text = path.read_text()
        if old not in text:
            raise Untrue(f"{file} does not hold {old!r}")
        path.write_text(text.replace(old, new))

    def set_image_by_hand(self, deployment: str, image: str) -> None:
        """Past Git, with another client and under its name, as `kubectl edit` does it."""
        from kubernetes import client, config

        containers = [{"name": deployment, "image": image}]
        with config.new_client_from_config(self._environment["KUBECONFIG"]) as connection:
            client.AppsV1Api(connection).patch_namespaced_deployment(
                deployment,
                "staging",
                {"spec": {"template": {"spec": {"containers": containers}}}},
                field_manager="kubectl-edit",
            )

    # -- what the audience sees

    @property
    def cluster(self) -> KubeCluster:
        assert self._cluster is not None
        return self._cluster

    def apply(self, file: Path) -> None:
        """What `kubectl apply -f` does, for a machine without kubectl."""
        for document in yaml.safe_load_all(file.read_text()):
            resource = self.cluster.resource(document["apiVersion"], document["kind"])
            assert resource is not None, document["kind"]
            (answer,) = self.cluster.apply([(resource, document)])
            if isinstance(answer, Refusal):
                raise Untrue(f"{identify(document)} is refused: {answer.message}")

    def live(self, api_version: str, kind: str, name: str, namespace: str = "staging") -> dict[str, Any] | None:
        resource = self.cluster.resource(api_version, kind)
        return self.cluster.read(resource, namespace, name) if resource else None

    def status(self, application: str) -> dict[str, Any]:
        found = self.live(API_VERSION, "Application", application, NAMESPACE) or {}
        return found.get("status") or {}

    def ready(self, application: str, commit: str = "") -> dict[str, Any]:
        """The `Ready` condition when it is True (at the commit), else empty."""
        status = self.status(application)
        if not ((status.get("applied") or {}).get("revision", "")).endswith(commit):
            return {}
        return self.condition(application, "True")

    def condition(self, application: str, status: str) -> dict[str, Any]:
        found = self.status(application).get("conditions") or []
        return next((c for c in found if c["type"] == "Ready" and c["status"] == status), {})

    def image(self, deployment: str) -> str:
        live = self.live("apps/v1", "Deployment", deployment)
        return live["spec"]["template"]["spec"]["containers"][0]["image"] if live else ""

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_dispatch(), *arguments], env=self._environment, check=False, capture_output=True, text=True
        )

    def _stop_kept_controller(self) -> None:
        pid = self.folder / "controller.pid"
        if pid.exists():
            number = int(pid.read_text())
            command = Path(f"/proc/{number}/cmdline")
            if command.exists() and b"dispatch" in command.read_bytes():
                os.kill(number, signal.SIGTERM)

    def _plain(self, argument: str) -> str:
        return argument.replace(str(self.folder.parent) + "/", "")

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.folder.parent))


def _dispatch() -> list[str]:
    return [str(Path(sys.executable).parent / "dispatch")]
