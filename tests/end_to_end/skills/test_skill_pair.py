"""A parent bot and its skill, in two processes: messages, events, and the end of a conversation."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from auth.settings import INLINE, QUEUED
from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.adapter import APOLOGY
from tests.support.skills.expecting_parent import EXPECTING
from tests.support.skills.signing_in_skill import SIGNING_IN
from tests.support.skills.skill_pair import PARENT, SKILL, SkillPair, running_pair
from tests.support.timing.condition import until

MEMORY = "memory"

FEWER_PARTS = pytest.mark.extended(covered_by=["tests/end_to_end/skills/test_skill_pair.py"])
"""Queued turns show it, too."""

VERSION_2 = pytest.param(
    2, marks=pytest.mark.extended(covered_by=["tests/auth/inbound/test_bot_callers.py"])
)

StartPair = Callable[..., SkillPair]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud with bots of its own."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("cloud"))) as thread:
        yield thread.cloud


@pytest.fixture(
    params=[
        pytest.param(MEMORY, marks=FEWER_PARTS),
        pytest.param(INLINE, marks=FEWER_PARTS),
        QUEUED,
    ]
)
def start_pair(
    request: pytest.FixtureRequest, azurite: AzuriteAccounts, cloud: Cloud, tmp_path: Path
) -> Iterator[StartPair]:
    """Starts both bots, with state in memory, or in Azurite with inline or queued turns."""
    stored = request.param != MEMORY
    with ExitStack() as stack:

        def start(*bots: str, token_version: int = 1) -> SkillPair:
            parent, skill = (
                {"AzureWebJobsStorage": azurite.fresh(), "BotTurns": request.param}
                if stored
                else {}
                for _ in range(2)
            )
            texts = (bots[0], bots[1]) if bots else (PARENT, SKILL)
            pair = running_pair(cloud, tmp_path, parent, skill, texts, token_version=token_version)
            return stack.enter_context(pair)

        yield start
    for log in tmp_path.glob("*.log"):
        assert not re.search("eyJ|Bearer ", log.read_text()), "a token is in the log"


def says(pair: SkillPair, text: str, *replies: str) -> None:
    """The user says something, and gets these replies."""
    before = len(pair.texts())
    assert pair.user.says(text) in (200, 202)
    until(lambda: pair.texts()[before:] == list(replies))


@pytest.mark.parametrize("token_version", [1, VERSION_2])
def test_a_conversation_with_a_skill(start_pair: StartPair, token_version: int) -> None:
    """The skill gets what the user says and replies to the user, until it ends the conversation."""
    pair = start_pair(token_version=token_version)
    says(pair, "hello", "Say skill")
    says(pair, "skill", "Echo 1: skill")
    says(pair, "again", "Echo 2: again")
    parent_id = pair.cloud.registration.app_id
    says(pair, "who", f"urn:botframework:aadappid:{parent_id} True")
    says(pair, "event", "Event: event")
    says(pair, "fail", APOLOGY)
    says(pair, "members", "Ada, Bot")
    says(pair, "update", "Second")
    says(pair, "delete", "Deleted")
    says(pair, "end", "Back: completedSuccessfully {'n': 9}")
    says(pair, "hello", "Say skill")


def test_replies_in_the_response(start_pair: StartPair) -> None:
    """SkillDialog passes on what the skill answers, and returns what it ends with."""
    pair = start_pair(EXPECTING, SKILL)
    says(pair, "hello", "Echo 1: hello")
    says(pair, "again", "Echo 2: again")
    says(pair, "end", "Result: {'n': 3}")
    says(pair, "end", "Result: {'n': 4}")


def test_a_skill_that_signs_the_user_in(start_pair: StartPair) -> None:
    """The user gets the card through the parent, and the skill the token for the user's code."""
    pair = start_pair(PARENT, SIGNING_IN)
    assert pair.user.says("skill") in (200, 202)
    until(lambda: bool(found_link(pair)))
    sign_in = pair.cloud.user_tokens.find_sign_in(found_link(pair).partition("signin=")[2])
    assert sign_in
    code = pair.cloud.user_tokens.confirm(sign_in)
    before = len(pair.texts())
    assert pair.user.says(code) in (200, 202)
    until(lambda: pair.texts()[before:] == ["Back: completedSuccessfully {'token': True}"])


def found_link(pair: SkillPair) -> str:
    """The link of the sign-in card that the user has got; empty: there is none yet."""
    attachments = [
        card for each in pair.conversation.activities for card in each.get("attachments", ())
    ]
    return next((card["content"]["buttons"][0]["value"] for card in attachments), "")
