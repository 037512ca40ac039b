"""The app's process: what needs the code of the app runs there, and nowhere else.

It is this Python with the app's folder first on its path. `bot_workbench.app` is what runs in it.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

from bot_workbench.project import require_app

_ENTRY = Path(__file__).with_name("app") / "__main__.py"
_asking = Lock()


def run(name: str, arguments: list[str]) -> NoReturn:
    """Run a command in the app's process, in place of this one, and end with its exit status.

    It gets this process's working folder and terminal. Where a process cannot be replaced, this one
    waits for its end; the console sends Ctrl-C to both.

    Args:
        name: a command of `bot_workbench.app`.
        arguments: what follows the name on the command line.

    Raises:
        NoAppError: there is no app.
        SystemExit: the command has ended.
    """
    require_app()
    command = _command(name, *arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform != "win32":
        os.execv(command[0], command)  # noqa: S606  # this Python
    signal.signal(signal.SIGINT, lambda *_: None)
    sys.exit(subprocess.call(command))


def ask(name: str, question: object) -> Any:
    """The answer of the app's process, which starts with the first question.

    The same question is asked only once.

    Args:
        name: who answers in `bot_workbench.app`.
        question: as JSON has it, like the answer.

    Raises:
        NoAppError: there is no app.
        SystemExit: its code cannot be imported; standard error says why.
    """
    with _asking:
        return _answer(require_app(), name, json.dumps(question, sort_keys=True))


@cache
def _answer(app: Path, name: str, line: str) -> Any:
    process = _started(app, name)
    assert process.stdin is not None  # noqa: S101  # they are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        print(line, file=process.stdin, flush=True)
        answer = process.stdout.readline()
    except BrokenPipeError:
        answer = ""
    if not answer:
        sys.exit(f"The code of the app in {app} cannot be imported: the output above says why.")
    return json.loads(answer)


@cache
def _started(app: Path, name: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        _command(name), cwd=app, stdin=pipe, stdout=pipe, text=True, encoding="utf-8"
    )
    atexit.register(process.communicate)  # it ends when nobody can ask any more
    return process


def _command(name: str, *arguments: str) -> list[str]:
    # By its path: a pipeline's Python has this package nowhere else.
    return [sys.executable, str(_ENTRY), name, *arguments]
