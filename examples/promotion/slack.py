"""A stand-in for Slack, which cannot run here: takes what a Notifier posts, by chat.postMessage, chat.update and
conversations.history as docs.slack.dev describes them, and shows the channel to whoever asks.

    python slack.py                   # says where it is, then each message as it is posted or edited
    curl http://127.0.0.1:PORT/       # the channel as it looks now
"""

from __future__ import annotations

import argparse
import html
import json
import re
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

CHANNEL = "C0123456789"
SIGNS = {
    ":hourglass_flowing_sand:": "⏳",
    ":white_check_mark:": "✅",
    ":raised_hand:": "✋",
    ":no_entry:": "⛔",
    ":leftwards_arrow_with_hook:": "↩",
    ":warning:": "⚠",
    ":red_circle:": "🔴",
    ":x:": "❌",
    ":clipboard:": "📋",
}
LINK = re.compile(r"<([^|>]+)\|([^>]+)>")

Message = dict[str, Any]


class Channel:
    """The messages of one channel, the oldest first, each with its thread. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: dict[str, Message] = {}
        self._threads: dict[str, list[Message]] = {}
        self._last = 0.0

    def answer(self, method: str, given: dict[str, Any]) -> Message:
        """The body of an answer 200, as Slack gives it: errors have `ok: false`."""
        calls = {"chat.postMessage": self._post, "chat.update": self._update, "conversations.history": self._history}
        if method not in calls:
            return {"ok": False, "error": "unknown_method"}
        if given.get("channel") != CHANNEL:
            return {"ok": False, "error": "channel_not_found"}
        with self._lock:
            return calls[method](given)

    def shown(self) -> str:
        """The channel as a person sees it."""
        with self._lock:
            lines = []
            for ts, message in self._messages.items():
                lines += [*written(message), *(f"  ↳ {told(reply['text'])}" for reply in self._threads.get(ts, ())), ""]
        return "\n".join(lines)

    def _post(self, given: dict[str, Any]) -> Message:
        self._last = max(self._last + 0.000001, time.time())
        message = {"ts": f"{self._last:.6f}", **_content(given)}
        thread = given.get("thread_ts")
        if not thread:
            self._messages[message["ts"]] = message
            say("posted", written(message))
        elif thread in self._messages:
            self._threads.setdefault(thread, []).append(message)
            say("in the thread", [told(message["text"])])
        else:
            return {"ok": False, "error": "thread_not_found"}
        return {"ok": True, "channel": CHANNEL, "ts": message["ts"], "message": message}

    def _update(self, given: dict[str, Any]) -> Message:
        message = self._messages.get(str(given.get("ts")))
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        message |= _content(given)
        say("edited", written(message))
        return {"ok": True, "channel": CHANNEL, "ts": message["ts"], "text": message["text"]}

    def _history(self, given: dict[str, Any]) -> Message:
        oldest = float(given.get("oldest") or 0)
        newest_first = [each for each in reversed(self._messages.values()) if float(each["ts"]) > oldest]
        return {"ok": True, "messages": newest_first, "has_more": False}


def _content(given: dict[str, Any]) -> Message:
    return {key: given[key] for key in ("text", "blocks", "metadata") if key in given}


def written(message: Message) -> list[str]:
    """The lines of a message: the text of its blocks."""
    texts = []
    for block in message.get("blocks") or [{"text": {"text": message["text"]}}]:
        texts += [part["text"] for part in [block.get("text"), *block.get("elements", ())] if part]
    return [line for text in texts for line in told(text).splitlines()]


def told(text: str) -> str:
    """Slack's markup as plain text: signs, links, bold, and what it escapes."""
    for name, sign in SIGNS.items():
        text = text.replace(name, sign)
    return html.unescape(LINK.sub(r"\2: \1", text).replace("*", ""))


def say(what: str, lines: list[str]) -> None:
    print(f"-- {what}", *lines, sep="\n", flush=True)


class Door(BaseHTTPRequestHandler):
    """`/api/METHOD` for programs, `/` for people."""

    channel: Channel

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        asked = (
            json.loads(body or "{}") if "json" in (self.headers.get("Content-Type") or "") else dict(parse_qsl(body))
        )
        if (self.headers.get("Authorization") or "").startswith("Bearer xoxb-"):
            answer = self.channel.answer(self.path.removeprefix("/api/"), asked)
        else:
            answer = {"ok": False, "error": "invalid_auth"}
        self._send("application/json", json.dumps(answer))

    def do_GET(self) -> None:
        self._send("text/plain; charset=utf-8", self.channel.shown())

    def _send(self, media_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: what was posted is shown."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; a free one when not given")
    Door.channel = Channel()
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Door)
    # `shutdown` waits for the loop that this signal interrupts: it must come from another thread.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"open at http://127.0.0.1:{server.server_port}/api/", flush=True)
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
