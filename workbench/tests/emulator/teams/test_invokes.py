"""Invokes: what the bot gets, and what the page is answered."""

from typing import Any

import pytest
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.entra.registration import issuer_of
from tests.emulator.teams.teams_page import AdaptedBot, TeamsPage


def answering(body: Any, status: int = 200) -> Any:
    """A bot that answers each invoke with this."""

    async def answer(context: TurnContext) -> None:
        response = Activity(
            type=ActivityTypes.invoke_response, value=InvokeResponse(status=status, body=body)
        )
        await context.send_activity(response)

    return answer


async def test_an_invoke(page: TeamsPage, bot: AdaptedBot) -> None:
    """The bot gets the name and the value, with Teams' addresses; the page its answer."""
    bot.turn = answering({"task": {"type": "message", "value": "done"}})
    value = {"data": {"id": 7}, "context": {"theme": "dark"}}
    answer = await page.call(
        "POST", f"{page.path}/invoke", name="task/fetch", value=value, replyToId="5"
    )
    assert (answer["status"], answer["turn"]) == (200, "")
    assert answer["body"] == {"task": {"type": "message", "value": "done"}}
    activity = await bot.wait_for("invoke")
    assert (activity["name"], activity["value"]) == ("task/fetch", value)
    assert activity["replyToId"] == "5"
    assert activity["id"].startswith("f:")
    assert activity["channelData"]["source"] == {"name": "message"}
    assert activity["from"]["name"] == page.session["user"]["name"]
    assert activity["entities"][0]["type"] == "clientInfo"


@pytest.mark.parametrize("status", [400, 412, 501])
async def test_a_refused_invoke(page: TeamsPage, bot: AdaptedBot, status: int) -> None:
    """The page gets the bot's status, and a sentence."""
    bot.turn = answering(None, status)
    answer = await page.call("POST", f"{page.path}/invoke", name="a/b", value={})
    assert (answer["status"], answer["body"]) == (status, None)
    assert str(status) in answer["text"]


async def test_an_invoke_to_nobody(page: TeamsPage, bot: AdaptedBot) -> None:
    """A bot that cannot be reached is a 502, not an error of the page's server."""
    await bot.server.stop()
    answer = await page.call("POST", f"{page.path}/invoke", name="a/b", value={})
    assert answer["status"] == 502
    assert "cannot be reached" in answer["text"]


@pytest.mark.parametrize(
    ("name", "value", "source"),
    [
        ("composeExtension/query", {"commandId": "find"}, "compose"),
        ("composeExtension/fetchTask", {"commandContext": "compose"}, "compose"),
        ("composeExtension/submitAction", {"commandContext": "message"}, "message"),
        ("adaptiveCard/action", {"action": {"type": "Action.Execute"}}, "message"),
    ],
)
async def test_where_an_invoke_is_made(
    page: TeamsPage, bot: AdaptedBot, name: str, value: dict[str, object], source: str
) -> None:
    """Message extensions are used where users write, or on a message; all else is in messages."""
    await page.call("POST", f"{page.path}/invoke", name=name, value=value)
    assert (await bot.wait_for("invoke"))["channelData"]["source"] == {"name": source}


async def test_an_invoke_without_a_name(page: TeamsPage, bot: AdaptedBot) -> None:
    """A hero card's `invoke` button has none."""
    await page.call("POST", f"{page.path}/invoke", value={"choice": 1})
    assert "name" not in await bot.wait_for("invoke")


async def test_the_answer_to_an_action_is_its_users_only(page: TeamsPage, bot: AdaptedBot) -> None:
    """A card in the answer to `adaptiveCard/action` changes nobody else's."""
    bot.turn = lambda context: context.send_activity("a card")
    await page.say("show it")
    shown = await page.sees("a card")
    card = {"type": "application/vnd.microsoft.card.adaptive", "value": {"type": "AdaptiveCard"}}
    bot.turn = answering({"statusCode": 200, **card})
    name = "adaptiveCard/action"
    value = {"action": {"type": "Action.Execute", "verb": "v", "data": {}}, "trigger": "manual"}
    answer = await page.call(
        "POST", f"{page.path}/invoke", name=name, value=value, replyToId=shown["id"]
    )
    assert answer["body"]["value"] == {"type": "AdaptiveCard"}
    await page.say("after it")
    await page.sees("after it")
    assert "attachments" not in await page.sees("a card")


async def test_an_invoke_in_a_thread(page: TeamsPage, bot: AdaptedBot) -> None:
    """A button of a channel's message is pressed in that message's thread."""
    channel = await page.create("channel")
    post = await channel.mention("first")
    await bot.wait_for("message")
    await channel.call("POST", f"{channel.path}/invoke", name="a/b", replyToId=post["id"])
    activity = await bot.wait_for("invoke")
    assert activity["conversation"]["id"] == f"{channel.chat['id']};messageid={post['id']}"


async def test_single_sign_on(page: TeamsPage, bot: AdaptedBot, cloud: Cloud) -> None:
    """The user's token is for the person that Teams names."""
    user = page.session["user"]
    body = {"resource": cloud.user_tokens.resource, "user": user}
    async with page.http.post("/api/sso/token", json=body) as response:
        token = (await response.json())["token"]
    value = {"id": "1", "connectionName": "bot-sign-in", "token": token}
    await page.call("POST", f"{page.path}/invoke", name="signin/tokenExchange", value=value)
    activity = await bot.wait_for("invoke")
    claims = cloud.entra.issuer.verify(
        activity["value"]["token"],
        cloud.user_tokens.resource,
        issuer_of(cloud.registration.tenant_id),
    )
    assert claims["oid"] == user["aadObjectId"]
    assert claims["name"] == user["name"]
