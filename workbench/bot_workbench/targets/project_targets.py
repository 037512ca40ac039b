"""The targets that test, check and build the project."""

import shutil
from collections.abc import Sequence
from dataclasses import replace

from bot_workbench.project import APP
from bot_workbench.setup.step import SetUpStep
from bot_workbench.setup.tools import (
    ADMIN,
    ALL_TESTS,
    AZ,
    AZURITE,
    BENCHMARKS,
    PAGES,
    PHOENIX,
    PLAYGROUND,
    PYTHON,
    TEST_FILES,
    TESTS,
    VALIDATORS,
)
from bot_workbench.targets.local_targets import VENV_PYTHON
from bot_workbench.targets.target import Commands, Target, needs
from bot_workbench.targets.variable import Values, Variable, flag, is_on, number, one_of

LOGS = "artifacts/test-logs"
BUILT = (".venv", ".cache", "artifacts")

ON_WINDOWS = (
    *("run.py", "function_app.py", "composition.py", "admin", "auth", "bot_testing"),
    *("cloud_adapter", "emulator", "http_client"),
)
"""What people run on Windows: not the tests, and not the benchmarks, which are for Linux."""

PORTABLE = (
    "tests/auth/test_clouds.py",
    "tests/auth/test_settings.py",
    "tests/auth/test_settings_problems.py",
    "tests/cloud_adapter/codec/test_reader.py",
    "tests/cloud_adapter/codec/test_attribute_map.py",
    "workbench/tests/commands/test_ports.py",
    "workbench/tests/setup/test_set_up.py",
    "tests/http_client/test_retry.py",
)
"""Tests that need nothing of the test kit, which is for Unix."""


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module in the project's environment."""
    return [VENV_PYTHON, "-m", name, *arguments]


def pytest(values: Values, *arguments: str) -> list[str]:
    """The command that runs tests, and ends what they leave behind."""
    loop = ["--loop", values["LOOP"]] if values.get("LOOP") else []
    command = module("tests.support.reaper", *module("pytest", *loop))
    return [*command, *arguments]


def parallel(values: Values, workers: str, *arguments: str) -> list[str]:
    """The command that runs tests in several processes.

    A file's tests stay in one worker, which shares what the file starts. Workers often wait for the
    bots that they start, so there are more of them than cores. If a worker dies, the run ends: if
    it were replaced near the end of the run, pytest-xdist could wait forever for the dead one's
    tests.
    """
    options = ["--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart", "0"]
    return pytest(values, *options, "-n", workers, *arguments)


def _test_steps(values: Values) -> Sequence[SetUpStep]:
    if not is_on(values, "ALL"):
        return [TESTS, AZURITE]
    return [ALL_TESTS, AZURITE, PAGES, TEST_FILES, PLAYGROUND, VALIDATORS]


def _test(values: Values) -> Sequence[Sequence[str]]:
    shutil.rmtree(APP / LOGS, ignore_errors=True)
    logs = f"--logs={LOGS}"
    most = "not timed and not last and not az and not collector"
    if not is_on(values, "ALL"):
        return [parallel(values, values["WORKERS"], "-m", f"{most} and not extended", logs)]
    return [
        parallel(values, values["WORKERS"], "-m", most, logs),
        parallel(values, "2", "-m", "timed", logs),
        pytest(values, "-m", "last", logs),
    ]


def _check(_values: Values) -> Sequence[Sequence[str]]:
    own = [str(file) for file in APP.glob("tests/bot_logic/test_rules.py")]
    return [
        module("ruff", "check", "."),
        module("ruff", "format", "--check", "."),
        module("mypy"),
        # What runs on Windows, too: no call that only POSIX has.
        module("mypy", "--platform", "win32", "--cache-dir", ".cache/mypy-windows", *ON_WINDOWS),
        module("pytest", "tests/test_imports.py", "workbench/tests/docs/test_glossary.py", *own),
    ]


def _runbooks(values: Values) -> Sequence[Sequence[str]]:
    tests = (
        "admin",
        "app_package",
        "docs",
        "workbench/bot_workbench/emulator/resource_manager",
        "workflows",
    )
    folders = [f"tests/{each}" for each in tests]
    return [pytest(values, "-n", "2", "--dist", "worksteal", "-m", "az", *folders)]


def _collector(values: Values) -> Sequence[Sequence[str]]:
    return [pytest(values, "-m", "collector", "tests/end_to_end/telemetry")]


def _bench(values: Values) -> Sequence[Sequence[str]]:
    options = ["--rounds", values["ROUNDS"], "--seconds", values["SECONDS"]]
    return [[str(BENCHMARKS.python), "-m", "benchmarks", *options, "--only", values["ONLY"]]]


def _format(_values: Values) -> Sequence[Sequence[str]]:
    return [module("ruff", "format", "."), module("ruff", "check", "--fix", ".")]


