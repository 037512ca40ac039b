"""azure.yaml says nothing that azd ignores: the published schema lets unknown keys pass.

Source: azure.yaml.json, the schema of azd 1.32.0.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.project import ROOT
from tests.workflows.pipeline_files import PipelineFile

TEXT = (ROOT / "azure.yaml").read_text("utf-8")

EVENTS = {
    f"{when}{what}"
    for when in ("pre", "post")
    for what in ("deploy", "down", "package", "provision", "publish", "restore", "up")
}
HOOK = {"run", "interactive", "kind", "dir"}
KEYS: dict[tuple[str, ...], set[str]] = {
    (): {"name", "metadata", "requiredVersions", "infra", "services", "workflows", "hooks"},
    ("metadata",): {"template"},
    ("requiredVersions",): {"azd"},
    ("infra",): {"provider", "path", "module"},
    ("services",): {"bot"},
    ("services", "bot"): {"project", "host", "language", "remoteBuild", "dist", "hooks"},
    ("services", "bot", "hooks"): {"prepackage"},
    ("services", "bot", "hooks", "prepackage"): HOOK,
    ("workflows",): {"up"},
    ("workflows", "up"): {"steps"},
    ("hooks",): EVENTS,
    **{("hooks", event): HOOK for event in EVENTS},
}
"""The keys that may be at each place, as far as this project needs them."""


def unknown(node: Any, place: tuple[str, ...] = ()) -> Iterator[str]:
    """The keys that are not known, with where they are."""
    for key, value in node.items():
        if key not in KEYS.get(place, set()):
            yield ".".join((*place, key))
        elif isinstance(value, dict):
            yield from unknown(value, (*place, key))


def test_azd_knows_each_key() -> None:
    """No key is misspelled."""
    assert list(unknown(PipelineFile(TEXT).document)) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("      prepackage:", "      prepackaging:", "services.bot.hooks.prepackaging"),
        ("    steps:", "    step:", "workflows.up.step"),
        ("    language:", "    languages:", "services.bot.languages"),
        ("  postdeploy:", "  afterdeploy:", "hooks.afterdeploy"),
        ("    interactive: true", "    interactiv: true", "hooks.preprovision.interactiv"),
        ("requiredVersions:", "requiredVersion:", "requiredVersion"),
    ],
)
def test_a_misspelled_key_is_found(old: str, new: str, found: str) -> None:
    """The place is named."""
    assert old in TEXT
    assert found in set(unknown(PipelineFile(TEXT.replace(old, new)).document))
