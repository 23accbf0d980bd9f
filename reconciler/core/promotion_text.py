"""What a pull request of a promotion says: what comes, from where, what it changes, and what is still closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.diff import unified
from reconciler.core.mask import mask_pair
from reconciler.model.identity import ObjectId
from reconciler.model.image import ImageRef, parse_ref, same_image
from reconciler.model.manifest import Manifest
from reconciler.model.promotion import GateState

LONGEST = 60_000
"""Characters; the forges take 65,536."""
_SIGNS = {"pass": "✅", "wait": "⏳", "fail": "❌"}


@dataclass(frozen=True, slots=True)
class Story:
    """`source` and `target` are environments, `commit` the one that `source` has applied; `running` are the images that
    `target` has now, `coming` those that are to come. `files` are the paths that are carried.
    """

    source: str
    target: str
    commit: str
    subject: str
    running: Sequence[str]
    coming: Sequence[ImageRef]
    files: Sequence[str]
    gates: Sequence[GateState]


def body(story: Story, before: Sequence[Manifest], after: Sequence[Manifest]) -> str:
    """Markdown. `before` and `after` are the objects of the target, rendered without and with the change; the values of
    Secrets are masked. What is too long for a forge is cut between two objects, and says so.
    """
    head = "\n".join(_head(story))
    sections = list(_sections(before, after))
    text, left = head, len(sections)
    for section in sections:
        if len(text) + len(section) > LONGEST:
            break
        text, left = text + section, left - 1
    if left:
        text += f"\n… and {left} more objects: `dispatch diff` on this branch shows them.\n"
    return text


def _head(story: Story) -> Iterator[str]:
    what = f"commit {story.commit[:10]}, {_quoted(story.subject)}"
    yield f"What {story.source} runs goes to **{story.target}**: {what}.\n"
    if story.coming:
        yield "| image | now | then |\n|---|---|---|"
        for ref in story.coming:
            now = next(
                (text for text in story.running if same_image(text.partition("@")[0].rpartition(":")[0], ref.name)), ""
            )
            yield f"| `{ref.name}` | `{_version(now)}` | `{_version(str(ref))}` |"
        yield ""
    if story.files:
        yield f"Files: {', '.join(f'`{path}`' for path in story.files)}\n"
    if story.gates:
        yield "| gate | | |\n|---|---|---|"
        for gate in story.gates:
            yield f"| {gate.gate} | {_SIGNS.get(gate.verdict, gate.verdict)} | {_quoted(gate.evidence)} |"
        yield ""
    yield f"### What changes in {story.target}\n"


def _sections(before: Sequence[Manifest], after: Sequence[Manifest]) -> Iterator[str]:
    old, new = {each.id: each for each in before}, {each.id: each for each in after}
    for id in sorted(old.keys() | new.keys()):
        lines = _difference(id, old.get(id), new.get(id))
        if lines:
            yield f"<details><summary>{id}</summary>\n\n```diff\n{lines}\n```\n\n</details>\n"


def _difference(id: ObjectId, old: Manifest | None, new: Manifest | None) -> str:
    before, after = mask_pair(old.document if old else None, new.document if new else None)
    return unified(before, after, title=str(id)).rstrip().replace("```", "'''")


def _is(text: str, ref: ImageRef) -> bool:
    found = parse_ref(text)
    return found is not None and same_image(found.name, ref.name)


def _version(text: str) -> str:
    name, _, digest = text.partition("@")
    tag = name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""
    return "@".join(filter(None, (tag, digest[:19]))) or "-"


def _quoted(text: str) -> str:
    """One line, without markup, mentions and HTML."""
    plain = " ".join(text.split()).replace("|", "/").replace("`", "'").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("@", "@\u200b")
