"""What an unquoted word of YAML means to kubectl.

A port of `resolve` of go.yaml.in/yaml/v2 (resolve.go) followed by the way through JSON of sigs.k8s.io/yaml: YAML 1.1
words (`yes`, `0o755`, `1_000`), no dates, no base 60, and numbers as a JSON reader of Go sees them: an integer beyond
64 bits is a float, and a float without a fraction is an integer.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from typing import Any

TAG = "tag:yaml.org,2002:"

_WORDS: dict[str, Any] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
}
_WORD_START = frozenset("yYnNtTfFoO~")
_NUMBER_START = frozenset("+-0123456789")
_SPECIAL_START = _WORD_START | _NUMBER_START | {"", "."}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|(0[0-7]*)|([1-9][0-9]*))\Z")
_BASES = (16, 8, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_DOT_FLOAT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z")
_INT64 = 2**63
_UINT64 = 2**64


class NotAValue(ValueError):
    """The text is not what its tag or its place asks for; the message says why and does not repeat the text."""


def plain(text: str) -> Any:
    """The value of an unquoted, untagged scalar, as JSON carries it. Raises NotAValue for NaN and the infinities."""
    if text[:1] not in _SPECIAL_START:
        return text
    value = _resolve(text)
    return value if isinstance(value, str | bool) or value is None else json_number(value)


def plain_key(text: str) -> str:
    """An unquoted, untagged scalar as a key of a JSON object. Raises NotAValue for null."""
    if text[:1] not in _SPECIAL_START:
        return text
    value = _resolve(text)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise NotAValue("a key is null: write it in quotes, or remove it")
    return str(value) if isinstance(value, int) else _float_key(value)


def _resolve(text: str) -> Any:
    """The value as go-yaml sees it: an integer of up to 64 bits, a float, a bool, None or the text itself."""
    if text == "":
        return None
    first = text[0]
    if first in _WORD_START:
        return _WORDS.get(text, text)
    if first in _NUMBER_START:
        return _WORDS[text] if text in _WORDS else _number(text)
    if first == ".":
        return _float(text, text) if _DOT_FLOAT.match(text) else _WORDS.get(text, text)
    return text


def tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag. A tag that YAML does not define changes nothing.

    Raises NotAValue.
    """
    name = tag.removeprefix(TAG)
    if name == "binary":
        return _binary(text)
    if name not in ("int", "float", "bool", "null", "timestamp"):
        return text
    value = plain(text)
    fits = {
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
        "bool": isinstance(value, bool),
        "null": value is None,
        "timestamp": isinstance(value, str),
    }
    if not fits[name]:
        raise NotAValue(f"the value is not what its tag !!{name} says")
    return value


def json_number(value: float) -> int | float:
    """A number as JSON carries it through Go. Raises NotAValue for NaN and the infinities."""
    if not math.isfinite(value):
        raise NotAValue("JSON has no NaN and no infinity: write the value in quotes")
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else float(value)
    return int(value) if -_INT64 < value < _INT64 and value == int(value) else value


def _number(text: str) -> Any:
    digits = text.replace("_", "")
    match = _INTEGER.match(digits)
    if match:
        sign, *forms = match.groups()
        base, figures = next((base, form) for base, form in zip(_BASES, forms, strict=True) if form is not None)
        value = int(figures, base)
        value = -value if sign == "-" else value
        # ParseInt reads 64 bits with a sign, ParseUint then 64 bits without: a `+` or `-` is its error.
        if -_INT64 <= value < (_INT64 if sign else _UINT64):
            return value
    return _float(digits, text) if _FLOAT.match(digits) else text


def _float(digits: str, text: str) -> Any:
    """A float, or the text itself where the number is too large for one (strconv.ParseFloat's range error)."""
    value = float(digits)
    return value if math.isfinite(value) else text


def _binary(text: str) -> str:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode("utf-8", "replace")
    except binascii.Error as error:
        raise NotAValue("the value of a !!binary tag is not base64") from error


def _float_key(value: float) -> str:
    """`strconv.FormatFloat(value, 'g', -1, 32)`, which sigs.k8s.io/yaml uses for keys."""
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    try:
        single = struct.pack("<f", value)
    except OverflowError:
        return ".inf" if value > 0 else "-.inf"
    digits = next(text for text in (f"{value:.{n}e}" for n in range(9)) if struct.pack("<f", float(text)) == single)
    mantissa, _, exponent = digits.partition("e")
    if -4 <= int(exponent) < 6:
        return f"{float(digits):.{max(0, len(mantissa.lstrip('-').replace('.', '')) - 1 - int(exponent))}f}"
    return digits
