"""``python -m benchmarks mlp`` runs one suite; without a name all of them.

The machine is to be idle: beside another busy process PyTorch's threads wait for each other, and may take ten times as
long.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec

from . import cnn, false_alarms, mlp

SUITES = {"mlp": mlp.run, "cnn": cnn.run, "false_alarms": false_alarms.run}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suite", nargs="*", metavar="SUITE", help=f"which to run: {', '.join(SUITES)} (all)")
    parser.add_argument("--repeats", type=int, default=7, help="counted turns of each contestant (7)")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.suite if name not in SUITES]
    if unknown:
        parser.error(f"no suite {unknown[0]!r}: choose from {', '.join(SUITES)}")
    if not find_spec("torch"):
        print('PyTorch takes no part, because it is not installed: pip install ".[peers]"')
    for name in arguments.suite or SUITES:
        SUITES[name](repeats=arguments.repeats)


main()
