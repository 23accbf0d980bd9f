"""Objects as text: YAML that every Kubernetes tool reads back as it was, and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

_SUBTLE = (
    ("bool", r"^[yYnN]$", "yYnN"),
    ("int", r"^[-+]?0o[0-7_]+$", "-+0"),
    ("float", r"^[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
)
"""Texts that kubectl's reader (sigs.k8s.io/yaml) takes for something else and PyYAML does not: they need quotes."""


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """An anchor would be read back, but not by people."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
for _tag, _pattern, _first in _SUBTLE:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def as_yaml(document: Any) -> str:
    """One document in block style, keys in their order, without a `---`."""
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=4096
    )


def as_yaml_stream(documents: Iterable[Any]) -> str:
    """All documents, with `---` between them."""
    return "---\n".join(as_yaml(document) for document in documents)


def as_json(value: Any) -> str:
    """Two spaces a level, keys in their order, a newline at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
