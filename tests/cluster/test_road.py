"""The road of one commit, on a real API server: what Git says is what the cluster holds."""

from __future__ import annotations

from team import Team, config_map, deployment, eventually, unready

from reconciler.core.applyset import PART_OF, applyset_id


def test_a_folder_of_manifests_becomes_a_healthy_application(team: Team) -> None:
    commit = team.push(
        {"web/deployment.yaml": deployment("web", replicas=2), "web/config.yaml": config_map("web", a="1")}
    )
    team.read_repository()
    team.deploy("web", "web")
    status = team.until_ready("web", commit)
    assert (status["sync"], status["health"], status["objects"]) == ("Synced", "Healthy", 2)
    live = team.live("apps/v1", "Deployment", "web")
    assert live is not None and live["status"]["availableReplicas"] == 2
    assert live["metadata"]["labels"][PART_OF] == applyset_id("web", team.namespace)


def test_a_commit_that_changes_an_image_is_live(team: Team) -> None:
    team.push({"web/deployment.yaml": deployment("web", "nginx:1.29.3")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    commit = team.push({"web/deployment.yaml": deployment("web", "nginx:1.29.4")})
    team.until_ready("web", commit)
    live = team.live("apps/v1", "Deployment", "web")
    assert live is not None
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.29.4"


def test_a_removed_file_prunes_its_object_and_nothing_else(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", x="1"), "web/b.yaml": config_map("b", x="1")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    commit = team.push({"web/b.yaml": None})
    status = team.until_ready("web", commit)
    assert status["history"][0]["pruned"] == 1
    assert team.gone("v1", "ConfigMap", "b")
    assert team.live("v1", "ConfigMap", "a") is not None


def test_a_field_changed_by_hand_is_put_back_and_its_author_named(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="from git")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"data": {"key": "by hand"}})
    entry = eventually(lambda: next(iter(team.status("web").get("drift", [])), None), what=lambda: team.status("web"))
    assert (entry["field"], entry["wanted"], entry["live"]) == ("/data/key", "from git", "by hand")
    assert entry["manager"] == "kubectl-edit"
    assert entry["corrected"]
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "from git"}


def test_an_object_deleted_by_hand_comes_back(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="1")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    before = team.live("v1", "ConfigMap", "a")
    assert before is not None
    team.delete("v1", "ConfigMap", "a")
    eventually(
        lambda: (now := team.live("v1", "ConfigMap", "a")) and now["metadata"]["uid"] != before["metadata"]["uid"]
    )
    eventually(lambda: team.status("web")["drift"])
    assert team.status("web")["drift"][0]["drift"] == "missing"


def test_an_object_that_lost_the_label_of_its_set_gets_it_back_and_is_seen_again(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="1"), "web/b.yaml": config_map("b", key="1")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"metadata": {"labels": {PART_OF: None}}})

    def labelled() -> bool:
        return PART_OF in ((team.live("v1", "ConfigMap", "a") or {})["metadata"].get("labels") or {})

    eventually(labelled)
    (drift,) = eventually(lambda: team.status("web").get("drift"))
    assert drift["field"].startswith("/metadata/labels")
    team.until_ready("web")
    commit = team.push({"web/a.yaml": config_map("a", key="2")})
    team.until_ready("web", commit)
    team.push({"web/a.yaml": None})
    eventually(lambda: team.gone("v1", "ConfigMap", "a"))


def test_drift_is_only_reported_when_correcting_is_off(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="from git")})
    team.read_repository()
    team.deploy("web", "web", drift={"correct": False})
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"data": {"key": "by hand"}})
    eventually(lambda: team.status("web")["sync"] == "OutOfSync")
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "by hand"}
    assert "kubectl-edit" in team.condition("web")["message"]


def test_a_field_that_git_stops_naming_is_taken_out(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", stays="1", goes="1")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    commit = team.push({"web/a.yaml": config_map("a", stays="1")})
    team.until_ready("web", commit)
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"stays": "1"}


def test_a_manual_application_shows_the_difference_and_waits_for_sync(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="1")})
    team.read_repository()
    team.deploy("web", "web", sync={"mode": "Manual"})
    message = team.until_reason("web", "OutOfSync")
    assert "dispatch sync" in message
    assert team.live("v1", "ConfigMap", "a") is None
    team.deploy("web", "web", sync={"mode": "Manual"}, annotations={"dispatch.dev/sync": "now"})
    status = team.until_ready("web")
    eventually(lambda: team.status("web")["handledSync"] == "now")
    assert team.live("v1", "ConfigMap", "a") is not None
    assert status["sync"] == "Synced"


