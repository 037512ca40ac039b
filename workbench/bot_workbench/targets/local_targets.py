"""The targets that run the bot on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from auth.credential_kinds import KINDS
from bot_workbench.commands.app_folder import find_bots
from bot_workbench.project import APP
from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.setup.tools import ADMIN, AZURITE, PAGES, PLAYGROUND, PYTHON
from bot_workbench.targets.target import Target, needs
from bot_workbench.targets.variable import Values, Variable, flag, is_on, one_of, port

VENV_PYTHON = str(PYTHON.python)
COMMAND = (VENV_PYTHON, "-m", "bot_workbench.commands")
CREDENTIALS = tuple(KINDS)
AUTH = ("On", "Off")
TURNS = ("Inline", "Queued")
APP_TYPES = ("SingleTenant", "MultiTenant")

BOT = Variable("BOT", "bot_logic", "the bot's folder, such as examples/dialog")
PORT = Variable("PORT", "7071", "the bot's port", port)
CHAT_PORT = Variable("CHAT_PORT", "3979", "the chat page's port", port)
DEBUGGING = (
    Variable("DEBUG", "", "1 lets a debugger attach, such as VS Code", flag),
    Variable("DEBUG_PORT", "5678", "where a debugger attaches", port),
    Variable("WAIT", "", "1 loads the bot once a debugger is attached", flag),
)


def _is_debugged(values: Values) -> bool:
    return is_on(values, "DEBUG") or is_on(values, "WAIT")


def _debug_options(values: Values) -> list[str]:
    if not _is_debugged(values):
        return []
    return ["--debug-port", values["DEBUG_PORT"]] + ["--debug-wait"] * is_on(values, "WAIT")


def _packages(values: Values) -> PythonPackages:
    """Those of the chosen bot."""
    return replace(PYTHON, bots=find_bots(APP / values["BOT"]))


def _run(values: Values) -> Sequence[Sequence[str]]:
    command = [*COMMAND, "run.local_run", "--bot", values["BOT"]]
    command += ["--auth", values["AUTH"], "--credential", values["CREDENTIAL"]]
    command += ["--turns", values["TURNS"]]
    for name in ("PORT", "SKILL_PORT", "CHAT_PORT"):
        command += [f"--{name.lower().replace('_', '-')}", values[name]]
    if values["STORAGE"]:
        command += ["--storage", values["STORAGE"]]
    return [[*command, *_debug_options(values)]]


def _run_ports(values: Values) -> Mapping[str, str]:
    is_used = {
        "PORT": True,
        "CHAT_PORT": values["AUTH"] == AUTH[0],
        "SKILL_PORT": len(find_bots(APP / values["BOT"])) > 1,
        "DEBUG_PORT": _is_debugged(values),
    }
    return {name: values[name] for name, used in is_used.items() if used}


RUN = Target(
    "run",
    "the bot on your machine, and a page to talk to it",
    [
        Variable("BOT", "bot_logic", "a folder with a bot, or with host/ and skill/"),
        Variable("AUTH", AUTH[0], "Off for the Bot Framework Emulator", one_of(AUTH)),
        Variable(
            "CREDENTIAL",
            CREDENTIALS[0],
            f"signs the bot in; or {', '.join(CREDENTIALS[1:])}",
            one_of(CREDENTIALS),
        ),
        Variable("TURNS", TURNS[0], "Queued runs turns behind a queue", one_of(TURNS)),
        Variable("STORAGE", "", "a folder that keeps stored data"),
        PORT,
        CHAT_PORT,
        Variable("SKILL_PORT", "7072", "the skill's port, if there is one", port),
        *DEBUGGING,
    ],
    lambda values: [_packages(values), PAGES, AZURITE],
    _run,
    _run_ports,
)


def _azure(values: Values) -> Sequence[Sequence[str]]:
    command = [*COMMAND, "azure", "--app-type", values["APP_TYPE"]]
    return [[*command, "--chat-port", values["CHAT_PORT"], "--env", values["ENV"]]]


AZURE = Target(
    "azure",
    "a local Azure with a bot that has a secret, to try bot migrate and az",
    [
        Variable("APP_TYPE", APP_TYPES[0], "the old bot's type: or MultiTenant", one_of(APP_TYPES)),
        CHAT_PORT,
        Variable("ENV", ".cache/azure.env", "a file for another shell's environment"),
    ],
    needs(ADMIN, PAGES),
    _azure,
    lambda values: {"CHAT_PORT": values["CHAT_PORT"]},
)


def _playground(values: Values) -> Sequence[Sequence[str]]:
    command = [*COMMAND, "playground", "--bot", values["BOT"]]
    ports = ["--port", values["PORT"], "--playground-port", values["PLAYGROUND_PORT"]]
    return [[*command, *ports, *_debug_options(values)]]


def _playground_ports(values: Values) -> Mapping[str, str]:
    names = ["PORT", "PLAYGROUND_PORT"] + ["DEBUG_PORT"] * _is_debugged(values)
    return {name: values[name] for name in names}


PLAYGROUND_TARGET = Target(
    "playground",
    "the bot without authentication, in Microsoft's Agents Playground",
    [BOT, PORT, Variable("PLAYGROUND_PORT", "56150", "the Playground's port", port), *DEBUGGING],
    lambda values: [_packages(values), PLAYGROUND],
    _playground,
    _playground_ports,
)

LOCAL_TARGETS = (RUN, AZURE, PLAYGROUND_TARGET)
