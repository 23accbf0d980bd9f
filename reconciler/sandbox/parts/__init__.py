"""The parts of a sandbox: what each is started with, what it needs, and when it counts as ready."""

from __future__ import annotations

from reconciler.sandbox.parts.part import Part, Spec

__all__ = ["Part", "Spec", "spec_of", "with_needs"]


def spec_of(part: Part) -> Spec:
    """How to run `part`; imported on demand, so that naming a part costs nothing."""
    from importlib import import_module

    found: Spec = import_module(f"reconciler.sandbox.parts.{part.value}").SPEC
    return found


def with_needs(parts: frozenset[Part]) -> list[Part]:
    """`parts` and all that they need and want, in the order of starting; the API server when none is named."""
    wanted = set(parts or {Part.APISERVER})
    while missing := {other for part in wanted for other in (*spec_of(part).needs, *spec_of(part).wants)} - wanted:
        wanted |= missing
    return [part for part in Part if part in wanted]
