"""The needs of commands on this machine, and their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot_workbench.app_folder import BOT, find_bots
from bot_workbench.project import APP, THIRD_PARTY
from bot_workbench.setup.npm import NpmBundle, NpmFile, NpmFiles, NpmPackages
from bot_workbench.setup.python_packages import PythonPackages
from bot_workbench.setup.step import SetUpStep

CACHE = APP / ".cache"


def packages_of(bot: Path) -> PythonPackages:
    """The needs of `bot run` with another bot than the app's own.

    Args:
        bot: its folder, or one with a bot and its skill.
    """
    return replace(PYTHON, bots=find_bots(bot))


PYTHON = PythonPackages(
    "The Python packages", APP / ".venv", [APP / "requirements-dev.txt"], [APP / BOT]
)
"""The needs of `bot`. Other steps share its `.venv`."""


PAGES = NpmFiles(
    "The pages' libraries",
    THIRD_PARTY / "pages",
    [
        NpmFile(
            # Preact with its hooks and with templates that need no build, as one module.
            "htm.js",
            "htm@3.1.1",
            "preact/standalone.module.js",
            "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        ),
        NpmFile(
            "adaptivecards.js",
            "adaptivecards@3.0.6",
            "dist/adaptivecards.min.js",
            "sha512-WDCIb2WXZ7cOHJ9HIHRNdhSt861HySVOdN2xPk2aKHAF3JvD8QGQ8/XcNFrDJxCteOog8MM7EBlXfSAR8JXKAg==",
        ),
        NpmFile(
            "markdown-it.js",
            "markdown-it@15.0.3",
            "dist/browser/markdown-it.umd.min.js",
            "sha512-+Az7Ojz3iRGu8KYMvJ6xVhvrxP3eE+vEtJX75Ow88XBpcQNV/0lGX5ZynIIBftREo4DC2jsveAMDaeltmm8QvQ==",
        ),
        NpmFile(
            # The minimal bundle beside it, half the size, shows no Adaptive Cards.
            "webchat.js",
            "botframework-webchat@4.18.1",
            "dist/webchat.js",
            "sha512-7jpEUJ7olT62Xm+8eh7BhhIcXVfU2xD4pZDaeBt8K4XcNy6K/83UGIxE9BFkXmHMZ4hDEVOzs5cre07GWuaXzg==",
        ),
    ],
    "There is no chat page.",
)

AZURITE = NpmBundle(
    "Azurite",
    THIRD_PARTY / "azurite" / "azurite.js",
    package="azurite@3.37.0",
    entry="dist/src/azurite.js",
    bundler="esbuild@0.28.1",
    # Nine tenths of the files that it depends on: telemetry, which --disableTelemetry turns off,
    # and drivers of the SQL databases where it would keep blobs if AZURITE_DB were set.
    unused=["applicationinsights", "mysql2", "tedious"],
    # For PostgreSQL, one of these databases.
    optional=["pg-hstore"],
    without="There is no storage: state is in memory, and turns cannot be queued.",
)

SCHEMAS = NpmFiles(
    "The app package's schemas",
    THIRD_PARTY / "schemas",
    [
        NpmFile(
            # Of all versions: an author's manifest may name any.
            "teams",
            "@microsoft/app-manifest@1.1.2",
            "build/json-schemas/teams",
            "sha512-uXdmYzhIcchi3Tc9Sh3pTDMe55zy7ge19bnYCGB1gzuyha85Ii7wfdTruwEhqseaX9pwsWDRB5Ot/ltv0rCONw==",
        ),
    ],
    "`bot app-package` does not check manifests with Microsoft's schemas.",
)

PLAYGROUND = NpmPackages(
    "The Agents Playground",
    CACHE / "playground",
    ["@microsoft/m365agentsplayground@0.2.28"],
    "`make playground` does not run.",
)

NEEDS: Mapping[str, Sequence[SetUpStep]] = {
    "run": (PYTHON, PAGES, AZURITE),
    "cloud": (PYTHON, PAGES, AZURITE),
    "azure": (PYTHON, PAGES),
    "playground": (PYTHON, PLAYGROUND),
    "test": (PYTHON, AZURITE),
    "setup": (PYTHON, PAGES, AZURITE, SCHEMAS),
    # It cures pins of bots that are missing or do not fit.
    "constraints": (replace(PYTHON, bots=[]),),
}
"""The needs of the commands that need more, or less, than PYTHON; the Python packages first."""


def needs_of(
    words: Sequence[str], table: Mapping[str, Sequence[SetUpStep]] | None = None
) -> Sequence[SetUpStep]:
    """The needs of a command.

    Args:
        words: the command line.
        table: the needs of commands; None: NEEDS.
    """
    steps = (table or NEEDS).get("".join(words[:1]), (PYTHON,))
    return steps[:1] if "--help" in words else steps
