"""The command line of `run.py`, once a Python that is new enough runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from bot_workbench.commands.ports import PortInUseError, check_ports
from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError
from bot_workbench.setup.set_up import set_up
from bot_workbench.targets.local_targets import LOCAL_TARGETS
from bot_workbench.targets.project_targets import PROJECT_TARGETS
from bot_workbench.targets.target import Target, needs
from bot_workbench.targets.variable import UsageError, Values, Variable, flag, is_on

TARGETS: Mapping[str, Target] = {each.name: each for each in (*LOCAL_TARGETS, *PROJECT_TARGETS)}
DEFAULT = "run"
HELP = Target(
    "help",
    "this list",
    [Variable("ALL", "", "1 adds the commands for people who change this project", flag)],
    needs(),
    lambda _values: [],
)
USAGE, INTERRUPTED = 2, 130
HELP_COLUMN = 15


def main(words: Sequence[str], targets: Mapping[str, Target] = TARGETS) -> int:
    """Do what a command line says.

    Args:
        words: a target's name, then NAME=VALUE; without a name it is DEFAULT.
        targets: by name.

    Returns:
        The exit status. Where a process can be replaced, the target's last program is the process.
    """
    name, given = _split(words)
    try:
        if name in ("help", "-h", "--help"):
            print(help_text(HELP.values(given)), end="")
            return 0
        return _run(_target(name, targets), given)
    except UsageError as error:
        print(error, file=sys.stderr)
        return USAGE
    except (SetUpError, PortInUseError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _split(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    if words and "=" not in words[0]:
        return words[0], words[1:]
    return DEFAULT, words


def _target(name: str, targets: Mapping[str, Target]) -> Target:
    if name not in targets:
        raise UsageError(f"There is no command {name}: choose one of {', '.join(targets)}.")
    return targets[name]


def _run(target: Target, words: Sequence[str]) -> int:
    values = target.values(words)
    check_ports(target.ports(values))
    set_up(target.steps(values))
    commands = target.commands(values)
    os.chdir(APP)
    for command in commands[:-1]:
        status = _wait_for(command)
        if status:
            return status
    return _become(commands[-1]) if commands else 0


def _become(command: Sequence[str]) -> int:
    """Run a program in place of this process, so that signals reach it and nothing else."""
    sys.stdout.flush()
    if sys.platform != "win32":
        os.execv(command[0], list(command))  # noqa: S606  # a program of the set-up
    signal.signal(signal.SIGBREAK, signal.default_int_handler)
    return _wait_for(command)


def _wait_for(command: Sequence[str]) -> int:
    """Run a program to its end, which it reaches in its own time after Ctrl-C, too.

    Returns:
        Its exit status, as shells have it.
    """
    with subprocess.Popen(command) as program:
        signal.signal(signal.SIGTERM, lambda *_: program.terminate())
        while True:
            try:
                status = program.wait()
            except KeyboardInterrupt:  # the terminal sends it to the program, too
                continue
            return status if status >= 0 else 128 - status


def help_text(values: Values) -> str:
    """The list of commands and their variables: an author's, or those of maintainers, too."""
    lines = ["make COMMAND NAME=VALUE ..., or without make: python run.py COMMAND NAME=VALUE ...\n"]
    targets = [HELP, *TARGETS.values()]
    for target in (each for each in targets if is_on(values, "ALL") or not each.is_for_maintainers):
        lines.append(f"{target.name:{HELP_COLUMN}}{target.help}")
        for variable in target.variables:
            given = f"{variable.name}={variable.default}"
            lines.append(f"{'':{HELP_COLUMN}}  {given:<26} {variable.help}")
    return "\n".join(lines) + "\n"
