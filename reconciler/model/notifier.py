"""The kind `Notifier`: who is told, of what, and where."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from reconciler.model.notice import NoticeEvent, Severity
from reconciler.model.repository import SecretName
from reconciler.model.resource import API_VERSION, Conditions, Metadata, Name, Record, Section
from reconciler.model.rule import matching, validations

_ONE_PLACE = "needs exactly one of `slack` and `webhook`"
DEFAULT_EVENTS = tuple(event for event in NoticeEvent if event is not NoticeEvent.CANARY_STEP)
KEPT_MESSAGES = 200
"""Messages that a Notifier remembers, the newest: an older one is not updated any more."""


class SlackPlace(Section):
    """A channel of Slack, written to by an app of yours. Its scopes: `chat:write`, and `channels:history` (for a
    private channel `groups:history`) to find a message again that was posted just before a crash.
    """

    channel: Annotated[
        str,
        Field(
            max_length=64,
            description="The channel's id, such as C0123456789 (at the bottom of its details). The app must be in it.",
        ),
        matching(r"^[CGD][A-Z0-9]{2,}$", "must be the id of a channel, such as C0123456789, not its name"),
    ]
    secret_ref: Annotated[SecretName, Field(description="A Secret with `token`: the bot token of the app (xoxb-...).")]
    api_url: Annotated[
        str,
        Field(max_length=2048, description="Where Slack's API is."),
        matching(
            r"^https?://[^/?#@\x00-\x20\x7f]+(/[^?#\x00-\x20\x7f]*)?$",
            "must be https://HOST/PATH, without a user name or a query",
        ),
    ] = "https://slack.com/api/"


class WebhookPlace(Section):
    """A URL that gets each notice as JSON, by POST. 2xx means taken; anything else is tried again."""

    secret_ref: Annotated[
        SecretName,
        Field(
            description="A Secret with `url`, and with `key` when requests are to be signed: "
            "`X-Dispatch-Signature-256` is then `sha256=` and the HMAC-SHA256 of the body in hex."
        ),
    ]


class NoticeMatch(Section):
    """What must hold for a notice to be told; all that is given. Nothing given: all of the Notifier's own namespace."""

    namespaces: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=63)], ...],
        Field(
            max_length=64,
            description="Namespaces of Applications; `*` stands for any text. The Notifier's own when not given.",
        ),
    ] = ()
    applications: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=253)], ...],
        Field(max_length=64, description="Names of Applications; `*` stands for any text. All when not given."),
    ] = ()
    projects: Annotated[
        tuple[Name, ...],
        Field(max_length=64, description="Applications whose `spec.project` is one of these. All when not given."),
    ] = ()
    severity: Annotated[
        Severity,
        Field(
            description="The least that is told: `warning` wants somebody to act, `critical` concerns users now.",
        ),
    ] = Severity.INFO


class DriftReportTime(Section):
    """When the drift since the last report is told, in one message."""

    schedule: Annotated[
        str,
        Field(max_length=128, description="As cron writes it: `0 9 * * MON`."),
        matching(r"^[^ \n]+( [^ \n]+){4}$", "must be five fields of cron, such as `0 9 * * MON`"),
    ]
    time_zone: Annotated[
        str,
        Field(max_length=64, description="As the IANA names it: `Europe/Berlin`."),
        matching(r"^[A-Za-z0-9_+/-]+$", "must be the name of a time zone, such as Europe/Berlin"),
    ] = "UTC"


class NotifierSpec(Section):
    """Where to, of what, and of whom."""

    model_config = ConfigDict(json_schema_extra=validations("has(self.slack) != has(self.webhook)", _ONE_PLACE))

    slack: SlackPlace | None = None
    webhook: WebhookPlace | None = None
    events: Annotated[
        tuple[NoticeEvent, ...],
        Field(
            max_length=32,
            description="What is told. A message that is there already follows its revision through every stage, "
            "whatever is chosen here.",
            # No set: what an apply does not name would stay in one, and so would every default.
        ),
    ] = DEFAULT_EVENTS
    match: NoticeMatch = NoticeMatch()
    report: Annotated[
        DriftReportTime | None, Field(description="A report of drift from time to time. None when not given.")
    ] = None

    @model_validator(mode="after")
    def _one_place(self) -> NotifierSpec:
        if (self.slack is None) == (self.webhook is None):
            raise ValueError(_ONE_PLACE)
        return self


class KeptMessage(Record):
    """One message that was posted, so that it is updated and not posted again."""

    key: Annotated[str, Field(description="`namespace/application@commit`.")]
    id: Annotated[str, Field(description="Its id there; empty while it is not known whether it was posted.")] = ""
    digest: Annotated[str, Field(description="Of what it says.")] = ""
    at: Annotated[datetime, Field(description="When it was begun.")]


class NotifierStatus(Record):
    """What was told, and what could not be."""

    observed_generation: Annotated[int, Field(description="The generation of the spec that this is about.")] = 0
    last_sent: Annotated[datetime | None, Field(description="When something was told last.")] = None
    failures: Annotated[int, Field(description="Tries in a row that failed; 0 once one is taken.")] = 0
    dropped: Annotated[int, Field(description="Notices that were never told.")] = 0
    last_report: Annotated[datetime | None, Field(description="Up to when drift was reported.")] = None
    messages: Annotated[tuple[KeptMessage, ...], Field(description="What was posted, the newest first.")] = ()
    conditions: Conditions = ()


class Notifier(Section):
    """Tells people in a channel of Slack, or a program by webhook, what happens to Applications."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["Notifier"] = "Notifier"
    metadata: Metadata
    spec: NotifierSpec
    status: NotifierStatus = NotifierStatus()
