"""`python -m demo [--keep]`: plays every scene; exit code 0 only if each promise was seen to be true.

However it ends, by Ctrl-C or a closed terminal too, nothing of it runs on, unless --keep asks for that.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from demo.narrator import Narrator, Untrue
from demo.scenes import SCENES
from demo.stage import Stage

FOLDER = Path(__file__).resolve().parent.parent / ".demo"
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster and the controller running")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where all of it lies; %(default)s when not given")
    options = parser.parse_args()
    for number in _ENDINGS:
        signal.signal(number, signal.default_int_handler)
    narrator = Narrator()
    stage = Stage(options.folder.absolute(), narrator)
    keep = False
    try:
        for scene in SCENES:
            scene(stage)
        narrator.say(f"\nEvery promise was kept, in {narrator.seconds:.0f} s.")
        keep = options.keep
        return 0
    except Untrue as broken:
        print(f"\n   ✗ {broken}", file=sys.stderr)
        stage.explain()
        keep = options.keep
        return 1
    except KeyboardInterrupt:
        print("\n   interrupted: taking everything down", file=sys.stderr)
        return 130
    finally:
        # A second Ctrl-C must not leave half of it behind.
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        stage.leave(keep)


if __name__ == "__main__":
    sys.exit(main())
