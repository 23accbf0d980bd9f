"""`dispatch health`: files in, verdicts out, no cluster."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from reconciler.cli.main import main

FIXTURES = Path(__file__).parents[1] / "unit" / "core" / "health" / "fixtures"
WEB = FIXTURES / "Deployment.apps" / "Progressing-unavailable.yaml"
POD = FIXTURES / "Pod" / "Degraded-crash-loop.yaml"
NAMESPACE = FIXTURES / "Namespace" / "Healthy-active.yaml"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`dispatch health ...`, as the shell would call it."""

    def call(*words: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["dispatch", "health", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return call


def load(path: Path) -> dict[str, object]:
    document: dict[str, object] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return document


def refs(ran: Ran) -> list[str]:
    return [row["ref"] for row in json.loads(ran.out)]


def test_the_table_has_a_line_for_each_object_in_the_order_of_the_files(run: Run) -> None:
    ran = run("-f", str(WEB), "-f", str(POD), "-f", str(NAMESPACE))
    assert ran == Ran(
        0,
        "LEVEL         OBJECT                          MESSAGE\n"
        "Progressing   Deployment.apps/shop/web        2 of 3 updated replicas are available\n"
        "Degraded      Pod/shop/web-6d4b75cb6d-x7k2p   container web: CrashLoopBackOff: exit code 1 (Error)\n"
        "Healthy       Namespace/shop\n",
        "",
    )


def test_json_is_an_array_of_ref_level_and_message(run: Run) -> None:
    ran = run("-f", str(WEB), "-f", str(NAMESPACE), "-o", "json")
    assert ran.code == 0
    assert json.loads(ran.out) == [
        {"ref": "Deployment.apps/shop/web", "level": "Progressing", "message": "2 of 3 updated replicas are available"},
        {"ref": "Namespace/shop", "level": "Healthy", "message": ""},
    ]


def test_every_fixture_gets_the_verdict_in_its_name(run: Run) -> None:
    paths = sorted(FIXTURES.rglob("*.yaml"))
    rows = json.loads(run(*(word for path in paths for word in ("-f", str(path))), "-o", "json").out)
    assert [row["level"] for row in rows] == [path.stem.partition("-")[0] for path in paths]


def test_standard_input_holds_several_documents(run: Run) -> None:
    text = b"---\n# nothing\n---\n" + WEB.read_bytes() + b"\n---\n" + POD.read_bytes()
    assert refs(run("-f", "-", "-o", "json", stdin=text)) == [
        "Deployment.apps/shop/web",
        "Pod/shop/web-6d4b75cb6d-x7k2p",
    ]


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps, lambda value: json.dumps(value, indent="\t")])
def test_a_list_is_opened_in_yaml_and_in_json(run: Run, write: Callable[[object], str]) -> None:
    text = write({"apiVersion": "v1", "kind": "List", "items": [load(WEB), load(NAMESPACE)]})
    assert refs(run("-f", "-", "-o", "json", stdin=text.encode())) == ["Deployment.apps/shop/web", "Namespace/shop"]


def test_the_items_of_a_typed_list_take_its_kind(run: Run) -> None:
    items = [{key: value for key, value in load(WEB).items() if key not in ("apiVersion", "kind")}]
    text = json.dumps({"apiVersion": "apps/v1", "kind": "DeploymentList", "items": items})
    rows = json.loads(run("-f", "-", "-o", "json", stdin=text.encode()).out)
    assert rows[0] == {
        "ref": "Deployment.apps/shop/web",
        "level": "Progressing",
        "message": "2 of 3 updated replicas are available",
    }


def test_several_json_documents_follow_one_another(run: Run) -> None:
    text = json.dumps(load(WEB)) + "\n" + json.dumps(load(NAMESPACE))
    assert refs(run("-f", "-", "-o", "json", stdin=text.encode())) == ["Deployment.apps/shop/web", "Namespace/shop"]


