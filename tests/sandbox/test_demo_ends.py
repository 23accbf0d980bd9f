"""However a demo is ended, nothing of it runs on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox.watching import eventually, processes_that_mention

ROOT = Path(__file__).parents[2]
END_SECONDS = 60


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("starting etcd", signal.SIGTERM),
        ("the API server ready", signal.SIGINT),
        ("web-staging, a kustomize overlay, is Healthy", signal.SIGINT),
        ("web-staging, a kustomize overlay, is Healthy", signal.SIGHUP),
    ],
)
def test_an_interrupted_demo_leaves_no_process_behind(moment: str, number: signal.Signals, tmp_path: Path) -> None:
    told = tmp_path / "told"
    argv = [sys.executable, "-u", "-m", "demo", "--folder", str(tmp_path / "demo")]
    with told.open("wb") as output:
        # Like a terminal's Ctrl-C, the signal goes to the whole group.
        demo = subprocess.Popen(argv, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
        eventually(f"it says {moment!r}", lambda: moment in told.read_text())
        os.killpg(demo.pid, number)
        assert demo.wait(END_SECONDS) == 130, told.read_text()
    assert not processes_that_mention(str(tmp_path))
    assert "interrupted: taking everything down" in told.read_text()
