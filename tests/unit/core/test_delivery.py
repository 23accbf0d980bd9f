"""Which requests are events of a forge: by the forge's own header and secret, whatever else comes with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import pytest

from reconciler.core.delivery import About, Sent, begin

BODY = b'{"ref": "refs/heads/main", "text": "100% caf\xc3\xa9 + more"}'
SECRET = "It's a Secret to Everybody"
NOW = 1_800_000_000.0


def hexed(body: bytes, secret: str = SECRET, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


def sent(
    kind: str, headers: dict[str, str], body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), piece: int = 7
) -> Sent | None:
    delivery = begin(kind, headers, secrets, NOW)
    if delivery is None:
        return None
    for start in range(0, len(body), piece):
        delivery.update(body[start : start + piece])
    return delivery.finish()


def of_gitea(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    """What Gitea sends: its own headers, and those of GitHub and Gogs."""
    signature = hexed(body, secret)
    return {
        "content-type": "application/json",
        "x-gitea-delivery": "1a2b",
        "x-gitea-event": "push",
        "x-gitea-signature": signature,
        "x-github-delivery": "1a2b",
        "x-github-event": "push",
        "x-gogs-signature": signature,
        "x-hub-signature": f"sha1={hexed(body, secret, 'sha1')}",
        "x-hub-signature-256": f"sha256={signature}",
    }


def of_github(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    kept = ("content-type", "x-github-delivery", "x-github-event", "x-hub-signature", "x-hub-signature-256")
    return {name: value for name, value in of_gitea(body, secret).items() if name in kept}


def signed(body: bytes = BODY, key: bytes = b"k" * 32, at: float = NOW, id: str = "msg_1") -> dict[str, str]:
    """What GitLab sends with a signing token (Standard Webhooks)."""
    mac = hmac.new(key, f"{id}.{at:.0f}.".encode() + body, hashlib.sha256).digest()
    return {
        "x-gitlab-event": "Push Hook",
        "idempotency-key": id,
        "webhook-id": id,
        "webhook-timestamp": f"{at:.0f}",
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


TOKEN = "whsec_" + base64.b64encode(b"k" * 32).decode()


def test_the_example_of_githubs_documentation_is_genuine() -> None:
    told = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sent("github", {"x-hub-signature-256": told}, b"Hello, World!") is not None
    assert sent("github", {"x-hub-signature-256": told}, b"Hello, world!") is None


def test_each_forge_is_believed_by_its_own_header() -> None:
    assert sent("gitea", of_gitea()) is not None
    assert sent("github", of_github()) is not None
    assert sent("gitlab", {"x-gitlab-token": SECRET}) is not None


def test_the_kind_of_the_repository_decides_which_header_counts() -> None:
    """Never the request: Gitea's own deliveries carry GitHub's headers."""
    assert sent("gitea", of_github()) is None
    assert sent("gitlab", of_gitea()) is None
    forged = of_gitea() | {"x-gitea-signature": hexed(BODY, "guess")}
    assert sent("gitea", forged) is None, "GitHub's header, which is right, does not help"
    assert sent("github", {"x-gitea-signature": hexed(BODY)}) is None
    assert sent("github", {"x-gitlab-token": SECRET}) is None


@pytest.mark.parametrize(
    "told",
    [
        "",
        "sha256=",
        hexed(BODY, algorithm="sha1"),
        f"sha1={hexed(BODY, algorithm='sha1')}",
        f"sha256={hexed(BODY, 'other')}",
        f"sha256={hexed(BODY)[:-1]}",
        f"sha256={hexed(BODY)}0",
        f"SHA256={hexed(BODY)}",
        f"sha256={hexed(BODY).upper()}x",
        "sha256=" + "ü" * 64,
        "sha256=" + "\u0660" * 64,
    ],
)
def test_a_signature_that_is_missing_empty_short_wrong_or_sha1_is_refused(told: str) -> None:
    assert sent("github", of_github() | {"x-hub-signature-256": told}) is None
    assert sent("gitea", of_gitea() | {"x-gitea-signature": told.removeprefix("sha256=") + "!"}) is None


def test_sha1_alone_is_refused_before_the_body_is_read() -> None:
    sha1 = {"x-hub-signature": f"sha1={hexed(BODY, algorithm='sha1')}"}
    assert begin("github", sha1, (SECRET,), NOW) is None
    assert begin("gitea", sha1, (SECRET,), NOW) is None


@pytest.mark.parametrize("kind", ["gitea", "github", "gitlab"])
def test_without_a_secret_nothing_is_believed(kind: str) -> None:
    """A hook without one sends empty signatures, and GitLab no token at all."""
    headers = of_gitea(secret="") | {"x-gitlab-token": ""}
    for secrets in ((), ("",)):
        assert sent(kind, headers, secrets=secrets) is None


def test_githubs_form_is_signed_as_it_is_sent_and_giteas_as_the_json_in_it() -> None:
    form = urlencode({"payload": BODY}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for piece in (1, 2, 3, 8, 9, 10, 1000):
        assert sent("github", of_github(form) | headers, form, piece=piece) is not None
        assert sent("gitea", of_gitea(BODY) | headers, form, piece=piece) is not None
    assert sent("gitea", of_gitea(form) | headers, form) is None
    other = urlencode({"another": BODY}).encode()
    assert sent("gitea", of_gitea(BODY) | headers, other) is None


def test_gitlabs_token_is_compared_whole() -> None:
    for told in ("", SECRET[:-1], SECRET + "x", SECRET.lower(), "ü"):
        assert sent("gitlab", {"x-gitlab-token": told}) is None
    assert sent("gitlab", {"x-gitlab-token": "ü".encode().decode("latin-1")}, secrets=("ü",)) is not None


def test_a_signing_token_of_gitlab_signs_and_is_never_taken_as_a_token() -> None:
    assert sent("gitlab", signed(), secrets=(TOKEN,)) is not None
    assert sent("gitlab", signed(), BODY + b" ", secrets=(TOKEN,)) is None
    assert sent("gitlab", {"x-gitlab-token": TOKEN}, secrets=(TOKEN,)) is None
    assert sent("gitlab", signed(key=b"x" * 32), secrets=(TOKEN,)) is None
    both = signed() | {"webhook-signature": "v1,AAAA v2,x " + signed()["webhook-signature"]}
    assert sent("gitlab", both, secrets=(TOKEN,)) is not None


@pytest.mark.parametrize("apart", [-301, 301, 7 * 86_400])
def test_a_signed_event_of_another_time_is_refused(apart: float) -> None:
    assert sent("gitlab", signed(at=NOW + apart), secrets=(TOKEN,)) is None
    assert sent("gitlab", signed(at=NOW + apart / abs(apart) * 299), secrets=(TOKEN,)) is not None


@pytest.mark.parametrize(
    "strange",
    [
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-id": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,$$$"},
    ],
)
def test_a_signed_event_with_strange_headers_is_refused(strange: dict[str, str]) -> None:
    assert sent("gitlab", signed() | strange, secrets=(TOKEN,)) is None


def test_a_former_secret_counts_as_long_as_it_is_among_those_that_are_good() -> None:
    assert sent("gitea", of_gitea(secret="old"), secrets=("new", "old")) is not None
    assert sent("gitlab", {"x-gitlab-token": "old"}, secrets=("new", "old")) is not None
    assert sent("gitea", of_gitea(secret="old"), secrets=("new",)) is None


@pytest.mark.parametrize(
    ("kind", "event", "about"),
    [
        ("github", "push", About.REFS),
        ("github", "delete", About.REFS),
        ("github", "pull_request_review", About.REQUESTS),
        ("github", "status", About.REQUESTS),
        ("github", "ping", About.NOTHING),
        ("github", "", About.ANYTHING),
        ("gitea", "pull_request_approved", About.REQUESTS),
        ("gitlab", "Tag Push Hook", About.REFS),
        ("gitlab", "Merge Request Hook", About.REQUESTS),
        ("gitlab", "Something New", About.ANYTHING),
    ],
)
def test_what_an_event_may_be_about(kind: str, event: str, about: About) -> None:
    header = {"gitea": "x-gitea-event", "github": "x-github-event", "gitlab": "x-gitlab-event"}[kind]
    headers = of_gitea() | {"x-gitlab-token": SECRET, "x-gitea-event": "push", "x-github-event": "push", header: event}
    found = sent(kind, headers)
    assert found is not None and found.about is about


def test_the_same_delivery_or_the_same_body_is_known_again() -> None:
    first, again = sent("github", of_github()), sent("github", of_github() | {"x-github-delivery": "another"})
    other = sent("github", of_github(b"{}"), b"{}")
    assert first and again and other
    assert set(first.ids) & set(again.ids), "the body is signed, its delivery id is not"
    assert set(first.ids) & set(other.ids), "a delivery that is sent again"
    assert not set(again.ids) & set(other.ids)
