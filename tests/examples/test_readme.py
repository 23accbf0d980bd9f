"""The README of an example is true: its commands run in one shell, and print what stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sandbox.watching import eventually, processes_that_mention

from reconciler.sandbox import named, tools
from reconciler.sandbox.tools.cache import cache_root

ROOT = Path(__file__).parents[2]
READMES = sorted((ROOT / "examples").glob("*/README.md"))
WITHIN = 90.0
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LOOKS = (
    "dispatch get ",
    "dispatch rollout status ",
    "dispatch history ",
    "dispatch promotion explain ",
    "git ",
    "curl ",
)
"""What only looks may be asked again, until it prints what is expected: a reader would wait, too."""
_CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "TIME"),
    # Before commits: the hash of a template may look like one.
    (re.compile(r"(?<=version )[a-z0-9]{8,10}\b|\b[a-z0-9]{8,10}(?=@[0-9a-f]{10}\b)"), "HASH"),
    (re.compile(r"\b[0-9a-f]{10,40}\b"), "COMMIT"),
    (re.compile(r"(?<= )\d+s\b"), "AGE"),
    (re.compile(r"\d+\.\d+"), "NUMBER"),
    (re.compile(r" +"), " "),
)


class Step(NamedTuple):
    """A command, and what it prints. Nothing is compared where nothing stands, at the end of a line that ends with
    `...`, and in the place of a line that is `...`.
    """

    command: str
    expected: list[str]


class Shell:
    """One bash for all commands: variables and background jobs last, as in a terminal."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc", "-m"],
            cwd=ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=1,
        )

    def run(self, command: str) -> tuple[int, list[str]]:
        """The exit code, and the lines."""
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f'{command}\necho "--ended $?"\n')
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith("--ended "):
                return int(line.split()[1]), lines
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"the shell ended at {command}: {lines}")

    def close(self) -> None:
        assert self._bash.stdin
        self._bash.stdin.write("kill $(jobs -p) 2>/dev/null\nwait\n")
        self._bash.stdin.close()
        self._bash.wait(30)


def steps(readme: Path) -> Iterator[Step]:
    for block in _BLOCK.findall(readme.read_text()):
        command = ""
        expected: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield Step(command, expected)
                command, expected = line[2:], []
            else:
                expected.append(line)
        yield Step(command, expected)


def plain(lines: list[str]) -> list[str]:
    """Without what is another at each run."""
    text = "\n".join(lines)
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def fits(expected: list[str], seen: list[str]) -> bool:
    """Whether the lines are those that are expected, `...` standing for any number of them."""
    if not expected:
        return not seen
    first, *rest = expected
    if first == "...":
        return any(fits(rest, seen[skipped:]) for skipped in range(len(seen) + 1))
    alike = seen and (seen[0] == first or (first.endswith("...") and seen[0].startswith(first[:-3])))
    return bool(alike) and fits(rest, seen[1:])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """With a home of its own, the commands of this checkout, and whatever kubectl there is."""
    kubectl = shutil.which("kubectl") or str(tools.ensure(["kubectl"], print)["kubectl"])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folders = [str(Path(sys.executable).parent), str(Path(kubectl).parent), os.environ["PATH"]]
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _ADA.items()}
    opened = Shell(
        {
            **os.environ,
            **person,
            "HOME": str(tmp_path),
            "DISPATCH_CACHE": str(cache_root()),
            "PATH": os.pathsep.join(folders),
            "NO_COLOR": "1",
        }
    )
    yield opened
    opened.close()
    for name in named.names():
        named.down(name, print)
    eventually("nothing of it runs on", lambda: not processes_that_mention(str(tmp_path)))


_ADA = {"NAME": "Ada", "EMAIL": "ada@example.com"}


def _ends_with(command: str) -> int:
    """The exit code that is right: where there is a difference, `dispatch diff` ends with 1."""
    return 1 if command.startswith("dispatch diff ") else 0


@pytest.mark.sandbox
@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_its_commands_print_what_it_says(readme: Path, shell: Shell) -> None:
    for step in steps(readme):
        deadline = time.monotonic() + WITHIN
        while True:
            code, lines = shell.run(step.command)
            if not step.expected or fits(plain(step.expected), plain(lines)):
                break
            again = step.command.startswith(_LOOKS) and time.monotonic() < deadline
            assert again, f"$ {step.command}\n" + "\n".join(lines)
            time.sleep(0.5)
        assert code == _ends_with(step.command), f"$ {step.command}\n" + "\n".join(lines)
