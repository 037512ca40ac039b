"""Stored states that somebody has tampered with run nothing, and are refused with their path."""

import json
import subprocess
import sys

import pytest

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.objects.bot_classes import bot_classes
from cloud_adapter.state.stored_state import from_text
from tests.support.hostile_states import SHAPES, TAGS
from tests.support.project import ROOT


@pytest.fixture(autouse=True)
def _no_bot() -> None:
    """No bot of another test is in use: its folder would make some of the names its own."""
    bot_classes.use(None)


@pytest.mark.extended  # names classes of the Agents SDK and of pydantic
def test_thousands_of_hostile_states() -> None:
    """Nothing is imported, opened or started; no code of the bot runs; each error has its path.

    In a process of its own, because an audit hook stays until the end.
    """
    command = [sys.executable, "-W", "error", "-m", "tests.support.hostile_states"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    found = json.loads(run.stdout)
    assert found["states"] > 1000
    assert found["wrong"] == []
    assert set(found["ran"]) == {"hash"}  # no set without it: its members' class must define it
    assert found["events"] == []
    assert found["imported"] == []


@pytest.mark.parametrize("tag", TAGS)
def test_texts_that_the_log_shows(tag: str) -> None:
    """A hostile name is shown in quotes, cut, and on one line."""
    with pytest.raises(UnreadableState) as refused:
        from_text(json.dumps(["~typed", {"a\nb" + "x" * 999: {"~type": tag}}]))
    text = str(refused.value)
    assert len(text) < 500
    assert text.isprintable()


def test_a_long_path() -> None:
    """It is cut, too."""
    found: dict[str, object] = {"~type": "os:system"}
    for _ in range(99):
        found = {"~type": "botbuilder.schema:Activity", "x" * 80: found}
    with pytest.raises(UnreadableState) as refused:
        from_text(json.dumps(["~typed", {"a": found}]))
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
def test_the_same_in_a_plain_item(shape: object) -> None:
    """Without the mark of typed items nothing is a tag: these are a user's dicts."""
    try:
        text = json.dumps({"a": shape}, allow_nan=False)
    except ValueError:
        pytest.skip("is no JSON")
    assert from_text(text) == {"a": shape}
