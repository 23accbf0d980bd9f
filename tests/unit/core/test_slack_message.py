"""A notice as Slack takes it: nothing in it can be more than text, and no limit is passed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.slack_message import BLOCKS, LIMIT, message
from reconciler.model.notice import Notice, NoticeEvent, Subject

_TEXT = st.text(alphabet=st.sampled_from("&<>!@|ab\n*"), max_size=5000)


def test_what_looks_like_a_mention_or_a_link_is_text() -> None:
    said = message(
        Notice(NoticeEvent.FAILED, Subject("a", "b"), "1" * 40, "<!channel> & co", ("<https://evil|click>",))
    )
    assert said["text"] == ":x: &lt;!channel&gt; &amp; co"
    assert said["blocks"][1]["text"]["text"] == "• &lt;https://evil|click&gt;"


@given(st.sampled_from(list(NoticeEvent)), _TEXT, st.lists(_TEXT, max_size=60), _TEXT)
def test_any_notice_is_within_the_limits_and_holds_no_markup_of_its_own(
    event: NoticeEvent, title: str, lines: list[str], link: str
) -> None:
    said = message(Notice(event, Subject("a", "b"), "1" * 40, title, tuple(lines), link))
    texts = [block["text"]["text"] for block in said["blocks"] if block["type"] == "section"]
    texts += [
        element["text"] for block in said["blocks"] if block["type"] == "context" for element in block["elements"]
    ]
    assert len(said["blocks"]) <= BLOCKS
    assert all(1 <= len(text) <= LIMIT for text in texts)
    for text in texts:
        plain = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
        assert "&" not in plain
        assert plain.count("<") == (1 if link and "|open>" in plain else 0)
