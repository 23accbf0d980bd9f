"""`dispatch validate`: what is wrong, where, and the exit code that says so."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner
from command_line import dispatch, dispatch_process

GOOD = """\
apiVersion: dispatch.dev/v1alpha1
kind: Application
metadata:
  name: web
  namespace: team-a
spec:
  source:
    repository: config
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text))


def told(*words: str, code: int) -> list[str]:
    """The lines before the summary."""
    ran = dispatch("validate", *words)
    assert ran.code == code, ran.out + ran.err
    return ran.out.splitlines()[:-1]


def test_good_documents_pass(here: Path) -> None:
    write(here, {"a.yaml": GOOD, "b.yaml": CONFIG_MAP})
    ran = dispatch("validate", "a.yaml", "b.yaml")
    assert (ran.code, ran.out) == (0, "2 objects (1 of Dispatch's kinds) in 2 files: no errors\n")


def test_every_error_is_told_with_the_line_of_its_field(here: Path) -> None:
    write(here, {"a.yaml": f"# a comment\n---\n{GOOD}    brnch: main\n  sync:\n    mode: manual\n    prune: 'no'\n"})
    assert told("a.yaml", code=1) == [
        "a.yaml:11: spec.source.brnch: unknown field; there are repository, path, revision",
        "a.yaml:13: spec.sync.mode: must be Automatic or Manual; did you mean Manual?",
        "a.yaml:14: spec.sync.prune: must be true or false, not text",
    ]


def test_a_missing_field_has_the_line_of_its_section(here: Path) -> None:
    write(here, {"a.yaml": GOOD.replace("    repository: config\n", "    path: apps\n")})
    assert told("a.yaml", code=1) == ["a.yaml:7: spec.source.repository: missing; a Repository in the same namespace"]


def test_a_second_document_and_an_entry_of_a_list_have_their_own_lines(here: Path) -> None:
    bad = GOOD.replace("repository: config", "repository: Config")
    entries = "".join(f"- {line}" if not index else f"  {line}" for index, line in enumerate(bad.splitlines(True)))
    write(here, {"a.yaml": f"{GOOD}---\n{bad}---\napiVersion: v1\nkind: List\nitems:\n{entries}"})
    assert [line.split(": must")[0] for line in told("a.yaml", code=1)] == [
        "a.yaml:17: spec.source.repository",
        "a.yaml:29: spec.source.repository",
    ]


def test_json_names_file_line_object_and_field(here: Path) -> None:
    write(here, {"a.yaml": f"{GOOD}    brnch: main\n"})
    ran = dispatch("validate", "-o", "json", "a.yaml")
    assert ran.code == 1
    assert json.loads(ran.out) == [
        {
            "file": "a.yaml",
            "line": 9,
            "ref": "Application.dispatch.dev/team-a/web",
            "field": "spec.source.brnch",
            "message": "unknown field; there are repository, path, revision",
        }
    ]
    write(here, {"a.yaml": GOOD})
    ran = dispatch("validate", "-o", "json", "a.yaml")
    assert (ran.code, json.loads(ran.out)) == (0, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "a.yaml:2: "),
        ("kind: Pod\nkind: Job\n", "a.yaml:2: the key 'kind' is here twice"),
        ("metadata:\n  name: a\n", "a.yaml:1: apiVersion: missing"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "a.yaml:1: kind: missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {}\n", "a.yaml:3: metadata.name: missing"),
        ("a: 1\n", "a.yaml:1: has no apiVersion, kind and name: this is no Kubernetes object"),
        ("- a\n", "a.yaml:1: this document is a list, not a Kubernetes object"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n",
            "a.yaml:1: `metadata.name` is a number: write it in quotes",
        ),
        ("\tkind: Pod\n", "a.yaml:1: "),
        ("kind: Pod\n\x01\n", "a.yaml:2: "),
    ],
)
def test_of_other_kinds_the_shape_is_checked(here: Path, text: str, message: str) -> None:
    write(here, {"a.yaml": text})
    assert told("a.yaml", code=1)[0].startswith(message)


def test_scalars_are_read_as_kubectl_reads_them(here: Path) -> None:
    write(here, {"a.yaml": GOOD + "  sync:\n    prune: yes\n  dependsOn: [2026-01-01, 12:30]\n"})
    assert told("a.yaml", code=1) == [
        "a.yaml:11: spec.dependsOn[1]: must be lower case letters, digits, `-` and `.`, with a letter or a digit at "
        "both ends and beside each `.`"
    ]


