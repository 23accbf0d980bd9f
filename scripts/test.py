"""Runs every test, in three groups: what needs nothing runs while the sandbox's parts are built, the quickest first;
then what needs them. `--quick` runs the first group alone.

Prints the count and the time of each group; exit code 1 when a test fails. Other options are passed to pytest.

The same code is given the same verdict: properties are tried on the same examples each time. `pytest tests/properties`
searches for new ones.
"""

from __future__ import annotations

import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PURE = ("tests/unit", "tests/properties")
REST = ("tests", *(f"--ignore={folder}" for folder in PURE))
GROUPS = {
    "units and properties": PURE,
    "without a platform": (*REST, "-m", "not sandbox"),
    "on the sandbox": (*REST, "-m", "sandbox"),
}


class Outcome(NamedTuple):
    """One group: pytest's exit code, how many tests ran, how many failed, and the seconds it took."""

    code: int
    tests: int
    failed: int
    seconds: float


def build() -> subprocess.Popen[bytes]:
    """Start to build what the sandbox needs; seconds when the cache holds it."""
    return subprocess.Popen([sys.executable, "-m", "reconciler.sandbox.tools"], cwd=ROOT)


def run(selection: tuple[str, ...], report: Path, arguments: list[str]) -> Outcome:
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", *selection, "-n", "2", "--hypothesis-seed=0", f"--junitxml={report}"]
    command += arguments
    # A signal is a negative number, which must not be less than success.
    code = abs(subprocess.run(command, cwd=ROOT, check=False).returncode)
    seconds = time.monotonic() - began
    if not report.exists():
        return Outcome(code or 1, 0, 0, seconds)
    suite = next(ElementTree.parse(report).getroot().iter("testsuite")).attrib
    return Outcome(code, int(suite["tests"]), int(suite["failures"]) + int(suite["errors"]), seconds)


def main() -> int:
    quick = "--quick" in sys.argv
    arguments = [each for each in sys.argv[1:] if each != "--quick"]
    building = None if quick else build()
    outcomes: dict[str, Outcome] = {}
    with TemporaryDirectory() as folder:
        for name, selection in list(GROUPS.items())[: 1 if quick else None]:
            if name == "on the sandbox" and building is not None and building.wait():
                print("the sandbox's parts could not be built; see above", file=sys.stderr)
                return 1
            print(f"\n== tests {name}", flush=True)
            outcomes[name] = run(selection, Path(folder) / f"{len(outcomes)}.xml", arguments)
    print()
    for name, outcome in outcomes.items():
        print(f"{name:<20} {outcome.tests:>5} tests  {outcome.failed:>3} failed  {outcome.seconds:>6.0f} s")
    failed = sum(outcome.failed for outcome in outcomes.values())
    print(f"{sum(outcome.tests for outcome in outcomes.values()) - failed} passed, {failed} failed")
    return max(outcome.code for outcome in outcomes.values())


if __name__ == "__main__":
    sys.exit(main())
