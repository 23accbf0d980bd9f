"""The distribution API, on a real registry; and the doors, lies and errors that one meets in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from adapters.registry.doors import BASIC, PASSWORD, TOKEN, USER, Asked, Door, Reply, Rule, TokenServer, as_json, basic
from images import Store

from reconciler.adapters.registry import OciRegistry
from reconciler.model.image import ImageName, located
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.ports import RegistryLogin

Doors = Callable[..., Door]


@pytest.fixture
def doors() -> Iterator[Doors]:
    opened: list[Door] = []

    def open_door(behind: str | None = None, rule: Rule = lambda asked: None) -> Door:
        opened.append(Door(behind, rule))
        return opened[-1]

    yield open_door
    for door in opened:
        door.stop()


@pytest.fixture
def store(registry: str) -> Store:
    return Store(registry)


def image(door: Door, store: Store) -> ImageName:
    return ImageName(door.host, store.repository)


def known(door: Door) -> OciRegistry:
    return OciRegistry(RegistryLogin({door.host: (USER, PASSWORD)}), timeout=5)


def refused(error: type[StageError], reason: Reason, call: Callable[[], object]) -> str:
    with pytest.raises(error) as found:
        call()
    assert found.value.reason is reason
    assert PASSWORD not in found.value.message
    assert TOKEN not in found.value.message
    return found.value.message


def test_the_tags_of_all_pages_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = store.push("1.0.0")
    for number in range(1, 12):
        store.retag("1.0.0", f"1.{number}.0")
    monkeypatch.setattr("reconciler.adapters.registry.oci._PAGE", 5)
    registry = OciRegistry(RegistryLogin())
    found = registry.tags(located(store.name))
    assert sorted(found) == sorted(f"1.{number}.0" for number in range(12))
    assert registry.digest(located(store.name), "1.7.0") == digest


def test_an_image_tells_its_source_commit(store: Store) -> None:
    digest = store.push("1", revision="0a1b2c", source="https://git.example/shop", created="2026-11-26T05:00:00Z")
    labels = OciRegistry(RegistryLogin()).described(located(store.name), digest)
    assert labels["org.opencontainers.image.revision"] == "0a1b2c"
    assert labels["org.opencontainers.image.source"] == "https://git.example/shop"


def test_the_digest_of_many_platforms_is_that_of_the_index_and_it_tells_the_same(store: Store) -> None:
    digest = store.push_index("1", revision="0a1b2c")
    registry = OciRegistry(RegistryLogin())
    assert registry.digest(located(store.name), "1") == digest
    assert registry.described(located(store.name), digest)["org.opencontainers.image.revision"] == "0a1b2c"


def test_an_image_or_a_tag_that_is_not_there_is_said(store: Store) -> None:
    registry = OciRegistry(RegistryLogin())
    told = refused(Terminal, Reason.IMAGE_NOT_FOUND, lambda: registry.tags(located(store.name)))
    assert "has no such image" in told
    assert "Check spec.image" in told
    store.push("1")
    refused(Terminal, Reason.IMAGE_NOT_FOUND, lambda: registry.digest(located(store.name), "2"))


def test_a_registry_that_asks_for_a_password_gets_it(store: Store, registry: str, doors: Doors) -> None:
    digest = store.push("1")
    door = doors(registry, basic)
    assert known(door).digest(image(door, store), "1") == digest
    told = refused(Terminal, Reason.REGISTRY_DENIED, lambda: OciRegistry(RegistryLogin()).tags(image(door, store)))
    assert "name a Secret with them in spec.credentialsRef" in told


def test_a_password_of_one_host_is_never_sent_to_another(store: Store, registry: str, doors: Doors) -> None:
    store.push("1")
    mine, other = doors(registry, basic), doors(registry, basic)
    refused(Terminal, Reason.REGISTRY_DENIED, lambda: known(mine).tags(image(other, store)))
    assert all(not asked.authorization for asked in other.seen)


def test_a_token_is_fetched_once_and_used_until_it_ends(store: Store, registry: str, doors: Doors) -> None:
    digest = store.push("1")
    rule = TokenServer(lambda: f"{door.url}/token")
    door = doors(registry, rule)
    reader = known(door)
    assert reader.digest(image(door, store), "1") == digest
    assert reader.tags(image(door, store)) == ("1",)
    assert rule.given == 1
    rule.token = "another-one"
    assert reader.tags(image(door, store)) == ("1",)
    assert rule.given == 2
    # The password goes to the token server, the token to the registry.
    assert {asked.authorization for asked in door.seen if asked.path.startswith("/token")} == {BASIC}
    assert BASIC not in {asked.authorization for asked in door.seen if asked.path.startswith("/v2")}
    asked_for = next(asked.path for asked in door.seen if asked.path.startswith("/token"))
    assert asked_for == "/token?service=registry.example&scope=repository%3Ax%3Apull"


def test_a_token_server_that_does_not_know_us_is_said_without_the_password(registry: str, doors: Doors) -> None:
    door = doors(registry, TokenServer(lambda: f"{door.url}/token"))
    reader = OciRegistry(RegistryLogin({door.host: (USER, "wrong-6f1c")}), timeout=5)
    told = refused(Terminal, Reason.REGISTRY_DENIED, lambda: reader.tags(ImageName(door.host, "x")))
    assert "gives the user 'robot' no token" in told
    assert "wrong-6f1c" not in told


def test_a_registry_cannot_send_the_password_to_a_host_in_the_clear(doors: Doors) -> None:
    door = doors(None, TokenServer(lambda: "http://elsewhere.invalid/token"))
    told = refused(Terminal, Reason.REGISTRY_DENIED, lambda: known(door).tags(ImageName(door.host, "x")))
    assert "where no password goes" in told


def test_a_blob_that_is_kept_elsewhere_is_read_without_who_we_are(store: Store, registry: str, doors: Doors) -> None:
    digest = store.push("1", revision="0a1b2c")
    elsewhere = doors(registry)

    def away(asked: Asked) -> Reply | None:
        refused_ = basic(asked)
        return refused_ or (Reply(307, {"Location": elsewhere.url + asked.path}) if "/blobs/" in asked.path else None)

    door = doors(registry, away)
    labels = known(door).described(image(door, store), digest)
    assert labels["org.opencontainers.image.revision"] == "0a1b2c"
    assert [asked.authorization for asked in elsewhere.seen] == [""]


def test_a_redirect_into_the_clear_is_not_followed(doors: Doors) -> None:
    door = doors(None, lambda asked: Reply(302, {"Location": "http://elsewhere.invalid/latest/meta-data"}))
    told = refused(
        Terminal, Reason.REGISTRY_STRANGE, lambda: OciRegistry(RegistryLogin()).tags(ImageName(door.host, "x"))
    )
    assert "where we do not go" in told


def test_a_registry_that_serves_another_content_is_not_believed(store: Store, registry: str, doors: Doors) -> None:
    digest, other = store.push("1"), store.push("2")

    def lie(asked: Asked) -> Reply | None:
        return (
            Reply(200, {"Content-Type": "application/json"}, b'{"annotations": {}}') if digest in asked.path else None
        )

    door = doors(registry, lie)
    reader = OciRegistry(RegistryLogin())
    told = refused(Terminal, Reason.REGISTRY_STRANGE, lambda: reader.described(image(door, store), digest))
    assert "nothing is taken from it" in told
    assert reader.described(image(door, store), other) == {}


@pytest.mark.parametrize(
    "link",
    [
        '</v2/x/tags/list?n=1000>; rel="next"',
        '</v2/x/tags/list?n=1000&last={number}>; rel="next"',
        '</v2/y/tags/list>; rel="next"',
        '<http://127.0.0.1:1/v2/x/tags/list>; rel="next"',
    ],
)
def test_pages_without_an_end_or_from_elsewhere_are_stopped(link: str, doors: Doors) -> None:
    numbers = iter(range(1000))

    def page(asked: Asked) -> Reply:
        return as_json({"tags": ["1"]}, Link=link.replace("{number}", str(next(numbers))))

    door = doors(None, page)
    refused(Terminal, Reason.REGISTRY_STRANGE, lambda: OciRegistry(RegistryLogin()).tags(ImageName(door.host, "x")))
    assert len(door.seen) <= 100


@pytest.mark.parametrize("body", [{"tags": 1}, [], {"tags": None}, {"tags": ["1", 2, "a b", "../x"]}])
def test_a_list_that_is_none_gives_no_tags_that_are_none(body: object, doors: Doors) -> None:
    door = doors(None, lambda asked: as_json(body))
    reader = OciRegistry(RegistryLogin())
    if isinstance(body, dict) and body["tags"] != 1:
        assert set(reader.tags(ImageName(door.host, "x"))) <= {"1"}
    else:
        refused(Terminal, Reason.REGISTRY_STRANGE, lambda: reader.tags(ImageName(door.host, "x")))


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (403, Terminal, Reason.REGISTRY_DENIED),
        (404, Terminal, Reason.IMAGE_NOT_FOUND),
        (418, Terminal, Reason.REGISTRY_STRANGE),
        (429, Transient, Reason.REGISTRY_UNREACHABLE),
        (500, Transient, Reason.REGISTRY_UNREACHABLE),
    ],
)
def test_each_refusal_is_an_outcome_with_the_registrys_words(
    status: int, error: type[StageError], reason: Reason, doors: Doors
) -> None:
    said = {"errors": [{"code": "X", "message": f"because\nof {PASSWORD}"}]}
    door = doors(None, lambda asked: as_json(said, status, **({"Retry-After": "77"} if status == 429 else {})))
    with pytest.raises(error) as found:
        known(door).tags(ImageName(door.host, "x"))
    assert found.value.reason is reason
    assert "because of ***" in found.value.message
    if isinstance(found.value, Transient):
        assert found.value.retry_after == (77.0 if status == 429 else None)


def test_a_registry_that_is_not_there_or_is_slow_may_come_back(doors: Doors) -> None:
    gone = doors()
    gone.stop()
    reader = OciRegistry(RegistryLogin(), timeout=0.3)
    told = refused(Transient, Reason.REGISTRY_UNREACHABLE, lambda: reader.tags(ImageName(gone.host, "x")))
    assert "gives no answer" in told


def test_an_answer_with_an_etag_is_not_sent_again(doors: Doors) -> None:
    answers = iter([as_json({"tags": ["1"]}, ETag='"a"'), Reply(304), Reply(304)])
    door = doors(None, lambda asked: next(answers))
    reader = OciRegistry(RegistryLogin())
    assert [reader.tags(ImageName(door.host, "x")) for _ in range(3)] == [("1",)] * 3


def test_a_digest_that_no_header_tells_is_that_of_the_content(store: Store, registry: str, doors: Doors) -> None:
    digest = store.push("1")
    door = doors(registry, lambda asked: Reply(200) if asked.method == "HEAD" else None)
    assert OciRegistry(RegistryLogin()).digest(image(door, store), "1") == digest
