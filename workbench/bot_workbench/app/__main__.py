"""The start of the app's process: `__main__.py NAME ...`, in the folder of an app."""

import os
import signal
import sys

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect."""

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # While packages are imported, KeyboardInterrupt could be raised anywhere in them.
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))

from pathlib import Path  # noqa: E402  # slow, as the following


def run(name: str, arguments: list[str]) -> None:
    """Run a command, or answer questions.

    Raises:
        ModuleNotFoundError: a package is missing.
    """
    if name == "settings":
        from bot_workbench.app.settings import answer

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the process that asks
        answer(sys.stdin, sys.stdout)
        return
    from bot_workbench.app.command_line import main

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # commands handle it
    main([name, *arguments])


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])  # in place of this file's folder
    from bot_workbench.project import APP

    sys.path.append(sys.path[0])  # after what is installed, should this package be, too
    sys.path[0] = str(APP)
    try:
        run(sys.argv[1], sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        sys.exit(
            f"{error.name} is missing: run `python run.py setup` in the bot's folder, then `bot`."
        )
