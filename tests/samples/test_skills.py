"""Skills and their parents, written as Microsoft's samples are: not a line is changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.skills.skill_pair import SkillPair, running_pair
from tests.support.timing.condition import until

BOTS = Path(__file__).parent / "bots"

Settings = tuple[dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud with bots of its own."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("skills"))) as thread:
        yield thread.cloud


@pytest.fixture(params=[INLINE, QUEUED])
def settings(request: pytest.FixtureRequest, azurite: AzuriteAccounts) -> Settings:
    """The parent's and the skill's; inline, their state is in memory."""
    if request.param == INLINE:
        return {}, {}
    parent, skill = ({"AzureWebJobsStorage": azurite.fresh(), "BotTurns": QUEUED} for _ in range(2))
    return parent, skill


def says(pair: SkillPair, text: str, expected: list[str], **more: Any) -> None:
    """Say something, and wait for what the user gets."""
    before = len(pair.texts())
    assert pair.user.sends({"type": "message", "text": text, **more}).status in (200, 202)
    until(lambda: len(pair.texts()) >= before + len(expected))
    assert pair.texts()[before:] == expected, text


def test_forwarding(cloud: Cloud, tmp_path: Path, settings: Settings) -> None:
    """80 simple-bot-to-bot: messages are forwarded until the skill ends the conversation."""
    folders = (BOTS / "hotel", BOTS / "porter")
    carried = ["I carry: a suitcase", "Anything else?"]
    with running_pair(cloud, tmp_path, *settings, folders=folders) as pair:
        says(pair, "hi", ["Shall I call the porter?"])
        says(pair, "porter", ["I call the porter.", "I carry: porter", "Anything else?"])
        says(pair, "a suitcase", carried)
        says(pair, "thanks", ["Have a good stay.", "The porter has left: completedSuccessfully"])
        says(pair, "hi", ["Shall I call the porter?"])


def test_dialogs(cloud: Cloud, tmp_path: Path, settings: Settings) -> None:
    """81 skilldialog: a dialog of the parent runs one of the skill, and gets its result."""
    what, again = "What shall we do?", "What else?"
    folders = (BOTS / "office", BOTS / "archive")
    with running_pair(cloud, tmp_path, *settings, folders=folders) as pair:
        says(pair, "hi", [what])
        says(pair, "Count", ["There are 3 papers.", again])
        says(pair, "File", ["File what?"])
        says(pair, "a contract", ["File a contract?"])
        says(pair, "yes", ["Archive: {'filed': 'a contract'}", again])
        says(pair, "File a letter", ["File a letter?"])
        says(pair, "abort", [what])
        says(pair, "File a letter", ["File a letter?"])
        says(pair, "no", [again])
        says(pair, "a riddle", ["Read: a riddle", again])
