"""`python -m benchmarks`: run the loads against the floor and the contenders, and print what came out."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.contender import Contender, Failed
from benchmarks.dispatch import Dispatch
from benchmarks.figures import FLOOR, Line, Row, as_json, as_text
from benchmarks.run import run_contender, run_floor
from benchmarks.server import Server
from benchmarks.usage import usage
from benchmarks.workload import Load
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.platform import Sandbox

LOADS = (Load(1, 1000), Load(100, 10))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def measure(server: Server, load: Load, contenders: list[Contender], runs: int, folder: Path) -> Row:
    """Each run is the floor and then every contender, so that all of them see the same weather; the first run warms
    up and is not counted."""
    row = Row(load, [Line(FLOOR, "", ""), *(Line(each.name, each.version, each.flags) for each in contenders)])
    for number in range(runs + 1):
        for line, contender in zip(row.lines, [None, *contenders], strict=True):
            run = run_contender(server, contender, load, folder) if contender else run_floor(server, load)
            took = ", ".join(f"{step} {sample.seconds:.2f} s" for step, sample in run.items())
            say(f"{load}, {f'run {number}' if number else 'warming up'}, {line.name}: {took}")
            if number:
                line.add(run)
            if contender:
                used = usage(contender.pids)
                line.resident, line.peak = max(line.resident, used.resident), used.peak
    return row


def bench(arguments: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="dispatch-bench-") as name:
        folder = Path(name)
        with Sandbox.start(folder / "sandbox", (), say) as sandbox:
            server = Server(sandbox)
            machine.wait_until_quiet(arguments.below, arguments.wait, say)
            for number, load in enumerate(arguments.loads):
                place = folder / f"load-{number}"
                contenders: list[Contender] = [Dispatch(server, sandbox.kubeconfig, place / "dispatch")]
                try:
                    for contender in contenders:
                        contender.start()
                    rows.append(measure(server, load, contenders, arguments.runs, place / "repositories"))
                finally:
                    for contender in contenders:
                        contender.stop()
    return rows


def _load(text: str) -> Load:
    applications, _, objects = text.partition("x")
    return Load(int(applications), int(objects))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs that count, after one that warms up (5)")
    parser.add_argument(
        "--loads", type=_load, nargs="+", default=LOADS, metavar="AxN", help="A applications of N objects"
    )
    parser.add_argument("--below", type=float, default=1.0, help="wait until the machine's load is below this (1.0)")
    parser.add_argument("--wait", type=float, default=60.0, help="for at most so many seconds (60)")
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text")
    arguments = parser.parse_args()
    began, load = time.monotonic(), machine.load()
    try:
        rows = bench(arguments)
    except (SandboxError, Failed) as error:
        say(f"error: {error}")
        return 1
    facts = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.title(),
        "load": {"before": load, "after": machine.load()},
        "runs": arguments.runs,
        "seconds": round(time.monotonic() - began),
    }
    if arguments.output == "json":
        print(json.dumps(facts | {"rows": [as_json(row) for row in rows]}, indent=2))
    else:
        print(json.dumps(facts))
        print("\n\n".join(as_text(row) for row in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
