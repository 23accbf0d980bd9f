"""Where the API server is, and who we are there: the only module that knows the package `kubernetes`.

Credentials change while a process lives: service account tokens rotate (bound tokens last an hour), exec plug-ins
give tokens that expire, people log in again. `head` asks the loader at most every ten seconds whether it has newer
ones; `renew`, after a 401, reads everything again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reconciler.adapters.kube import kubeconfig as files
from reconciler.adapters.kube.channel import Channel, Lost
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool

log = logging.getLogger(__name__)

CONNECT = 5.0
"""Seconds for a connection with its TLS handshake."""

_FRESH = 10.0
"""Seconds between two questions whether the token has changed; loaders renew five minutes before the end."""

_RENEW_EVERY = 10.0
"""Seconds between two readings after a 401: a refused user must not run a plug-in for each request."""


@dataclass(frozen=True, slots=True)
class State:
    """One reading of the configuration. `prefix` is put before every path, `head` holds the common header lines."""

    generation: int
    configuration: Any
    pool: HTTPConnectionPool
    prefix: bytes
    head: bytes


class Access:
    """`title` names the source for people: `context prod of /home/me/.kube/config`."""

    def __init__(self, load: Callable[[Path], Any], title: str, user_agent: str) -> None:
        self.title = title
        self._load = load
        self._user_agent = user_agent
        self._lock = threading.Lock()
        self._state = self._read(0)
        self._fresh_until = time.monotonic() + _FRESH
        self._renewed_at = float("-inf")

    @property
    def url(self) -> str:
        return str(self._state.configuration.host)

    def state(self) -> State:
        """The reading to use now, with a token that is not about to expire."""
        if time.monotonic() >= self._fresh_until and self._lock.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return self._state

    def renew(self, generation: int) -> bool:
        """Read everything again, unless somebody has since `generation`; False when that was only just done.

        Raises as `connect`.
        """
        with self._lock:
            if self._state.generation != generation:
                return True
            if time.monotonic() - self._renewed_at < _RENEW_EVERY:
                return False
            self._renewed_at = time.monotonic()
            self._state = self._read(generation + 1)
            return True

    def open(self) -> Channel:
        """A new connection, authenticated by TLS where a client certificate is used. Raises Lost."""
        from urllib3.exceptions import HTTPError

        state = self._state
        connection: Any = state.pool._new_conn()
        try:
            if state.pool.proxy is not None and state.pool.scheme == "https":
                state.pool._prepare_proxy(connection)  # type: ignore[attr-defined]
            else:
                connection.connect()
        except (HTTPError, OSError, ValueError) as error:
            connection.close()
            hopeless = isinstance(error, ssl.SSLCertVerificationError)
            raise Lost(_connect_failure(error), unsent=True, hopeless=hopeless) from error
        return Channel(connection, state.generation)

    def _refresh(self) -> None:
        self._fresh_until = time.monotonic() + _FRESH
        state = self._state
        hook = state.configuration.refresh_api_key_hook
        if hook is None:
            return
        try:
            hook(state.configuration)
            head = _head(state.configuration, self._user_agent)
        except Exception as error:
            # The old token may still be good; if it is not, a 401 says so and everything is read again.
            log.warning("the credentials could not be refreshed", extra={"source": self.title, "why": type(error).__name__})
            return
        if head != state.head:
            self._state = State(state.generation, state.configuration, state.pool, state.prefix, head)

    def _read(self, generation: int) -> State:
        """Keys and certificates that the loader writes to files live as long as it takes to load them from there."""
        with tempfile.TemporaryDirectory(prefix="dispatch-") as folder:
            configuration = self._load(Path(folder))
            pool = _pool(configuration, self.title)
        prefix = urlsplit(configuration.host).path.rstrip("/")
        if pool.proxy is not None and pool.scheme == "http":
            # A forwarding proxy is told the whole URL (RFC 9112, section 3.2.2).
            prefix = configuration.host.rstrip("/")
        return State(generation, configuration, pool, prefix.encode(), _head(configuration, self._user_agent))


def from_files(paths: tuple[Path, ...], context: str | None, user_agent: str) -> Access:
    """Raises Terminal(INVALID_SPEC), Transient(CREDENTIALS_NOT_FOUND) when an exec plug-in fails."""
    title = f"the kubeconfig {os.pathsep.join(map(str, paths))}"

    def load(folder: Path) -> Any:
        return _load_files(paths, context, title, folder)

    named = f"context {context} of " if context else ""
    return Access(load, named + title.removeprefix("the "), user_agent)


def from_service_account(folder: Path, environ: dict[str, str], user_agent: str) -> Access:
    """Raises Terminal(CREDENTIALS_NOT_FOUND)."""

    def load(_: Path) -> Any:
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException
        from kubernetes.config.incluster_config import InClusterConfigLoader

        configuration = Configuration()
        loader = InClusterConfigLoader(str(folder / "token"), str(folder / "ca.crt"), environ=environ)
        try:
            loader.load_and_set(configuration)
        except (ConfigException, OSError) as error:
            raise Terminal(
                Reason.CREDENTIALS_NOT_FOUND,
                f"this pod has no service account to use ({error}): mount one (automountServiceAccountToken), "
                "or name a kubeconfig with --kubeconfig",
            ) from error
        return configuration

    return Access(load, "the pod's service account", user_agent)


def _load_files(paths: tuple[Path, ...], context: str | None, title: str, folder: Path) -> Any:
    document = files.merge(paths)
    user = files.check(document, context, title)

    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    configuration = Configuration()
    with _root_errors() as said:
        try:
            loader = KubeConfigLoader(document, active_context=context, config_base_path="", temp_file_path=str(folder))
            loader.load_and_set(configuration)
        except ConfigException as error:
            # Its words may go on with the whole entry, credentials and all.
            raise Terminal(Reason.INVALID_SPEC, f"{title}: {str(error).partition('{')[0]}") from None
        except Exception as error:
            raise Terminal(Reason.INVALID_SPEC, f"{title} cannot be used ({type(error).__name__})") from None
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        raise _plugin_failed(user, title, said)
    return configuration


def _plugin_failed(user: dict[str, Any], title: str, said: list[str]) -> Transient:
    command = (user.get("exec") or {}).get("command", "")
    why = " ".join(" ".join(said).split())[:600] or "it gave neither a token nor a certificate"
    return Transient(
        Reason.CREDENTIALS_NOT_FOUND,
        f"{title}: the credential plug-in `{command}` failed: {why}. Run it by hand, or log in again",
    )


@contextlib.contextmanager
def _root_errors() -> Iterator[list[str]]:
    """What this thread logs on the root logger meanwhile, taken from there: it is how the loader tells of a failure."""
    said: list[str] = []
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        said.append(record.getMessage())
        return False

    root = logging.getLogger()
    root.addFilter(keep)
    try:
        yield said
    finally:
        root.removeFilter(keep)


def _pool(configuration: Any, title: str) -> HTTPConnectionPool:
    """The pool of urllib3 that opens connections; one TLS context for all of them, loaded once."""
    import urllib3
    from kubernetes.client.rest import is_socks_proxy_url, should_bypass_proxies

    arguments: dict[str, Any] = {"timeout": urllib3.Timeout(connect=CONNECT), "retries": False}
    if configuration.host.startswith("https"):
        arguments["ssl_context"] = _tls(configuration, title)
        if configuration.tls_server_name:
            arguments["server_hostname"] = configuration.tls_server_name
    manager: Any
    if not configuration.proxy or should_bypass_proxies(configuration.host, configuration.no_proxy or ""):
        manager = urllib3.PoolManager(**arguments)
    elif is_socks_proxy_url(configuration.proxy):
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError as error:
            raise Terminal(Reason.INVALID_SPEC, f"{title} names a SOCKS proxy: install the package pysocks") from error
        manager = SOCKSProxyManager(configuration.proxy, **arguments)
    else:
        manager = urllib3.ProxyManager(configuration.proxy, proxy_headers=configuration.proxy_headers, **arguments)
    pool: HTTPConnectionPool = manager.connection_from_url(configuration.host)
    return pool


def _tls(configuration: Any, title: str) -> ssl.SSLContext:
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    # Python 3.13 turned this on; the authorities of many clusters lack the key identifiers that it demands, and
    # kubectl takes them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    what = "its certificate authority"
    try:
        if not configuration.verify_ssl:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif configuration.ssl_ca_cert:
            context.load_verify_locations(cafile=configuration.ssl_ca_cert)
        else:
            context.load_default_certs()
        if configuration.cert_file:
            what = "its client certificate and key"
            context.load_cert_chain(configuration.cert_file, configuration.key_file or None)
    except (ssl.SSLError, OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise Terminal(Reason.INVALID_SPEC, f"{title}: cannot use {what}: {why}") from None
    return context


def _head(configuration: Any, user_agent: str) -> bytes:
    """The header lines that every request has."""
    lines = {"Host": urlsplit(configuration.host).netloc.rpartition("@")[2], "User-Agent": user_agent}
    credential = configuration.api_key.get("BearerToken")
    if credential:
        lines["Authorization"] = credential.strip()
    for name, value in lines.items():
        if not value.isascii() or not value.isprintable():
            raise Terminal(Reason.INVALID_SPEC, f"the {name} header would hold characters that HTTP does not allow")
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("ascii")


def _connect_failure(error: Exception) -> str:
    """The reason in the innermost words: urllib3 wraps them with its objects' addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    inner: BaseException = error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    if isinstance(inner, TimeoutError):
        return f"no connection within {CONNECT:g} s"
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__)


def failure_of(error: StageError) -> str:
    """One line of another failure, to be told inside a sentence."""
    return error.message.splitlines()[0] if error.message else error.reason.value
