"""Deliveries as forges make them, with all the headers that each sends (their documentation; Gitea's deliver.go)."""

from __future__ import annotations

import hmac
import uuid


def hexed(secret: str, body: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


def signed(kind: str, secret: str, body: bytes, event: str = "push", id: str = "") -> dict[str, str]:
    """The headers. An empty secret gives what a forge sends for a hook without one."""
    id = id or str(uuid.uuid4())
    if kind == "gitlab":
        name = {"push": "Push Hook", "pull_request": "Merge Request Hook"}.get(event, event)
        told = {"X-Gitlab-Event": name, "X-Gitlab-Event-UUID": str(uuid.uuid4()), "Idempotency-Key": id}
        return {"Content-Type": "application/json", **told, **({"X-Gitlab-Token": secret} if secret else {})}
    one, two = (hexed(secret, body), hexed(secret, body, "sha1")) if secret else ("", "")
    github = {"X-GitHub-Delivery": id, "X-GitHub-Event": event}
    if secret or kind == "gitea":
        github |= {"X-Hub-Signature": f"sha1={two}", "X-Hub-Signature-256": f"sha256={one}"}
    if kind == "github":
        return {"Content-Type": "application/json", **github}
    gitea = {"X-Gitea-Delivery": id, "X-Gitea-Event": event, "X-Gitea-Event-Type": event, "X-Gitea-Signature": one}
    gogs = {"X-Gogs-Delivery": id, "X-Gogs-Event": event, "X-Gogs-Signature": one}
    return {"Content-Type": "application/json", **github, **gitea, **gogs}
