"""The kinds as Kubernetes is told of them: CustomResourceDefinitions (apiextensions.k8s.io/v1), made from the models.

`python -m reconciler.model.crd --write` renews the files in `crds/` beside this one, `--check` fails when they are
stale. Nothing reads those files here: they are for people, for review, and for tools that install by file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from reconciler.model.application import Application
from reconciler.model.hotfix import Hotfix
from reconciler.model.image_feed import ImageFeed
from reconciler.model.notifier import Notifier
from reconciler.model.promotion import Promotion
from reconciler.model.promotion_action import PromotionAction
from reconciler.model.repository import Repository
from reconciler.model.resource import GROUP, VERSION
from reconciler.model.rollout_action import RolloutAction
from reconciler.model.structural import Schema, structural

Kind = (
    type[Application]
    | type[Repository]
    | type[RolloutAction]
    | type[Notifier]
    | type[Promotion]
    | type[PromotionAction]
    | type[Hotfix]
    | type[ImageFeed]
)

_READY = '.status.conditions[?(@.type=="Ready")]'
_API_VERSION = "The version of the kind: `dispatch.dev/v1alpha1`."
_KIND = "The name of the kind."


def _column(name: str, path: str, description: str, *, type: str = "string", wide: bool = False) -> dict[str, Any]:
    column = {"name": name, "type": type, "jsonPath": path, "description": description}
    return {**column, "priority": 1} if wide else column


_AGE = _column("Age", ".metadata.creationTimestamp", "How long the object exists.", type="date")
_MESSAGE = _column("Message", f"{_READY}.message", "Why it is as it is.", wide=True)

APPLICATION_COLUMNS = (
    _column("Sync", ".status.sync", "Whether the cluster holds what Git wants."),
    _column("Health", ".status.health", "The worst of the objects."),
    _column("Revision", ".status.applied.revision", "The last revision that was applied whole."),
    _AGE,
    _MESSAGE,
)
REPOSITORY_COLUMNS = (
    _column("URL", ".spec.url", "Where it is."),
    _column("Revision", ".status.revision", "The branch and its commit, as last seen."),
    _column("Ready", f"{_READY}.status", "Whether it could be read."),
    _AGE,
    _column("Webhook", ".status.webhook.state", "How the hook at the forge stands.", wide=True),
    _column("Missed", ".status.webhook.missed", "Changes of which no event came.", type="integer", wide=True),
    _MESSAGE,
)
PROMOTION_COLUMNS = (
    _column("Environments", ".status.environments[*].name", "Where versions are promoted to."),
    _column("States", ".status.environments[*].state", "Where the newest version is on its way there."),
    _column("Ready", f"{_READY}.status", "Whether every environment has what the one before runs."),
    _AGE,
    _MESSAGE,
)
ACTION_COLUMNS = (
    _column("Application", ".spec.application", "Whose rollout it is about."),
    _column("Rollout", ".spec.rollout", "Which Rollout."),
    _column("Action", ".spec.action", "What is asked."),
    _column("Step", ".spec.step", "At which step, counted from 0.", type="integer"),
    _column("By", ".spec.by", "Who asks."),
    _column("State", ".status.state", "What has become of it."),
    _AGE,
    _column("Version", ".spec.podHash", "The hash of the pods that it is about.", wide=True),
    _column("Message", ".status.message", "What was done, or why not.", wide=True),
)
WISH_COLUMNS = (
    _column("Promotion", ".spec.promotion", "Which Promotion."),
    _column("Environment", ".spec.environment", "Which environment of it."),
    _column("Action", ".spec.action", "What is asked."),
    _column("By", ".spec.by", "Who asks."),
    _AGE,
    _column("Reason", ".spec.reason", "Why.", wide=True),
)
HOTFIX_COLUMNS = (
    _column("Promotion", ".spec.promotion", "Which Promotion."),
    _column("Environment", ".spec.environment", "Which environment of it."),
    _column("State", ".status.target.state", "Where it is on its way there."),
    _column("By", ".spec.by", "Who asks."),
    _column("Expires", ".status.expires", "Until when it may be merged."),
    _AGE,
    _column("Reason", ".spec.reason", "Why.", wide=True),
    _MESSAGE,
)
NOTIFIER_COLUMNS = (
    _column("Ready", f"{_READY}.status", "Whether notices are taken there."),
    _column("Sent", ".status.lastSent", "When something was told last.", type="date"),
    _column("Failures", ".status.failures", "Tries in a row that failed.", type="integer"),
    _AGE,
    _MESSAGE,
)
FEED_COLUMNS = (
    _column("Image", ".spec.image", "Which image it follows."),
    _column("Tag", ".status.selected.tag", "Which of its tags is wanted now."),
    _column("Ready", f"{_READY}.status", "Whether it is where it should be."),
    _AGE,
    _column("Digest", ".status.selected.digest", "What the tag is.", wide=True),
    _MESSAGE,
)


def definitions() -> list[dict[str, Any]]:
    """One CustomResourceDefinition a kind, ready to be applied."""
    return [
        # kubectl's ApplySet accepts a parent only of a kind that carries this label (KEP-3659).
        _definition(
            Application,
            "applications",
            "dapp",
            APPLICATION_COLUMNS,
            {"applyset.kubernetes.io/is-parent-type": "true"},
        ),
        _definition(Repository, "repositories", "drepo", REPOSITORY_COLUMNS, {}),
        _definition(RolloutAction, "rolloutactions", "draction", ACTION_COLUMNS, {}),
        _definition(Notifier, "notifiers", "dnotify", NOTIFIER_COLUMNS, {}),
        _definition(Promotion, "promotions", "dpromo", PROMOTION_COLUMNS, {}),
        _definition(PromotionAction, "promotionactions", "dpraction", WISH_COLUMNS, {}),
        _definition(Hotfix, "hotfixes", "dhotfix", HOTFIX_COLUMNS, {}),
        _definition(ImageFeed, "imagefeeds", "dfeed", FEED_COLUMNS, {}),
    ]


def schema_of(kind: Kind) -> Schema:
    """The structural schema of a whole document. Metadata is Kubernetes' own and is left to it."""
    written = kind.model_json_schema(by_alias=True)
    whole: Schema = {key: written[key] for key in ("type", "description", "x-kubernetes-validations") if key in written}
    return {
        **structural(whole),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": _API_VERSION},
            "kind": {"type": "string", "description": _KIND},
            "metadata": {"type": "object"},
            "spec": structural(written, "spec"),
            "status": structural(written, "status", defaults=False),
        },
    }