def test_standard_input_is_read() -> None:
    from reconciler.cli.main import dispatch as command

    ran = CliRunner().invoke(command, ["validate", "-"], input=GOOD + "  x: 1\n")
    assert ran.exit_code == 1
    assert ran.stdout.startswith("<stdin>:9: spec.x: unknown field")
    assert CliRunner().invoke(command, ["validate", "-"], input=GOOD).exit_code == 0


def test_what_cannot_be_read_is_named_and_the_rest_is_checked(here: Path) -> None:
    write(here, {"a.yaml": f"{GOOD}    brnch: main\n", "empty/x.txt": ""})
    ran = dispatch("validate", "empty", "none.yaml", "a.yaml")
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "empty: there are no .yaml, .yml or .json files in this folder",
        "none.yaml: cannot be read: No such file or directory",
        "a.yaml:9: spec.source.brnch: unknown field; there are repository, path, revision",
        "1 object (1 of Dispatch's kinds) in 1 file: 1 error, 2 could not be read",
    ]


def test_a_yaml_bomb_and_a_huge_file_are_refused_in_no_time(here: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    write(here, {"bomb.yaml": "\n".join(levels) + "\n"})
    with (here / "huge.yaml").open("wb") as file:
        file.truncate(100 * 1024**2)
    assert [line.split(": ")[0].split(":")[0] for line in told("bomb.yaml", "huge.yaml", code=1)] == [
        "bomb.yaml",
        "huge.yaml",
    ]


def test_a_folder_is_walked_and_what_is_no_object_is_left_alone(here: Path) -> None:
    write(
        here,
        {
            "dispatch/web.yaml": GOOD + "  x: 1\n",
            "dispatch/.hidden.yaml": "a: [",
            ".github/workflow.yaml": "a: [",
            "mkdocs.yml": "site_name: x\n",
            "package.json": '{"name": "x"}\n',
            "notes.txt": "a: [",
            "broken.yaml": "a: [\n",
            "half.yaml": "kind: Pod\n",
        },
    )
    assert [line.split(": ")[0] for line in told(".", code=1)] == [
        "broken.yaml:2",
        "half.yaml:1",
        "half.yaml:1",
        "dispatch/web.yaml:9",
    ]


def test_a_chart_is_left_to_helm_but_its_values_are_yaml(here: Path) -> None:
    chart = {
        "chart/Chart.yaml": "apiVersion: v2\nname: c\n",
        "chart/values.yaml": "kind: Deployment\n",
        "chart/templates/a.yaml": "kind: {{ .Values.kind }}\n  {{- end }}\n",
        "chart/charts/sub/Chart.yaml": "apiVersion: v2\n",
        "chart/charts/sub/templates/a.yaml": "{{ fail }}\n",
        "chart/ci/test.yaml": "kind: x\n",
        "values-staging.yaml": "kind: Deployment\n",
    }
    write(here, chart)
    assert told(".", code=0) == []
    write(here, {"chart/values.yaml": "a: 1\na: 2\n", "chart/crds/a.yaml": "kind: X\n"})
    assert [line.split(": ")[0] for line in told(".", code=1)] == [
        "chart/values.yaml:2",
        "chart/crds/a.yaml:1",
        "chart/crds/a.yaml:1",
    ]


def test_what_a_kustomization_patches_with_is_no_object(here: Path) -> None:
    kustomization = """\
        resources: [deployment.yaml]
        patches:
        - path: patch.yaml
        - path: patches/ops.yaml
        configMapGenerator:
        - name: a
          files: [settings.yaml]
        """
    write(
        here,
        {
            "kustomization.yaml": kustomization,
            "deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\n",
            "patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1}\n",
            "patches/ops.yaml": "- {op: remove, path: /a}\n",
            "settings.yaml": "kind: anything\n",
        },
    )
    assert told(".", code=1) == ["deployment.yaml:1: metadata.name: missing"]


def test_a_folder_that_is_named_twice_is_checked_once(here: Path) -> None:
    write(here, {"a.yaml": GOOD})
    assert "in 1 file" in dispatch("validate", "a.yaml", "a.yaml").out


def test_a_secret_value_is_not_repeated(here: Path) -> None:
    write(
        here, {"a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: [hunter2]}\nstringData: hunter2\n"}
    )
    ran = dispatch("validate", "a.yaml")
    assert ran.code == 1
    assert "hunter2" not in ran.out + ran.err


def test_other_kinds_are_checked_without_loading_what_is_slow_to_load(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": CONFIG_MAP})
    script = (
        "import sys\n"
        "from reconciler.cli.validate import validate\n"
        "try:\n    validate(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print(sorted({'pydantic', 'kubernetes', 'git', 'apscheduler'} & set(sys.modules)))"
    )
    ran = dispatch_process(tmp_path / "a.yaml", main=script)
    assert ran.out.splitlines()[-1] == "[]", ran
