"""Controllers that want one Lease, on machines with clocks, networks and pauses of their own: never two at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.leading import Move, Sighting, Terms, claimed, decide, record_of, sighted

TERMS = Terms()
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@dataclass
class Server:
    """A Lease with the server's rule: who writes names the version that it has seen."""

    spec: dict[str, Any] | None = None
    version: int = 0

    def lease(self) -> dict[str, Any] | None:
        if self.spec is None:
            return None
        return {"metadata": {"resourceVersion": str(self.version)}, "spec": self.spec}

    def write(self, spec: dict[str, Any], upon: str) -> bool:
        there = str(self.version) if self.spec is not None else ""
        if upon != there:
            return False
        self.spec, self.version = spec, self.version + 1
        return True


@dataclass
class Machine:
    """One controller. Its clock starts anywhere and runs `rate` times as fast as the world's. It asks in three steps
    with time between them: the question, the answer, the write; the world may stand between any two."""

    name: str
    offset: float
    rate: float
    seen: Sighting | None = None
    since: float | None = None
    down: bool = False
    steps: list[Any] = field(default_factory=list)

    def clock(self, at: float) -> float:
        return self.offset + self.rate * at

    def leads(self, at: float) -> bool:
        return not self.down and self.since is not None and self.clock(at) - self.since < TERMS.deadline

    def step(self, server: Server, at: float) -> None:
        """The next step of the look that is under way, or the first of a new one."""
        if self.down:
            return
        if not self.steps:
            self.steps = [self._answer, self._sent, self._granted]
            self._read = server.lease()
            return
        self.steps.pop(0)(server, at)

    def _answer(self, server: Server, at: float) -> None:
        now = self.clock(at)
        self.seen = sighted(self.seen, record_of(self._read) if self._read is not None else None, now)
        move = decide(self.seen, self.name, self.since, now, TERMS)
        if move is Move.STEP_DOWN:
            self.down = True
        if move not in (Move.CLAIM, Move.RENEW):
            self.steps = []
        self._asked = now

    def _sent(self, server: Server, at: float) -> None:
        assert self.seen is not None
        record = self.seen.record
        self._taken = server.write(claimed(record, self.name, NOW, TERMS), record.version if record else "")

    def _granted(self, server: Server, at: float) -> None:
        if self._taken and (self.since is None or self.leads(at)):
            self.since = self._asked

    def forget(self) -> None:
        """Killed and started again: another process, with another name."""
        self.name += "+"
        self.seen, self.since, self.down, self.steps = None, None, False, []


# 1.15 / 0.85 is less than the 15 s that the others wait through the 10 s that a holder works.
machines = st.lists(st.tuples(st.floats(0, 1000), st.floats(0.85, 1.15)), min_size=2, max_size=4)
# Who moves, how often, and how long each step takes. The others are frozen meanwhile, in the middle of what they did.
spells = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 40), st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0]), st.booleans()),
    min_size=4,
    max_size=30,
)


@given(machines, spells)
@settings(max_examples=400)
def test_never_do_two_controllers_work_at_the_same_time(
    clocks: list[tuple[float, float]], events: list[tuple[int, int, float, bool]]
) -> None:
    server, at = Server(), 0.0
    running = [Machine(f"m{number}", *clock) for number, clock in enumerate(clocks)]
    for number, steps, wait, killed in events:
        machine = running[number % len(running)]
        for _ in range(steps):
            machine.step(server, at)
            assert sum(each.leads(at) for each in running) <= 1
            at += wait
            assert sum(each.leads(at) for each in running) <= 1
        if killed and steps > 30:
            machine.forget()


@given(machines)
def test_when_the_one_that_leads_is_gone_another_one_leads_within_the_terms(clocks: list[tuple[float, float]]) -> None:
    server, at = Server(), 0.0
    running = [Machine(f"m{number}", *clock) for number, clock in enumerate(clocks)]

    def until_led(those: list[Machine], within: float) -> bool:
        nonlocal at
        end = at + within
        while at < end:
            for each in those:
                each.step(server, at)
            at += 0.5
            if any(each.leads(at) for each in those):
                return True
        return False

    assert until_led(running, 10)
    gone = next(each for each in running if each.leads(at))
    left = [each for each in running if each is not gone]
    assert until_led(left, TERMS.duration / 0.85 + 2 * 4)
