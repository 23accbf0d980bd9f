"""Which kubeconfig is meant, and what is wrong with it, in words that never repeat a credential.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from reconciler.model.outcome import Reason, Terminal

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token and the cluster's certificate."""

_LISTS = ("clusters", "contexts", "users")


def locate(kubeconfig: Path | None, environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """The files to merge, as kubectl chooses them: the named one, $KUBECONFIG, ~/.kube/config. Empty means: this is a
    pod, use its service account. Raises Terminal(CREDENTIALS_NOT_FOUND) when there is nothing.
    """
    if kubeconfig is not None:
        if not kubeconfig.exists():
            raise Terminal(Reason.CREDENTIALS_NOT_FOUND, f"there is no kubeconfig {kubeconfig}")
        return (kubeconfig,)
    listed = [Path(name).expanduser() for name in environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    found = tuple(path for path in listed or [home / ".kube" / "config"] if path.exists())
    if found or environ.get("KUBERNETES_SERVICE_HOST"):
        return found
    where = f"KUBECONFIG names {environ['KUBECONFIG']}, which is not there" if listed else "no ~/.kube/config"
    raise Terminal(
        Reason.CREDENTIALS_NOT_FOUND,
        f"no cluster to talk to: {where}, and this is no pod. Name a kubeconfig with --kubeconfig or KUBECONFIG, "
        "or start a cluster of your own with `dispatch sandbox up`",
    )


def merge(paths: Sequence[Path]) -> dict[str, Any]:
    """The files as one document; of two entries with one name the first wins. Raises Terminal(INVALID_SPEC)."""
    merged: dict[str, Any] = {"current-context": "", **{name: [] for name in _LISTS}}
    for path in paths:
        document = _read(path)
        merged["current-context"] = merged["current-context"] or document.get("current-context") or ""
        for name in _LISTS:
            taken = {entry["name"] for entry in merged[name]}
            merged[name] += [entry for entry in _entries(document, name, path) if entry["name"] not in taken]
    return merged


def check(document: Mapping[str, Any], context: str | None, title: str) -> dict[str, Any]:
    """The user of the chosen context ({} when it has none). Raises Terminal(INVALID_SPEC) with what is missing."""
    chosen = context or document["current-context"]
    known = _names(document["contexts"])
    if not chosen:
        raise _invalid(f"{title} has no current-context: choose one with --context; it has {known}")
    found = _named(document["contexts"], chosen)
    if found is None:
        raise _invalid(f"{title} has no context {chosen}; it has {known}")
    inner = _section(found, "context", f"context {chosen}", title)
    cluster = _named(document["clusters"], inner.get("cluster"))
    if cluster is None:
        raise _invalid(f"{title}: context {chosen} names the cluster {inner.get('cluster')}, which is not there")
    server = _section(cluster, "cluster", f"cluster {cluster['name']}", title).get("server")
    if not isinstance(server, str) or urlsplit(server).scheme not in ("http", "https") or not urlsplit(server).hostname:
        raise _invalid(f"{title}: cluster {cluster['name']} has no URL in `server` (such as https://example.com:6443)")
    if not inner.get("user"):
        return {}
    user = _named(document["users"], inner["user"])
    if user is None:
        raise _invalid(f"{title}: context {chosen} names the user {inner['user']}, which is not there")
    inside = _section(user, "user", f"user {user['name']}", title)
    if "exec" in inside and not (isinstance(inside["exec"], dict) and isinstance(inside["exec"].get("command"), str)):
        raise _invalid(f"{title}: user {user['name']} has an `exec` without `command`")
    return inside


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise _invalid(f"cannot read the kubeconfig {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        # The error's own text quotes the file, and with it a token: only the problem is repeated.
        raise _invalid(f"{path}: {line}not YAML: {getattr(error, 'problem', None) or 'unreadable'}") from None
    if not isinstance(document, dict):
        raise _invalid(f"{path} is no kubeconfig: it holds {'nothing' if document is None else 'no map of fields'}")
    return document


def _entries(document: Mapping[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    entries = document.get(name) or []
    if not isinstance(entries, list):
        raise _invalid(f"{path}: `{name}` is to be a list")
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise _invalid(f"{path}: {name}[{number}] has no `name`")
    return _with_places(entries, path.parent)


def _with_places(entries: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Files that an entry names are relative to the kubeconfig that it stands in, and that is lost by a merge."""
    files = {"certificate-authority", "client-certificate", "client-key", "tokenFile"}
    for entry in entries:
        for section in ("cluster", "user"):
            inner = entry.get(section)
            if isinstance(inner, dict):
                inner |= {k: str(folder / v) for k, v in inner.items() if k in files and isinstance(v, str) and v}
                command = (inner.get("exec") or {}).get("command") if isinstance(inner.get("exec"), dict) else None
                if isinstance(command, str) and "/" in command:
                    inner["exec"]["command"] = str(folder / command)
    return entries


def _section(entry: Mapping[str, Any], field: str, what: str, title: str) -> dict[str, Any]:
    inner = entry.get(field)
    if not isinstance(inner, dict):
        raise _invalid(f"{title}: {what} has no `{field}`")
    return inner


def _named(entries: Iterable[dict[str, Any]], name: Any) -> dict[str, Any] | None:
    return next((entry for entry in entries if entry["name"] == name), None)


def _names(entries: Iterable[dict[str, Any]]) -> str:
    return ", ".join(entry["name"] for entry in entries) or "none"


def _invalid(message: str) -> Terminal:
    return Terminal(Reason.INVALID_SPEC, message)
