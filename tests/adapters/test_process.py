"""What a child may do, and what is left of it afterwards: nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from processes import gone

from reconciler.adapters import process


def python(source: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", source, *arguments]


def test_a_command_gives_its_exit_code_and_both_outputs() -> None:
    done = process.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=10)
    assert done == process.Completed(3, b"out\n", b"err\n")


def test_a_signal_is_a_negative_exit_code() -> None:
    assert process.run(["sh", "-c", "kill -TERM $$"], timeout=10).code == -15


def test_stdin_and_stdout_larger_than_a_pipe_pass_without_deadlock() -> None:
    data = os.urandom(3_000_000)
    assert process.run(["cat"], stdin=data, timeout=30).stdout == data


def test_a_child_that_does_not_want_its_input_is_no_error() -> None:
    assert process.run(["true"], stdin=b"x" * 1_000_000, timeout=10).code == 0


def test_a_late_child_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {pidfile}; echo waiting >&2; wait"
    with pytest.raises(process.TimedOut) as caught:
        process.run(["sh", "-c", script], timeout=2)
    assert caught.value.stderr == b"waiting\n"
    assert "sh did not end in 2 s" in str(caught.value)
    assert gone(int(pidfile.read_text()))


def test_what_a_finished_child_leaves_behind_is_killed(tmp_path: Path) -> None:
    done = process.run(["sh", "-c", "sleep 300 & echo $!"], timeout=30)
    assert gone(int(done.stdout))


def test_a_child_that_writes_without_end_is_killed() -> None:
    with pytest.raises(process.OutputTooLarge, match="yes wrote more than 100000 bytes"):
        process.run(["yes"], timeout=30, max_output=100_000)


def test_output_up_to_the_limit_is_kept_whole() -> None:
    done = process.run(python("print('x' * 99_999)"), timeout=30, max_output=100_000)
    assert len(done.stdout) == 100_000


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(process.NotFound, match="no-such-program is not installed"):
        process.run(["no-such-program"], timeout=5)


def test_a_working_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(process.NotFound, match="missing is not there"):
        process.run(["true"], cwd=tmp_path / "missing", timeout=5)


def test_a_file_that_may_not_be_executed_is_named(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    with pytest.raises(process.NotFound, match="cannot start tool: Permission denied"):
        process.run([str(tmp_path / "tool")], timeout=5)


def test_a_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "tool").chmod(0o755)
    with pytest.raises(process.ProcessError, match="cannot start tool: Exec format error"):
        process.run([str(tmp_path / "tool")], timeout=5)


def test_an_error_names_the_program_and_not_the_jail_around_it() -> None:
    with pytest.raises(process.TimedOut, match=r"^sleep did not end"):
        process.run(["sleep", "300"], wrapper=["env", "-i"], timeout=0.3)


def test_arguments_reach_the_child_as_they_are_without_a_shell() -> None:
    hostile = "$(touch /tmp/x); `id` \n 'quoted'"
    assert process.run(["printf", "%s", hostile], timeout=5).stdout.decode() == hostile


def test_the_environment_of_this_process_does_not_reach_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTER_TOKEN", "hunter2")
    assert b"hunter2" not in process.run(["env"], timeout=5).stdout
    assert process.run(["/usr/bin/env"], env={"ONLY": "this"}, timeout=5).stdout == b"ONLY=this\n"


def test_no_descriptor_and_no_zombie_is_left() -> None:
    """In a process of its own: what other tests leave to the garbage collector goes at any time."""
    told = process.run([sys.executable, "-c", _LEAVING], env=dict(os.environ), timeout=60)
    before, after = told.stdout.splitlines()
    assert before == after, told.stderr


_LEAVING = """
from contextlib import suppress
from pathlib import Path
from reconciler.adapters import process

def left():
    tasks = Path("/proc/self/task").iterdir()
    return len(list(Path("/proc/self/fd").iterdir())), [(task / "children").read_text() for task in tasks]

process.run(["true"], timeout=5)
print(left())
for _ in range(5):
    process.run(["cat"], stdin=b"x", timeout=5)
    with suppress(process.TimedOut):
        process.run(["sleep", "300"], timeout=0.05)
print(left())
"""


@pytest.mark.parametrize(
    "text",
    ["fatal: p@ss word", "https://u:p%40ss%20word@host/", "Authorization: Basic cEBzcyB3b3Jk"],
    ids=["plain", "in a URL", "base64"],
)
def test_a_secret_is_masked_in_every_form_that_git_may_write(text: str) -> None:
    masked = process.redact(text, ["p@ss word", ""])
    assert "***" in masked
    assert not any(form in masked for form in ("p@ss", "p%40ss", "cEBzcyB3b3Jk"))


def test_every_line_of_a_key_is_masked() -> None:
    key = "-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END KEY-----\n"
    assert "b3BlbnNza" not in process.redact("bad line b3BlbnNzaC1rZXktdjEAAAAA!", [key])
