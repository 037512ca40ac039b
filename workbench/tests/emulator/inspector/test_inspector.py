"""Inspector: turns over its API, as the local cloud itself sees them."""

import asyncio
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot_workbench.emulator.channel.connector import BotConnector
from bot_workbench.emulator.channel.conversations import Activity
from bot_workbench.emulator.inspector.channel_watch import MATCH_SECONDS
from bot_workbench.emulator.inspector.inspector import BASE, Inspector
from bot_workbench.emulator.token_service.service import TokenService
from tests.emulator.inspector.inspected_bot import InspectedBot
from tests.emulator.inspector.inspector_client import InspectorClient
from tests.support.timing.condition import comes_true

USER = {"id": "29:user", "name": "You"}


async def test_a_delivery(client: InspectorClient, bot: InspectedBot) -> None:
    """A row has the activity, its caller's claims, the answer, and the bot's calls and replies."""

    async def turn(activity: Activity) -> web.Response:
        await bot.reply(activity)
        return web.json_response({"done": True})

    bot.turn = turn
    sent = await client.send(text="hello", **{"from": USER})
    assert (sent["status"], sent["body"]) == (200, {"done": True})
    found = await client.turn(sent["turn"])
    assert found["activity"] == bot.activities[0]
    assert found["claims"]["iss"] == "https://api.botframework.com"
    assert found["claims"]["serviceurl"] == bot.activities[0]["serviceUrl"]
    assert found["request"]["url"].endswith("/api/messages")
    assert found["response"]["status"] == 200
    assert found["response"]["body"] == {"done": True}
    assert [reply["text"] for reply in found["replies"]] == ["Hello!"]
    (call,) = found["calls"]
    assert (call["method"], call["purpose"]) == ("POST", "connector")
    assert call["attempts"][0]["status"] == 201
    assert (found["outcome"], found["status"], found["kind"]) == ("done", 200, "channel")
    assert found["from"] == USER
    assert found["ms"] > 0


async def test_the_senders_name(client: InspectorClient, connector: BotConnector) -> None:
    """An activity that has only its sender's id gets the name from the conversation's members."""
    conversation = connector.conversations.create([USER])
    address = {"from": {"id": USER["id"]}, "conversation": {"id": conversation.id}}
    sent = await client.send(type="installationUpdate", action="add", **address)
    found = await client.turn(sent["turn"])
    assert (found["from"], found["name"]) == (USER, "add")


async def test_the_trace_id_is_the_rows(client: InspectorClient, bot: InspectedBot) -> None:
    """The bot gets the row's id as the trace id of its request (W3C Trace Context)."""
    sent = await client.send(text="hello")
    trace = re.fullmatch(r"00-([0-9a-f]{32})-[0-9a-f]{16}-01", bot.headers[0]["traceparent"])
    assert trace is not None
    assert trace[1] == sent["turn"]


async def test_an_answer_that_is_no_success(client: InspectorClient, bot: InspectedBot) -> None:
    """A status that is no success is a failure; an invoke's says which method to write."""

    async def turn(activity: Activity) -> web.Response:
        return web.Response(status=501 if activity["type"] == "invoke" else 500)

    bot.turn = turn
    failed = await client.turn((await client.send(text="hello"))["turn"])
    assert (failed["outcome"], failed["error"]) == ("failed", "The bot answered 500.")
    sent = await client.send(type="invoke", name="task/fetch")
    unhandled = await client.turn(sent["turn"])
    assert unhandled["hint"] == "Nothing handles task/fetch: write on_teams_task_module_fetch"


async def test_a_turn_that_blocks_the_event_loop(
    client: InspectorClient, bot: InspectedBot, inspector: Inspector
) -> None:
    """The row still says so when the bot has answered."""

    async def turn(_: Activity) -> web.Response:
        blocked = {"event": "blocked", "turn": bot.headers[0]["traceparent"].split("-")[1]}
        inspector.feed.on_event({**blocked, "pid": 1, "place": "bot.py:1 in block"})
        return web.Response()

    bot.turn = turn
    found = await client.turn((await client.send(text="hello"))["turn"])
    assert found["hint"] == "The event loop was blocked by bot.py:1 in block"


