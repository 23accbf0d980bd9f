"""How git is given a secret: in memory, by the number of a descriptor, for one host.

A password, a key, known hosts and a certificate authority are memory files (memfd_create(2)) that git and ssh open as
/proc/<our id>/fd/<n>. So no secret is in an argument, an environment, a URL or on a disk, and nothing is left to remove
when this process is killed.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.adapters.git.address import Address
from reconciler.adapters.git.command import Config
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import GitCredentials

# GitHub, GitLab, Gitea and Bitbucket take a token as the password of any user name that is not empty.
_TOKEN_USER = "git"  # noqa: S105


@dataclass(frozen=True)
class Access:
    """What a git command needs to be let in. `secrets` are for masking in what git says."""

    env: Mapping[str, str]
    config: Config = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)


@contextlib.contextmanager
def presented(address: Address, credentials: GitCredentials | None, timeout: float) -> Iterator[Access]:
    """Access to the address for as long as the context lasts.

    Raises Terminal(SOURCE_DENIED) when the credentials cannot serve this kind of URL.
    """
    allowed = {"GIT_ALLOW_PROTOCOL": address.scheme}
    with contextlib.ExitStack() as stack:
        if address.scheme in ("http", "https"):
            given = credentials or GitCredentials()
            yield Access(allowed, tuple(_http(address, given, timeout, stack)), _secrets(given))
        elif address.scheme == "ssh":
            given = _complete(address, credentials)
            command = _ssh_command(address, given, timeout, stack)
            yield Access({**allowed, "GIT_SSH_COMMAND": command, "GIT_SSH_VARIANT": "ssh"}, (), _secrets(given))
        else:
            yield Access(allowed)


def _http(
    address: Address, given: GitCredentials, timeout: float, stack: contextlib.ExitStack
) -> Iterator[tuple[str, str]]:
    """Configuration for HTTP. The helper is named for one scheme, host and port, so git asks it for no other, even
    after a redirect; GIT_ASKPASS would be told only a prompt."""
    # A repository that was renamed redirects its first request; later ones may not leave the place that it led to.
    yield "http.followRedirects", "initial"
    yield "http.lowSpeedLimit", "1"
    yield "http.lowSpeedTime", str(max(1, int(timeout)))
    if given.ca:
        yield "http.sslCAInfo", memory_file("ca", given.ca, stack)
    if given.ssh_key and not given.password:
        raise _denied(address, "the credentials are an SSH key, but the URL is http(s). Give a password, or use ssh://")
    if given.username or given.password:
        username, password = (
            _line(address, given.username or address.user or _TOKEN_USER),
            _line(address, given.password),
        )
        answer = memory_file("answer", f"username={username}\npassword={password}\n", stack)
        # Git appends the name of the operation to the line.
        yield f"credential.{address.origin}.helper", f"!cat {answer} #"


def _line(address: Address, value: str) -> str:
    """A value for git's credential protocol, which is of lines; a Secret often ends with a line break."""
    value = value.rstrip("\r\n")
    if "\n" in value or "\0" in value:
        raise _denied(address, "the username or the password has a line break in it. Correct the Secret")
    return value


def _complete(address: Address, credentials: GitCredentials | None) -> GitCredentials:
    """The credentials, if they are what SSH needs."""
    if credentials is None or not credentials.ssh_key.strip():
        raise _denied(address, "an SSH URL needs credentials with ssh-privatekey and known_hosts")
    if not credentials.known_hosts.strip():
        port = f"-p {address.port} " if address.port else ""
        raise _denied(
            address,
            "the credentials have no known_hosts, so the host could be anyone's. Add the output of "
            f"`ssh-keyscan {port}{address.host.strip('[]')}` after comparing it with the host's published fingerprint",
        )
    return credentials


def _ssh_command(address: Address, given: GitCredentials, timeout: float, stack: contextlib.ExitStack) -> str:
    """The command line that git hands to a shell: of our own words, and paths that are only digits and letters."""
    key = memory_file("key", given.ssh_key.replace("\r\n", "\n").strip() + "\n", stack)
    known = memory_file("known_hosts", given.known_hosts.strip() + "\n", stack)
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": known,
        "GlobalKnownHostsFile": "none",
        "UpdateHostKeys": "no",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ClearAllForwardings": "yes",
        "ConnectTimeout": str(max(1, int(timeout))),
        "ServerAliveInterval": "10",
        "ServerAliveCountMax": "3",
        "LogLevel": "ERROR",
    }
    words = ["ssh", "-F", "none", "-i", key]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    if not address.user:
        words += ["-l", _TOKEN_USER]
    return shlex.join(words)


def memory_file(name: str, text: str, stack: contextlib.ExitStack) -> str:
    """A path at which children of this user read `text` while the stack is open. ssh wants keys to be 0600."""
    try:
        descriptor = os.memfd_create(name)
        stack.callback(os.close, descriptor)
        os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(text.encode())
    except OSError as error:
        raise Transient(Reason.INTERNAL, f"credentials cannot be given to git: {error.strerror}.") from error
    return f"/proc/{os.getpid()}/fd/{descriptor}"


def _secrets(given: GitCredentials) -> tuple[str, ...]:
    password = given.password.rstrip("\r\n")
    basic = f"{given.username.strip() or _TOKEN_USER}:{password}" if password else ""
    # Without a password the user name is the token.
    return tuple(filter(None, (password, basic, given.ssh_key, "" if password else given.username.strip())))


def _denied(address: Address, why: str) -> Terminal:
    return Terminal(Reason.SOURCE_DENIED, f"cannot read {address.shown}: {why}.")
