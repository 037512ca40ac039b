"""The targets of make that are for maintainers, each a command beside those of `bot`.

`make check`, `constraints`, `setup` and `test` do more here than the commands of these names.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot_workbench import command_line
from bot_workbench.command_line import COMMANDS, HERE, Command
from bot_workbench.commands.constraints import UpgradeOption
from bot_workbench.commands.options import one_of
from bot_workbench.commands.programs import module, run_programs
from bot_workbench.commands.site_packages import InstallError
from bot_workbench.project import APP
from bot_workbench.setup.errors import SetUpError
from maintenance import constraints as all_constraints
from maintenance import smoke as smoke_test
from maintenance.template import TemplateError, lay_out
from maintenance.tools import BENCHMARKS

LOGS = "artifacts/test-logs"
LOOPS = ("asyncio", "uvloop")

PARALLEL = "not timed and not last and not az and not collector"
"""The tests that run at the same time as others: pyproject.toml describes the marks."""

RERUNS = ("--reruns", "1", "--max-suite-reruns", "3", "-rfEsR")
"""A test that fails runs once more, and is then named at the end as RERUN: it must be fixed. After
three, no other one runs again."""

ON_WINDOWS = (
    *("run.py", "function_app.py", "composition.py", "auth", "cloud_adapter", "http_client"),
    *("workbench/bot_workbench", "workbench/bot_testing"),
)
"""The targets for Windows: not the tests, and not the benchmarks, which are for Linux."""

PORTABLE = (
    "tests/auth/test_clouds.py",
    "tests/auth/test_settings.py",
    "tests/auth/test_settings_problems.py",
    "tests/cloud_adapter/codec/test_reader.py",
    "tests/cloud_adapter/codec/test_attribute_map.py",
    "tests/http_client/test_retry.py",
    "workbench/tests/commands/test_ports.py",
    "workbench/tests/setup/test_set_up.py",
)
"""Tests that need nothing of the test kit, which is for Unix."""

RULES = (
    "tests/test_imports.py",
    "tests/test_public_names.py",
    "workbench/tests/test_house.py",
    "workbench/tests/docs/test_glossary.py",
    "workbench/tests/test_requirements.py",
)
"""The tests in `make check`, besides lint and types."""

AZ_TESTS = ("admin", "app_package", "docs", "emulator/resource_manager", "workflows")
"""The folders of workbench/tests that have tests with the mark `az`."""


def pytest(*arguments: str, loop: str = "") -> list[str]:
    """The command that runs tests, and ends what they leave behind."""
    options = [*RERUNS, *(["--loop", loop] if loop else [])]
    return module("tests.support.reaper", *module("pytest", *options, *arguments))


def parallel(workers: int, *arguments: str, loop: str = "") -> list[str]:
    """The command that runs tests in several processes.

    They often wait for what they have started, so there are more of them than cores: the short
    tests took 281 s on two cores with five, and 335 s with three. A file's tests stay in one
    process, which shares what the file starts. If a process dies, the run ends: if it were replaced
    near the end of the run, pytest-xdist could wait forever for its tests.
    """
    options = ("--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart", "0")
    return pytest(*options, "-n", str(workers), *arguments, loop=loop)


def suite(
    *, everything: bool = False, rest: bool = False, loop: str = "", workers: int = 0
) -> list[list[str]]:
    """The commands of the tests, of which the short ones take minutes.

    Args:
        everything: those of the workbench, and long ones, too.
        rest: the ones that `everything` adds, alone.
        loop: the event loop of all tests; empty: each test's own.
        workers: processes that share the tests; 0: five for the short ones, three for the others,
            which start more each.
    """
    logs = f"--logs={LOGS}"
    if not everything and not rest:
        marks = f"not extended and {PARALLEL}"
        return [parallel(workers or 5, "-m", marks, logs, loop=loop)]
    marks = PARALLEL if everything else f"extended and {PARALLEL}"
    return [
        parallel(workers or 3, "-m", marks, logs, loop=loop),
        parallel(2, "-m", "timed", logs, loop=loop),
        pytest("-m", "last", logs, loop=loop),
    ]


def runbooks() -> list[str]:
    """The command that runs the commands of docs/ with the real az, before the local cloud.

    They are not part of `suite`: the Azure CLI takes 733 MB, and 0.4 s to start each command.
    """
    folders = [f"workbench/tests/{each}" for each in AZ_TESTS]
    return pytest("-n", "2", "--dist", "worksteal", "-m", "az", *folders)


def collector() -> list[str]:
    """The command that finds a queued turn's trace in Arize Phoenix, which takes half a minute to
    start."""
    return pytest("-m", "collector", "tests/end_to_end/telemetry")


app = typer.Typer()


@app.command("test")
def run_tests(
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Processes that share the tests.")
    ] = 0,
    loop: Annotated[
        str,
        typer.Option(
            "--loop",
            metavar="|".join(LOOPS),
            parser=one_of(("", *LOOPS)),
            help="The event loop of all tests; by default each test's own.",
        ),
    ] = "",
    *,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", metavar="", help="Also those of the workbench, and long ones: 35 minutes."
        ),
    ] = False,
    rest: Annotated[
        bool, typer.Option("--rest", metavar="", help="Only those that --all adds.")
    ] = False,
) -> None:
    """Run the tests of the base and the bot: five minutes."""
    if not rest:
        shutil.rmtree(APP / LOGS, ignore_errors=True)
    run_programs(suite(everything=everything, rest=rest, loop=loop, workers=workers))


@app.command("check")
def check() -> None:
    """Check lint, format, types, import rules and words."""
    own = [str(file) for file in APP.glob("workbench/tests/sample/test_rules.py")]
    # What runs on Windows, too: no call that only POSIX has.
    windows = ("--platform", "win32", "--cache-dir", ".cache/mypy-windows", *ON_WINDOWS)
    run_programs(
        [
            module("ruff", "check", "."),
            module("ruff", "format", "--check", "."),
            module("mypy"),
            module("mypy", *windows),
            module("pytest", *RULES, *own),
        ]
    )


@app.command("runbooks")
def run_runbooks() -> None:
    """Run the commands of docs/ with the real az, in front of the local cloud."""
    run_programs([runbooks()])


@app.command("collector")
def run_collector() -> None:
    """Find a queued turn's trace in Arize Phoenix, which is installed for it: 800 MB."""
    run_programs([collector()])


