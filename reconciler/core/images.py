"""Which tag of an image is wanted: one decision, from the policy, the registry's tags and what is written now.

The registry's own order of tags means nothing (it may lie, and sorts by letters), so it is never looked at. A tag that
is older than the one in the folder is not proposed: builds end out of order, and a rollback in Git must stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core import semver
from reconciler.model.image import TAG_PATTERN, parse_ref, same_image
from reconciler.model.image_feed import ImagePolicy

_TAG = re.compile(TAG_PATTERN, re.ASCII)
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """The tag that is wanted. `tag` is empty where there is none, and `why` says it in one sentence."""

    tag: str = ""
    why: str = ""


def choose(
    policy: ImagePolicy, tags: Iterable[str], current: Collection[str] = (), refused: Collection[str] = ()
) -> Choice:
    """The best tag that is not in `refused` and not older than any of `current`, the tags that are written now.

    The newest of `current` is chosen when nothing is better: it may have moved to another digest. A tag that the policy
    cannot order (a branch's name, say) is older than everything.
    """
    known = {tag for tag in tags if _TAG.fullmatch(tag)}
    if policy.digest is not None:
        return _moving(policy.digest, known, refused)
    order, fits = _order(policy)
    ordered = {tag: place for tag in known if fits(tag) and (place := order(tag)) is not None}
    if not ordered:
        return Choice(why=f"none of {len(known)} tags fits {policy}")
    allowed = {tag: place for tag, place in ordered.items() if tag not in refused}
    if not allowed:
        return Choice(why=f"every tag that fits {policy} is vetoed")
    best = max(allowed, key=lambda tag: (allowed[tag], tag))
    # By its own order, not by whether it is still in the registry: old tags are cleaned up there.
    now = max((tag for tag in current if order(tag) is not None), key=lambda tag: (order(tag), tag), default="")
    if not now or allowed[best] > order(now):
        return Choice(best)
    if now in allowed:
        return Choice(now)
    return Choice(why=f"{best} is the newest that may be taken, and not newer than {now}, which is written now")


def vetoed(images: Iterable[str], image: str, digest_of: Callable[[str], str]) -> frozenset[str]:
    """The digests of `image` among the images of vetoed versions, whatever their tags are.

    `digest_of` gives the digest of a tag, for a version that was written without one; empty when the tag is gone.
    """
    found = set()
    for text in images:
        ref = parse_ref(text)
        if ref is not None and same_image(ref.name, image) and (digest := ref.digest or digest_of(ref.tag or "latest")):
            found.add(digest)
    return frozenset(found)


def _moving(tag: str, known: Collection[str], refused: Collection[str]) -> Choice:
    if tag not in known:
        return Choice(why=f"the registry has no tag {tag}")
    if tag in refused:
        return Choice(why=f"what {tag} is now was vetoed")
    return Choice(tag)


def _order(policy: ImagePolicy) -> tuple[Callable[[str], Any], Callable[[str], bool]]:
    """The place of a tag among others, None where it has none; and whether it is a candidate. A version above the range
    is none, but it has a place: a range that was narrowed takes nothing back by itself.
    """
    if policy.semver is not None:
        wanted = semver.parse_range(policy.semver)

        def by_version(tag: str) -> Any:
            version = semver.parse(tag)
            return version.key if version is not None else None

        def in_range(tag: str) -> bool:
            version = semver.parse(tag)
            return version is not None and wanted.holds(version)

        return by_version, in_range
    assert policy.newest is not None
    pattern = re.compile(policy.newest.pattern, re.ASCII)

    def by_number(tag: str) -> Any:
        found = pattern.fullmatch(tag)
        return _numbers(found.groupdict()) if found else None

    return by_number, lambda tag: True


def _numbers(groups: Mapping[str, str | None]) -> tuple[int, ...] | None:
    """The numbers of the group, compared one after the other: a build number, or a date from the year on."""
    text = groups.get("order") or groups.get("build") or ""
    return tuple(int(number) for number in _DIGITS.findall(text)) or None
