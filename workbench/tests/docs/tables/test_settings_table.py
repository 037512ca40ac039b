"""The settings in docs/settings.md are those of the example file, in the same order."""

import json
import re

from auth.settings import Settings
from tests.support.project import ROOT

HOST_SETTING = "FUNCTIONS_WORKER_RUNTIME"
"""Read by the Functions host only."""


def example() -> dict[str, str]:
    """The values of local.settings.json.example."""
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text())[
        "Values"
    ]
    return values


def test_the_page_lists_the_example() -> None:
    """The page's tables hold each setting of the example once, in order, and no other."""
    page = (ROOT / "docs" / "settings.md").read_text().split("\n## Endpoints\n")[0]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert named == [name for name in example() if name != HOST_SETTING]


def test_the_example_is_right() -> None:
    """A copy of the example is a set of settings that the bot accepts."""
    settings = Settings.from_environ(example())
    assert settings.credential == "ManagedIdentity"
    assert not settings.unauthenticated
