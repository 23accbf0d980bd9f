"""Places where people are told things: a channel of Slack, a webhook."""

from reconciler.adapters.notify.opening import open_messenger

__all__ = ["open_messenger"]
