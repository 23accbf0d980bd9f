"""What a pull request of a promotion says: what comes, from where, who may let it in, and what it changes.

Texts of others stay text (`core/markdown.py`). Nothing here depends on the time of the look: the same state of the
world gives the same text, so that it is rewritten only when there is something new to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.core import feeding
from reconciler.core.diff import unified
from reconciler.core.markdown import code, fenced, folded, inline
from reconciler.core.mask import mask_pair
from reconciler.model.image import ImageRef, parse_ref, same_image
from reconciler.model.manifest import Manifest
from reconciler.model.promotion import ApprovalsGate, GateState, PromotionGate
from reconciler.model.revision import PastCommit

LONGEST = 60_000
"""Characters. The strictest forge takes as many (`docs/forges.md`)."""
_COMMITS = 20
_NAMED = 10
_SIGNS = {"pass": "✅", "wait": "⏳", "fail": "❌"}


@dataclass(frozen=True, slots=True)
class Changed:
    """One object that will not be what it is; `before` None is a creation, `after` None a deletion. Secrets are masked
    already. `note` says what the server thinks of it, empty when it takes it.
    """

    title: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Commits:
    """What happened in the folder of the environment before, the newest first, after `since`: the commit that was
    promoted last, empty where nobody knows. `unknown` says why the commits could not be read.
    """

    since: str = ""
    found: Sequence[PastCommit] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """What an application of the target gets: `running` are the images that it has now."""

    application: str
    running: Sequence[str]
    images: Sequence[ImageRef]


@dataclass(frozen=True, slots=True)
class Story:
    """`source` and `target` are environments, `commit` the one that `source` has applied; `coming` is what each
    application of `target` gets. `files` are the paths that are carried. `asked` are the gates as
    they are written, `gates` what they say; `earliest` is when all that depends on the time is open, None while that
    cannot be told. `predictions` are sentences about the rollouts of objects. `origin` says what the differences are
    between, `rest` how somebody sees those that are cut off. `lead` is how it begins where it comes from no
    environment.
    """

    source: str
    target: str
    commit: str
    subject: str
    coming: Sequence[Coming]
    files: Sequence[str]
    gates: Sequence[GateState]
    asked: Sequence[PromotionGate] = ()
    earliest: datetime | None = None
    commits: Commits = field(default_factory=Commits)
    predictions: Sequence[tuple[str, str]] = ()
    changes: Sequence[Changed] = ()
    origin: str = "The objects as they are rendered, before and after."
    rest: str = ""
    lead: str = ""


def body(story: Story) -> str:
    """Markdown. What is too long for a forge is cut between two objects; the text says what, and how to see it."""
    text = "\n".join(_head(story))
    left: list[Changed] = []
    for changed in story.changes:
        section = _section(changed)
        if section and len(text) + len(section) <= LONGEST - _END:
            text += section
        elif section:
            left.append(changed)
    return text + _cut(story, left)


_END = 2_000
"""Characters that are kept free for what is said of the objects that are cut off."""


def rendered(before: Sequence[Manifest], after: Sequence[Manifest]) -> tuple[Changed, ...]:
    """What differs between two renders, in the order of identities."""
    old, new = {each.id: each.document for each in before}, {each.id: each.document for each in after}
    pairs = [(str(id), *mask_pair(old.get(id), new.get(id))) for id in sorted(old.keys() | new.keys())]
    return tuple(Changed(title, one, other) for title, one, other in pairs if unified(one, other, title=title))


def elsewhere(folders: Sequence[str], page: str) -> str:
    """How somebody sees the objects for which there is no room; `page` is that of the changed files, or empty."""
    where = ", ".join(dict.fromkeys(f"`{each}`" if each else "the whole repository" for each in folders))
    files = f"[The changed files](<{page}>)" if page else "The changed files of this pull request"
    return f"{files} have all of it; so has `dispatch diff` of {where} on its branch."


def who_may_approve(gate: ApprovalsGate) -> str:
    """A sentence without a point."""
    named = [*gate.from_, *(f"the team {team}" for team in gate.teams)]
    of = f" of {', '.join(named)}" if named else ", of all who may write to the repository,"
    return f"{gate.count}{of} must approve exactly this commit; not who opened the pull request"


def _head(story: Story) -> Iterator[str]:
    what = f"commit {code(story.commit[:10])}, {inline(story.subject)}"
    yield story.lead or f"What {inline(story.source)} runs goes to **{inline(story.target)}**: {what}.\n"
    if len(story.coming) > 1:
        names = _some([code(each.application) for each in story.coming])
        yield f"One release of {names}: all of it goes, or nothing.\n"
    yield from _images(story)
    if story.files:
        yield f"Files: {_some([code(path) for path in story.files])}\n"
    yield from _gates(story)
    if story.predictions:
        yield f"### What happens in {inline(story.target)}\n"
        yield from (f"- {code(name)}: {inline(sentence)}" for name, sentence in story.predictions)
        yield ""
    yield from _commits(story)
    yield f"### What changes in {inline(story.target)}\n\n{inline(story.origin)}\n\n"


def _images(story: Story) -> Iterator[str]:
    rows = [(each, ref) for each in story.coming for ref in each.images]
    if not rows:
        return
    built = {ref: _built(ref, story.commits.found) for _, ref in rows}
    several, more = len(story.coming) > 1, any(built.values())
    head = [*(["application"] if several else []), "image", "now", "then", *(["built from"] if more else [])]
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}"
    for each, ref in rows:
        now = next((text for text in each.running if _is(text, ref)), "")
        row = [code(ref.name), code(_version(now)), code(_version(str(ref))), *([built[ref]] if more else [])]
        yield f"| {' | '.join([*([code(each.application)] if several else []), *row])} |"
    yield ""


def _built(ref: ImageRef, commits: Sequence[PastCommit]) -> str:
    """The commit of the source code, as the image's own labels told it to the feed that brought it."""
    for origin in (each for commit in commits for each in feeding.origins(commit.message)):
        found = parse_ref(origin.image)
        if found is None or not origin.revision or not same_image(found.name, ref.name):
            continue
        if origin.digest == ref.digest if ref.digest else found.tag == ref.tag:
            return code(origin.revision[:40])
    return ""


