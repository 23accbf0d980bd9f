"""An image is written anew where it stands: its quotes, its place and everything around it stay."""

from __future__ import annotations

import pytest

from reconciler.core.image_edits import Unwritable, Wanted, edit, edit_text, is_read, needed, written

IMAGE = "r.example:5000/team/shop"
NEW = f"sha256:{'b' * 64}"
OLD = f"sha256:{'a' * 64}"
WANTED = Wanted("1.3.0", NEW)


def lines_changed(before: str, after: str) -> list[str]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    assert len(old) == len(new)
    return [line for was, line in zip(old, new, strict=True) if was != line]


MANIFEST = f"""# kept: as it is
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop,   annotations: {{image: '{IMAGE}:1.2.0'}}}}
spec:
  template:
    spec:
      initContainers:
        - image: "{IMAGE}:1.2.0"   # the same
          name: prepare
      containers:
        - name:  shop
          image: {IMAGE}:1.2.0@{OLD}
        - {{name: side, image: 'r.example:5000/team/side:7'}}
        - {{name: flow, image: {IMAGE}}}
---
kind: ConfigMap
apiVersion: v1
data: {{image: '{IMAGE}:1.2.0'}}
"""


def test_only_the_images_of_containers_change_in_a_manifest() -> None:
    after = edit_text("d.yaml", MANIFEST, IMAGE, WANTED)
    assert lines_changed(MANIFEST, after) == [
        f'        - image: "{IMAGE}:1.3.0@{NEW}"   # the same\n',
        f"          image: {IMAGE}:1.3.0@{NEW}\n",
        f"        - {{name: flow, image: {IMAGE}:1.3.0@{NEW}}}\n",
    ]


def test_line_ends_of_windows_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + MANIFEST.replace("\n", "\r\n")
    after = edit_text("d.yaml", text, IMAGE, WANTED)
    assert after == "\ufeff" + edit_text("d.yaml", MANIFEST, IMAGE, WANTED).replace("\n", "\r\n")


VALUES = f"""image:
  registry: r.example:5000
  repository: team/shop # ours
  tag: '1.2.0'
  digest: ""
worker: {{image: {{repository: {IMAGE}, tag: 1.2.0}}}}
job:
  image: {IMAGE}:1.2.0
other:
  repository: team/shop
  tag: 1.2.0
"""


def test_helm_values_are_written_in_their_own_quotes() -> None:
    assert lines_changed(VALUES, edit_text("values.yaml", VALUES, IMAGE, WANTED)) == [
        "  tag: '1.3.0'\n",
        f'  digest: "{NEW}"\n',
        f"worker: {{image: {{repository: {IMAGE}, tag: 1.3.0}}}}\n",
        f"  image: {IMAGE}:1.3.0@{NEW}\n",
    ]


def test_a_tag_that_would_be_read_as_a_number_is_put_in_quotes() -> None:
    for tag in ("1.10", "20261126", "1e3", "2026-11-26", "on", "12345e7", "0x1f"):
        after = edit_text("values.yaml", f"repository: {IMAGE}\ntag: 1.2.0\n", IMAGE, Wanted(tag, NEW))
        assert after == f'repository: {IMAGE}\ntag: "{tag}"\n'


def test_a_tag_without_a_place_for_its_digest_is_pinned_where_it_moves() -> None:
    before = f"repository: {IMAGE}\ntag: main\n"
    assert edit_text("v.yaml", before, IMAGE, Wanted("main", NEW)) == before
    pinned = edit_text("v.yaml", before, IMAGE, Wanted("main", NEW, pin=True))
    assert pinned == f"repository: {IMAGE}\ntag: main@{NEW}\n"
    (place,) = written({"v.yaml": pinned}, IMAGE)
    assert (place.ref.tag, place.ref.digest) == ("main", NEW)
    assert edit_text("v.yaml", pinned, IMAGE, Wanted("main", OLD)) == f"repository: {IMAGE}\ntag: main@{OLD}\n"


def test_a_missing_tag_is_added_behind_the_repository() -> None:
    block = f"image:\n  repository: {IMAGE} # here\n  pullPolicy: Always\n"
    assert edit_text("v.yaml", block, IMAGE, WANTED) == block.replace("# here\n", "# here\n  tag: 1.3.0\n")
    flow = f"image: {{repository: '{IMAGE}', pullPolicy: Always}}\n"
    assert edit_text("v.yaml", flow, IMAGE, WANTED) == flow.replace("', ", "', tag: 1.3.0, ")


def test_an_anchor_is_written_once_for_all_its_aliases() -> None:
    text = f"one:\n  image: &shop !!str {IMAGE}:1.2.0\ntwo:\n  image: *shop\nthree:\n  <<: {{image: *shop}}\n"
    assert edit_text("v.yaml", text, IMAGE, WANTED) == text.replace(":1.2.0", f":1.3.0@{NEW}")


