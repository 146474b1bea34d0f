"""The console entry point: ``sknn``, also ``python -m sknn``."""

import sys
from collections.abc import Sequence

from .study.cli import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    SystemExit
        After ``--help`` and ``--version``, and with code 2 if the arguments cannot be parsed.
    """
    arguments = build_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] != "rich":
            raise
        print(f"sknn {arguments.command} needs rich: pip install 'sknn[study]'", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"sknn {arguments.command}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
