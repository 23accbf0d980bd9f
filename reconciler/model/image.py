"""How container images and ranges of their versions are written: the grammars, and an image reference as a value.

Names, tags and digests after the grammar of github.com/distribution/reference (reference.go); ranges after node-semver.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_HOST = r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]+)?"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
NAME_PATTERN = rf"^({_HOST}/)?{_PART}(/{_PART})*$"
TAG_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"

_TAG, _DIGEST = TAG_PATTERN[1:-1], DIGEST_PATTERN[1:-1]
REFERENCE_PATTERN = rf"{NAME_PATTERN[:-1]}(:{_TAG}(@{_DIGEST})?|@{_DIGEST})$"
"""A name with a tag, a digest, or both."""

_NUMBER = r"(0|[1-9][0-9]*)"
_LABEL = r"(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
PRE_PATTERN = rf"{_LABEL}(\.{_LABEL})*"
_WILD = rf"({_NUMBER}|[xX*])"
PARTIAL_PATTERN = rf"v?{_WILD}(\.{_WILD}(\.{_WILD}(-{PRE_PATTERN})?)?)?"
COMPARATOR_PATTERN = rf"((\^|~|>=|<=|>|<|=) *)?{PARTIAL_PATTERN}"
_SET = rf" *({PARTIAL_PATTERN} +- +{PARTIAL_PATTERN}|{COMPARATOR_PATTERN}(( *, *| +){COMPARATOR_PATTERN})*) *"
RANGE_PATTERN = rf"^{_SET}(\|\|{_SET})*$"

_DEFAULT_HOST = "docker.io"
_ALIASES = {"index.docker.io": _DEFAULT_HOST, "registry-1.docker.io": _DEFAULT_HOST}


class ImageName(NamedTuple):
    """Where an image is: the registry's host with its port, and the repository there."""

    host: str
    repository: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"


class ImageRef(NamedTuple):
    """`name[:tag][@digest]` as it is written. `tag` and `digest` are empty where they are not given."""

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_ref(text: str) -> ImageRef | None:
    """The parts of a reference; None for what is none (a template, a text with spaces)."""
    rest, _, digest = text.partition("@")
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, tag = rest, ""
    good = re.fullmatch(NAME_PATTERN, name) and (not tag or re.fullmatch(TAG_PATTERN, tag))
    if (
        not good
        or ("@" in text and not re.fullmatch(DIGEST_PATTERN, digest))
        or (colon and not tag and ":" not in name)
    ):
        return None
    return ImageRef(name, tag, digest)


def called(text: str) -> str:
    """`shop:1.4.0` of `registry/team/shop:1.4.0@sha256:...`: what people call it."""
    return text.partition("@")[0].rpartition("/")[2]


def located(name: str) -> ImageName:
    """Where a name leads: `nginx` is docker.io/library/nginx, as Docker and Kubernetes read it (normalize.go)."""
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        first, rest = _DEFAULT_HOST, name
    host = _ALIASES.get(first.lower(), first.lower())
    if host == _DEFAULT_HOST and "/" not in rest:
        rest = f"library/{rest}"
    return ImageName(host, rest)


def same_image(one: str, other: str) -> bool:
    """Whether two names lead to the same repository."""
    return located(one) == located(other)