def _definition(
    kind: Kind, plural: str, short: str, columns: tuple[dict[str, Any], ...], labels: dict[str, str]
) -> dict[str, Any]:
    name = kind.__name__
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", **({"labels": labels} if labels else {})},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": name,
                "listKind": f"{name}List",
                "plural": plural,
                "singular": name.lower(),
                "shortNames": [short],
                "categories": ["dispatch"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema_of(kind)},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": list(columns),
                }
            ],
        },
    }


def files() -> dict[str, str]:
    """File name -> content of each generated file."""
    import yaml

    header = "# Made from the models by `python -m reconciler.model.crd --write`: change those, not this file.\n"
    return {
        f"{definition['metadata']['name']}.yaml": header + yaml.safe_dump(definition, sort_keys=False, width=110)
        for definition in definitions()
    }


def main(arguments: list[str], folder: Path = Path(__file__).parent / "crds") -> int:
    """0 when the files are (now) as the models say, 1 when `--check` finds them stale, 2 for wrong use."""
    if arguments not in (["--write"], ["--check"]):
        print("usage: python -m reconciler.model.crd --write | --check", file=sys.stderr)
        return 2
    wanted = files()
    present = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    if arguments == ["--write"]:
        folder.mkdir(exist_ok=True)
        for name in present.keys() - wanted.keys():
            (folder / name).unlink()
        for name, text in wanted.items():
            (folder / name).write_text(text)
        return 0
    stale = sorted(name for name in present.keys() | wanted.keys() if present.get(name) != wanted.get(name))
    for name in stale:
        print(f"{folder.name}/{name} is stale: run `python -m reconciler.model.crd --write`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
