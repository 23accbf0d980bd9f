"""The port `Source` on real git: refs by ls-remote, commits by bare mirrors in a cache folder."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reconciler.adapters.git.address import Address, check
from reconciler.adapters.git.command import GitProgram
from reconciler.adapters.git.commit import Commit, is_id
from reconciler.adapters.git.committing import Draft
from reconciler.adapters.git.credentials import presented
from reconciler.adapters.git.listing import Listing
from reconciler.adapters.git.mirror import Mirror
from reconciler.adapters.git.objects import Lost
from reconciler.adapters.git.transport import Transport
from reconciler.adapters.git.tree import GitTree
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.model.permit import Permit, always
from reconciler.model.revision import PastCommit
from reconciler.ports import Blob, GitCredentials, Remote, Tree

Login = Callable[[GitCredentials | None, float], GitCredentials | None]
"""Credentials, and seconds to wait at most -> credentials with a password that is good now."""

SIGNATURE = "Dispatch <dispatch@dispatch.dev>"
# What a refspec would take for something else is left out; git itself judges the rest (git-check-ref-format(1)).
_REF = re.compile(r"refs/[^\s:+*?\[\\^~\x00-\x1f\x7f]+")
# A kept listing costs about 200 bytes a file, so this is 80 MB at most.
_FILES_KEPT = 400_000
# Each is a child of about 5 MB; a mirror that is read again gets a new one in 2 ms.
_READERS_KEPT = 16


class GitSource:
    """Implements `Source`. All state is a cache: the folder may be deleted while this runs.

    Two teams may name one URL with different credentials and share its mirror. So credentials that did not let anyone
    in since this object was made are shown to the host before a commit is handed out that is already here.
    """

    def __init__(
        self,
        cache: Path,
        *,
        allow_file: bool,
        allow_http: bool = False,
        signature: str = SIGNATURE,
        login: Login = lambda given, timeout: given,
        permit: Permit = always,
    ) -> None:
        """`allow_file`: also folders of this machine; `allow_http`: plain http also beyond loopback; `signature`: the
        author and committer of its own commits, `Name <address>`; `login` makes a password of a GitHub App; `permit`
        is asked before each push."""
        self._login, self._permit = login, permit
        self._cache, self._allow_file, self._allow_http = cache.absolute(), allow_file, allow_http
        self._signature = signature
        self._git = GitProgram()
        self._guard = threading.Lock()
        self._salt = os.urandom(16)
        self._proven: set[bytes] = set()
        self._mirrors: dict[str, Mirror] = {}
        self._readers: OrderedDict[str, Mirror] = OrderedDict()
        self._listings: OrderedDict[tuple[str, str], Listing] = OrderedDict()

    def refs(self, remote: Remote) -> Mapping[str, str]:
        address = self._address(remote)
        with presented(address, self._let_in(remote), remote.timeout) as access:
            transport = Transport(self._git, address, access, remote.timeout)
            said = transport.run(["ls-remote", "--quiet", "--end-of-options", address.url])
        self._proven.add(self._proof(remote))
        found: dict[str, str] = {}
        for line in os.fsdecode(said).split("\n"):
            oid, tab, ref = line.partition("\t")
            # The commit of an annotated tag follows the tag object itself as `<ref>^{}`.
            if tab:
                found[ref.removesuffix("^{}")] = oid
        return found

    def fetch(self, remote: Remote, commit: str, refs: Mapping[str, str]) -> None:
        if not is_id(commit):
            raise Terminal(
                Reason.REF_NOT_FOUND,
                f"{commit!r} is not a commit id: those have 40 digits of 0-9 and a-f (SHA-256: 64).",
            )
        address = self._address(remote)
        mirror = self._mirror(address)
        if not mirror.has(commit):
            with presented(address, self._let_in(remote), remote.timeout) as access:
                if mirror.fetch(Transport(self._git, address, access, remote.timeout), commit, refs):
                    self._proven.add(self._proof(remote))
        if self._proof(remote) not in self._proven:
            self.refs(remote)

    def tree(self, remote: Remote, commit: str) -> Tree:
        mirror = self._mirror(self._address(remote))
        return GitTree(mirror, commit, self._list(mirror, commit))

    def subject(self, remote: Remote, commit: str) -> str:
        return self._commit(self._mirror(self._address(remote)), commit).subject

    def message(self, remote: Remote, commit: str) -> str:
        return self._commit(self._mirror(self._address(remote)), commit).message

    def history(self, remote: Remote, commit: str, since: str, *folders: str) -> Sequence[PastCommit]:
        address = self._address(remote)
        with presented(address, self._let_in(remote), remote.timeout) as access:
            transport = Transport(self._git, address, access, remote.timeout)
            return self._mirror(address).history(transport, commit, since, folders)

    def commit(self, remote: Remote, parent: str | None, files: Mapping[str, Blob], message: str) -> str:
        mirror = self._mirror(self._address(remote))
        # Not the time of the clock: a second try must give the same commit.
        time = 0 if parent is None else self._commit(mirror, parent).committed
        return mirror.write(Draft(parent, files, message, self._signature, time), remote.timeout, remote.signing_key)

    def push(self, remote: Remote, commit: str, ref: str, expected: str | None) -> None:
        if not _REF.fullmatch(ref):
            raise Terminal(Reason.INVALID_SPEC, f"{ref!r} is not a full name of a ref that can be written.")
        address = self._address(remote)
        with presented(address, self._let_in(remote), remote.timeout) as access:
            transport = Transport(self._git, address, access, remote.timeout, "write to")
            self._permit()
            self._mirror(address).push(transport, commit, ref, expected)

    def close(self) -> None:
        """End every child; calls that are under way in other threads end with Transient(INTERNAL)."""
        self._git.close()
        with self._guard:
            mirrors = list(self._mirrors.values())
        for mirror in mirrors:
            mirror.objects.close()

    def _address(self, remote: Remote) -> Address:
        return check(remote.url, allow_file=self._allow_file, allow_http=self._allow_http)

    def _let_in(self, remote: Remote) -> GitCredentials | None:
        """The credentials as git can show them. Raises Transient(SOURCE_UNREACHABLE), Terminal(SOURCE_DENIED)."""
        try:
            return self._login(remote.credentials, remote.timeout)
        except Transient as error:
            raise Transient(Reason.SOURCE_UNREACHABLE, error.message, error.retry_after) from None
        except Terminal as error:
            raise Terminal(Reason.SOURCE_DENIED, error.message) from None

    def _proof(self, remote: Remote) -> bytes:
        given = remote.credentials or GitCredentials()
        parts = [*given[:-1], *(given.app or ())]
        return hashlib.sha256(
            b"\0".join([self._salt, remote.url.encode(), *(part.encode() for part in parts)])
        ).digest()

    def _mirror(self, address: Address) -> Mirror:
        """The mirror of a URL; the reader that was not used for longest is ended when there are too many."""
        key = hashlib.sha256(address.url.encode()).hexdigest()[:32]
        with self._guard:
            mirror = self._mirrors.get(key)
            if mirror is None:
                mirror = self._mirrors[key] = Mirror(self._git, self._cache, key)
            self._readers[key] = mirror
            self._readers.move_to_end(key)
            idle = self._readers.popitem(last=False)[1] if len(self._readers) > _READERS_KEPT else None
        if idle is not None:
            idle.objects.close()
        return mirror

    def _list(self, mirror: Mirror, commit: str) -> Listing:
        """The listing of a commit, made once however many threads ask."""
        key = (mirror.path.name, commit)
        with mirror.listing:
            with self._guard:
                listing = self._listings.get(key)
                if listing is not None:
                    self._listings.move_to_end(key)
                    return listing
            root = self._commit(mirror, commit).tree
            arguments = ["ls-tree", "-r", "-t", "-z", "-l", "--full-tree", "--end-of-options", root]
            done = self._git.local(arguments, mirror.path)
            if done.code:
                raise mirror.lost(commit, done.stderr.decode("utf-8", "replace").strip())
            listing = Listing(root, done.stdout)
            with self._guard:
                self._keep(key, listing)
            return listing

    def _keep(self, key: tuple[str, str], listing: Listing) -> None:
        self._listings[key] = listing
        while len(self._listings) > 1 and sum(map(len, self._listings.values())) > _FILES_KEPT:
            self._listings.popitem(last=False)

    def _commit(self, mirror: Mirror, commit: str) -> Commit:
        mirror.require(commit)
        try:
            return Commit.parse(mirror.objects.read(commit))
        except Lost as error:
            raise mirror.lost(commit, error) from error
        except KeyError:
            raise Terminal(Reason.REF_NOT_FOUND, f"{commit} is an object of Git, but not a commit.") from None
