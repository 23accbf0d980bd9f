"""Reads a kubeconfig or a pod's service account into Settings: the only module that knows the package `kubernetes`.

It is imported when it is needed: it costs 130 ms and 10 MB, the most of it for OAuth.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.adapters.kube import kubeconfig
from reconciler.model.outcome import Reason, Terminal, Transient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach and to trust the server, and who we are. The files may be gone once they were loaded.

    `authorization` gives the value of that header, "" for none; it renews a token that is about to expire.
    """

    server: str
    authorization: Callable[[], str]
    verified: bool = True
    authority: str | None = None
    certificate: str | None = None
    key: str | None = None
    server_name: str | None = None
    proxy: str | None = None
    proxy_headers: Mapping[str, str] | None = None


Load = Callable[[Path], Settings]
"""Reads everything anew. The path is of a private folder, for keys that a TLS library takes from files only."""


def from_files(paths: tuple[Path, ...], context: str | None) -> tuple[Load, str]:
    """How to load a context of these kubeconfigs, and what to call that in messages.

    Loading raises Terminal(INVALID_SPEC), and Transient(CREDENTIALS_NOT_FOUND) when a credential plug-in fails.
    """
    source = f"kubeconfig {os.pathsep.join(map(str, paths))}"
    title = f"context {context} of {source}" if context else source
    return lambda folder: _load_files(paths, context, source, folder), title


def from_service_account(mounted: Path, environ: Mapping[str, str]) -> tuple[Load, str]:
    """How to load a pod's service account, and what to call it. Loading raises Terminal(CREDENTIALS_NOT_FOUND)."""
    return lambda _: _load_service_account(mounted, environ), "the pod's service account"


def _load_service_account(mounted: Path, environ: Mapping[str, str]) -> Settings:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.incluster_config import InClusterConfigLoader

    configuration = Configuration()
    # The package says that it is typed, and these parts of it are not.
    loader: Any = InClusterConfigLoader
    try:
        loader(str(mounted / "token"), str(mounted / "ca.crt"), environ=environ).load_and_set(configuration)
    except (ConfigException, OSError) as error:
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            f"this pod has no service account to use ({error}): mount one (automountServiceAccountToken), "
            "or name a kubeconfig with --kubeconfig",
        ) from error
    return _settings(configuration)


def _load_files(paths: tuple[Path, ...], context: str | None, title: str, folder: Path) -> Settings:
    document = kubeconfig.merge(paths)
    user = kubeconfig.check(document, context, title)

    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    configuration = Configuration()
    loader: Any = KubeConfigLoader
    with _root_errors() as said:
        try:
            loaded = loader(document, active_context=context, config_base_path="", temp_file_path=str(folder))
            loaded.load_and_set(configuration)
        except ConfigException as error:
            # Its words may go on with the whole entry, credentials and all.
            raise Terminal(Reason.INVALID_SPEC, f"{title}: {str(error).partition('{')[0]}") from None
        except Exception as error:
            raise Terminal(Reason.INVALID_SPEC, f"{title} cannot be used ({type(error).__name__})") from None
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        raise _plugin_failed(user, title, said)
    return _settings(configuration)


def _settings(configuration: Any) -> Settings:
    from kubernetes.client.rest import should_bypass_proxies

    just_read = True

    def authorization() -> str:
        nonlocal just_read
        if configuration.refresh_api_key_hook is not None and not just_read:
            with _root_errors() as said:
                configuration.refresh_api_key_hook(configuration)
            if said:
                log.warning("the credentials could not be renewed", extra={"why": " ".join(said)[:600]})
        just_read = False
        return str(configuration.api_key.get("BearerToken") or "").strip()

    proxied = configuration.proxy and not should_bypass_proxies(configuration.host, configuration.no_proxy or "")
    return Settings(
        server=configuration.host,
        authorization=authorization,
        verified=configuration.verify_ssl,
        authority=configuration.ssl_ca_cert,
        certificate=configuration.cert_file,
        key=configuration.key_file,
        server_name=configuration.tls_server_name,
        proxy=configuration.proxy if proxied else None,
        proxy_headers=configuration.proxy_headers if proxied else None,
    )


def _plugin_failed(user: dict[str, Any], title: str, said: list[str]) -> Transient:
    why = " ".join(" ".join(said).split())[:600] or "it gave neither a token nor a certificate"
    return Transient(
        Reason.CREDENTIALS_NOT_FOUND,
        f"{title}: the credential plug-in `{user['exec']['command']}` failed: {why}. Run it by hand, or log in again",
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
    # Without any handler the first `logging.error` would set up one for the whole process.
    silent = logging.NullHandler()
    root.addHandler(silent)
    root.addFilter(keep)
    try:
        yield said
    finally:
        root.removeFilter(keep)
        root.removeHandler(silent)
