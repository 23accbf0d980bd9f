"""Documents of our kinds, good and bad: what the model says of each, the API server must say too."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

API_VERSION = "dispatch.dev/v1alpha1"


class Case(NamedTuple):
    """`field` is where the error is, empty for the document as a whole; None for a document that is good."""

    name: str
    document: dict[str, Any]
    field: str | None


def application() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": {"name": "web"},
        "spec": {"source": {"repository": "config"}},
    }


def repository() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Repository",
        "metadata": {"name": "config"},
        "spec": {"url": "https://git.example.com/config.git"},
    }


def promotion() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Promotion",
        "metadata": {"name": "shop"},
        "spec": {
            "environments": [
                {"name": "staging", "application": "shop-staging"},
                {"name": "production", "application": "shop-production"},
            ]
        },
    }


def promotion_action() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "PromotionAction",
        "metadata": {"name": "shop-again-1"},
        "spec": {
            "promotion": "shop",
            "environment": "production",
            "action": "Again",
            "version": "1f0c52a8b1-7-5d1f0a9c3b",
            "by": "ada@example.com",
        },
    }


def hotfix() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Hotfix",
        "metadata": {"name": "shop-cve"},
        "spec": {
            "promotion": "shop",
            "environment": "production",
            "images": ["registry.example.com/shop:1.4.1"],
            "reason": "CVE-2026-1234",
            "by": "ada@example.com",
        },
    }


def rollout_action() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "RolloutAction",
        "metadata": {"name": "web-promote-1"},
        "spec": {
            "application": "web",
            "action": "Promote",
            "rollout": "web",
            "uid": "0a1b2c3d-0000-4000-8000-000000000000",
            "podHash": "5d4f8c7b9",
            "step": 1,
            "by": "ada@example.com",
        },
    }


def notifier() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "Notifier",
        "metadata": {"name": "people"},
        "spec": {"slack": {"channel": "C0123456789", "secretRef": {"name": "slack"}}},
    }


def image_feed() -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "ImageFeed",
        "metadata": {"name": "shop"},
        "spec": {
            "image": "registry.example.com/team/shop",
            "policy": {"semver": ">=1.0 <2"},
            "writes": [{"repository": "config", "path": "apps/shop/staging"}],
        },
    }


_GONE = object()


def _with(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    *above, last = path.split(".")
    place = changed
    for part in above:
        place = place.setdefault(part, {})
    if value is _GONE:
        del place[last]
    else:
        place[last] = value
    return changed


def _case(base: dict[str, Any], path: str, value: Any, field: str | None) -> Case:
    shown = "gone" if value is _GONE else repr(value)
    return Case(f"{base['kind']} {path}={shown[:60]}", _with(base, path, value), field)


def good(base: dict[str, Any], path: str, *values: Any) -> list[Case]:
    return [_case(base, path, value, None) for value in values]


def bad(base: dict[str, Any], path: str, *values: Any, field: str | None = None) -> list[Case]:
    return [_case(base, path, value, path if field is None else field) for value in values]


_APP, _REPO, _ACT, _TELL = application(), repository(), rollout_action(), notifier()
_TOLD = _with(_with(_REPO, "spec.credentialsRef", {"name": "git"}), "spec.forge", {"kind": "gitea"})
_FEED, _PATTERN = image_feed(), "spec.policy.newest.pattern"
_DIGEST = _with(_FEED, "spec.policy", {"digest": "main"})
_NEWEST = _with(_FEED, "spec.policy", {"newest": {"pattern": "(?P<build>[0-9]+)"}})
_ABORT = _with(_with(_ACT, "spec.action", "Abort"), "spec.step", _GONE)
_LONG = "a" * 254

_ASKED, _FIX = promotion_action(), hotfix()
_PROMO = promotion()
_TWO = _PROMO["spec"]["environments"]
_GATED = {"name": "last", "application": "shop-last"}


def _release(*members: Any) -> list[dict[str, Any]]:
    """Environments of one application (a text) or of several."""
    named = zip(("staging", "production"), members, strict=True)
    return [
        {"name": name, "application": each} if isinstance(each, str) else {"name": name, "applications": [*each]}
        for name, each in named
    ]


def _many(name: str, count: int) -> list[str]:
    return [f"{name}-{n}" for n in range(count)]


CASES: list[Case] = [
    *good(_FIX, "spec.images", ["shop:1"], [f"shop@sha256:{'a' * 64}"], [f"h:5000/a/b:1@sha256:{'a' * 64}"]),
    *bad(_FIX, "spec.images", [], None),
    *bad(_FIX, "spec.images", ["shop"], ["shop:"], ["Shop:1"], ["shop@sha256:12"], field="spec.images[0]"),
    *good(_FIX, "spec.expiresAfter", "1s", "7d", "168h", None),
    *bad(_FIX, "spec.expiresAfter", "0s", "7d1s", "8d", "soon"),
    *good(_FIX, "spec.skip", [], ["freeze"], ["window", "freeze"]),
    *bad(_FIX, "spec.skip", ["approvals"], field="spec.skip[0]"),
    *bad(_FIX, "spec.reason", "", None),
    *bad(_FIX, "spec.by", "", None),
    *bad(_FIX, "spec.promotion", "", None),
    *good(_ASKED, "spec.action", "Again", "Accept"),
    *bad(_ASKED, "spec.action", "", "again", None, 1),
    *good(_ASKED, "spec.version", "a", "a" * 128),
    *bad(_ASKED, "spec.version", "", "a" * 129, None),
    *bad(_ASKED, "spec.by", "", None),
    *bad(_ASKED, "spec.promotion", "", "Shop", None),
    *good(_ASKED, "spec.reason", "why", None),
    *good(_PROMO, "spec.environments", _TWO, [*_TWO, _GATED]),
    *bad(
        _PROMO,
        "spec.environments",
        [],
        _TWO[:1],
        None,
        [{**_GATED, "name": f"n{n}", "application": f"a{n}"} for n in range(9)],
    ),
    *good(_PROMO, "spec.environments", [*_TWO, {**_GATED, "gates": [{"healthyFor": "10m"}, {"hold": False}]}]),
    *good(
        _PROMO,
        "spec.environments",
        [*_TWO, {**_GATED, "gates": [{"approvals": {"count": 2, "from": ["ada"]}}, {"checks": ["ci/build"]}]}],
    ),
    *bad(
        _PROMO,
        "spec.environments",
        [*_TWO, {**_GATED, "gates": [{"approvals": {"count": 0}}]}],
        field="spec.environments[2].gates[0].approvals.count",
    ),
    *good(
        _PROMO,
        "spec.environments",
        *(
            [*_TWO, {**_GATED, "gates": [{"approvals": {"from": ["ada"], "teams": [team]}}]}]
            for team in ("acme/platform", "acme", "acme/a.b-c_d/e", "_a/1")
        ),
    ),
    *bad(
        _PROMO,
        "spec.environments",
        *(
            [*_TWO, {**_GATED, "gates": [{"approvals": {"teams": [team]}}]}]
            for team in (
                "@acme/platform",
                "/acme",
                "acme/",
                "acme//a",
                "acme/..",
                "a b",
                "",
                "acme/\n",
                "é/a",
                "a" * 256,
            )
        ),
        field="spec.environments[2].gates[0].approvals.teams[0]",
    ),
    *good(
        _PROMO,
        "spec.environments",
        *(
            [*_TWO, {**_GATED, "gates": [{"analysis": {"prometheus": {"query": "up", "min": "1", **more}}}]}]
            for more in ({}, {"address": "https://prometheus:9090"}, {"max": "2"})
        ),
    ),
    *bad(
        _PROMO,
        "spec.environments",
        *(
            [*_TWO, {**_GATED, "gates": [{"analysis": {"prometheus": {"query": "up", "min": "1", **more}}}]}]
            for more in ({"query": "up{pod='{{args.hash}}'}"}, {"address": "up:9090"}, {"address": "http://a:b@up"})
        ),
        field="spec.environments[2].gates[0].analysis",
    ),
    *bad(
        _PROMO,
        "spec.environments",
        [*_TWO, {**_GATED, "gates": [{"checks": []}]}],
        field="spec.environments[2].gates[0].checks",
    ),
    *good(
        _PROMO,
        "spec.environments",
        [*_TWO, {**_GATED, "gates": [{"window": {"start": "0 9 * * 1-5", "duration": "8h"}}]}],
        [
            *_TWO,
            {**_GATED, "merge": "Automatic", "inFlight": "Queue", "carry": {"images": False, "paths": ["a/.b/c.yaml"]}},
        ],
    ),
    *bad(_PROMO, "spec.environments", [*_TWO, {**_GATED, "gates": [{}]}], field="spec.environments[2].gates[0]"),
    *bad(
        _PROMO,
        "spec.environments",
        [*_TWO, {**_GATED, "gates": [{"healthyFor": "1m", "hold": True}]}],
        field="spec.environments[2].gates[0]",
    ),
    *bad(
        _PROMO,
        "spec.environments",
        *([*_TWO, {**_GATED, "carry": {"paths": [path]}}] for path in ("", "/a", "../a", "a/../b", "a//b", "./a")),
        field="spec.environments[2].carry.paths[0]",
    ),
    *good(
        _PROMO, "spec.environments", _release(("web-s", "job-s"), ("web-p", "job-p")), _release(("web-s",), ("web-p",))
    ),
    *good(_PROMO, "spec.environments", _release(["web-s"], "web-p"), _release(*(_many(name, 16) for name in "ab"))),
    *bad(
        _PROMO,
        "spec.environments",
        _release(("web-s", "job-s"), ("web-p",)),
        _release("web-s", ("web-p", "job-p")),
        _release(("web-s",), ("web-p", "job-p")),
    ),
    *bad(
        _PROMO,
        "spec.environments",
        [*_TWO, {"name": "last"}],
        [*_TWO, {**_GATED, "applications": ["web-l"]}],
        field="spec.environments[2]",
    ),
    *bad(
        _PROMO,
        "spec.environments",
        *([*_TWO, {"name": "last", "applications": given}] for given in ([], _many("a", 17))),
        field="spec.environments[2].applications",
    ),
    *good(_APP, "metadata.name", "web", "a", "a.b-c", "0", "a" * 253),
    *bad(_APP, "metadata.name", "", "Web", "-a", "a-", "a..b", "a.-b", "a_b", _LONG, "ü", 1),
    *good(_APP, "metadata.labels", {"a": "b", "example.com/a_b": ""}, {}, None),
    *bad(_APP, "metadata.labels", {"a b": "c"}, field='metadata.labels["a b"]'),
    *bad(_APP, "metadata.labels", {"a": "c d"}, {"a": 1}, field="metadata.labels.a"),
    *bad(_APP, "metadata.lables", {}),
    *bad(_APP, "spec", _GONE, None, [], "x"),
    *bad(_APP, "spec.surprise", 1, None),
    *bad(_APP, "spec.source", _GONE, None, "x"),
    *bad(_APP, "spec.source.brnch", "main"),
    *bad(_APP, "spec.depends_on", ["a"]),
    *good(_APP, "spec.source.repository", "config"),
    *bad(_APP, "spec.source.repository", _GONE, None, "", "A", 1, _LONG),
    *good(_APP, "spec.source.path", ".", "", "a/b", "a..b", "a/...", "ü/x", None),
    *bad(_APP, "spec.source.path", "/a", "..", "a/..", "a/../b", "../a", 1, "a" * 1025),
    *good(_APP, "spec.source.revision", "main", "v1.2", "refs/tags/x", "a" * 40, "ü", None),
    *bad(_APP, "spec.source.revision", "", "a b", "-a", "a..b", "a~1", "a^", "a:b", "a\n", "/a", "a/", "a.lock", "@"),
    *good(_APP, "spec.render", None, {}, {"auto": {}}, {"kustomize": {}}, {"plain": {"recurse": False}}),
    *good(_APP, "spec.render", {"helm": {}}, {"helm": None, "kustomize": {}}, {"helm": None}),
    *bad(_APP, "spec.render", {"kustomize": {}, "helm": {}}, {"auto": {}, "plain": {}}, "helm", []),
    *bad(_APP, "spec.render.helmm", {}),
    *bad(_APP, "spec.render.kustomize.path", "x"),
    *bad(_APP, "spec.render.plain.recurse", "yes", 1),
    *good(_APP, "spec.render.helm.values", {}, {"a": {"b": [1, None, {"c": 1.5}]}}, {"n": None}, None),
    *bad(_APP, "spec.render.helm.values", [], "a: b", 1),
    *good(_APP, "spec.render.helm.valueFiles", [], ["a.yaml", "/env/a.yaml"], None),
    *bad(_APP, "spec.render.helm.valueFiles", "a.yaml", {}, ["a"] * 65),
    *bad(
        _APP,
        "spec.render.helm.valueFiles",
        ["../a"],
        ["//a"],
        [""],
        [1],
        ["/.."],
        field="spec.render.helm.valueFiles[0]",
    ),
    *good(_APP, "spec.render.helm.releaseName", "web", "a" * 53),
    *bad(_APP, "spec.render.helm.releaseName", "", "Web", "a" * 54, 1),
    *bad(_APP, "spec.render.helm.includeCrds", "true", 0),
    *good(_APP, "spec.destination", None, {}, {"namespace": "staging"}, {"namespace": None}),
    *bad(_APP, "spec.destination.namespace", "", "a.b", "A", "a" * 64, 1),
    *good(_APP, "spec.sync.mode", "Automatic", "Manual", None),
    *bad(_APP, "spec.sync.mode", "", "manual", "Auto", 1, True),
    *good(_APP, "spec.sync.prune", True, False, None),
    *bad(_APP, "spec.sync.prune", "true", 1, "", []),
    *good(_APP, "spec.sync.pruneLimit", 0, 10, "10", "0%", "25%", "100%", None),
    *bad(_APP, "spec.sync.pruneLimit", -1, "-1", "101%", "25 %", "", "%", 1.5, True, "1" * 17, []),
    *good(_APP, "spec.sync.timeout", "1s", "1h30m", "1.5h", "1d", "1000ms", "0.5s500ms", "90m", None),
    *bad(
        _APP, "spec.sync.timeout", "", "60", 60, "5 m", "-5m", "5M", "0s", "999ms", "0.9s", "1m\n", "9" * 32 + "s", True
    ),
    *good(_APP, "spec.drift", None, {}, {"correct": False}, {"ignore": []}),
    *bad(_APP, "spec.drift.correct", "no", 0),
    *good(_APP, "spec.drift.ignore", [{"manager": "hpa"}], [{"fields": ["/spec/replicas", "/a~1b/~0"]}]),
    *good(_APP, "spec.drift.ignore", [{"kind": "Deployment.apps", "name": "web", "fields": ["/spec"], "manager": "x"}]),
    *bad(_APP, "spec.drift.ignore", [{}], [{"kind": "Deployment"}], [{"fields": []}], field="spec.drift.ignore[0]"),
    *bad(_APP, "spec.drift.ignore", [{"manager": ""}], field="spec.drift.ignore[0].manager"),
    *bad(_APP, "spec.drift.ignore", [{"manager": "x", "kind": "a/b"}], field="spec.drift.ignore[0].kind"),
    *bad(_APP, "spec.drift.ignore", [{"manager": "x", "name": ""}], field="spec.drift.ignore[0].name"),
    *bad(_APP, "spec.drift.ignore", [{"manager": "x", "nmae": "a"}], field="spec.drift.ignore[0].nmae"),
    *bad(
        _APP,
        "spec.drift.ignore",
        [{"fields": ["spec"]}],
        [{"fields": [""]}],
        [{"fields": ["/a~2"]}],
        field="spec.drift.ignore[0].fields[0]",
    ),
    *bad(_APP, "spec.drift.ignore", {}, "x", [{"manager": "x"}] * 65),
    *bad(_APP, "spec.drift.ignore", [None], ["x"], field="spec.drift.ignore[0]"),
    *good(_APP, "spec.dependsOn", [], ["a", "b"], None),
    *bad(_APP, "spec.dependsOn", "a", ["a", "a"], [f"a{number}" for number in range(65)]),
    *bad(_APP, "spec.dependsOn", ["A"], [1], [None], field="spec.dependsOn[0]"),
    *bad(_APP, "spec.dependsOn", ["web"], ["a", "web"], field=""),
    *good(_REPO, "spec.url", "https://h/a.git", "http://127.0.0.1:3000/a/b", "https://h", "https://[::1]:8443/a"),
    *good(_REPO, "spec.url", "ssh://git@h:22/a", "git@h:a/b.git", "file:///srv/a b.git", "https://h/@a/b"),
    *bad(_REPO, "spec.url", _GONE, None, "", "h/a", "/srv/a", "ftp://h/a", "ext::sh -c id", "https://", 1),
    *bad(
        _REPO,
        "spec.url",
        "https://u:p@h/a",
        "https://token@h/a",
        "ssh://u:p@h/a",
        "https://h/a?token=x",
        "https://h/a b",
    ),
    *bad(
        _REPO, "spec.url", "ssh://-oProxyCommand=x/a", "git@-oProxyCommand=x:a", "-u@h:a", "git@h:-a", "https://h/a\n"
    ),
    *good(_REPO, "spec.branch", "main", "release/1.0", None),
    *bad(_REPO, "spec.branch", "", "a b", 1),
    *good(_REPO, "spec.interval", "30s", None),
    *bad(_REPO, "spec.interval", 30, "0s", "soon"),
    *bad(_REPO, "spec.timeout", "500ms"),
    *good(_REPO, "spec.credentialsRef", {"name": "git"}, None),
    *bad(_REPO, "spec.credentialsRef", "git", []),
    *bad(
        _REPO, "spec.credentialsRef", {}, {"name": None}, {"name": "A"}, {"name": ""}, field="spec.credentialsRef.name"
    ),
    *bad(_REPO, "spec.credentialsRef", {"name": "a", "namespace": "b"}, field="spec.credentialsRef.namespace"),
    *good(_TOLD, "spec.forge", {"kind": "gitea"}, {"kind": "gitea", "apiUrl": None}, None),
    *good(_TOLD, "spec.forge.apiUrl", "https://h", "http://127.0.0.1:3000/api/v1", "https://h/git/api/v1"),
    *bad(_TOLD, "spec.forge.apiUrl", "h/api", "ssh://h/a", "https://u:p@h/a", "https://t@h/a", "https://h/a?b", 1),
    *good(_TOLD, "spec.forge.kind", "gitea", "github", "gitlab"),
    *bad(_TOLD, "spec.forge.kind", "GitHub", "forgejo", "Gitea", "", None, 1),
    *bad(_TOLD, "spec.forge", {}, field="spec.forge.kind"),
    *bad(_TOLD, "spec.forge", {"kind": "gitea", "token": "t"}, field="spec.forge.token"),
    *good(_TOLD, "spec.webhook", None, {"managed": True}, {"secretRef": {"name": "hook"}}),
    *good(_TOLD, "spec.webhook", {"managed": True, "secretRef": {"name": "hook"}}),
    *bad(_TOLD, "spec.webhook", {}, {"managed": False}, field="spec"),
    *bad(_REPO, "spec.webhook", {"managed": True}, {"secretRef": {"name": "hook"}}, field="spec"),
    *bad(_TOLD, "spec.webhook", {"managed": "yes"}, field="spec.webhook.managed"),
    *bad(_TOLD, "spec.webhook", {"managed": True, "secret": "s"}, field="spec.webhook.secret"),
    *bad(_TOLD, "spec.url", "file:///srv/a", field="spec"),
    *bad(_TOLD, "spec.credentialsRef", None, _GONE, field="spec"),
    *good(_ACT, "spec.step", 0, 63, _GONE, None),
    *bad(_ACT, "spec.step", -1, "1", 1.5, True, 100001),
    *good(_ABORT, "spec.action", "Abort", "Retry", "PromoteFull", "Promote"),
    *bad(_ABORT, "spec.step", 0, field="spec"),
    *bad(_ACT, "spec.action", _GONE, None, "", "promote", "Undo", 1),
    *bad(_ACT, "spec.application", _GONE, "", "A", 1),
    *bad(_ACT, "spec.rollout", _GONE, "", "a b", 1),
    *bad(_ACT, "spec.uid", _GONE, "", "u" * 65, 1),
    *good(_ACT, "spec.podHash", "a", "0", "Abc-1"),
    *bad(_ACT, "spec.podHash", _GONE, "", "a b", "-a", "a/b", "a" * 64, 5),
    *good(_ACT, "spec.by", "system:serviceaccount:team-a:ci", "Ada Lovelace", "u" * 1024),
    *bad(_ACT, "spec.by", _GONE, None, "", "u" * 1025, 1),
    *good(_ACT, "spec.reason", "looks good: 0.1% errors\n", "", None, "r" * 1024),
    *bad(_ACT, "spec.reason", "r" * 1025, 1),
    *bad(_ACT, "spec.podhash", "a"),
    *good(_APP, "spec.project", "store", None),
    *bad(_APP, "spec.project", "", "A", 1),
    *good(_TELL, "spec.slack.channel", "C0123456789", "G01", "D0A1"),
    *bad(_TELL, "spec.slack.channel", _GONE, None, "", "#releases", "releases", "c012", "C", "C" * 65, 1),
    *bad(_TELL, "spec.slack.secretRef", _GONE, None, "slack"),
    *bad(_TELL, "spec.slack.token", "xoxb-1"),
    *good(_TELL, "spec.slack.apiUrl", "https://slack.com/api/", "http://127.0.0.1:80/api", None),
    *bad(_TELL, "spec.slack.apiUrl", "slack.com", "https://u:p@h/", "https://h/a?b=c", "ftp://h", 1),
    *bad(_TELL, "spec.slack", _GONE, None, field="spec"),
    *bad(_TELL, "spec.webhook", {"secretRef": {"name": "hook"}}, field="spec"),
    *bad(_TELL, "spec.webhook", {"secretRef": {"name": "a"}, "url": "https://h"}, field="spec.webhook.url"),
    *good(_TELL, "spec.events", ["Deployed", "CandidateReady"], [], None),
    *bad(_TELL, "spec.events", "Deployed", ["Deployed"] * 33),
    *bad(_TELL, "spec.events", ["deployed"], ["Exploded"], [1], field="spec.events[0]"),
    *good(_TELL, "spec.match", {}, {"namespaces": ["team-*", "*"], "applications": ["shop*"]}, None),
    *bad(_TELL, "spec.match.namespaces", "team-a", ["a"] * 65),
    *bad(_TELL, "spec.match.applications", [""], [None], field="spec.match.applications[0]"),
    *good(_TELL, "spec.match.projects", ["store"], []),
    *bad(_TELL, "spec.match.projects", ["*"], field="spec.match.projects[0]"),
    *good(_TELL, "spec.match.severity", "info", "warning", "critical", None),
    *bad(_TELL, "spec.match.severity", "", "Warning", "error", 1),
    *good(_TELL, "spec.report", {"schedule": "0 9 * * MON"}, {"schedule": "*/5 * * * *", "timeZone": "UTC"}, None),
    *bad(_TELL, "spec.report.schedule", None, "", "weekly", "0 9 * *", "0 9 * * MON 1", "0  9 * * 1", 1),
    *bad(_TELL, "spec.report", {"schedule": "0 9 * * 1", "timeZone": ""}, field="spec.report.timeZone"),
    *good(_FEED, "spec.image", "nginx", "r.example:5000/a/b", "127.0.0.1:5000/a", "a_b/c__d/e--f.g"),
    *bad(
        _FEED, "spec.image", _GONE, "", "r/a:1", "r/a@sha256:0", "https://r/a", "a/B", "a b", "a//b", "a/", "a" * 513, 1
    ),
    *good(_FEED, "spec.interval", "1s", "5m", None),
    *bad(_FEED, "spec.interval", "0s", 5),
    *good(_FEED, "spec.policy", {"semver": "^1"}, {"digest": "main"}, {"newest": {"pattern": "(?P<build>[0-9]+)"}}),
    *bad(_FEED, "spec.policy", _GONE, {}, {"semver": "1", "digest": "main"}, "semver"),
    *good(_FEED, "spec.policy.semver", "^1.2", "~1.2.3", ">=1.0 <2", "1.x", "1.2 - 1.4", "1 || >= 3.0.0-0", "*", " 1 "),
    *bad(_FEED, "spec.policy.semver", "", "main", ">=", "1.2.3.4", "1 |", "01", ">1 <<2", "1" * 257, 1),
    *good(_DIGEST, "spec.policy.digest", "main", "a" * 128, "_"),
    *bad(_DIGEST, "spec.policy.digest", "", "a b", "-a", "a" * 129, 1),
    *good(_NEWEST, _PATTERN, "(?P<build>[0-9]+)", "main-[a-f0-9]+-(?P<order>[0-9-]+)", "(?P<build>1{2})"),
    *bad(_NEWEST, _PATTERN, "", "[0-9]+", "(?P<build>[0-9]+", "(?P<build>a+)+", "(?P<build>.*.*.*.*.*)"),
    *bad(_NEWEST, _PATTERN, "(?P<order>(a|a)*)", "(?=x)(?P<build>1)", r"(?P<build>1)\1", 1),
    *good(
        _FEED, "spec.writes", [{"repository": "a", "path": "."}], [{"repository": "a", "path": "b/c", "via": "Commit"}]
    ),
    *bad(_FEED, "spec.writes", _GONE, [], {}, [{"repository": "a", "path": "b"}] * 17),
    *bad(
        _FEED,
        "spec.writes",
        *(
            [{"repository": "a", "path": path}]
            for path in ("", "/a", "..", "a/../b", "a//b", "a/.git/b", "a\\b", "./a")
        ),
        field="spec.writes[0].path",
    ),
    *bad(_FEED, "spec.writes", [{"repository": "a", "path": "b", "via": "Push"}], field="spec.writes[0].via"),
    *bad(_FEED, "spec.writes", [{"path": "b"}], field="spec.writes[0].repository"),
    *good(_FEED, "spec.secretRef", {"name": "hook"}, None),
    *bad(_FEED, "spec.credentialsRef", {}, field="spec.credentialsRef.name"),
]


def whole_application() -> dict[str, Any]:
    """An Application that names every field of its spec but the other renderers."""
    return {
        **application(),
        "metadata": {"name": "web", "labels": {"team": "a"}, "annotations": {"dispatch.dev/sync": "1"}},
        "spec": {
            "source": {"repository": "config", "path": "apps/web", "revision": "v1"},
            "render": {
                "helm": {
                    "releaseName": "web",
                    "valueFiles": ["values.yaml", "/env/a.yaml"],
                    "values": {"replicas": 2, "nothing": None},
                    "includeCrds": False,
                }
            },
            "destination": {"namespace": "staging"},
            "sync": {"mode": "Manual", "pruneLimit": 5, "timeout": "1h30m"},
            "drift": {
                "correct": False,
                "ignore": [{"kind": "Deployment", "name": "web", "fields": ["/spec/replicas"], "manager": "hpa"}],
            },
            "dependsOn": ["cache", "config"],
        },
    }
