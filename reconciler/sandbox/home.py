"""The folder of one sandbox: what lies where. All of it is private to its owner and thrown away by `down`."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """Paths of a sandbox in `directory`."""

    directory: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.directory / "kubeconfig"

    @property
    def tokens(self) -> Path:
        return self.directory / "credentials" / "tokens.csv"

    @property
    def signing_key(self) -> Path:
        return self.directory / "credentials" / "service-accounts.key"

    @property
    def certificates(self) -> Path:
        """Where the API server keeps the serving certificate that it makes for itself."""
        return self.directory / "credentials" / "serving"

    @property
    def authority(self) -> Path:
        return self.certificates / "apiserver.crt"

    @property
    def gitea_access(self) -> Path:
        return self.directory / "credentials" / "gitea.json"

    @property
    def prometheus_targets(self) -> Path:
        """The folder whose files `*.json` and `*.yml` name what Prometheus asks: `[{"targets": ["HOST:PORT"]}]`.

        It follows them while it runs: a file that is put there adds targets, one that is removed ends them.
        """
        return self.data("prometheus") / "targets"

    def component_kubeconfig(self, name: str) -> Path:
        return self.directory / "credentials" / f"{name}.kubeconfig"

    def data(self, name: str) -> Path:
        return self.directory / "data" / name

    def log(self, name: str) -> Path:
        return self.directory / "logs" / f"{name}.log"

    def log_says(self, name: str, text: str) -> bool:
        """Whether the part has written `text` since its last start."""
        try:
            return text in self.log(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return False

    def set_log_aside(self, name: str) -> None:
        """Keep the log of the run before as `<part>.previous.log`, as `kubectl logs --previous` would show it."""
        if self.log(name).exists():
            self.log(name).replace(self.log(f"{name}.previous"))

    def create(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory.chmod(0o700)
        for folder in (self.directory / "data", self.directory / "logs", self.certificates):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def port(self, name: str) -> int:
        """The chosen TCP port of a part; a file for each, since parts start at the same time. Raises KeyError."""
        try:
            return int((self.directory / "ports" / name).read_text(encoding="ascii"))
        except FileNotFoundError:
            raise KeyError(name) from None

    def keep_port(self, name: str, port: int) -> None:
        write_private(self.directory / "ports" / name, str(port))

    @property
    def api_url(self) -> str:
        return f"https://127.0.0.1:{self.port('apiserver')}"

    @property
    def prometheus_url(self) -> str:
        return f"http://127.0.0.1:{self.port('prometheus')}"

    @property
    def registry_url(self) -> str:
        return f"http://127.0.0.1:{self.port('registry')}"

    def clear(self, *, logs: bool) -> None:
        """Remove what a sandbox leaves, and nothing that is not a sandbox's."""
        for name in ("data", "credentials", "ports", *(["logs"] if logs else [])):
            shutil.rmtree(self.directory / name, ignore_errors=True)
        for name in ("kubeconfig", "control.sock"):
            (self.directory / name).unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write for the owner's eyes only (0600 from the first byte on), atomically."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).rename(path)
