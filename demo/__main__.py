"""`python -m demo [--keep]`: plays every scene; exit code 0 only if each promise was seen to be true."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo.narrator import Narrator, Untrue
from demo.scenes import SCENES
from demo.stage import Stage

FOLDER = Path(__file__).resolve().parent.parent / ".demo"


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster and the controller running")
    keep = parser.parse_args().keep
    narrator = Narrator()
    stage = Stage(FOLDER, narrator)
    try:
        for scene in SCENES:
            scene(stage)
        narrator.say(f"\nEvery promise was kept, in {narrator.seconds:.0f} s.")
        return 0
    except Untrue as broken:
        print(f"\n   ✗ {broken}", file=sys.stderr)
        stage.explain()
        return 1
    finally:
        stage.leave(keep)


if __name__ == "__main__":
    sys.exit(main())
