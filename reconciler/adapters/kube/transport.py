"""urllib3's way to the server: TLS, proxies, and connections that are made in bounded time."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reconciler.adapters.kube.channel import Channel, Lost
from reconciler.adapters.kube.credentials import Settings
from reconciler.model.outcome import Reason, Terminal

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool

CONNECT = 5.0
"""Seconds for a connection, and again for its TLS handshake."""


def pool_of(settings: Settings, title: str) -> HTTPConnectionPool:
    """Opens connections; one TLS context, loaded once, serves all of them. Raises Terminal(INVALID_SPEC)."""
    import urllib3

    arguments: dict[str, Any] = {"timeout": urllib3.Timeout(connect=CONNECT), "retries": False}
    if settings.server.startswith("https"):
        arguments["ssl_context"] = _tls(settings, title)
        if settings.server_name:
            arguments["server_hostname"] = settings.server_name
    manager: Any
    if settings.proxy is None:
        manager = urllib3.PoolManager(**arguments)
    elif settings.proxy.startswith("socks"):
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError as error:
            raise Terminal(Reason.INVALID_SPEC, f"{title} names a SOCKS proxy: install the package pysocks") from error
        manager = SOCKSProxyManager(settings.proxy, **arguments)
    else:
        manager = urllib3.ProxyManager(settings.proxy, proxy_headers=settings.proxy_headers, **arguments)
    pool: HTTPConnectionPool = manager.connection_from_url(settings.server)
    return pool


def prefix_of(settings: Settings, pool: HTTPConnectionPool) -> bytes:
    """What stands before every path: the path of the server's URL, for a forwarding proxy the whole URL (RFC 9112,
    section 3.2.2)."""
    if pool.proxy is not None and pool.scheme == "http":
        return settings.server.encode()
    return urlsplit(settings.server).path.rstrip("/").encode()


def head_of(settings: Settings, authorization: str, user_agent: str, title: str) -> bytes:
    """The header lines that every request has. Raises Terminal(INVALID_SPEC)."""
    lines = {"Host": urlsplit(settings.server).netloc.rpartition("@")[2], "User-Agent": user_agent}
    if authorization:
        lines["Authorization"] = authorization
    for name, value in lines.items():
        if not value.isascii() or not value.isprintable():
            raise Terminal(Reason.INVALID_SPEC, f"{title}: the {name} header would hold what HTTP does not allow")
    return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("ascii")


def open_channel(pool: HTTPConnectionPool, generation: int) -> Channel:
    """A new connection, ready for its first request. Raises Lost."""
    from urllib3.exceptions import HTTPError

    connection: Any = pool._new_conn()
    try:
        if pool.proxy is not None and pool.scheme == "https":
            pool._prepare_proxy(connection)
        else:
            connection.connect()
    except (HTTPError, OSError, ValueError) as error:
        connection.close()
        hopeless = isinstance(error, ssl.SSLCertVerificationError)
        raise Lost(_why(error), unsent=True, hopeless=hopeless) from error
    return Channel(connection, generation)


def _tls(settings: Settings, title: str) -> ssl.SSLContext:
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    # Python 3.13 turned this on; the authorities of many clusters lack the key identifiers that it demands, and
    # kubectl takes them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    what = "its certificate authority"
    try:
        if not settings.verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif settings.authority:
            context.load_verify_locations(cafile=settings.authority)
        else:
            context.load_default_certs()
        if settings.certificate:
            what = "its client certificate and key"
            context.load_cert_chain(settings.certificate, settings.key)
    except (ssl.SSLError, OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise Terminal(Reason.INVALID_SPEC, f"{title}: cannot use {what}: {why}") from None
    return context


def _why(error: Exception) -> str:
    """The innermost words: urllib3 wraps them in the addresses of its objects."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    inner: BaseException = error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    if isinstance(inner, TimeoutError):
        return f"no connection within {CONNECT:g} s"
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__)
