"""`python -m benchmarks`: run the loads against the floor and the contenders, and print what came out."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.dispatch import Dispatch
from benchmarks.run import run_contender, run_floor
from benchmarks.server import Server
from benchmarks.usage import usage
from benchmarks.workload import Load
from reconciler.sandbox.platform import Sandbox

LOADS = (Load(1, 1000), Load(100, 10))


def main():
    with tempfile.TemporaryDirectory() as t, Sandbox.start(Path(t) / "sandbox", (), print) as sandbox:
        server = Server(sandbox)
        for load in LOADS:
            print(load)
            d = Dispatch(server, sandbox.kubeconfig, Path(t) / str(load).replace(" ", "-"))
            d.start()
            try:
                for n in range(3):
                    f = run_floor(server, load)
                    c = run_contender(server, d, load, Path(t) / "repos", "dispatch.dev", 120)
                    print(
                        "floor",
                        {k: round(v.seconds, 2) for k, v in f.items()},
                        "dispatch",
                        {k: (round(v.seconds, 2), round(v.seen, 2), round(v.cpu, 2), v.requests) for k, v in c.items()},
                        usage(d.pids),
                        open("/proc/loadavg").read().split()[0],
                        flush=True,
                    )
            finally:
                d.stop()


main()