@app.command("smoke")
def smoke(
    app: Annotated[
        Path | None,
        typer.Option("--app", metavar="FOLDER", help="The bot's repository instead."),
    ] = None,
) -> None:
    """Start an example, chat with it and stop it, as a test of this machine."""
    if app is not None:
        raise typer.Exit(smoke_test.main(app))
    raise typer.Exit(smoke_test.main(APP, "BOT=examples/echo"))


@app.command("portable")
def portable() -> None:
    """Run the tests that also run on Windows."""
    run_programs([module("pytest", "--noconftest", *PORTABLE)])


@app.command("bench")
def bench(
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often each is measured.")] = 5,
    seconds: Annotated[int, typer.Option("--seconds", min=1, help="Of each measurement.")] = 1,
    only: Annotated[
        str, typer.Option("--only", metavar="REGEX", help="Which ones, such as ^state:")
    ] = "",
) -> None:
    """Compare with other bots, and write docs/benchmarks.md: 40 minutes, on Linux."""
    options = ["--rounds", str(rounds), "--seconds", str(seconds), "--only", only]
    run_programs([[str(BENCHMARKS.python), "-m", "benchmarks", *options]])


@app.command("format")
def format_code() -> None:
    """Format the code."""
    run_programs([module("ruff", "format", "."), module("ruff", "check", "--fix", ".")])


@app.command("picture")
def picture() -> None:
    """Draw docs/pictures/architecture.svg from the imports."""
    run_programs([module("docs.pictures.architecture")])


@app.command("recording")
def recording() -> None:
    """Film docs/pictures/inner_loop.webp: the chat and the inspector in Chromium."""
    run_programs([module("docs.pictures.inner_loop")])


@app.command("template")
def template(
    to: Annotated[str, typer.Option("--to", metavar="FOLDER", help="Where it is laid out.")] = "",
    wheels: Annotated[
        str,
        typer.Option(
            "--wheels",
            metavar="FOLDER|URL",
            help="A folder, which receives the workbench's wheel; or the URL of the folder where it"
            " will be, or of the wheel itself with its #sha256=DIGEST.",
        ),
    ] = "",
) -> None:
    """Lay out the repository of a bot's author, as a template for copier.

    FOLDER is a new folder, or the clone of the template's repository, where
    all but .git is replaced. With a URL, the wheel is in artifacts/wheels.
    """
    if not to or not wheels:
        sys.exit("Name both: make template TO=FOLDER WHEELS=FOLDER|URL")
    try:
        requirement = lay_out(Path(to), wheels, APP / "artifacts" / "wheels")
    except TemplateError as error:
        sys.exit(str(error))
    print(f"{to}: {requirement}")


@app.command("constraints")
def constraints(*, upgrade: UpgradeOption = False) -> None:
    """Pin what the packages of the base, of the bot and of azd's hooks need.

    A version that is pinned stays as long as it fits.
    """
    try:
        all_constraints.write_all(APP, upgrade=upgrade)
    except (SetUpError, InstallError) as error:
        sys.exit(str(error))


@app.command("setup")
def setup() -> None:
    """Install what the other commands, the tests and the editor need, and run nothing."""


def _command(target: typer.models.CommandInfo) -> Command:
    """A target as a row of the table, where some take the places of commands of `bot`."""
    text = (target.callback.__doc__ or "").partition("\n")[0] if target.callback else ""
    panel = HERE if target.name in COMMANDS else "For maintainers"
    return Command(__name__, text, panel=panel)


TABLE = {**COMMANDS, **{str(each.name): _command(each) for each in app.registered_commands}}


def run(words: Sequence[str]) -> None:
    """Run one command, and exit with its status.

    Args:
        words: the command line.
    """
    command_line.run(words, TABLE)
