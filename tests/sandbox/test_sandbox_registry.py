"""The sandbox's registry keeps images over a restart."""

from __future__ import annotations

from pathlib import Path

from images import Store

from reconciler.adapters.registry import OciRegistry
from reconciler.model.image import located
from reconciler.ports import RegistryLogin
from reconciler.sandbox.platform import Part, Sandbox


def test_an_image_is_there_after_a_restart_and_a_tag_can_be_taken_away(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "sandbox", [Part.REGISTRY]) as sandbox:
        store, reader = Store(sandbox.urls["registry"]), OciRegistry(RegistryLogin())
        digest = store.push("1", "2")
        sandbox.restart(Part.REGISTRY)
        assert reader.digest(located(store.name), "2") == digest
        store.remove("2")
        assert reader.tags(located(store.name)) == ("1",)
