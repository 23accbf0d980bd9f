"""Who we are at a registry, by a Secret as Kubernetes knows it: basic-auth, or a Docker configuration."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from reconciler.model.image import ImageName, located
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import RegistryLogin

_CONFIG = ".dockerconfigjson"


def login_of(data: Mapping[str, str], name: str, host: str) -> RegistryLogin:
    """The `data` of the Secret `name`; a user name and password without a host are for `host` and no other.

    Raises Terminal(CREDENTIALS_NOT_FOUND) for a Secret that holds nothing of use.
    """
    ca = _text(data, "ca.crt", name)
    logins = dict(_configured(_text(data, _CONFIG, name), name)) if _CONFIG in data else {}
    password = _text(data, "password", name)
    if password:
        logins[host] = (_text(data, "username", name), password)
    if not (logins or ca):
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            f"Secret {name!r} has neither username and password nor {_CONFIG}: add one of them",
        )
    return RegistryLogin(logins, ca)


def for_image(login: RegistryLogin, image: ImageName) -> tuple[str, str] | None:
    """The login of the longest `host/path` that the image is below; None where there is none."""
    place = str(image)
    fitting = [key for key in login.logins if place == key or place.startswith(f"{key}/")]
    return login.logins[max(fitting, key=len)] if fitting else None


def _configured(text: str, name: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The `auths` of a Docker configuration. Its keys are hosts, hosts with a path, or URLs (Docker Hub's)."""
    try:
        auths: Any = json.loads(text)["auths"]
        for key, entry in auths.items():
            user, password = entry.get("username", ""), entry.get("password", "")
            if entry.get("auth"):
                user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
            if password:
                yield _place(key), (user, password)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            f"{_CONFIG} of Secret {name!r} is no Docker configuration: make it with "
            "`kubectl create secret docker-registry`",
        ) from None


def _place(key: str) -> str:
    parts = urlsplit(key if "://" in key else f"https://{key}")
    path = "" if parts.path.rstrip("/") in ("/v1", "/v2") else parts.path.rstrip("/")
    return located(f"{parts.netloc}/x").host + path


def _text(data: Mapping[str, str], key: str, name: str) -> str:
    try:
        return base64.b64decode(data.get(key, ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Terminal(Reason.CREDENTIALS_NOT_FOUND, f"field {key!r} of Secret {name!r} is not UTF-8 text") from None
