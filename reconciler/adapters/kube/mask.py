"""Keeps the content of a Secret out of what the server says about it.

A server quotes the values that it refuses ("Invalid value: ..."; "expected string, got ...{Value:...}"), as they are,
decoded, or cut. The message is for people, statuses and logs, so nothing of a value may be left in it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "***"
FRAGMENT = 8
"""A piece of a value this long is taken for a piece of the value. Shorter ones are in every English sentence."""


def secrets_of(document: Mapping[str, Any]) -> frozenset[str]:
    """Every scalar below `data` and `stringData` of a core Secret, in each form that a message may show it in.

    Empty for every other kind. A patch of a Secret is to be given with its `apiVersion` and `kind`.
    """
    if document.get("kind") != "Secret" or document.get("apiVersion") != "v1":
        return frozenset()
    texts = {text for field in ("data", "stringData") for text in _scalars(document.get(field))}
    return frozenset(form for text in texts for form in _forms(text) if form)


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _scalars(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _scalars(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _forms(text: str) -> Iterator[str]:
    """The text, decoded from and encoded to base64, each also as it looks between the quotes of Go and JSON."""
    raw = [text, base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()]
    # What is not base64, or not of a text, has no decoded form that a message could show.
    with contextlib.suppress(binascii.Error, ValueError):
        raw.append(base64.b64decode("".join(text.split()), validate=True).decode())
    for form in raw:
        yield form
        yield form.strip()
        yield json.dumps(form)[1:-1]
        yield json.dumps(form, ensure_ascii=False)[1:-1]
        yield from (line.strip() for line in form.splitlines() if len(line.strip()) >= FRAGMENT)


def hide(text: str, secrets: frozenset[str]) -> str:
    """`text` with each secret, and each piece of FRAGMENT or more characters of one, replaced by `***`."""
    if not secrets or not text:
        return text
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= FRAGMENT:
            text = text.replace(secret, MASK)
    text = _hide_fragments(text, [secret for secret in secrets if len(secret) >= FRAGMENT])
    for secret in sorted(secrets, key=len, reverse=True):
        if 0 < len(secret) < FRAGMENT:
            # A short one is hidden where it stands alone: to hide the value "a" in every word would hide the message.
            text = re.sub(rf"(?<![A-Za-z0-9_]){re.escape(secret)}(?![A-Za-z0-9_])", MASK, text)
    return text


def _hide_fragments(text: str, secrets: list[str]) -> str:
    kept, at = [], 0
    while at < len(text):
        if any(text[at : at + FRAGMENT] in secret for secret in secrets) and at + FRAGMENT <= len(text):
            end = at + FRAGMENT
            while end < len(text) and any(text[at : end + 1] in secret for secret in secrets):
                end += 1
            kept.append(MASK)
            at = end
        else:
            kept.append(text[at])
            at += 1
    return "".join(kept)
