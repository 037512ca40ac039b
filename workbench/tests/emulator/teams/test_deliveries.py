"""What becomes of a delivery: held, delivered, failed; each once."""

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest
from botbuilder.core import TurnContext

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.teams.deliveries import DeliveryReport
from bot_workbench.emulator.teams.directory.conversation import TeamsConversation
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage
from tests.support.timing import condition


@pytest.fixture(autouse=True)
def _usual(running_cloud: CloudThread) -> Iterator[None]:
    """Afterwards, the bot is ready, and time limits are the usual ones."""
    cloud = running_cloud.cloud
    deliveries = cloud.teams.deliveries
    usual, timeout = vars(deliveries).copy(), cloud.channel.timeout
    yield
    for name in ("hold_seconds", "invoke_hold_seconds", "min_wait_seconds", "redelivery_seconds"):
        setattr(deliveries, name, usual[name])
    cloud.channel.timeout = timeout
    report(running_cloud, "ready")


def report(running_cloud: CloudThread, state: str) -> None:
    """Report the bot's status, as the feed does."""
    running_cloud.call(running_cloud.cloud.inspector.status.set, state, f"it is {state}")


async def test_a_delivery_is_reported(page: TeamsPage) -> None:
    """A page sees each one pending, then delivered, with the bot's status."""
    sent = await page.say("hello")
    await page.event("delivery", activityId=sent["id"], state="pending")
    event = await page.event("delivery", activityId=sent["id"], state="delivered")
    assert (event["status"], event["text"]) == (200, "")
    await page.call("POST", f"{page.path}/activities/{sent['id']}/retry", 409)


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_a_refused_delivery_has_failed(page: TeamsPage, bot: AdaptedBot, status: int) -> None:
    """It is not delivered again, and the page says what the bot answered."""
    bot.status = status
    sent = await page.say("hello")
    event = await page.event("delivery", activityId=sent["id"], state="failed")
    assert event["status"] == status
    assert str(status) in event["text"]
    bot.status = None
    await page.say("next")
    await bot.wait_for("message", 2)
    assert [each["text"] for each in bot.of("message")] == ["hello", "next"]


async def test_a_bot_that_is_too_slow(page: TeamsPage, bot: AdaptedBot, cloud: Cloud) -> None:
    """Its delivery has failed, and it is not delivered again."""
    cloud.channel.timeout = 1.5  # long enough that the bot has surely got it
    bot.may_answer.clear()
    sent = await page.say("hello")
    event = await page.event("delivery", activityId=sent["id"], state="failed")
    assert event["status"] == 504
    assert "1.5 seconds" in event["text"]
    bot.may_answer.set()
    cloud.channel.timeout = 15
    following = await page.say("next")
    await page.event("delivery", activityId=following["id"], state="delivered")
    assert [each["text"] for each in bot.of("message")] == ["hello", "next"]


async def test_a_lost_connection_is_no_reason_to_send_it_twice(
    page: TeamsPage, bot: AdaptedBot
) -> None:
    """The bot may have got it."""
    bot.server.faults.set(cut=True, handled=True, remaining=1)
    sent = await page.say("hello")
    event = await page.event("delivery", activityId=sent["id"], state="failed")
    assert "lost" in event["text"]
    await page.say("next")
    await bot.wait_for("message", 2)
    assert [each["text"] for each in bot.of("message")] == ["hello", "next"]


async def test_a_bot_that_cannot_be_reached_gets_it_later(page: TeamsPage, bot: AdaptedBot) -> None:
    """Messages wait, shown as held, and arrive in their order, once each."""
    await bot.server.stop()
    sent = [await page.say(f"message {number}") for number in range(5)]
    for each in sent:
        await page.event("delivery", activityId=each["id"], state="held")
    await bot.server.start()
    for each in sent:
        await page.event("delivery", activityId=each["id"], state="delivered")
    arrived = [each["text"] for each in bot.of("message")]
    assert arrived == [f"message {number}" for number in range(5)]


async def test_a_bot_that_can_be_reached_is_not_waited_for(
    page: TeamsPage, bot: AdaptedBot
) -> None:
    """While it works on a message that was held, the message is not shown as held."""
    await bot.server.stop()
    bot.may_answer.clear()
    sent = await page.say("hello")
    await page.event("delivery", activityId=sent["id"], state="held")
    await bot.server.start()

    def states() -> list[str]:
        return [each["state"] for each in page.events if each.get("activityId") == sent["id"]]

    await condition.comes_true(lambda: states() == ["pending", "held", "pending"])
    bot.may_answer.set()
    await page.event("delivery", activityId=sent["id"], state="delivered")


