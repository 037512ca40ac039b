"""The command `bot`, also as `python -m bot_workbench`."""

import os
import signal
import sys
from dataclasses import replace
from importlib import import_module

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect."""


def main(commands: str = "bot_workbench.command_line") -> None:
    """Run the command of this process's command line, and exit with its status.

    Args:
        commands: the module whose `run` has the commands.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While packages are imported, KeyboardInterrupt could be raised anywhere in them.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        from bot_workbench.setup.errors import SetUpError
        from bot_workbench.setup.requirements import RequirementsError
        from bot_workbench.setup.set_up import ready
        from bot_workbench.setup.tools import PYTHON

        try:
            try:
                ready(PYTHON, stream=sys.stderr)  # standard output is for what a command answers
            except RequirementsError:
                if sys.argv[1:2] != ["constraints"]:
                    raise
                # The cure of pins that do not fit, or are missing, must run in spite of them.
                ready(replace(PYTHON, bots=[]), stream=sys.stderr)
        except SetUpError as error:
            sys.exit(str(error))
        import_module(commands).run(sys.argv[1:])
    except ModuleNotFoundError as error:
        sys.exit(
            f"{error.name} is missing: run `python run.py setup` in the bot's folder, then use the"
            " Python of its .venv."
        )
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