def _app_package(values: Values) -> Sequence[Sequence[str]]:
    command = module("admin", "app-package", "--env-file", f"env/.env.{values['APP_ENV']}")
    for feature in values["FEATURES"].split():
        command += ["--feature", feature]
    if is_on(values, "KEEP"):
        command.append("--write-manifest")
    if is_on(values, "PUBLISH"):
        command.append("--publish")
    return [command]


def _clean(_values: Values) -> Sequence[Sequence[str]]:
    for name in BUILT:
        path = APP / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    return []


def _runs(name: str, *arguments: str) -> Commands:
    """The commands of a target that only runs a module."""
    return lambda _values: [module(name, *arguments)]


PROJECT_TARGETS = (
    Target(
        "test",
        "the tests of the base and the bot: five minutes",
        [
            Variable("ALL", "", "1 adds those of the tools, and long ones: half an hour", flag),
            Variable(
                "LOOP",
                "",
                "asyncio or uvloop: the event loop of all tests",
                one_of(("asyncio", "uvloop")),
            ),
            Variable("WORKERS", "3", "processes that share the tests", number),
        ],
        _test_steps,
        _test,
    ),
    Target(
        "smoke",
        "start an example, chat with it and stop it, as a test of this machine",
        [],
        needs(PYTHON, PAGES),
        _runs("bot_workbench.commands.smoke"),
        is_for_maintainers=True,
    ),
    Target(
        "portable",
        "the tests that also run on Windows",
        [],
        needs(TESTS),
        _runs("pytest", "--noconftest", *PORTABLE),
        is_for_maintainers=True,
    ),
    Target("check", "lint, format, types, import rules, words", [], needs(ALL_TESTS), _check),
    # Not part of `test`: the Azure CLI takes 733 MB, and 0.4 s to start each command.
    Target(
        "runbooks",
        "run the commands of docs/ with the real az, in front of the local cloud",
        [],
        needs(ALL_TESTS, AZ),
        _runbooks,
        is_for_maintainers=True,
    ),
    # Not part of `test`, either: the collector takes 800 MB, and half a minute to start.
    Target(
        "collector",
        "look at a queued turn's trace in Arize Phoenix, which is installed for it",
        [],
        needs(ALL_TESTS, AZURITE, PHOENIX),
        _collector,
        is_for_maintainers=True,
    ),
    Target(
        "bench",
        "compare with other bots, write docs/benchmarks.md: half an hour, on Linux",
        [
            Variable("ROUNDS", "5", "how often each bot is measured", number),
            Variable("SECONDS", "1", "how long each measurement takes", number),
            Variable("ONLY", "", "which ones: a regular expression, such as ^state:"),
        ],
        needs(BENCHMARKS),
        _bench,
        is_for_maintainers=True,
    ),
    Target("format", "format the code", [], needs(ALL_TESTS), _format, is_for_maintainers=True),
    Target(
        "package",
        "build what publish uploads: artifacts/package and package.zip",
        [],
        needs(ADMIN),
        _runs("bot_workbench.commands.package", "--to", "artifacts/package", "--measure"),
    ),
    Target(
        "app-package",
        "the zip that is uploaded to Teams: artifacts/app-package.zip",
        [
            Variable("APP_ENV", "dev", "takes the values from env/.env.dev"),
            Variable("FEATURES", "", "adds what these need: 'sso files message_extension'"),
            Variable("KEEP", "", "1 keeps the features in the manifest", flag),
            Variable("PUBLISH", "", "1 refuses the examples' names and addresses", flag),
        ],
        needs(ADMIN, VALIDATORS),
        _app_package,
    ),
    Target(
        "constraints",
        "pin what the base's packages need, what the bot's do, and those of azd's hooks",
        [Variable("UPGRADE", "", "1 takes the newest versions, not those that fit", flag)],
        needs(replace(ADMIN, bots=[])),  # without the bot's packages, which it mends
        lambda values: [
            module("bot_workbench.commands.constraints", *["--upgrade"] * is_on(values, "UPGRADE"))
        ],
    ),
    Target(
        "picture",
        "draw docs/pictures/architecture.svg from the imports",
        [],
        needs(ALL_TESTS),
        _runs("docs.pictures.architecture"),
        is_for_maintainers=True,
    ),
    Target(
        "recording",
        "film docs/pictures/inner_loop.webp: the chat and the inspector in Chromium",
        [],
        needs(ALL_TESTS, PAGES, AZURITE),
        _runs("docs.pictures.inner_loop"),
        is_for_maintainers=True,
    ),
    Target(
        "setup",
        "install what run, test, app-package and `bot` need",
        [],
        needs(TESTS, PAGES, AZURITE, VALIDATORS),
        lambda _values: [],
    ),
    Target("clean", "remove everything that was installed or built", [], needs(), _clean),
)
