"""Notifications: who gets what, and what the report says; the composed app and the local cloud."""

import json
import logging
from typing import Any

import pytest
from botbuilder.core import CardFactory, Middleware, TurnContext
from botbuilder.schema import Activity

from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.codec import read_model
from cloud_adapter.errors import BadNotification
from cloud_adapter.proactive.notifications import (
    BUSY_DELAY_SECONDS,
    LOCK,
    MAX_FAILED_RUNS,
    POISON_QUEUE,
    RETRY_DELAYS_SECONDS,
)
from cloud_adapter.proactive.references import CONTAINER as REFERENCES
from cloud_adapter.proactive.run import CONTAINER
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import EMPTY_STATE
from cloud_adapter.storage.blobs import BlobContainer
from tests.support.bots.composed_app import ComposedApp
from tests.support.bots.notifier import TENANT, Notifier, texts
from tests.support.timing.locked_turn import LockedTurn
from tests.support.timing.stepped_clock import SteppedClock

HELLO = {"to": "all", "text": "hello"}


async def test_all_conversations(notifier: Notifier, caplog: pytest.LogCaptureFixture) -> None:
    """Each gets it once, at the end of the conversation; the report says so, the log counts."""
    caplog.set_level(logging.INFO, "cloud_adapter")
    conversations = await notifier.add_users(3)
    await notifier.send(HELLO)
    for conversation in conversations:
        [activity] = conversation.activities
        assert activity["text"] == "hello"
        assert "replyToId" not in activity
    results = await notifier.results()
    assert results == {f"msteams/{each.id}": ("sent", "") for each in conversations}
    assert (await notifier.report())[-1]["summary"] == {"sent": 3}
    assert "Notification m1 is done: 3 sent" in caplog.text
    assert "hello" not in caplog.text


async def test_all_of_one_channel(notifier: Notifier) -> None:
    """Other channels' conversations get nothing; without `channel` every channel's do."""
    teams, slack = await notifier.add_user(1), await notifier.add_user(2, "slack")
    await notifier.send({**HELLO, "channel": "slack"})
    assert (texts(teams), texts(slack)) == ([], ["hello"])
    assert (await notifier.report())[-1] == {"summary": {"sent": 1}, "channels": {"slack": 1}}
    await notifier.send(HELLO, "m2")
    assert (texts(teams), texts(slack)) == (["hello"], ["hello", "hello"])
    assert (await notifier.report("m2"))[-1]["channels"] == {"msteams": 1, "slack": 1}


async def test_a_card(notifier: Notifier) -> None:
    """A card goes without a text, as an attachment."""
    [conversation] = await notifier.add_users(1)
    card = {"type": "AdaptiveCard", "version": "1.5", "body": []}
    await notifier.send({"to": "all", "card": card})
    [activity] = conversation.activities
    [attachment] = activity["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"] == card


async def test_an_attachment_in_place_of_a_card(app: ComposedApp) -> None:
    """What everything else of the SDK takes is refused, with the cure."""
    card: Any = CardFactory.adaptive_card({"type": "AdaptiveCard"})
    with pytest.raises(BadNotification, match="that of an attachment is its content"):
        await app.parts.services.notify("all", card=card)


async def test_the_same_notification(notifier: Notifier) -> None:
    """One that is finished is not sent again, not even to a new recipient."""
    [conversation] = await notifier.add_users(1)
    await notifier.send({**HELLO, "id": "n1"}, "m1")
    await notifier.send({**HELLO, "id": "n1"}, "m2")
    assert texts(conversation) == ["hello"]
    new = await notifier.add_user(7)
    await notifier.send({**HELLO, "id": "n1"}, "m3")
    assert texts(new) == []
    assert len(await notifier.report("n1")) == 2


