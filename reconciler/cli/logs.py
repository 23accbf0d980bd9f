"""Log lines of the controller: one JSON object a line, or plain words for a terminal."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_OURS = ("key", "reason", "kind", "why", "stage", "seconds")


class JsonLines(logging.Formatter):
    """`time`, `level`, `message` and what the line knows besides; the message is constant where it can be."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _OURS if hasattr(record, name)}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Words(logging.Formatter):
    """`16:28:01 INFO  Application/team-a/web  message`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        about = f"{record.__dict__['key']}  " if "key" in record.__dict__ else ""
        why = f": {record.__dict__['why']}" if "why" in record.__dict__ else ""
        text = f"{at} {record.levelname:<7} {about}{record.getMessage()}{why}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def configure(form: str, level: str) -> None:
    """`form` is `json` or `text`; `level` a name of the logging module. Lines go to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Words())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("reconciler").setLevel(level.upper())
