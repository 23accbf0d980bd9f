"""Git commands that talk to one remote, with its credentials, and their failures as outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters import process
from reconciler.adapters.git import failure
from reconciler.adapters.git.address import Address
from reconciler.adapters.git.command import NOWHERE, GitProgram
from reconciler.adapters.git.credentials import Access
from reconciler.model.outcome import Reason, Transient


@dataclass(frozen=True)
class Transport:
    """One remote that may be asked. `timeout` is in seconds, for each command."""

    git: GitProgram
    address: Address
    access: Access
    timeout: float

    def run(
        self,
        arguments: Sequence[str],
        *,
        git_dir: Path = NOWHERE,
        started: Callable[[int], None] | None = None,
    ) -> bytes:
        """What git wrote to stdout. Raises Transient, Terminal and `failure.Refused` as `failure.explain` says."""
        try:
            done = self.git.run(
                arguments,
                git_dir=git_dir,
                config=self.access.config,
                env=self.access.env,
                timeout=self.timeout,
                started=started,
            )
        except process.TimedOut as error:
            raise failure.late(self.address, self.timeout, self._masked(error.stderr)) from None
        except process.OutputTooLarge as error:
            raise Transient(Reason.SOURCE_UNREACHABLE, f"cannot read {self.address.shown}: {error}.") from None
        if done.code < 0:
            raise Transient(Reason.INTERNAL, f"cannot read {self.address.shown}: git was ended by signal {-done.code}.")
        if done.code:
            raise failure.explain(self.address, self._masked(done.stderr))
        return done.stdout

    def _masked(self, said: bytes) -> str:
        return process.redact(said.decode("utf-8", "replace"), self.access.secrets)
