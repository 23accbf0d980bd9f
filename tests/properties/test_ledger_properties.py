"""The memory in Git comes back as it was written, whatever people write into it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.ledger import VETOES_KEPT, lifted, parse, promoted, vetoed, write
from reconciler.model.ledger import Ledger, Promoted, Veto

HEX = st.text("0123456789abcdef", min_size=1, max_size=40)
# Git keeps bytes of UTF-8, so a lone surrogate cannot be in a message; everything else can.
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["a: b", "\n\nDispatch-Promoted: 0\n", "---\n", "Signed-off-by: x", "#", "\r\n", "\0", "\u2028", "👍"]
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
VETOES = st.builds(Veto, HEX, st.lists(ANYTHING, max_size=3).map(tuple), HEX, ANYTHING, ANYTHING, TIMES)
PROMOTED = st.builds(Promoted, HEX, st.dictionaries(ANYTHING, HEX, max_size=4), TIMES)
LEDGERS = st.builds(Ledger, st.none() | PROMOTED, st.lists(VETOES, max_size=VETOES_KEPT).map(tuple))


@given(LEDGERS, ANYTHING)
def test_what_was_written_is_read(ledger: Ledger, event: str) -> None:
    assert parse(write(ledger, event)) == ledger


@settings(max_examples=50)
@given(LEDGERS, ANYTHING)
def test_git_agrees_about_the_trailers(ledger: Ledger, event: str) -> None:
    text = write(ledger, event)
    done = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=text.encode(), capture_output=True, check=True
    )
    assert done.stdout.decode() == text.partition("\n\n")[2]


@given(st.text())
def test_nothing_that_is_read_raises(text: str) -> None:
    parse(text)
    parse(f"x\n\nDispatch-Promoted: 1\nDispatch-Promoted-At: {text}\nDispatch-Veto: {text}\nDispatch-Template: {text}")


@given(LEDGERS, st.lists(VETOES, max_size=30))
def test_the_last_veto_stands_and_never_more_than_are_kept(ledger: Ledger, more: list[Veto]) -> None:
    for veto in more:
        ledger = vetoed(ledger, veto)
        assert ledger.vetoed(veto.template) == veto
        assert len(ledger.vetoes) <= VETOES_KEPT
    for veto in more:
        ledger = lifted(ledger, veto.template)
        assert ledger.vetoed(veto.template) is None


@given(LEDGERS, PROMOTED)
def test_what_was_promoted_is_not_vetoed(ledger: Ledger, version: Promoted) -> None:
    after = promoted(ledger, version.commit, version.templates, version.at)
    assert after.promoted == version
    assert all(after.vetoed(template) is None for template in version.templates.values())
    assert set(after.vetoes) <= set(ledger.vetoes)