async def test_a_delivery_during_a_block(
    client: InspectorClient, bot: InspectedBot, inspector: Inspector
) -> None:
    """Its row says what it waited for, though its process reports nothing of it."""
    inspector.feed.on_event({"event": "blocked", "pid": 1, "place": "bot.py:1 in block"})

    async def turn(_: Activity) -> web.Response:
        inspector.feed.on_event({"event": "disconnected", "pid": 1})
        return web.Response(status=500)

    bot.turn = turn
    found = await client.turn((await client.send(text="hello"))["turn"])
    assert found["hint"] == "The event loop was blocked by bot.py:1 in block"
    again = await client.turn((await client.send(text="hello"))["turn"])
    assert again["hint"] == ""


async def test_a_bot_that_cannot_be_reached(client: InspectorClient, bot: InspectedBot) -> None:
    """The row says that there was no answer."""
    await bot.server.stop()
    found = await client.turn((await client.send(text="hello"))["turn"])
    assert (found["status"], found["outcome"], found["response"]) == (502, "failed", None)
    assert found["error"].startswith("The bot cannot be reached at http://localhost:")


async def test_a_queued_turn(client: InspectorClient, bot: InspectedBot) -> None:
    """After 202 the row waits for the queue; a reply that comes later belongs to it."""

    async def turn(_: Activity) -> web.Response:
        return web.Response(status=202)

    bot.turn = turn
    sent = await client.send(text="hello")
    await client.turn_with(sent["turn"], outcome="queued", kind="queued")
    await bot.reply(bot.activities[0], "Later")
    found = await client.turn(sent["turn"])
    assert [reply["text"] for reply in found["replies"]] == ["Later"]


async def test_replies_of_concurrent_turns(client: InspectorClient, bot: InspectedBot) -> None:
    """Turns of the same conversation run at once: each row gets the replies to its activity."""
    both = asyncio.Barrier(2)

    async def turn(activity: Activity) -> web.Response:
        await both.wait()
        await bot.reply(activity, f"To {activity['text']}")
        return web.Response()

    first = await client.send(text="start")
    conversation = (await client.turn(first["turn"]))["activity"]["conversation"]
    bot.turn = turn
    sent = await asyncio.gather(
        *(client.send(text=text, conversation=conversation) for text in ("one", "two"))
    )
    for text, outcome in zip(("one", "two"), sent, strict=True):
        found = await client.turn(outcome["turn"])
        assert [reply["text"] for reply in found["replies"]] == [f"To {text}"]


async def test_a_message_that_is_no_reply(client: InspectorClient, bot: InspectedBot) -> None:
    """A message without a reply id belongs to the turn that runs in its conversation."""

    async def turn(activity: Activity) -> web.Response:
        await bot.send(activity["conversation"]["id"], "By the way")
        return web.Response()

    bot.turn = turn
    sent = await client.send(text="hello")
    found = await client.turn(sent["turn"])
    assert [reply["text"] for reply in found["replies"]] == ["By the way"]


async def test_a_proactive_message(
    client: InspectorClient, bot: InspectedBot, connector: BotConnector, inspector: Inspector
) -> None:
    """A message outside of any turn is a row of its own."""
    conversation = connector.conversations.create([USER])
    assert await bot.send(conversation.id, "News") == 201
    assert await bot.send("unknown", "News") == 404
    await comes_true(lambda: len(inspector.log.turns) == 2)
    rows = await client.rows()
    assert [(row["kind"], row["outcome"], row["status"], row["text"]) for row in rows] == [
        ("proactive", "done", 201, "News"),
        ("proactive", "failed", 404, "News"),
    ]
    found = await client.turn(rows[0]["id"])
    assert [reply["text"] for reply in found["replies"]] == ["News"]
    assert found["curl"] == ""
    await client.call("POST", f"/turns/{rows[0]['id']}/replay", status=409)


async def test_a_proactive_message_that_its_process_reports(
    client: InspectorClient, bot: InspectedBot, connector: BotConnector, inspector: Inspector
) -> None:
    """The process's report and the connector's are one row, though the report comes later."""
    conversation = connector.conversations.create([USER])
    await bot.send(conversation.id, "News")
    report = {
        "event": "turn_started",
        "turn": "0af7651916cd43dd8448eb211c80319c",
        "kind": "proactive",
        "conversation": conversation.id,
        "at": 1.0,
        "pid": 1,
    }
    later = MATCH_SECONDS / 2
    asyncio.get_running_loop().call_later(later, inspector.feed.on_event, report)
    await comes_true(lambda: any(turn.calls for turn in inspector.log.turns))
    continuation = {"type": "event", "name": "ContinueConversation", "conversation": {"id": "c"}}
    (row,) = await client.rows()
    assert (row["kind"], row["type"], row["text"]) == ("proactive", "message", "News")
    inspector.feed.on_event({**report, "activity": continuation})
    (row,) = await client.rows()
    assert (row["type"], row["conversation"]["id"]) == ("message", conversation.id)