@pytest.mark.parametrize("text", [b"", b"---\n", b"kind: List\napiVersion: v1\nitems: []\n", b"kind: List\nitems:\n"])
def test_a_file_without_objects_is_no_error(run: Run, text: bytes) -> None:
    assert run("-f", "-", "-o", "json", stdin=text) == Ran(0, "[]\n", "")
    assert run("-f", "-", stdin=text) == Ran(0, "", "no objects found\n")


def test_scalars_are_read_as_kubectl_reads_them(run: Run) -> None:
    """`yes` is true for kubectl, a date is text, and `0o3` is a number."""
    text = b"""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, generation: 1, creationTimestamp: 2026-11-20T09:14:02Z}
spec: {paused: yes, replicas: 0o3}
"""
    rows = json.loads(run("-f", "-", "-o", "json", stdin=text).out)
    assert rows[0]["level"] == "Suspended"


def test_an_object_that_is_still_to_be_named_has_the_start_of_its_name(run: Run) -> None:
    text = b"apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: import-}\n"
    assert refs(run("-f", "-", "-o", "json", stdin=text)) == ["Job.batch/import-"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"kind: Pod\nmetadata: {name: a}\n  b: c\n", "bad.yaml:3: "),
        (b"a: 1\n---\nkind: Pod\n", "bad.yaml:1: this object has no `apiVersion`"),
        (b"---\napiVersion: v1\nkind: Pod\n", "bad.yaml:2: this object has no `metadata`"),
        (b"apiVersion: v1\nmetadata: {name: a}\n", "bad.yaml:1: this object has no `kind`"),
        (b"\n\napiVersion: v1\nkind: Pod\nmetadata: {labels: {}}\n", "bad.yaml:3: this object has no `metadata.name`"),
        (b"apiVersion: v1\nkind: Pod\nmetadata: {name: 17}\n", "`metadata.name` of this object is not text"),
        (b"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: [b]}\n", "`metadata.namespace` of this object"),
        (b"apiVersion: 1\nkind: Pod\nmetadata: {name: a}\n", "`apiVersion` of this object is not text"),
        (b"- apiVersion: v1\n", "bad.yaml:1: this is not a Kubernetes object"),
        (b"just words\n", "bad.yaml:1: this is not a Kubernetes object"),
        (
            b"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- kind: Pod\n",
            "bad.yaml:5: ",
        ),
        (b'{"apiVersion": "v1",\n "kind": "Pod"\n "metadata": {}}', "bad.yaml:3: "),
        (b"kind: Pod\nkind: Pod\n", "bad.yaml:2: the key 'kind' is here twice"),
        (b"a: " + b"[" * 5000, "bad.yaml:1: nested deeper than"),
        (b"\xff\xfe\x00", "bad.yaml"),
    ],
)
def test_bad_input_is_told_with_file_and_line_and_nothing_is_printed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_bytes(text)
    ran = run("-f", str(WEB), "-f", "bad.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_a_file_that_cannot_be_read_is_named(run: Run, tmp_path: Path) -> None:
    missing = run("-f", str(tmp_path / "nope.yaml"))
    folder = run("-f", str(tmp_path))
    assert (missing.code, folder.code) == (2, 2)
    assert f"{tmp_path}/nope.yaml: No such file or directory" in missing.err
    assert f"{tmp_path}: Is a directory: name its files" in folder.err


def test_a_file_must_be_given(run: Run) -> None:
    ran = run()
    assert ran.code == 2
    assert "--filename" in ran.err


def test_an_object_cannot_move_the_terminal(run: Run) -> None:
    text = json.dumps(
        {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "a\x1b[2Jb"},
            "status": {"conditions": [{"type": "Ready", "status": "False", "message": "\x1b]0;owned\x07no"}]},
        }
    )
    assert "\x1b" not in run("-f", "-", stdin=text.encode()).out
