"""What Git remembers of an Application's versions."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.core.ledger import lifted, parse, promoted, ref_of, vetoed, write
from reconciler.model.ledger import Ledger, Promoted, Veto

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def veto(template: str, why: str = "errors at 7%") -> Veto:
    return Veto(template, ("registry.example.com/web:2",), COMMIT, why, "ada", NOON)


def test_a_message_tells_people_what_happened_and_holds_the_whole_state() -> None:
    ledger = Ledger(Promoted(COMMIT, {"web": "aa", "api": "bb"}, NOON), (veto("cc"),))
    assert write(ledger, "promoted web at 0123456789") == (
        "promoted web at 0123456789\n"
        "\n"
        f"Dispatch-Promoted: {COMMIT}\n"
        "Dispatch-Promoted-At: 2026-11-26T12:00:00Z\n"
        "Dispatch-Template: api=bb\n"
        "Dispatch-Template: web=aa\n"
        'Dispatch-Veto: {"template":"cc","images":["registry.example.com/web:2"],'
        f'"commit":"{COMMIT}","why":"errors at 7%","by":"ada","at":"2026-11-26T12:00:00Z"}}\n'
    )
    assert parse(write(ledger, "x")) == ledger


def test_an_empty_state_is_a_subject_alone_even_when_that_looks_like_a_trailer() -> None:
    assert write(Ledger(), "lifted the veto on cc") == "lifted the veto on cc\n"
    assert parse(write(Ledger(), f"Dispatch-Promoted: {COMMIT}")) == Ledger()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\n\n\n",
        "a commit of somebody else\n\nwith a body",
        "x\n\nDispatch-Promoted:\nDispatch-Template:\nDispatch-Veto:\nDispatch-Promoted-At: yesterday\n",
        "x\n\nDispatch-Veto: {\nDispatch-Veto: []\nDispatch-Veto: 1\nDispatch-Veto: {}\n",
        'x\n\nDispatch-Veto: {"template":1}\n',
        "x\n\nDispatch-Veto: " + "[" * 100_000,
        f"Dispatch-Promoted: {COMMIT}\nDispatch-Template: a=b",
    ],
)
def test_of_a_foreign_commit_nothing_is_believed(message: str) -> None:
    assert parse(message) == Ledger()


def test_what_can_be_understood_is_kept_beside_what_cannot() -> None:
    text = write(Ledger(Promoted(COMMIT, {"web": "aa"}, NOON), (veto("cc"),)), "x")
    assert parse(text + "Signed-off-by: Ada <a@b>\nDispatch-Veto: {broken\nDispatch-New: 1\n") == parse(text)
    found = parse(f"x\n\ndispatch-promoted: {COMMIT}\nDispatch-Promoted-At: soon\n").promoted
    assert found == Promoted(COMMIT, {}, datetime(1970, 1, 1, tzinfo=UTC))


def test_a_promotion_keeps_the_vetoes_on_others_and_ends_those_on_itself() -> None:
    ledger = Ledger(None, (veto("aa"), veto("cc")))
    after = promoted(ledger, COMMIT, {"web": "aa"}, NOON)
    assert after == Ledger(Promoted(COMMIT, {"web": "aa"}, NOON), (veto("cc"),))


def test_a_newer_veto_on_a_template_takes_the_place_of_the_older() -> None:
    ledger = vetoed(vetoed(vetoed(Ledger(), veto("aa")), veto("bb")), veto("aa", "again"))
    assert ledger.vetoes == (veto("bb"), veto("aa", "again"))
    assert ledger.vetoed("aa") == veto("aa", "again")


def test_of_more_than_twenty_vetoes_the_oldest_leave() -> None:
    ledger = Ledger()
    for number in range(25):
        ledger = vetoed(ledger, veto(f"t{number}"))
    assert [one.template for one in ledger.vetoes] == [f"t{number}" for number in range(5, 25)]
    assert parse(write(ledger, "x")) == ledger


def test_a_lifted_veto_is_gone_and_lifting_none_changes_nothing() -> None:
    ledger = Ledger(Promoted(COMMIT, {}, NOON), (veto("aa"), veto("bb")))
    assert lifted(ledger, "aa") == Ledger(Promoted(COMMIT, {}, NOON), (veto("bb"),))
    assert lifted(ledger, "zz") == ledger


def test_the_ref_says_whose_it_is() -> None:
    assert ref_of("main", "team-a", "web") == "refs/dispatch/state/main/team-a/web"


NAMES = [
    "",
    ".",
    "..",
    "a.b",
    "a..b",
    "web.lock",
    "web.lock.lock",
    ".a",
    "a.",
    "a/b",
    "a:b",
    "%",
    "%2E",
    "a b",
    "@{",
    "-",
]


@pytest.mark.parametrize("name", [*NAMES, "ünï", "a\nb", "a b", "~^?*[\\", "arn:aws:eks:eu:1:cluster/x", "@"])
def test_git_takes_a_ref_of_any_name(name: str) -> None:
    ref = ref_of(name, name, name)
    done = subprocess.run(["git", "check-ref-format", ref], check=False)
    assert done.returncode == 0, ref
    assert ref.count("/") == 5


def test_no_two_applications_share_a_ref() -> None:
    refs = {ref_of(cluster, namespace, name) for cluster in NAMES for namespace in NAMES for name in NAMES}
    assert len(refs) == len(NAMES) ** 3


def test_git_reads_the_same_trailers(tmp_path: Path) -> None:
    ledger = Ledger(Promoted(COMMIT, {"web": "aa"}, NOON), (veto("cc", "it is: bad\n\n---\nsee https://x\u2028#y"),))
    text = write(ledger, "--- promoted: web\n\nwith a body")
    assert text.startswith("promoted: web with a body\n\n")
    done = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=text.encode(),
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.decode() == text.split("\n\n", 1)[1]


def test_what_was_promoted_before_is_kept_until_it_is_gone_back_behind() -> None:
    ledger = Ledger()
    for template in ("aa", "bb", "bb", "cc"):
        ledger = promoted(ledger, COMMIT, {"web": template, "a b": "same"}, NOON)
    assert ledger.earlier == ("web=aa", "web=bb")
    assert parse(write(ledger, "x")) == ledger

    back = promoted(ledger, COMMIT, {"web": "aa", "a b": "same"}, NOON)
    assert back.earlier == ()
    assert promoted(back, COMMIT, {"web": "bb"}, NOON).earlier == ("web=aa",)
    assert vetoed(ledger, veto("dd")).earlier == ledger.earlier


def test_of_each_workload_the_ten_versions_before_are_kept() -> None:
    ledger = Ledger()
    for number in range(15):
        ledger = promoted(ledger, COMMIT, {"web": f"t{number}"}, NOON)
    assert ledger.earlier == tuple(f"web=t{number}" for number in range(4, 14))