async def test_a_turn_that_is_repeated(
    client: InspectorClient, bot: InspectedBot, inspector: Inspector
) -> None:
    """The Agents SDK repeats the turn that waited for a sign-in, as a proactive one.

    Its replies name the activity of the first turn, and are in the row of the second.
    """
    first = await client.send(text="hello")
    activity = (await client.turn(first["turn"]))["activity"]
    repetition = "0af7651916cd43dd8448eb211c80319c"
    assert await bot.reply(activity, "You are signed in") == 201
    report = {"event": "turn_started", "turn": repetition, "kind": "proactive", "at": 1.0, "pid": 1}
    inspector.feed.on_event({**report, "conversation": activity["conversation"]["id"]})
    await comes_true(lambda: any(turn.calls for turn in inspector.log.turns))
    assert (await client.turn(first["turn"]))["replies"] == []
    (reply,) = (await client.turn(repetition))["replies"]
    assert reply["text"] == "You are signed in"


async def test_a_late_reply(
    client: InspectorClient, bot: InspectedBot, inspector: Inspector
) -> None:
    """A reply to an activity whose turn is over is in that turn's row, if no turn repeats it."""
    sent = await client.send(text="hello")
    assert await bot.reply((await client.turn(sent["turn"]))["activity"], "Late") == 201
    await comes_true(lambda: any(turn.calls for turn in inspector.log.turns))
    (reply,) = (await client.turn(sent["turn"]))["replies"]
    assert reply["text"] == "Late"


async def test_faulty_answers_are_calls(
    client: InspectorClient, bot: InspectedBot, connector: BotConnector
) -> None:
    """An answer that a fault gave, or a connection that it cut, is a call of the turn, too."""
    statuses: list[int] = []

    async def turn(activity: Activity) -> web.Response:
        statuses.append(await bot.reply(activity))
        connector.server.faults.set(cut=True)
        try:
            await bot.reply(activity)
        except aiohttp.ClientError:
            statuses.append(0)
        connector.server.faults.clear()
        return web.Response()

    connector.server.faults.set(status=429, retry_after=1)
    bot.turn = turn
    found = await client.turn((await client.send(text="hello"))["turn"])
    assert statuses == [429, 0]
    attempts = [call["attempts"][0] for call in found["calls"]]
    assert [attempt["status"] for attempt in attempts] == [429, None]
    assert attempts[1]["error"] == "The connection ended without a response."
    assert (found["replies"], found["errors"]) == ([], 2)


async def test_calls_of_the_token_service(
    client: InspectorClient, bot: InspectedBot, token_service: TokenService
) -> None:
    """The token service's calls belong to the user's turn; nothing of them has a token."""
    url = token_service.server.url

    async def turn(activity: Activity) -> web.Response:
        query = f"userId={activity['from']['id']}&connectionName=any&channelId=msteams"
        await bot.call("GET", f"/api/usertoken/GetToken?{query}", base=url)
        return web.Response()

    bot.turn = turn
    sent = await client.send(text="login", **{"from": USER})
    found = await client.turn(sent["turn"])
    (call,) = found["calls"]
    assert (call["url"], call["purpose"]) == ("/api/usertoken/GetToken", "user token")
    assert (call["attempts"][0]["status"], call["response"]) == (404, None)