def test_a_later_wave_waits_until_the_earlier_one_is_healthy(team: Team) -> None:
    slow = unready(deployment("first", extra="  annotations: {dispatch.dev/wave: '-1'}\n"))
    team.push({"web/first.yaml": slow, "web/second.yaml": config_map("second", a="1")})
    team.read_repository()
    team.deploy("web", "web")
    eventually(
        lambda: "next wave waits" in team.condition("web").get("message", ""), what=lambda: team.condition("web")
    )
    assert team.live("apps/v1", "Deployment", "first") is not None
    assert team.live("v1", "ConfigMap", "second") is None
    commit = team.push({"web/first.yaml": deployment("first", extra="  annotations: {dispatch.dev/wave: '-1'}\n")})
    team.until_ready("web", commit)
    assert team.live("v1", "ConfigMap", "second") is not None


def test_a_deployment_that_never_gets_well_is_told_and_the_next_commit_heals_it(team: Team) -> None:
    crash = unready(deployment("web"))
    team.push({"web/deployment.yaml": crash})
    team.read_repository()
    team.deploy("web", "web", sync={"timeout": "3s"})
    message = team.until_reason("web", "HealthCheckTimeout")
    assert "Deployment.apps" in message
    commit = team.push({"web/deployment.yaml": deployment("web")})
    team.until_ready("web", commit)


def test_an_application_waits_for_the_one_it_depends_on(team: Team) -> None:
    team.push({"db/a.yaml": config_map("db", a="1"), "web/a.yaml": config_map("web", a="1")})
    team.read_repository()
    team.deploy("web", "web", dependsOn=["db"])
    message = team.until_reason("web", "DependencyNotReady")
    assert "'db'" in message and team.live("v1", "ConfigMap", "web") is None
    team.deploy("db", "db")
    team.until_ready("web")


def test_two_applications_of_one_repository_are_independent(team: Team) -> None:
    team.push({"one/a.yaml": config_map("one", a="1"), "two/a.yaml": "kind: [broken"})
    team.read_repository()
    team.deploy("one", "one")
    team.deploy("two", "two")
    team.until_ready("one")
    assert "two/a.yaml" in team.until_reason("two", "InvalidManifest")


def test_deleting_an_application_leaves_its_objects_unless_it_asks(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", a="1"), "tmp/b.yaml": config_map("b", a="1")})
    team.read_repository()
    team.deploy("web", "web")
    team.apply(
        {
            "apiVersion": "dispatch.dev/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "tmp", "finalizers": ["dispatch.dev/prune"]},
            "spec": {"source": {"repository": "config", "path": "tmp"}},
        }
    )
    team.until_ready("web")
    team.until_ready("tmp")
    team.delete("dispatch.dev/v1alpha1", "Application", "web")
    team.delete("dispatch.dev/v1alpha1", "Application", "tmp")
    eventually(lambda: team.live("dispatch.dev/v1alpha1", "Application", "tmp") is None)
    assert team.live("v1", "ConfigMap", "b") is None
    assert team.live("v1", "ConfigMap", "a") is not None


def test_an_unchanged_application_is_not_written(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", a="1"), "other/b.yaml": config_map("b", a="1")})
    team.read_repository()
    team.deploy("web", "web")
    team.deploy("other", "other")
    team.until_ready("web")
    team.until_ready("other")
    versions = [team.live("dispatch.dev/v1alpha1", "Application", "web"), team.live("v1", "ConfigMap", "a")]
    commit = team.push({"other/b.yaml": config_map("b", a="2")})
    team.until_ready("other", commit)
    after = [team.live("dispatch.dev/v1alpha1", "Application", "web"), team.live("v1", "ConfigMap", "a")]
    assert after == versions


def test_what_cannot_be_taken_out_keeps_nothing_else_from_being_mended(team: Team) -> None:
    """A validating rule of the cluster lets nobody touch the first object."""
    team.push({"web/a.yaml": config_map("a", key="git"), "web/b.yaml": config_map("b", key="git")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"immutable": True, "data": {"evil": "🎉 <b>"}})
    team.until_reason("web", "ImmutableField")
    team.edit("v1", "ConfigMap", "b", {"data": {"key": "by hand"}})
    eventually(lambda: (team.live("v1", "ConfigMap", "b") or {})["data"] == {"key": "git"}, within=90)
    assert all(entry["drift"] != "extra" or not entry.get("corrected") for entry in team.status("web")["drift"])


def test_an_extra_field_set_by_hand_is_taken_out_and_one_of_a_controller_is_left(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="1")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"data": {"injected": "by a controller"}}, manager="some-controller")
    team.edit("v1", "ConfigMap", "a", {"data": {"added": "by hand"}})
    eventually(
        lambda: (
            (live := team.live("v1", "ConfigMap", "a")) and live["data"] == {"key": "1", "injected": "by a controller"}
        ),
        what=lambda: team.live("v1", "ConfigMap", "a"),
    )
    entry = eventually(lambda: next(iter(team.status("web").get("drift", [])), None))
    assert (entry["drift"], entry["field"]) == ("extra", "/data/added")