async def test_recipients_by_each_of_their_ids(notifier: Notifier) -> None:
    """A conversation, a user of the channel, one of Entra: three ways to one, who gets it once."""
    one, other = await notifier.add_users(2)
    entra = "00000000-0000-0000-0000-000000000000"
    await notifier.send({"to": [one.id, "29:0", entra, f"msteams/{other.id}"], "text": "hello"})
    assert (texts(one), texts(other)) == (["hello"], ["hello"])
    results = await notifier.results()
    assert sorted(result for result, _ in results.values()) == ["repeated"] * 2 + ["sent"] * 2


async def test_a_personal_conversation_is_created(app: ComposedApp, notifier: Notifier) -> None:
    """A user who was only seen in a group gets one, whichever id is used, and it is stored."""
    group = {"id": "19:g", "conversationType": "groupChat", "isGroup": True, "tenantId": TENANT}
    ada = {"id": "29:ada", "name": "Ada", "aadObjectId": "aaaaaaaa-0000-0000-0000-000000000001"}
    content = {"type": "message", "channelId": "msteams", "from": ada, "conversation": group}

    async def silent(_: TurnContext) -> None: ...

    await app.deliver(content, silent)
    before = set(app.cloud.conversations.by_id)
    await notifier.send({"to": [ada["id"], ada["aadObjectId"].upper()], "text": "hello"})
    [new] = set(app.cloud.conversations.by_id) - before
    conversation = app.cloud.conversations.find(new)
    assert set(conversation.members) == {"29:ada", app.account["id"]}
    assert texts(conversation) == ["hello"]
    await notifier.send({"to": "29:ada", "text": "again"}, "m2")
    assert texts(conversation) == ["hello", "again"]
    names = [
        entry async for entry in BlobContainer(notifier.account, REFERENCES).list("conversations/")
    ]
    assert len(names) == 2


async def test_an_unknown_recipient(notifier: Notifier) -> None:
    """An unknown recipient is reported, and the others get it."""
    [conversation] = await notifier.add_users(1)
    await notifier.send({"to": ["29:nobody", conversation.id], "text": "hello"})
    results = await notifier.results()
    assert results["29:nobody"][0] == "unknown"
    assert texts(conversation) == ["hello"]
    assert (await notifier.report())[-1]["summary"] == {"unknown": 1, "sent": 1}


async def test_a_conversation_that_is_gone(notifier: Notifier, app: ComposedApp) -> None:
    """One that the channel does not know any more is reported."""
    gone, here = await notifier.add_users(2)
    del app.cloud.conversations.by_id[gone.id]
    await notifier.send(HELLO)
    results = await notifier.results()
    assert results[f"msteams/{gone.id}"][0] == "failed"
    assert results[f"msteams/{gone.id}"][1].startswith("404 ConversationNotFound: ")
    assert texts(here) == ["hello"]


async def test_a_service_url_that_is_refused(notifier: Notifier, app: ComposedApp) -> None:
    """The bot's token goes only where its settings allow, whatever was stored before."""
    [conversation] = await notifier.add_users(1)
    elsewhere = {"id": "a:9", "conversationType": "personal"}
    content = {"type": "message", "conversation": elsewhere, "channelId": "msteams"}
    foreign = {**app.activity(content), "serviceUrl": "https://evil.example/"}
    await notifier.references.store(read_model(Activity, foreign))
    await notifier.send(HELLO)
    result, reason = (await notifier.results())["msteams/a:9"]
    assert result == "failed"
    assert "evil.example is not a channel's" in reason
    assert texts(conversation) == ["hello"]


