"""The port `Webhooks`, on every forge: the same few steps, in the words of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

from reconciler.adapters.forge.api import Api
from reconciler.adapters.http import Answer
from reconciler.core.webhook import same_place


class Words(Protocol):
    """How one forge speaks of hooks. `change` is the method that changes one with its secret, empty where there is
    none; `right` is what the token must be allowed."""

    change: str
    right: str

    def document(self, url: str, secret: str) -> dict[str, Any]:
        """What is sent to make a hook, or to change one."""

    def url(self, hook: dict[str, Any]) -> str:
        """Where it leads; empty for what is no hook of this kind."""

    def good(self, hook: dict[str, Any]) -> bool:
        """Whether it tells of what we want in the way that we want; of its secret only that there is one."""

    def dead(self, hook: dict[str, Any]) -> bool:
        """Whether the forge has given it up, so that no change brings it back."""


class ForgeWebhooks:
    """Safe to call from many threads. Whatever ends it halfway, the next call tidies up: a hook that is made before the
    old one is taken away brings an event twice, never not at all."""

    def __init__(self, api: Api, words: Words) -> None:
        self._api = replace(api, right=f"{words.right}; spec.webhook.secretRef may name a Secret with such a token")
        self._words = words

    def ensure(self, url: str, secret: str, *, renew: bool = False) -> bool:
        ours = self._ours(url)
        good = [each for each in ours if self._words.url(each) == url and self._good(each)]
        if good and not renew:
            self._delete(each for each in ours if each["id"] != good[-1]["id"])
            return len(ours) > 1
        wanted = self._words.document(url, secret)
        living = [each for each in ours if not self._words.dead(each)]
        if living and self._words.change:
            kept = (good or living)[-1]
            self._api.ask(self._words.change, "hooks", kept["id"], body=wanted)
            self._delete(each for each in ours if each["id"] != kept["id"])
        else:
            self._api.ask("POST", "hooks", body=wanted)
            self._delete(ours)
        return True

    def remove(self, url: str) -> None:
        self._delete(self._ours(url))

    def _good(self, hook: dict[str, Any]) -> bool:
        return self._words.good(hook) and not self._words.dead(hook)

    def _ours(self, url: str) -> list[dict[str, Any]]:
        """The oldest first."""
        found = [each for each in self._api.pages("hooks", page=50) if same_place(self._words.url(each), url)]
        if not all(isinstance(each.get("id"), int) for each in found):
            raise self._api.strange(Answer(200, found))
        return sorted(found, key=lambda each: int(each["id"]))

    def _delete(self, hooks: Iterable[dict[str, Any]]) -> None:
        for each in hooks:
            # 404: somebody else has taken it away meanwhile.
            self._api.ask("DELETE", "hooks", each["id"], expected=(404,))
