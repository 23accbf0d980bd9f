"""What a failed git command means: whether to try again, why, and what the person can do."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from reconciler.adapters.git.address import Address
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

Verb = Literal["read", "write to"]


class Unexplained(Transient):
    """Words that no rule knows: perhaps the mirror is damaged, so the caller may try once with a new one."""


class Refused(Terminal):
    """The remote is there and lets us in, but does not hand out this object by its id, or not in a shallow pack."""


class _Rule(NamedTuple):
    kind: type[StageError]
    reason: Reason
    advice: str
    pattern: re.Pattern[str]


def _rule(kind: type[StageError], reason: Reason, advice: str, *patterns: str) -> _Rule:
    return _Rule(kind, reason, advice, re.compile("|".join(patterns), re.IGNORECASE))


# The first rule that finds its words decides, so that "Connection refused" wins over the "Could not read from remote
# repository" that git adds to everything. The words are those of git, libcurl, GnuTLS, OpenSSL, OpenSSH and the forges.
_RULES = (
    _rule(
        Transient,
        Reason.TOOL_MISSING,
        "Install openssh-client for ssh, or a git that was built with libcurl for http and https.",
        r"\bssh: (command )?not found",
        r"cannot run ssh",
        r"unable to find remote helper",
        r"'remote-https?' is not a git command",
    ),
    _rule(
        Transient,
        Reason.INTERNAL,
        "Make room, or make the cache folder writable; it is tried again.",
        r"no space left on device",
        r"disk quota exceeded",
        r"read-only file system",
        r"too many open files",
    ),
    _rule(
        Terminal,
        Reason.SOURCE_DENIED,
        "The key that the host showed is not in known_hosts. Compare it with the host's published fingerprint, then "
        "add it to the Secret.",
        r"host key verification failed",
        r"no \S+ host key is known",
        r"host identification has changed",
    ),
    _rule(
        Terminal,
        Reason.SOURCE_DENIED,
        "The private key cannot be used: it must be whole, in a format of OpenSSH, and without a passphrase.",
        r"load key .*",
        r"error in libcrypto",
        r"passphrase",
    ),
    _rule(
        Terminal,
        Reason.SOURCE_DENIED,
        "The certificate is not trusted. For a private authority put its certificate into ca.crt of the Secret.",
        r"certificate verification failed",
        r"certificate problem",
        r"certificate verify failed",
        r"subject name .* does not match",
        r"error adding trust anchors",
        r"problem with the ssl ca cert",
    ),
    _rule(
        Terminal,
        Reason.SOURCE_DENIED,
        "Check the Secret that credentialsRef names: the token or key must exist there, not be expired, and be allowed "
        "to {verb} this repository.",
        r"authentication failed",
        r"could not read (username|password)",
        r"returned error: 40[13]\b",
        r"\b(http|status)[ /0-9.]* 40[13]\b",
        r"permission denied \(",
        r"permission to .* denied",
        r"access denied",
        r"invalid (username|credentials)",
        r"too many authentication failures",
        r"not (allowed|authori[sz]ed|permitted) to (push|write|upload)",
        r"(key|repository) .*\bread[- ]only",
        r"insufficient permission",
    ),
    _rule(
        Transient,
        Reason.SOURCE_UNREACHABLE,
        "It is tried again.",
        r"could ?n[o']t resolve",
        r"name resolution",
        r"name or service not known",
        r"failed to connect",
        r"could ?n[o']t connect",
        r"unable to connect",
        r"connection (refused|reset|timed out|closed)",
        r"connect to (host|address) .*",
        r"timed out",
        r"timeout",
        r"network is unreachable",
        r"no route to host",
        r"operation too slow",
        r"empty reply",
        r"hung up unexpectedly",
        r"unexpected disconnect",
        r"early eof",
        r"broken pipe",
        r"returned error: (429|5\d\d)",
        r"handshake",
        r"ssl_error_syscall",
        r"(recv|send) failure",
        r"transfer closed",
        r"kex_exchange_identification",
    ),
    _rule(
        Refused,
        Reason.REF_NOT_FOUND,
        "",
        r"not our ref",
        r"unadvertised object",
        r"couldn't find remote ref",
        r"does not support shallow",
        r"dumb http transport",
        r"want [0-9a-f]{40,64} not valid",
        r"no such remote ref",
    ),
    _rule(
        Terminal,
        Reason.REPOSITORY_NOT_FOUND,
        "Check the URL; many hosts say so too when the credentials may not read the repository.",
        r"repository .*not found",
        r"returned error: 404",
        r"does not appear to be a git repository",
        r"(repository|project) .*does not exist",
        r"(repository|project) .*could not be found",
        r"no such (repository|project)",
    ),
    _rule(
        Terminal,
        Reason.SOURCE_DENIED,
        "The folder belongs to another user than the one that Dispatch runs as (see safe.directory in git-config). "
        "Change its owner.",
        r"dubious ownership",
    ),
    _rule(
        Terminal,
        Reason.SOURCE_DENIED,
        "The repository redirects to a place that may not be followed. Write the URL that it leads to.",
        r"unable to update url base from redirection",
        r"protocol .* (not supported|disabled|not allowed)",
        r"transport .* not allowed",
        r"returned error: 30\d",
    ),
    _rule(
        Terminal,
        Reason.SOURCE_DENIED,
        "The repository has an object that `git fsck` refuses. Rewrite it there.",
        r"fsck error",
    ),
    _rule(Transient, Reason.SOURCE_UNREACHABLE, "It is tried again.", r"could not read from remote repository"),
)
# What git and hosts say after every failure.
_BOILERPLATE = re.compile(
    r"please make sure you have the correct access rights|and the repository exists|could not read from remote "
    r"repository|^(error|fatal): index-pack failed|^fatal: fetch-pack: invalid index-pack output|^remote:\s*(=+)?\s*$",
    re.IGNORECASE,
)


def explain(address: Address, said: str, verb: Verb = "read") -> StageError:
    """The outcome for what git wrote to stderr, which must be redacted already."""
    cannot = f"cannot {verb} {address.shown}"
    lines = [_plain(line) for line in said.splitlines()]
    lines = [line for line in lines if line]
    for rule in _RULES:
        for line in reversed(lines):
            if rule.pattern.search(line):
                advice = rule.advice.replace("{verb}", verb)
                return rule.kind(rule.reason, f"{cannot}: {_end(line)} {advice}".rstrip())
    telling = [line for line in lines if not _BOILERPLATE.search(line)] or lines or ["git ended without a word"]
    return Unexplained(Reason.SOURCE_UNREACHABLE, f"{cannot}: {_end(telling[-1])} It is tried again.")


def late(address: Address, seconds: float, said: str, verb: Verb = "read") -> Transient:
    """The outcome for a git that was killed because its time was over."""
    lines = [line for line in map(_plain, said.splitlines()) if line and not _BOILERPLATE.search(line)]
    last = f" Git's last line: {_end(lines[-1])}" if lines else ""
    return Transient(
        Reason.SOURCE_UNREACHABLE,
        f"cannot {verb} {address.shown}: no answer within {seconds:g} s, so git was stopped.{last} It is tried again; "
        "if the repository is large, raise spec.timeout.",
    )


def _plain(line: str) -> str:
    """A line without what a terminal would obey, at most 300 characters of it."""
    return "".join(character for character in line if character.isprintable()).strip()[:300]


def _end(line: str) -> str:
    return line if line.endswith((".", "!", "?")) else f"{line}."
