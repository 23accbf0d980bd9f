"""What a commit of Dispatch's own is for, as its branch, its title and its trailers say it: the same for the same
version, so that there is one of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core import trailers
from reconciler.core.ledger import component
from reconciler.core.promotion import CANDIDATE, PROMOTION, SOURCE
from reconciler.model.hotfix import Hotfix
from reconciler.model.promotion import PromotionEnvironment

_HOTFIX, _REASON, _BY = "Dispatch-Hotfix", "Dispatch-Hotfix-Reason", "Dispatch-Hotfix-By"


@dataclass(frozen=True, slots=True)
class Errand:
    """`trailer` names the document that is carried out, `namespace/name`; `heading` is the title, with `{}` for what
    comes; `more` are further trailers. A promotion tells the commit that the version comes from (`sourced`).
    """

    trailer: str
    namespace: str
    name: str
    environment: str
    folder: str
    heading: str
    sourced: bool = False
    more: tuple[tuple[str, str], ...] = ()

    @property
    def owner(self) -> str:
        return f"{self.namespace}/{self.name}"

    def branch(self, candidate: str) -> str:
        """The branch of its pull request."""
        names = (self.namespace, self.name, self.environment)
        return "/".join((self.folder, *map(component, names), candidate))

    def title(self, names: Sequence[str]) -> str:
        """`shop:1.4.0 to production`."""
        return trailers.line(self.heading.format(", ".join(names)))

    def message(self, title: str, candidate: str, source: str) -> str:
        """The message of the commit: the title, and trailers that say it to programs."""
        origin = ((SOURCE, source),) if self.sourced else ()
        return trailers.written(title, "", ((self.trailer, self.owner), (CANDIDATE, candidate), *origin, *self.more))

    def made(self, text: str, candidate: str) -> bool:
        """Whether a commit of this message is one that Dispatch made for this version."""
        found = dict(trailers.read(text))
        return (found.get(self.trailer.lower()), found.get(CANDIDATE.lower())) == (self.owner, candidate)


def of_promotion(namespace: str, name: str, environment: str) -> Errand:
    """To carry what one environment runs to the next."""
    return Errand(PROMOTION, namespace, name, environment, "dispatch/promote", f"{{}} to {_plain(environment)}", True)


def of_hotfix(hotfix: Hotfix) -> Errand:
    """To carry a hotfix to its environment."""
    return _hotfix(hotfix, hotfix.spec.environment, "Hotfix {} to ")


def of_return(hotfix: Hotfix, before: PromotionEnvironment) -> Errand:
    """To carry a hotfix back to an environment before."""
    return _hotfix(hotfix, before.name, "Hotfix {} back to ")


def _hotfix(hotfix: Hotfix, environment: str, heading: str) -> Errand:
    more = ((_REASON, trailers.line(hotfix.spec.reason)), (_BY, trailers.line(hotfix.spec.by)))
    namespace, name = hotfix.metadata.namespace, hotfix.metadata.name
    return Errand(_HOTFIX, namespace, name, environment, "dispatch/hotfix", heading + _plain(environment), False, more)


def _plain(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