async def test_the_time_for_a_message_is_over_when_its_turn_comes(
    page: TeamsPage, bot: AdaptedBot, cloud: Cloud, running_cloud: CloudThread
) -> None:
    """It still waits a moment for the bot, which those in front may have kept busy."""
    report(running_cloud, "unknown")
    deliveries = cloud.teams.deliveries
    deliveries.hold_seconds = deliveries.min_wait_seconds = 0
    await bot.server.stop()
    lost = await page.say("lost")
    await page.event("delivery", activityId=lost["id"], state="failed")
    await bot.server.start()
    deliveries.min_wait_seconds = 60
    late = await page.say("late")
    await page.event("delivery", activityId=late["id"], state="delivered")


def test_a_wait_is_reported_once() -> None:
    """However often the bot is tried, pages get one event."""
    chat = TeamsConversation("a:1", {})
    events = chat.subscribe()
    delivery = DeliveryReport(chat, "1", "")
    delivery.publish_held()
    delivery.publish_held()
    assert events.qsize() == 1


async def test_a_message_is_delivered_again_on_request(
    page: TeamsPage, bot: AdaptedBot, cloud: Cloud
) -> None:
    """Switched on, the bot gets the same message a second time; pages know the switch's state."""
    cloud.teams.deliveries.redelivery_seconds = 0
    await page.call("POST", f"{page.path}/redelivery", on=True)
    await page.event("conversation", conversation={**page.chat, "redelivers": True})
    sent = await page.say("twice")
    again = await bot.wait_for("message", 2)
    assert again == bot.of("message")[0]
    await page.event("delivery", activityId=sent["id"], state="delivered")
    await page.call("POST", f"{page.path}/redelivery", on=False)
    await page.say("once")
    await bot.wait_for("message", 3)
    await page.say("next")
    await bot.wait_for("message", 4)
    assert [each["text"] for each in bot.of("message")] == ["twice", "twice", "once", "next"]


async def test_those_behind_a_slow_turn_wait_for_it(
    page: TeamsPage, bot: AdaptedBot, cloud: Cloud, running_cloud: CloudThread
) -> None:
    """They keep their order, and are not given up while the bot is at work."""
    finished = asyncio.Event()

    async def turn(context: TurnContext) -> None:
        if context.activity.text == "slow":
            await finished.wait()

    bot.turn = turn
    report(running_cloud, "starting")
    await page.say("first")
    await page.say("slow")
    report(running_cloud, "ready")
    await bot.wait_for("message", 2)
    cloud.teams.deliveries.hold_seconds = 0.1
    behind = await page.say("behind")
    # Shown after more than the time that it may be held.
    await page.event("delivery", activityId=behind["id"], state="held")
    assert len(bot.of("message")) == 2
    finished.set()
    await page.event("delivery", activityId=behind["id"], state="delivered")
    assert [each["text"] for each in bot.of("message")] == ["first", "slow", "behind"]


async def test_a_greeting_waits_for_the_bot(
    pages: aiohttp.ClientSession, bot: AdaptedBot, cloud: Cloud, running_cloud: CloudThread
) -> None:
    """While the host says that it is starting, nothing is sent; then the greeting is, first."""
    report(running_cloud, "starting")
    cloud.teams.deliveries.hold_seconds = 0.1
    page = await TeamsPage.opened(pages)
    await page.connect()
    hello = await page.event("hello")
    assert hello["status"]["state"] == "starting"
    sent = await page.say("too early")
    failed = await page.event("delivery", activityId=sent["id"], state="failed")
    assert failed["status"] == 502
    assert bot.activities == []
    cloud.teams.deliveries.hold_seconds = 60.0
    late = await page.say("hello")
    report(running_cloud, "ready")
    await page.event(
        "status",
        status={**hello["status"], "state": "ready", "text": "it is ready", "answers": True},
    )
    await page.event("delivery", activityId=late["id"], state="delivered")
    assert [each["type"] for each in bot.activities] == [
        "installationUpdate",
        "conversationUpdate",
        "message",
    ]
    await page.call("POST", f"{page.path}/activities/{sent['id']}/retry")
    again = await bot.wait_for("message", 2)
    assert again["id"] == sent["id"]
    await page.close()


async def test_an_invoke_waits_for_a_bot_that_is_starting(
    page: TeamsPage, bot: AdaptedBot, cloud: Cloud, running_cloud: CloudThread
) -> None:
    """It is delivered once the bot is ready."""
    report(running_cloud, "starting")
    await bot.server.stop()
    asking = asyncio.create_task(page.call("POST", f"{page.path}/invoke", name="a/b", value={}))
    await condition.comes_true(lambda: any("invoke" in path for path in cloud.pages.requests))
    await page.call("GET", page.path)
    await bot.server.start()
    report(running_cloud, "ready")
    assert (await asking)["status"] == 501


