"""A notice as Slack takes it: blocks and a fallback text, escaped, within Slack's limits.

docs.slack.dev, "Formatting text for app surfaces" (escape &, < and >) and "Blocks": 3,000 characters in the text of a
section, 50 blocks a message.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.notice import Notice, NoticeEvent

EVENT_TYPE = "dispatch_notice"
"""`metadata.event_type` of our messages: by it and the key in the payload one is found again."""
LIMIT = 3000
BLOCKS = 50
_LINES = 40
_CUT = "… and more: it was cut to what Slack takes. Kubernetes has all of it."
_SIGNS = {
    NoticeEvent.DEPLOYED: ":white_check_mark:",
    NoticeEvent.RECOVERED: ":white_check_mark:",
    NoticeEvent.DRIFT_MENDED: ":white_check_mark:",
    NoticeEvent.DEGRADED: ":red_circle:",
    NoticeEvent.FAILED: ":x:",
    NoticeEvent.ABORTED: ":no_entry:",
    NoticeEvent.REVERTED: ":leftwards_arrow_with_hook:",
    NoticeEvent.UNREVIEWED_CHANGE: ":rotating_light:",
    NoticeEvent.FREEZE_BLOCKS: ":snowflake:",
    NoticeEvent.APPROVAL_WANTED: ":raised_hand:",
    NoticeEvent.CANDIDATE_READY: ":raised_hand:",
    NoticeEvent.REVISION_QUEUED: ":hourglass_flowing_sand:",
    NoticeEvent.CANARY_STEP: ":hourglass_flowing_sand:",
    NoticeEvent.DRIFT_FOUND: ":warning:",
    NoticeEvent.DRIFT_REPORT: ":clipboard:",
}


def escape(text: str) -> str:
    """Slack's three control characters; with these gone a text cannot mention, link or format as a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message(notice: Notice) -> dict[str, Any]:
    """`text`, `blocks` and `metadata` of chat.postMessage and chat.update."""
    sign = ":hourglass_flowing_sand:" if notice.under_way else _SIGNS[notice.event]
    title = _cut(escape(notice.title), LIMIT - 64)
    blocks = [_section(f"{sign} *{title}*"), *_details(notice.lines)]
    context = f"{notice.event} · {notice.severity}"
    if notice.link:
        context += f" · <{escape(notice.link).replace('|', '%7C')}|open>"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(context, LIMIT)}]})
    return {
        "text": f"{sign} {title}",
        "blocks": blocks,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": notice.key, "event": notice.event.value}},
    }


def _details(lines: tuple[str, ...]) -> list[dict[str, Any]]:
    """All lines in as few sections as they fit into; what does not fit is said to be missing."""
    told = [_cut(escape(line), LIMIT // 2) for line in lines[:_LINES]]
    if len(lines) > _LINES:
        told.append(_CUT)
    sections, text = [], ""
    for line in told:
        item = f"• {line}"
        if text and len(text) + 1 + len(item) > LIMIT:
            sections.append(_section(text))
            text = item
        else:
            text = f"{text}\n{item}" if text else item
    return [*sections, _section(text)] if text else []


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters; no escape is cut in two."""
    if len(text) <= limit:
        return text
    kept = text[: limit - len(_CUT) - 1]
    start = kept.rfind("&", len(kept) - 5)
    if start >= 0 and ";" not in kept[start:]:
        kept = kept[:start]
    return f"{kept} {_CUT}"
