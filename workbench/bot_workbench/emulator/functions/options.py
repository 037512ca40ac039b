"""HostOptions: the command line of the Functions host."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot_workbench.emulator.functions.host_log import LOST
from bot_workbench.emulator.loopback import port_number

COMMAND = (sys.executable, "-m", "bot_workbench.emulator.functions")
UVLOOP, ASYNCIO = "uvloop", "asyncio"


class HostOptions(argparse.Namespace):
    """The options of the command line.

    Attributes:
        app: the folder of function_app.py, absolute.
        port: the TCP port; 0 takes a free one.
        listener: the descriptor of a socket that listens already, in place of a port; or None.
        function_key: what functions of the function level require; None: no such key.
        master_key: what functions of the admin level and /admin require; functions of the function
            level accept it, too. None: no such key. If both are None, no key is needed.
        workers: how many processes run the app; None runs it in the host's own.
        specialize: start as on Flex Consumption.
        read_only: the app's folder must not change.
        lost_log: the file for the lines that Azure would drop; None: no file.
        reload: the app's code is loaded anew when it changes, in a process of its own.
        retirement: seconds for which functions may go on running with old code.
        install: the command line that installs what the bot's requirements.txt names, which runs
            when that is saved; empty: nothing does.
        debug: a debugger may hold any function as long as it likes.
        debug_port: where a debugger connects to the host and its workers; None: it cannot.
        debug_wait: the host waits for the debugger before it starts.
        log_level: a level's name.
        loop: UVLOOP or ASYNCIO.
    """

    app: Path
    port: int
    listener: int | None
    function_key: str | None
    master_key: str | None
    workers: int | None
    specialize: bool
    read_only: bool
    lost_log: Path | None
    reload: bool
    retirement: float
    install: str
    debug: bool
    debug_port: int | None
    debug_wait: bool
    log_level: str
    loop: str

    @classmethod
    def parse(cls, arguments: Sequence[str] | None = None) -> "HostOptions":
        """Read a command line; None: this process's.

        Raises:
            SystemExit: an argument is missing or invalid.
        """
        parser = _parser()
        options = parser.parse_args(arguments, cls())
        if not options.app.is_dir():
            parser.error(f"--app: {options.app} is not a folder")
        if options.reload and (options.workers is not None or options.read_only):
            parser.error("--reload cannot be combined with --workers or --read-only")
        options.debug = options.debug or options.debug_port is not None
        options.app = options.app.resolve()  # specialization changes the working directory
        return options

    def worker_command(self) -> list[str]:
        """The command line of this host's workers, but for their lifeline."""
        command = [*COMMAND, "--app", str(self.app)]
        keys = {"--function-key": self.function_key, "--master-key": self.master_key}
        # One argument: a key may begin with a hyphen.
        command += [f"{option}={key}" for option, key in keys.items() if key is not None]
        if self.reload:
            command.append("--reload")
        if self.specialize:
            command.append("--specialize")
        if self.lost_log is not None:
            command += ["--lost-log", str(self.lost_log)]
        return [*command, "--log-level", self.log_level, "--loop", self.loop]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot_workbench.emulator.functions",
        description="Run a function app on this machine.",
    )
    parser.add_argument("--app", type=Path, required=True, help="the folder of function_app.py")
    parser.add_argument(
        "--port", type=port_number, default=7071, help="0: a free one (default: 7071)"
    )
    # A program that starts the host may open the port before.
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)
    parser.add_argument(
        "--function-key",
        help="required by functions of the function level; without either key, all is open",
    )
    parser.add_argument(
        "--master-key",
        help="required by functions of the admin level and by /admin; accepted everywhere",
    )
    _add_process_options(parser)
    _add_reload_options(parser)
    _add_azure_options(parser)
    return parser


def _add_process_options(parser: argparse.ArgumentParser) -> None:
    """The options of the processes."""
    parser.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="run the app in N processes; unset: in the host's own",
    )
    parser.add_argument(
        "--loop",
        default=ASYNCIO if sys.platform == "win32" else UVLOOP,
        choices=(UVLOOP, ASYNCIO),
        help="the event loop: uvloop, as in Azure, or asyncio's own, as with `func start` on "
        "Windows and macOS (default: uvloop; asyncio on Windows)",
    )
    parser.add_argument(
        "--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")
    )


def _add_reload_options(parser: argparse.ArgumentParser) -> None:
    """The options for replacing and debugging the app's code."""
    parser.add_argument(
        "--reload",
        action="store_true",
        help="run the app in a process of its own, and replace it when a file of the app changes; "
        "what runs ends first",
    )
    parser.add_argument(
        "--retirement",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="with --reload: how long functions may go on running with the code before a save; "
        "then they are cancelled (default: 60)",
    )
    parser.add_argument(
        "--install",
        default="",
        metavar="COMMAND",
        help="with --reload: runs when the bot's requirements.txt or constraints.txt is saved",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        help="with --reload: a function that a debugger holds may take as long as it likes",
    )
    parser.add_argument(
        "--debug-port", type=port_number, help="listen for a debugger there; implies --debug"
    )
    parser.add_argument(
        "--debug-wait", action="store_true", help="wait for it before the app is loaded"
    )


def _add_azure_options(parser: argparse.ArgumentParser) -> None:
    """The options for what only Azure does."""
    parser.add_argument(
        "--specialize",
        action="store_true",
        help="start as on Flex Consumption: a running placeholder gets the app and its settings",
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="as in Azure, the app's folder is read-only: Python writes no .pyc files, and the "
        "host exits with 1 if anything in the folder changed",
    )
    parser.add_argument(
        "--lost-log",
        type=Path,
        metavar="FILE",
        help=f"append each line that is marked '{LOST}' to FILE, as a JSON object",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
