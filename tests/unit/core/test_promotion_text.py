"""What the description of a promotion's pull request says, and what it never lets in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.core import feeding
from reconciler.core.promotion_text import (
    LONGEST,
    Changed,
    Coming,
    Commits,
    Story,
    body,
    elsewhere,
    rendered,
    who_may_approve,
)
from reconciler.model.image import ImageRef
from reconciler.model.image_feed import SelectedImage
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.promotion import ApprovalsGate, GateState, PromotionGate
from reconciler.model.revision import PastCommit

DIGEST = "sha256:" + "a" * 64
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TAGS = {"p", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "h3", "ul", "li"}
EVIL = [
    "</details><script>alert(1)</script>",
    "```\n</details>\n# Approved by @admins",
    "`````` @everyone closes #12, fixes GH-12",
    "| a | b |\n|---|---|\n| <b>x</b> | [click](https://evil.example/x) |",
    "/merge\n/approve",
    "![x](https://evil.example/x.png) **bold** \u202egnp.exe",
    "~~~\n\n- [x] checked\n\n---\n\n    code",
]


def manifest(kind: str, name: str, **content: Any) -> Manifest:
    document = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **content}
    return Manifest(document, Origin("x.yaml"))


def story(**more: Any) -> Story:
    told: dict[str, Any] = {
        "source": "staging",
        "target": "production",
        "commit": "c" * 40,
        "subject": "Ada: shop 2 | <b>@all</b>",
        "coming": [Coming("shop", ["shop:1"], [ImageRef("shop", "2", DIGEST)])],
        "files": [],
        "gates": [GateState(gate="healthyFor", verdict="wait", evidence="3m are left")],
    }
    return Story(**{**told, **more})


def commit(number: int, message: str = "", subject: str = "") -> PastCommit:
    return PastCommit(f"{number:040x}", "Ada", subject or f"change {number}", message)


def test_the_text_says_what_comes_and_what_is_closed_and_hides_what_is_secret() -> None:
    before = [manifest("ConfigMap", "a", data={"x": "1"}), manifest("Secret", "s", data={"p": "b2xk"})]
    after = [manifest("ConfigMap", "a", data={"x": "2"}), manifest("Secret", "s", data={"p": "bmV3"})]
    text = body(story(changes=rendered(before, after)))
    assert "| `shop` | `1` | `2@sha256:aaaaaaaaaaaa` |" in text
    assert "3m are left" in text
    assert "+  x: '2'" in text
    assert "b2xk" not in text and "bmV3" not in text
    assert "<b>" not in text and "@all" not in text


def test_the_text_tells_who_must_approve_and_when_it_can_go_on() -> None:
    asked = [PromotionGate.model_validate({"approvals": {"count": 2, "from": ["ada", "bob"]}})]
    text = body(story(asked=asked, earliest=datetime(2026, 6, 8, 7, 0, tzinfo=UTC)))
    assert "2 of ada, bob must approve exactly this commit; not who opened the pull request" in text
    assert "at 2026-06-08 07:00 UTC at the earliest" in text
    assert "of all who may write" in who_may_approve(ApprovalsGate())
    teams = ApprovalsGate.model_validate({"from": ["ada"], "teams": ["acme/ops"]})
    assert who_may_approve(teams).startswith("1 of ada, the team acme/ops must approve")
    assert "earliest" not in body(story())


def test_the_text_tells_what_happens_to_rollouts() -> None:
    text = body(story(predictions=[("Rollout.argoproj.io/shop/web", "starts a canary of 4 steps")]))
    assert "- `Rollout.argoproj.io/shop/web`: starts a canary of 4 steps" in text


def test_the_commits_since_the_last_promotion_are_told_with_their_authors_and_counted() -> None:
    text = body(story(commits=Commits("f" * 40, [commit(number) for number in range(25)])))
    assert "since `ffffffffff`, which was promoted last" in text
    assert "- `0000000000` Ada: change 0" in text
    assert "change 19" in text and "change 20" not in text
    assert "- and 5 more" in text


def test_a_history_that_cannot_be_read_is_said_to_be_so() -> None:
    assert "not listed: the host is away" in body(story(commits=Commits(unknown="the host is away")))


def test_an_image_that_a_feed_brought_names_the_commit_that_it_was_built_from() -> None:
    selected = SelectedImage(tag="2", digest=DIGEST, revision="0123abc", source="https://example.com/shop")
    fed = commit(1, feeding.write("team-a", "shop", "shop", {"staging": selected}, {}))
    for ref in (ImageRef("shop", "2", DIGEST), ImageRef("shop", "2")):
        text = body(story(coming=[Coming("shop", ["shop:1"], [ref])], commits=Commits("", [commit(2), fed])))
        assert text.splitlines()[4].endswith("| `0123abc` |")
    another = Coming("shop", ["shop:1"], [ImageRef("shop", "2", "sha256:" + "b" * 64)])
    other = body(story(coming=[another], commits=Commits("", [fed])))
    assert "0123abc" not in other and "built from" not in other


def test_a_text_that_is_too_long_is_cut_between_objects_and_says_what_is_missing_and_how_to_see_it() -> None:
    after = [manifest("ConfigMap", f"c{number}", data={"x": "y" * 5000}) for number in range(40)]
    text = body(story(changes=rendered([], after), rest="`dispatch diff production` shows them."))
    assert 50_000 < len(text) <= LONGEST
    assert "29 more objects are not shown" in text and " and 19 more." in text
    assert text.rstrip().endswith("`dispatch diff production` shows them.")
    assert text.count("<details>") == text.count("</details>")


def test_an_object_that_is_too_long_by_itself_does_not_hide_the_others() -> None:
    after = [manifest("ConfigMap", "a", data={"x": "y" * 70_000}), manifest("ConfigMap", "b", data={"x": "1"})]
    text = body(story(changes=rendered([], after)))
    assert "1 more object changes and is not shown" in text and "`ConfigMap/shop/a`" in text
    assert "+  x: '1'" in text


def test_what_the_server_says_of_an_object_is_told_with_it() -> None:
    changed = Changed("ConfigMap/shop/a", None, {"data": {"x": "1"}}, "The server would refuse it: no room")
    text = body(story(changes=[changed]))
    assert "The server would refuse it: no room" in text and "+  x: '1'" in text


def test_the_same_story_gives_the_same_text() -> None:
    assert body(story()) == body(story())


def shown(text: str) -> tuple[set[str], list[str]]:
    """(the tags that a forge would make of it, the pieces of raw HTML)."""
    tags: set[str] = set()
    html: list[str] = []
    waiting = MARKDOWN.parse(text)
    while waiting:
        token = waiting.pop()
        waiting += token.children or []
        if token.type in ("html_block", "html_inline"):
            html.append(token.content)
        elif token.tag:
            tags.add(token.tag)
    return tags, html


TEXTS = st.sampled_from(EVIL) | st.text(max_size=60)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_nothing_that_others_wrote_becomes_markup_a_link_or_a_mention(
    one: str, other: str, name: str, value: str
) -> None:
    told = story(
        subject=one,
        coming=[Coming("shop", [f"shop:{other}"], [ImageRef("shop", "2", DIGEST)])],
        files=[name],
        gates=[GateState(gate=one, verdict=other, evidence=value)],
        asked=[PromotionGate(approvals=ApprovalsGate.model_construct(count=1, from_=(name,)))],
        commits=Commits("f" * 40, [replace(commit(1), author=one, subject=other)], unknown=name),
        predictions=[(name, other)],
        origin=one,
        changes=[
            Changed(name, {"data": {"x": value}}, {"data": {name: other}}, one),
            Changed(value, None, None, other),
        ],
    )
    text = body(told)
    tags, html = shown(text)
    assert tags <= TAGS
    pieces = [piece for each in html for piece in each.split("\n") if piece]
    assert all(piece == "</details>" or piece.startswith("<details><summary>") for piece in pieces)
    assert sum(piece != "</details>" for piece in pieces) == pieces.count("</details>")


def test_a_release_of_several_applications_says_which_of_them_gets_what() -> None:
    coming = [
        Coming("web", ["shop:1"], [ImageRef("shop", "2")]),
        Coming("worker", ["shop:3"], [ImageRef("shop", "4")]),
        Coming("job", ["job:1"], []),
    ]
    text = body(story(coming=coming))
    assert "One release of `web`, `worker`, `job`: all of it goes, or nothing." in text
    assert "| `web` | `shop` | `1` | `2` |\n| `worker` | `shop` | `3` | `4` |" in text
    assert "One release" not in body(story(coming=coming[:1]))


@pytest.mark.parametrize("evil", EVIL)
def test_outside_of_code_nobody_is_mentioned_and_no_issue_is_closed(evil: str) -> None:
    text = body(story(subject=evil, gates=[GateState(gate="hold", verdict="wait", evidence=evil)], origin=evil))
    assert not any(f"@{letter}" in text.replace("@sha256", "") for letter in "ae")
    assert "#12" not in text and "GH-12" not in text and "://" not in text
    assert not any(line.startswith("/") for line in text.splitlines())
    assert "\u202e" not in text


def test_a_secret_stays_hidden_and_a_new_one_too() -> None:
    made = rendered([], [manifest("Secret", "s", stringData={"p": "hunter2"})])
    assert "hunter2" not in body(story(changes=made))


def test_what_there_is_no_room_for_is_a_link_away_once_there_is_a_page() -> None:
    page = "https://git.example.com/team/config/pulls/7/files"
    found = elsewhere(["web", "web", ""], page)
    assert found.startswith(f"[The changed files](<{page}>) have all of it")
    assert "`dispatch diff` of `web`, the whole repository on its branch" in found
    assert elsewhere(["web"], "").startswith("The changed files of this pull request have")