def _gates(story: Story) -> Iterator[str]:
    if story.gates:
        yield "| gate | | |\n|---|---|---|"
        for gate in story.gates:
            sign = _SIGNS.get(gate.verdict, inline(gate.verdict))
            yield f"| {inline(gate.gate)} | {sign} | {inline(gate.evidence)} |"
        yield ""
    for asked in story.asked:
        if asked.approvals is not None:
            yield f"Approval: {inline(who_may_approve(asked.approvals))}.\n"
    if story.earliest is not None:
        yield f"Can be merged at {story.earliest:%Y-%m-%d %H:%M} UTC at the earliest.\n"


def _commits(story: Story) -> Iterator[str]:
    commits = story.commits
    if commits.unknown:
        yield f"The commits of {inline(story.source)} are not listed: {inline(commits.unknown)}\n"
    if not commits.found:
        return
    since = f" since {code(commits.since[:10])}, which was promoted last" if commits.since else ""
    yield f"### Commits of {inline(story.source)}{since}\n"
    for each in commits.found[:_COMMITS]:
        yield f"- {code(each.commit[:10])} {inline(each.author)}: {inline(each.subject)}"
    if len(commits.found) > _COMMITS:
        yield f"- and {len(commits.found) - _COMMITS} more"
    yield ""


def _section(changed: Changed) -> str:
    """Empty where nothing would be seen."""
    lines = unified(changed.before, changed.after, title=changed.title).rstrip()
    if not lines and not changed.note:
        return ""
    note = f"{inline(changed.note)}\n\n" if changed.note else ""
    return folded(changed.title, f"{note}{fenced(lines, 'diff')}" if lines else note.rstrip())


def _cut(story: Story, left: Sequence[Changed]) -> str:
    if not left:
        return ""
    what = "1 more object changes and is not shown" if len(left) == 1 else f"{len(left)} more objects are not shown"
    names = _some([code(each.title[:100]) for each in left])
    return f"\n… {what}, because a description cannot be longer: {names}. {story.rest}\n"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _is(text: str, ref: ImageRef) -> bool:
    found = parse_ref(text)
    return found is not None and same_image(found.name, ref.name)


def _version(text: str) -> str:
    name, _, digest = text.partition("@")
    tag = name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""
    return "@".join(filter(None, (tag, digest[:19]))) or "-"
