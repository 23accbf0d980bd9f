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
from reconciler.model.outcome import Reason, StageError, Transient


@dataclass(frozen=True)
class Transport:
    """One remote that may be asked. `timeout` is in seconds, for each command; `verb` is for what cannot be done."""

    git: GitProgram
    address: Address
    access: Access
    timeout: float
    verb: failure.Verb = "read"

    def run(
        self,
        arguments: Sequence[str],
        *,
        git_dir: Path = NOWHERE,
        started: Callable[[int], None] | None = None,
    ) -> bytes:
        """What git wrote to stdout. Raises Transient, Terminal and `failure.Refused` as `failure.explain` says."""
        done = self.ask(arguments, git_dir=git_dir, started=started)
        if done.code:
            raise self.failed(done)
        return done.stdout

    def failed(self, done: process.Completed) -> StageError:
        """The outcome for a command that did not end well."""
        return failure.explain(self.address, self.masked(done.stderr), self.verb)

    def ask(
        self,
        arguments: Sequence[str],
        *,
        git_dir: Path = NOWHERE,
        started: Callable[[int], None] | None = None,
    ) -> process.Completed:
        """How git ended by itself, well or not; what it wrote is not masked. Raises Transient when it did not."""
        cannot = f"cannot {self.verb} {self.address.shown}"
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
            raise failure.late(self.address, self.timeout, self.masked(error.stderr), self.verb) from None
        except process.OutputTooLarge as error:
            raise Transient(Reason.SOURCE_UNREACHABLE, f"{cannot}: {error}.") from None
        if done.code < 0:
            raise Transient(Reason.INTERNAL, f"{cannot}: git was ended by signal {-done.code}.")
        return done

    def masked(self, said: bytes) -> str:
        """What git said, as text without secrets."""
        return process.redact(said.decode("utf-8", "replace"), self.access.secrets)