def test_replicas_that_an_autoscaler_set_are_left_alone(team: Team) -> None:
    team.push({"web/deployment.yaml": deployment("web", replicas=2)})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.edit("apps/v1", "Deployment", "web/scale", {"spec": {"replicas": 4}}, manager="kube-controller-manager")
    commit = team.push({"web/deployment.yaml": deployment("web", "nginx:1.29.4", replicas=2)})
    team.until_ready("web", commit)
    live = team.live("apps/v1", "Deployment", "web")
    assert live is not None and live["spec"]["replicas"] == 4
    assert team.status("web")["drift"] == []


def test_a_sync_by_hand_mends_what_is_otherwise_only_reported(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="from git")})
    team.read_repository()
    team.deploy("web", "web", drift={"correct": False})
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"data": {"key": "by hand"}})
    eventually(lambda: team.status("web")["sync"] == "OutOfSync")
    team.deploy("web", "web", drift={"correct": False}, annotations={"dispatch.dev/sync": "please"})
    eventually(lambda: team.status("web")["handledSync"] == "please")
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "from git"}


def test_ignored_fields_are_neither_drift_nor_put_back(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="1", theirs="0")})
    team.read_repository()
    team.deploy("web", "web", drift={"ignore": [{"kind": "ConfigMap", "fields": ["/data/theirs"]}]})
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"data": {"theirs": "9"}}, manager="their-operator")
    commit = team.push({"web/a.yaml": config_map("a", key="2", theirs="0")})
    team.until_ready("web", commit)
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "2", "theirs": "9"}
    assert team.status("web")["drift"] == []


def test_a_sync_by_hand_asks_the_remote_first(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="1")})
    team.read_repository(interval="1h")
    team.deploy("web", "web")
    team.until_ready("web")
    commit = team.push({"web/a.yaml": config_map("a", key="2")})
    wish = {"metadata": {"annotations": {"dispatch.dev/sync": "now"}}}
    for kind, name in (("Repository", "config"), ("Application", "web")):
        team.edit("dispatch.dev/v1alpha1", kind, name, wish)
    eventually(lambda: team.status("web")["handledSync"] == "now", what=lambda: team.status("web"))
    assert team.status("web")["applied"]["revision"].endswith(commit)


def test_a_sync_by_hand_that_cannot_reach_the_remote_says_so(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="1")})
    team.read_repository(interval="1h")
    team.deploy("web", "web")
    team.until_ready("web")
    team.bare.rename(team.bare.with_name("away.git"))
    wish = {"metadata": {"annotations": {"dispatch.dev/sync": "now"}}}
    for kind, name in (("Repository", "config"), ("Application", "web")):
        team.edit("dispatch.dev/v1alpha1", kind, name, wish)
    assert "config.git" in team.until_reason("web", "RepositoryNotFound")
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "1"}


def test_a_default_of_the_server_does_not_stand_in_the_way_of_a_change(team: Team) -> None:
    team.push({"web/deployment.yaml": deployment("web")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    recreate = deployment("web").replace("  replicas: 1\n", "  replicas: 1\n  strategy: {type: Recreate}\n")
    commit = team.push({"web/deployment.yaml": recreate})
    team.until_ready("web", commit)
    live = team.live("apps/v1", "Deployment", "web")
    assert live is not None and live["spec"]["strategy"] == {"type": "Recreate"}


def test_an_extra_field_is_seen_on_an_object_whose_values_the_server_normalises(team: Team) -> None:
    half = deployment("web").replace(
        "image: nginx:1.29.3\n", "image: nginx:1.29.3\n          resources: {requests: {cpu: '0.5'}}\n"
    )
    team.push({"web/deployment.yaml": half})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.edit("apps/v1", "Deployment", "web", {"spec": {"minReadySeconds": 1}})
    eventually(lambda: [e["field"] for e in team.status("web").get("drift", [])] == ["/spec/minReadySeconds"])
    eventually(lambda: "minReadySeconds" not in (team.live("apps/v1", "Deployment", "web") or {})["spec"])


def test_a_namespace_of_a_later_wave_is_made_before_what_is_deployed_to_it_by_default(team: Team) -> None:
    made = f"{team.namespace}-later"
    namespace = (
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {made}, annotations: {{dispatch.dev/wave: '5'}}}}\n"
    )
    team.push({"web/namespace.yaml": namespace, "web/a.yaml": config_map("a", key="1")})
    team.read_repository()
    team.deploy("web", "web", destination={"namespace": made})
    team.until_ready("web")
    assert team.cluster.read(team.resource("v1", "ConfigMap"), made, "a") is not None