async def test_tokens_are_not_shown(client: InspectorClient, bot: InspectedBot) -> None:
    """A token in an activity is replaced wherever it is shown; a replay has it again."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJib3QifQ.c2lnbmF0dXJl"  # no secret
    sent = await client.send(type="event", name="tokens/response", value={"token": token})
    async with client.session.get(f"{BASE}/turns/{sent['turn']}") as response:
        text = await response.text()
    assert "eyJ" not in text
    assert '"token": "[token]"' in text
    await client.call("POST", f"/turns/{sent['turn']}/replay")
    assert bot.activities[-1]["value"] == {"token": token}


async def test_replay(client: InspectorClient, bot: InspectedBot, connector: BotConnector) -> None:
    """A replay is the same activity with a new id and time, in a row that names the first one."""
    sent = await client.send(text="hello", value={"n": 1})
    again = await client.call("POST", f"/turns/{sent['turn']}/replay")
    first, second = bot.activities
    changed = {name for name in first if first[name] != second[name]}
    assert changed <= {"id", "timestamp"}
    assert "id" in changed
    found = await client.turn(again["turn"])
    assert found["replay_of"] == sent["turn"]
    texts = [
        activity["text"]
        for activity in connector.conversations.find(first["conversation"]["id"]).activities
    ]
    assert texts == ["hello", "hello"]  # the chat page shows what was sent again


async def test_replay_of_an_event(client: InspectorClient, bot: InspectedBot) -> None:
    """An activity that no conversation stores gets a new id: the queue takes the old for a copy."""
    sent = await client.send(type="event", name="any", id="1", value={"n": 1})
    await client.call("POST", f"/turns/{sent['turn']}/replay")
    first, second = bot.activities
    assert len({"1", first["id"], second["id"]}) == 3
    assert first["value"] == second["value"]


async def test_edit_and_send(client: InspectorClient, bot: InspectedBot) -> None:
    """An edited activity is delivered as it is, and its row names the one that was edited."""
    sent = await client.send(text="hello")
    edited = {**bot.activities[0], "text": "hello again", "locale": "de-DE"}
    body = {"activity": edited, "replay_of": sent["turn"]}
    again = await client.call("POST", "/send", body)
    assert (bot.activities[1]["text"], bot.activities[1]["locale"]) == ("hello again", "de-DE")
    assert (await client.turn(again["turn"]))["replay_of"] == sent["turn"]
    other = await client.call("POST", "/send", {**body, "replay_of": "unknown"})
    assert (await client.turn(other["turn"]))["replay_of"] is None


async def test_what_is_about_another_message(client: InspectorClient, bot: InspectedBot) -> None:
    """The id of an edit, a deletion or a reaction is another message's, and is kept."""
    for kind in ("messageUpdate", "messageDelete", "messageReaction"):
        await client.send(type=kind, id="1700000000000")
        assert bot.activities[-1]["id"] == "1700000000000"


async def test_a_new_activity_goes_where_the_last_one_went(
    client: InspectorClient, bot: InspectedBot
) -> None:
    """What a written activity lacks of its address is the newest delivery's."""
    await client.send(text="one", **{"from": USER}, channelId="webchat")
    await client.send(type="event", name="anything", recipient={"id": "28:other"})
    first, second = bot.activities
    for name in ("from", "conversation", "serviceUrl", "channelId"):
        assert second[name] == first[name]
    assert second["recipient"] == {"id": "28:other"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "activity"),
        ({}, "activity"),
        ({"activity": "hello"}, "must be a JSON object"),
        ({"activity": {}}, "needs a type"),
        ({"activity": {"type": 3}}, "needs a type"),
        ({"activity": {"type": "message", "from": "me"}}, "from must be an object with an id"),
        ({"activity": {"type": "message", "conversation": {}}}, "conversation must be an object"),
        ({"activity": {"type": "message", "recipient": []}}, "recipient must be an object"),
        ({"activity": {"type": "message", "serviceUrl": 3}}, "serviceUrl must be text"),
    ],
)
async def test_what_is_no_activity(
    client: InspectorClient, bot: InspectedBot, body: Any, says: str
) -> None:
    """What cannot be delivered is refused with a sentence that says why."""
    text = await client.call("POST", "/send", body, 400)
    assert says in text
    assert bot.activities == []


async def test_what_is_no_json(client: InspectorClient) -> None:
    """A body that is not JSON, or too deep, is refused."""
    for data in ("{", "[" * 100_000, "\udcff".encode("utf-8", "surrogateescape")):
        async with client.session.post(f"{BASE}/send", data=data) as response:
            assert (response.status, await response.text()) == (400, "The body is not JSON.")


async def test_unknown_turns(client: InspectorClient) -> None:
    """A turn that does not exist, or is no longer kept, is 404 with a sentence."""
    for method, path in (("GET", "/turns/none"), ("POST", "/turns/none/replay")):
        text = await client.call(method, path, status=404)
        assert text == "There is no such turn, or it is no longer kept."


async def test_clear_and_search(client: InspectorClient) -> None:
    """The search looks into details; clearing removes them."""
    sent = [
        (await client.send(text="Tee"))["turn"],
        (await client.send(text="Café", value={"deep": ["Zucker"]}))["turn"],
    ]
    assert await client.call("GET", "/turns?search=zucker%20caf%C3%A9") == {"turns": [sent[1]]}
    assert await client.call("GET", "/turns?search=") == {"turns": sent}
    await client.call("DELETE", "/turns")
    assert await client.rows() == []
    assert await client.call("GET", "/turns?search=zucker") == {"turns": []}
