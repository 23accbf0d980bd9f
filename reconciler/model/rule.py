"""One rule on a value, said once: checked by Dispatch from a file, and by the API server from the generated schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

VALIDATIONS = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class Rule:
    """An annotation of a field. `check` says yes or no to a value, `words` what is wrong with it ("must be ...").

    `schema` is the same rule for the API server: a `pattern`, or CEL in `x-kubernetes-validations`.
    """

    check: Callable[[Any], bool]
    words: str
    schema: dict[str, Any] = field(hash=False)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def refuse(value: Any) -> Any:
            if not self.check(value):
                raise ValueError(self.words)
            return value

        inner = handler(source)
        return core_schema.no_info_after_validator_function(refuse, inner, serialization=inner.get("serialization"))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        written = handler(schema)
        rules = [*written.get(VALIDATIONS, []), *self.schema.get(VALIDATIONS, [])]
        return {**written, **self.schema, **({VALIDATIONS: rules} if rules else {})}


def matching(pattern: str, words: str) -> Rule:
    """The whole text matches `pattern`: anchored, and within what RE2 and Python's `re` both understand."""
    compiled = re.compile(pattern, re.ASCII)
    return Rule(lambda text: compiled.fullmatch(text) is not None, words, {"pattern": pattern})


def obeying(cel: str, words: str, check: Callable[[Any], bool]) -> Rule:
    """`check` in Python and `cel` on the server are the same rule; the tests hold them together."""
    return Rule(check, words, validations(cel, words))


def validations(cel: str, words: str) -> dict[str, Any]:
    """One CEL rule as a schema carries it: Kubernetes, "Validation rules" of custom resources."""
    return {VALIDATIONS: [{"rule": cel, "message": words}]}
