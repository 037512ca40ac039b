"""What the commands of maintainers need on this machine, and its versions."""

from dataclasses import replace

from bot_workbench.app_folder import BOT, bots_below
from bot_workbench.project import APP
from bot_workbench.setup.npm import NpmFile, NpmFiles
from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.setup.tools import CACHE, PYTHON

TESTS_FOLDER = APP / "workbench" / "tests"

TESTS = replace(PYTHON, files=[TESTS_FOLDER / "requirements.txt"])

# mypy and the tests import all bots.
ALL_TESTS = replace(
    PYTHON,
    files=[TESTS_FOLDER / "requirements-all.txt"],
    bots=[APP / BOT, *bots_below("examples"), *bots_below("tests"), *bots_below("workbench/tests")],
)

BENCHMARKS = replace(
    PYTHON,
    title="The comparison's packages",
    folder=CACHE / "benchmarks" / "tools",
    files=[APP / "workbench" / "benchmarks" / "requirements.txt"],
)

AZ = PythonPackages(
    "The Azure CLI", CACHE / "az", [TESTS_FOLDER / "docs" / "requirements.txt"], [], weight=60
)

PHOENIX = PythonPackages(
    "The collector",
    CACHE / "phoenix",
    [APP / "tests" / "end_to_end" / "telemetry" / "requirements.txt"],
    [],
    weight=60,
)


TEST_FILES = NpmFiles(
    "The tests' files",
    CACHE / "test-files",
    [
        NpmFile(
            # Whether people who use a keyboard or a screen reader can use the pages.
            "axe.js",
            "axe-core@4.14.1",
            "axe.min.js",
            "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        ),
        NpmFile(
            # For m365agents.yml. With what it depends on, the package takes 294 MB.
            "m365agents.schema.json",
            "@microsoft/teamsfx-core@3.1.3",
            "resource/yaml-schema/v1.13/yaml.schema.json",
            "sha512-FnNzDGblM24//EWVAjY8BHP+sempRlTrAK+PR5SWvJK0r8IGBAZDjsT+PMh1a5Oi2C5n/njgnH+i8TKaBTky7g==",
        ),
    ],
    "The pages' accessibility and m365agents.yml are not checked.",
)
