"""The chat's pages learn which message apologizes for a failed turn."""

from collections.abc import Iterator
from typing import Any

import pytest
from botbuilder.core import TurnContext

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_progress import ACCEPTED
from bot_workbench.emulator.teams.apologies import Apologies
from cloud_adapter.adapter import APOLOGY
from tests.emulator.teams.connector_caller import ConnectorCaller
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage


@pytest.fixture(autouse=True)
def _watched(running_cloud: CloudThread) -> Iterator[None]:
    """The inspector knows the turns."""
    running_cloud.call(running_cloud.cloud.watch)
    yield
    running_cloud.cloud.channel.observer = None


def report(running_cloud: CloudThread, event: str, turn: str, **fields: Any) -> None:
    """Report what becomes of a turn, as the bot's process does."""
    events = running_cloud.cloud.inspector.feed.on_event
    running_cloud.call(events, {"event": event, "turn": turn, "pid": 1, **fields})


def marks(page: TeamsPage) -> dict[str, str]:
    """The turns by the ids of the messages that are marked as their apologies."""
    newest = {each["activityId"]: each for each in page.events if each["type"] == "delivery"}
    return {key: each["turn"] for key, each in newest.items() if each["state"] == "apology"}


async def test_a_turn_that_fails(
    page: TeamsPage, bot: AdaptedBot, running_cloud: CloudThread
) -> None:
    """What the bot said last is marked with the turn, for later pages, too; other turns are not."""

    async def turn(context: TurnContext) -> None:
        await context.send_activity(f"on {context.activity.text}")
        if context.activity.text == "fail":
            raise ValueError

    bot.turn = turn
    for text in ("work", "fail"):
        sent = await page.say(text)
        await page.event("delivery", activityId=sent["id"], state="delivered")
        error = "bot.py:1 ValueError" if text == "fail" else ""
        report(running_cloud, "turn_ended", sent["turn"], error=error)
    apology = await page.sees(APOLOGY)
    await page.event("delivery", activityId=apology["id"], state="apology")
    assert marks(page) == {apology["id"]: sent["turn"]}
    later = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await later.connect()
    await later.event("delivery", activityId=apology["id"], state="apology", turn=sent["turn"])
    await later.close()


async def test_a_queued_turn_that_is_tried_again(
    page: TeamsPage, bot: AdaptedBot, running_cloud: CloudThread, connector: ConnectorCaller
) -> None:
    """What an attempt said before the last one is marked no longer; typing never is."""
    bot.status = ACCEPTED
    sent = await page.say("fail")
    await page.event("delivery", activityId=sent["id"], state="delivered")
    path = f"/conversations/{page.chat['id']}/activities/{sent['id']}"

    async def attempt(text: str) -> str:
        report(running_cloud, "turn_started", sent["turn"], kind="queued")
        _, said = await connector.call("POST", path, {"type": "message", "text": text})
        await connector.call("POST", path, {"type": "typing"})
        report(running_cloud, "turn_ended", sent["turn"], error="bot.py:1 ValueError")
        await page.event("delivery", activityId=said["id"], state="apology", turn=sent["turn"])
        return str(said["id"])

    first = await attempt("first")
    assert marks(page) == {first: sent["turn"]}
    last = await attempt("last")
    assert marks(page) == {last: sent["turn"]}


def test_a_turn_of_another_channel(cloud: Cloud) -> None:
    """A turn of Web Chat, which fails, is no error of the inspector's."""
    turn = Turn("1", 1, 0.0, conversation_id="of Direct Line", last_reply="2")
    turn.progress.run_ended(1, 1.0, failed=True)
    Apologies(cloud.teams_directory).turn_changed(turn)