@pytest.mark.parametrize("state", ["starting", "broken"])
async def test_an_invoke_does_not_wait_long(
    page: TeamsPage, bot: AdaptedBot, cloud: Cloud, running_cloud: CloudThread, state: str
) -> None:
    """A bot that does not start is a 502 after a while, and one that is broken at once."""
    await bot.server.stop()
    report(running_cloud, "starting")
    report(running_cloud, state)
    cloud.teams.deliveries.invoke_hold_seconds = 0.1 if state == "starting" else 3600
    async with asyncio.timeout(condition.SECONDS):
        answer = await page.call("POST", f"{page.path}/invoke", name="a/b", value={})
    assert answer["status"] == 502
    assert "cannot be reached" in answer["text"]


async def test_broken_code_leaves_the_code_before_it(
    page: TeamsPage, bot: AdaptedBot, running_cloud: CloudThread
) -> None:
    """Messages are delivered while new code is loading, or does not load."""
    for state in ("ready", "loading", "broken"):
        report(running_cloud, state)
        await page.say(f"while {state}")
    await bot.wait_for("message", 3)


async def test_turns_of_a_conversation_run_at_once(page: TeamsPage, bot: AdaptedBot) -> None:
    """As Teams, it does not wait for the answer to one message before it sends the next."""
    bot.may_answer.clear()
    first = await page.say("first")
    await page.say("second")
    await bot.wait_for("message", 2)
    await page.event("delivery", activityId=first["id"])
    states = [each["state"] for each in page.events if each.get("activityId") == first["id"]]
    bot.may_answer.set()
    assert states == ["pending"]


async def test_a_page_that_comes_later_sees_what_has_not_arrived(
    page: TeamsPage, bot: AdaptedBot
) -> None:
    """A reloaded page knows which messages wait or have failed, and not those that have arrived."""
    done = await page.say("arrives")
    await page.event("delivery", activityId=done["id"], state="delivered")
    bot.status = 500
    failed = await page.say("fails")
    await page.event("delivery", activityId=failed["id"], state="failed")
    bot.status = None
    await bot.server.stop()
    sent = await page.say("waits")
    await page.event("delivery", activityId=sent["id"], state="held")
    later = await TeamsPage.opened(page.http, user=page.session["user"], conversation=page.chat)
    await later.connect()
    await later.event("delivery", activityId=failed["id"], state="failed")
    await later.event("delivery", activityId=sent["id"], state="held")
    assert not [each for each in later.events if each.get("activityId") == done["id"]]
    await bot.server.start()
    await later.event("delivery", activityId=sent["id"], state="delivered")
    held = [each for each in page.events if each.get("state") == "held"]
    assert len(held) == 1
    await later.close()


async def test_an_edit_that_has_failed(page: TeamsPage, bot: AdaptedBot) -> None:
    """The user tries the edit again, not the message, which the bot has."""
    sent = await page.say("first")
    await page.event("delivery", activityId=sent["id"], state="delivered")
    bot.status = 500
    path = f"{page.path}/activities/{sent['id']}"
    await page.call("PUT", path, activity={"text": "second"})
    await page.event("delivery", activityId=sent["id"], state="failed")
    bot.status = None
    await page.call("POST", f"{path}/retry")
    assert (await bot.wait_for("messageUpdate", 2))["text"] == "second"
    assert len(bot.of("message")) == 1


async def test_a_message_is_sent_once(page: TeamsPage, bot: AdaptedBot) -> None:
    """A page that did not get the answer sends it again, under its own id: nothing is doubled."""
    first = await page.say("once", clientId="c-1")
    assert await page.say("once", clientId="c-1") == first
    await page.say("next", clientId="c-2")
    await bot.wait_for("message", 2)
    assert [each["text"] for each in bot.of("message")] == ["once", "next"]
    shown = await page.sees("once")
    assert shown["clientId"] == "c-1"
    assert "clientId" not in bot.of("message")[0]


async def test_a_turn_has_an_id_while_somebody_watches(
    page: TeamsPage, running_cloud: CloudThread
) -> None:
    """The answer to a message names the inspector's row; without an inspector, it names none."""
    unwatched = await page.say("hello")
    assert unwatched["turn"] == ""
    running_cloud.call(running_cloud.cloud.watch)
    try:
        sent = await page.say("hello")
        event = await page.event("delivery", activityId=sent["id"], state="delivered")
        assert event["turn"] == sent["turn"]
        rows = running_cloud.cloud.inspector.log
        await condition.comes_true(lambda: rows.find(sent["turn"]) is not None)
    finally:
        running_cloud.cloud.channel.observer = None


async def test_what_is_on_its_way_ends_with_the_cloud(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A cloud that stops waits for no bot."""
    with CloudThread(Cloud(tmp_path_factory.mktemp("ending"))) as thread:
        thread.cloud.channel.bot_endpoint = "http://localhost:1/api/messages"
        async with aiohttp.ClientSession(thread.cloud.pages.url) as http:
            await TeamsPage.opened(http)
