"""A parent bot and its skill, in two processes: messages, events, and the end of a conversation."""

from collections.abc import Iterator

import pytest

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from emulator.cloud import Cloud
from tests.support.skills.skill_pair import SkillPair, running_pair
from tests.support.timing.condition import until


@pytest.fixture(scope="module", params=["memory", INLINE, QUEUED])
def pair(
    request: pytest.FixtureRequest,
    azurite: AzuriteAccounts,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[SkillPair]:
    """Both bots with state in memory, or in Azurite with inline or queued turns."""
    folder = tmp_path_factory.mktemp("skill_pair")
    with CloudThread(Cloud(folder)) as thread:
        settings: dict[str, str] = {}
        skill_settings: dict[str, str] = {}
        if request.param != "memory":
            settings = {"AzureWebJobsStorage": azurite.fresh(), "BotTurns": request.param}
            skill_settings = {"AzureWebJobsStorage": azurite.fresh()}
        with running_pair(thread.cloud, folder, settings, skill_settings) as pair:
            yield pair


def says(pair: SkillPair, text: str, *replies: str) -> None:
    """The user says something, and gets these replies."""
    before = len(pair.texts())
    assert pair.user.says(text) in (200, 202)
    until(lambda: len(pair.texts()) >= before + len(replies))
    assert pair.texts()[before:] == list(replies)


def test_a_conversation_with_a_skill(pair: SkillPair) -> None:
    """The skill gets what the user says and replies to the user, until it ends the conversation."""
    says(pair, "hello", "Say skill")
    says(pair, "skill", "Echo 1: skill")
    says(pair, "again", "Echo 2: again")
    parent_id = pair.cloud.registration.app_id
    says(pair, "who", f"urn:botframework:aadappid:{parent_id} True")
    says(pair, "event", "Event: event")
    says(pair, "members", "Ada, Bot")
    says(pair, "end", "Back: completedSuccessfully {'n': 6}")
    says(pair, "hello", "Say skill")
