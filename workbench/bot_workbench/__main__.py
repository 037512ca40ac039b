"""The command `bot`, also as `python -m bot_workbench`."""

import os
import signal
import sys
from importlib import import_module

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect."""


def main(
    commands: str = "bot_workbench.command_line", tools: str = "bot_workbench.setup.tools"
) -> None:
    """Run the command of this process's command line, and exit with its status.

    Args:
        commands: the module whose `run` has the commands.
        tools: the module whose `needs_of` has what they need.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While packages are imported, KeyboardInterrupt could be raised anywhere in them.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        from bot_workbench.setup.errors import SetUpError
        from bot_workbench.setup.set_up import ready

        try:
            # Standard output is for what a command answers.
            ready(*import_module(tools).needs_of(sys.argv[1:]), stream=sys.stderr)
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
