"""One ref of the remote moved, if it still is where it was last seen; and what a refusal means."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from reconciler.adapters.git.address import Address
from reconciler.adapters.git.transport import Transport
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

# git-push(1), OUTPUT: a flag, the refspec and a summary with the reason in brackets, between tabs.
_REFUSED = re.compile(r"^!\t[^\t]*\t\[(?P<who>[^\]]*)\] ?\(?(?P<why>.*?)\)?$", re.MULTILINE)
# Words of a receiving git for a ref that moved after it was advertised (refs.c, builtin/receive-pack.c).
_MOVED = re.compile(
    r"failed to update ref|cannot lock ref|failed to lock|reference already exists|incorrect old value|fetch first"
    r"|stale info|non-fast-forward",
    re.IGNORECASE,
)
# A ref that is a folder of others, or below one that is a file, stays so however often it is tried.
_NO_ROOM = re.compile(r"exists; cannot create|(non-empty|not empty).*directory|refname conflict", re.IGNORECASE)
_BROKEN = re.compile(
    r"internal server error|unpacker error|unable to migrate objects|no space left|database is locked",
    re.IGNORECASE,
)
_RIGHTS = re.compile(r"permission denied|insufficient permission|read-only", re.IGNORECASE)
_REMOTE = re.compile(r"^remote: ?(?P<words>.*?)\s*$", re.MULTILINE)
_LEVEL = re.compile(r"^\W*(error|fatal|warning):\s*", re.IGNORECASE)
# What a server says about its own work.
_NOISE = re.compile(r"^\W*(Process(ed|ing) \d+ references.*|Resolving deltas.*|=+|)$", re.IGNORECASE)
_LONGEST = 300


def push(
    transport: Transport, path: Path, commit: str, ref: str, expected: str | None, started: Callable[[int], None]
) -> None:
    """Move `ref` to `commit`, which the repository at `path` has. Raises as `Source.push`."""
    options = [
        "--porcelain",
        "--no-progress",
        "--no-verify",
        "--no-follow-tags",
        "--no-signed",
        "--recurse-submodules=no",
        f"--force-with-lease={ref}:{expected or ''}",
    ]
    arguments = ["push", *options, "--end-of-options", transport.address.url, f"{commit}:{ref}"]
    done = transport.ask(arguments, git_dir=path, started=started)
    if done.code:
        refused = _REFUSED.search(transport.masked(done.stdout))
        if refused is None:
            raise transport.failed(done)
        raise explain(transport.address, ref, expected, refused["who"], refused["why"], transport.masked(done.stderr))


def explain(address: Address, ref: str, expected: str | None, who: str, why: str, said: str) -> StageError:
    """The outcome for a ref that was not moved: `who` refused it and `why` are git's, `said` is its stderr."""
    where = f"{ref} of {address.shown}"
    words = f"{why}\n{said}"
    if "shallow" in why:
        return Transient(
            Reason.CONFLICT,
            f"cannot write {where}: the commit that it builds on is not there any more. It is read again.",
        )
    if _NO_ROOM.search(words):
        return _denied(where, why, said, "Delete the ref that has the place of this one.")
    if who == "rejected" or _MOVED.search(why):
        was = f"is not at {expected[:10]} any more" if expected else "is there already"
        return Transient(Reason.CONFLICT, f"{where} {was}: somebody else has written it. It is read again.")
    if (who == "remote failure" or _BROKEN.search(words)) and not _RIGHTS.search(words):
        return Transient(Reason.SOURCE_UNREACHABLE, f"cannot write {where}: {_sentence(why, said)} It is tried again.")
    advice = "Allow it for the account of the Secret that credentialsRef names, or take the rule away."
    return _denied(where, why, said, advice)


def _denied(where: str, why: str, said: str, advice: str) -> Terminal:
    return Terminal(Reason.SOURCE_DENIED, f"cannot write {where}: {_sentence(why, said)} {advice}")


def _sentence(why: str, said: str) -> str:
    """What the remote said, in one line; git's own reason when it said nothing."""
    lines = [_plain(_LEVEL.sub("", match["words"])) for match in _REMOTE.finditer(said)]
    words = " ".join(line for line in lines if not _NOISE.match(line)) or why
    return words[:_LONGEST] if words.endswith((".", "!", "?")) else f"{words[:_LONGEST]}."


def _plain(line: str) -> str:
    return "".join(character for character in line if character.isprintable()).strip()
