"""The settings in README.md are those of the example file, in the same order."""

import json
import re
from pathlib import Path

from auth.settings import Settings

ROOT = Path(__file__).parents[2]
HOSTS_OWN = "FUNCTIONS_WORKER_RUNTIME"
"""The setting of the Functions host alone."""


def example() -> dict[str, str]:
    """The values of local.settings.json.example."""
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text())[
        "Values"
    ]
    return values


def test_readme_lists_the_example() -> None:
    """Each setting of the example stands in README's table, once, and no other does."""
    table = (ROOT / "README.md").read_text().split("## Settings")[1].split("## Work on it")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert named == [name for name in example() if name != HOSTS_OWN]


def test_the_example_is_right() -> None:
    """A copy of the example is a set of settings that the bot accepts."""
    settings = Settings.from_environ(example())
    assert settings.credential == "ManagedIdentity"
    assert not settings.unauthenticated
