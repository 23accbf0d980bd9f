"""What the pull request of a promotion shows, on a real Gitea and a real API server."""

from __future__ import annotations

from promoting import Environments
from team import config_map, deployment, eventually

CANARY = {"canary": {"steps": [{"weight": 5}, {"pause": {}}, {"weight": 50}, {"pause": {}}]}}
NIGHTS = {"start": "0 3 1 1 *", "duration": "1h", "timeZone": "Europe/Berlin"}


def body(environments: Environments, number: int) -> str:
    """The description, as Gitea has it."""
    found: str = environments.host.ask("GET", f"/pulls/{number}")["body"]
    return found


def test_the_pull_request_tells_who_did_what_since_the_last_one_and_who_must_approve(
    environments: Environments,
) -> None:
    host = environments.host
    environments.start()
    environments.stage("shop:2")
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    environments.until("Current")
    environments.promote(gates=[{"approvals": {"count": 1, "from": [host.reviewer.name]}}, {"window": NIGHTS}])
    environments.stage("shop:3")
    environments.push({"other/note.txt": "x"}, "something else")
    web = deployment("web-staging", "shop:4")
    environments.push({"staging/web.yaml": web}, "closes #1 </details> @everyone")
    state = environments.until("Open", images=["shop:4"])
    text = body(environments, state["number"])
    assert "which was promoted last" in text
    assert "staging runs shop:3" in text and "staging runs shop:2" not in text and "something else" not in text
    assert f"1 of {host.reviewer.name} must approve exactly this commit" in text
    assert "01-01 02:00 UTC at the earliest" in text and state["earliest"].endswith("-01-01T02:00:00Z")
    assert "@everyone" not in text and "#1 " not in text


def test_the_pull_request_shows_what_the_server_makes_of_it_and_what_it_does_to_a_rollout(
    environments: Environments,
) -> None:
    environments.push(
        {
            "staging/web.yaml": deployment("web-staging", "shop:1"),
            "production/web.yaml": deployment("web-production", "shop:1", replicas=3),
            "production/settings.yaml": config_map("settings-production", answer="1"),
            "production/key.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {p: hunter2}\n",
        }
    )
    environments.read_repository()
    environments.deploy("staging", "staging")
    environments.deploy("production", "production", strategy=CANARY)
    for name in ("staging", "production"):
        environments.until_ready(name, within=90)
    environments.promote(gates=[{"hold": True}], merge="Manual")
    environments.stage("shop:2")
    state = environments.until("Open")
    text = body(environments, state["number"])
    assert "starts a canary of 4 steps" in text
    assert "5% of 3 replicas is 1 of 4 pods" in text
    assert "by its dry-run" in text and "the server could not be asked" not in text
    assert "settings-production" not in text and "hunter2" not in text
    # The server's own defaults are on both sides, so they are no difference; the image is.
    assert "-      - image: shop:1" in text and "+      - image: shop:2" in text
    assert "dispatch.dev/candidate" not in text and "+  strategy:" not in text and "progressDeadlineSeconds" not in text


def test_the_text_stays_as_it_is_from_look_to_look(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    state = environments.until("Open")
    before = environments.host.ask("GET", f"/pulls/{state['number']}")["updated_at"]
    text = body(environments, state["number"])
    for _ in range(3):
        environments.look()
    environments.push({"other/note.txt": "x"}, "something else")
    environments.until("Open")
    assert body(environments, state["number"]) == text
    assert environments.host.ask("GET", f"/pulls/{state['number']}")["updated_at"] == before