def test_values_that_a_merge_brings_in_are_found() -> None:
    text = f'base: &base {{repository: {IMAGE}}}\nimage:\n  <<: *base\n  tag: 1.2.0\n  digest: ""\n'
    after = edit_text("v.yaml", text, IMAGE, WANTED)
    assert "\n  tag: 1.3.0\n" in after
    assert edit_text("v.yaml", after, IMAGE, WANTED) == after


KUSTOMIZATION = f"""resources: [shop.yaml]
images:
# the shop
- name: {IMAGE}
  newTag: 1.2.0 # by hand
- digest: {OLD}
  name: shop
  newName: {IMAGE}
- name: side
  newTag: "7"
"""


def test_the_entries_of_a_kustomization_are_pinned_and_keep_their_order() -> None:
    after = edit_text("k/kustomization.yaml", KUSTOMIZATION, IMAGE, WANTED)
    assert after == KUSTOMIZATION.replace(
        "newTag: 1.2.0 # by hand\n", f"newTag: 1.3.0 # by hand\n  digest: {NEW}\n"
    ).replace(f"- digest: {OLD}", f"- digest: {NEW}").replace(
        f"  newName: {IMAGE}\n", f"  newName: {IMAGE}\n  newTag: 1.3.0\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("resources: [d.yaml]\n", "resources: [d.yaml]\nimages:\n{item}\n"),
        ("resources: [d.yaml]", "resources: [d.yaml]\nimages:\n{item}"),
        ("resources:\n- d.yaml\n# the end\n", "resources:\n- d.yaml\nimages:\n{item}\n# the end\n"),
        ("images: []\nresources: [d.yaml]\n", "images: [{flow}]\nresources: [d.yaml]\n"),
        ("images:\nresources: [d.yaml]\n", "images:\n{item}\nresources: [d.yaml]\n"),
        (
            "images:\n- name: x\n  newTag: y\n\nresources: []\n",
            "images:\n- name: x\n  newTag: y\n{item}\n\nresources: []\n",
        ),
        ("images: [{name: x}]\n", "images: [{name: x}, {flow}]\n"),
        ("{resources: [d.yaml]}\n", "{resources: [d.yaml], images: [{flow}]}\n"),
    ],
)
def test_an_image_that_is_used_and_not_listed_gets_an_entry(before: str, after: str) -> None:
    item = f"- name: {IMAGE}\n  newTag: 1.3.0\n  digest: {NEW}"
    flow = f"{{name: {IMAGE}, newTag: 1.3.0, digest: {NEW}}}"
    files = {"k/kustomization.yaml": before, "k/d.yaml": MANIFEST}
    changed = edit(files, IMAGE, WANTED, top="k/kustomization.yaml")
    assert changed == {"k/kustomization.yaml": after.replace("{item}", item).replace("{flow}", flow)}
    assert edit({**files, **changed}, IMAGE, WANTED, top="k/kustomization.yaml") == {}


def test_a_kustomization_decides_for_its_folder() -> None:
    files = {"k/kustomization.yaml": KUSTOMIZATION, "k/d.yaml": MANIFEST}
    assert set(edit(files, IMAGE, WANTED)) == {"k/kustomization.yaml"}


def test_an_image_over_several_lines_is_left_and_said_with_its_file() -> None:
    with pytest.raises(Unwritable, match=r"v.yaml: line 1 is a text of several lines: write the image on one line"):
        edit({"v.yaml": f"image: >-\n  {IMAGE}:1\n"}, IMAGE, WANTED)


def test_texts_that_are_no_yaml_are_left_alone() -> None:
    for text in (
        "image: {{ .Values.image }}\n- x",
        "",
        "\t",
        "[" * 2000,
        "a: &a [*a]",
        f"image: '{{{{ x }}}}:{IMAGE}'\n",
    ):
        assert edit_text("v.yaml", text, IMAGE, WANTED) == text


def test_aliases_that_multiply_cost_nothing() -> None:
    bomb = "a0: &a0 {image: x}\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60))
    assert edit_text("v.yaml", bomb, IMAGE, WANTED) == bomb


def test_templates_of_a_chart_are_not_read() -> None:
    assert is_read("chart/values.yaml", "chart")
    assert is_read("templates/shop/d.yaml", "templates/shop")
    assert not is_read("chart/templates/d.yaml", "chart")
    assert not is_read("chart/README.md", "chart")


def test_what_a_kustomization_needs_is_told_as_it_is_written() -> None:
    text = "resources: [../base, https://x.example/y]\ncomponents:\n- ../c\n"
    assert needed(text) == ("../base", "https://x.example/y", "../c")


def test_a_tag_is_not_added_to_the_map_that_a_merge_brings_in() -> None:
    text = f"base: &base {{repository: {IMAGE}}}\nimage:\n  <<: *base\n  pullPolicy: Always\nnext: 1\n"
    assert edit_text("v.yaml", text, IMAGE, WANTED) == text.replace("Always\n", "Always\n  tag: 1.3.0\n").replace(
        f"{IMAGE}}}", f"{IMAGE}, tag: 1.3.0}}"
    )