async def test_the_bots_own_middleware_fails(
    notifier: Notifier, app: ComposedApp, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have failed before or after: reported, and in the log with its trace."""

    class Broken(Middleware):  # type: ignore[misc]  # untyped SDK base
        async def on_turn(self, context: TurnContext, logic: Any) -> None:
            await logic()
            raise ZeroDivisionError

    [conversation] = await notifier.add_users(1)
    app.parts.adapter.use(Broken())
    await notifier.send(HELLO)
    assert texts(conversation) == ["hello"]
    [(result, reason)] = (await notifier.results()).values()
    assert (result, "ZeroDivisionError" in reason) == ("uncertain", True)
    assert "ZeroDivisionError" in caplog.text


async def test_while_another_process_sends(
    notifier: Notifier,
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    storage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The notification is put back into the queue under its id, which is logged, and sent later."""
    caplog.set_level(logging.INFO)
    [conversation] = await notifier.add_users(1)
    async with ComposedApp(cloud, monkeypatch, {"AzureWebJobsStorage": storage}) as second:
        assert second.parts.account
        blobs = BlobContainer(second.parts.account, CONTAINER)
        await blobs.write(LOCK, EMPTY_STATE, None)  # there were notifications before
        locks = ConversationLocks(blobs)
        sending = await LockedTurn.start(locks, LOCK)
        await notifier.send(HELLO, "m2")
        assert texts(conversation) == []
        assert await notifier.report("m2") == []
        [(message, delay)] = notifier.queue.enqueued
        assert (json.loads(message)["id"], delay) == ("m2", BUSY_DELAY_SECONDS)
        assert "Notification m2 is put back into the queue: " in caplog.text
        await sending.end()
    await notifier.send_enqueued()
    assert texts(conversation) == ["hello"]


async def test_a_message_that_is_not_a_notification(
    notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    """One error, a report with the reason, and the message in the poison queue; nothing quoted."""
    await notifier.add_user(1)
    await notifier.send('{"text": "sesame"}')
    [line] = await notifier.report()
    assert "names no recipient" in line["error"]
    assert await notifier.visible(POISON_QUEUE) == ['{"text": "sesame"}']
    [record] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert "names no recipient" in record.getMessage()
    assert "sesame" not in caplog.text


async def test_runs_that_fail(
    notifier: Notifier, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """They are counted in the message; after five, it is in the poison queue, to be sent again."""
    [conversation] = await notifier.add_users(1)
    faults = cloud.connector.server.faults
    faults.set(status=401, path="/activities")
    await notifier.send({**HELLO, "id": "n1"})
    await notifier.send_enqueued()
    assert [delay for _, delay in notifier.queue.enqueued] == [*RETRY_DELAYS_SECONDS]
    assert "Notification n1 is dead-lettered: 5 runs failed, the last one: " in caplog.text
    assert "hello" not in caplog.text
    faults.clear()
    [text] = await notifier.visible(POISON_QUEUE)
    faults.set(status=401, path="/activities")
    await notifier.send(text)
    faults.clear()
    await notifier.send(notifier.queue.enqueued[-1][0])
    assert texts(conversation) == ["hello"]


async def test_a_message_that_is_received_again(
    notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    """However often, that is one failed run more, which is counted before the next one."""
    [conversation] = await notifier.add_users(1)
    await notifier.send(HELLO, dequeue_count=900)
    for _ in range(2, MAX_FAILED_RUNS):
        [*_, (text, delay)] = notifier.queue.enqueued
        assert delay == 0
        await notifier.send(text, dequeue_count=2)
    last = notifier.queue.enqueued[-1][0]
    assert texts(conversation) == []
    await notifier.send(last)
    assert texts(conversation) == ["hello"]
    await notifier.send(last, dequeue_count=2)
    assert json.loads((await notifier.visible(POISON_QUEUE))[0]) == {
        "v": 1,
        **HELLO,
        "to": ["all"],
        "id": "m1",
    }
    assert "is dead-lettered: 5 runs failed, the last one: it was received again" in caplog.text


async def test_a_run_that_succeeds(app: ComposedApp, clock: SteppedClock) -> None:
    """One that had no time for every recipient did not fail, and ends the row of those before."""
    notifier = Notifier(app, clock, max_run_seconds=0)
    await notifier.add_users(1)
    await notifier.send({"v": 1, **HELLO, "failed": MAX_FAILED_RUNS - 1})
    [(text, _)] = notifier.queue.enqueued
    assert "failed" not in json.loads(text)


async def test_an_invalid_notification_with_an_id(notifier: Notifier) -> None:
    """Its report is where its sender looks for it."""
    await notifier.send({"to": "all", "id": "n1"})
    assert "error" in (await notifier.report("n1"))[0]
