"""Bots for Teams, written as Microsoft's samples are: not a line is changed for the base."""

from pathlib import Path
from typing import Any

import pytest

from bot_testing import Chat, TurnResult
from bot_workbench.emulator.channel.conversations import Conversation
from tests.samples.blocking_service import BlockingService
from tests.samples.texts import said

BOTS = Path("tests/samples/bots")
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"


@pytest.fixture
def catalogue(chat: Chat) -> "Catalogue":
    """A user of the library's message extension."""
    return Catalogue(chat)


class Catalogue:
    """What Teams sends to a message extension."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat

    async def invoke(self, name: str, value: dict[str, Any]) -> dict[str, Any]:
        """An invoke's answer."""
        result = await self.chat.invoke(f"composeExtension/{name}", value)
        assert result.status == 200
        return result.body or {}

    async def search(self, text: str, **more: str) -> dict[str, Any]:
        """What a search finds."""
        parameters = [{"name": "searchQuery", "value": text}]
        query = {"commandId": "search", "parameters": parameters, **more}
        answer = await self.invoke("query", query)
        found: dict[str, Any] = answer.get("composeExtension", {})
        return found


@pytest.mark.chat(bot=BOTS / "catalogue", channel="msteams")
async def test_search(catalogue: Catalogue) -> None:
    """50 search, 55 link unfurling: results with previews, one that is selected, and a link."""
    found = (await catalogue.search("kn"))["attachments"]
    previews = [each["preview"]["content"] for each in found]
    assert [each["title"] for each in previews] == ["Knots and Splices", "Knitting"]
    chosen = previews[1]["tap"]["value"]
    selected = await catalogue.invoke("selectItem", chosen)
    [book] = selected["composeExtension"]["attachments"]
    assert book["content"]["subtitle"] == "For beginners"
    assert await catalogue.search(" ") == {}
    assert [reply.text for reply in catalogue.chat.replies] == ["Say what you look for."]
    link = await catalogue.invoke("queryLink", {"url": "https://library.example.org/7"})
    assert link["composeExtension"]["attachments"][0]["content"]["text"].endswith("/7")


@pytest.mark.chat(bot=BOTS / "catalogue", channel="msteams")
async def test_search_with_sign_in(catalogue: Catalogue) -> None:
    """52 search-auth-config: settings in the user's state, sign-in by link and code, sign-out."""
    settings = await catalogue.invoke("querySettingUrl", {"commandId": "search"})
    [action] = settings["composeExtension"]["suggestedActions"]["actions"]
    assert action["value"].endswith("?shelf=all")
    await catalogue.invoke("setting", {"state": "private"})
    sign_in = await catalogue.search("knots")
    assert sign_in["type"] == "auth"
    tokens = catalogue.chat.bot.cloud.user_tokens
    link = sign_in["suggestedActions"]["actions"][0]["value"]
    started = tokens.find_sign_in(link.rpartition("=")[2])
    assert started
    [found] = (await catalogue.search("knots", state=tokens.confirm(started)))["attachments"]
    assert found["content"]["title"] == "Private knots"
    closed = await catalogue.invoke("fetchTask", {"commandId": "signOut"})
    assert closed["task"]["type"] == "continue"
    assert (await catalogue.search("knots"))["type"] == "auth"
    assert not await catalogue.invoke("submitAction", {"commandId": "signOut", "data": {}})


@pytest.mark.chat(bot=BOTS / "catalogue", channel="msteams")
async def test_actions(catalogue: Catalogue) -> None:
    """51 action, 53 action-preview: a message that is quoted, and a poll from form to vote."""
    payload = {
        "id": "1",
        "from": {"user": {"id": "1", "displayName": "Bob", "userIdentityType": "aadUser"}},
        "body": {"contentType": "html", "content": "<b>Ahoy</b>"},
    }
    command = {"commandId": "quote", "commandContext": "message", "data": {}}
    quote = await catalogue.invoke("submitAction", {**command, "messagePayload": payload})
    [card] = quote["composeExtension"]["attachments"]
    assert card["content"] == {"title": "Bob wrote", "text": "<b>Ahoy</b>"}

    poll = {"commandId": "poll", "commandContext": "compose"}
    editor = await catalogue.invoke("fetchTask", poll)
    assert editor["task"]["value"]["title"] == "Library"
    data = {"Question": "When?", "Option": "Now"}
    preview = await catalogue.invoke("submitAction", {**poll, "data": data})
    activity = preview["composeExtension"]["activityPreview"]
    previewed = {**poll, "botActivityPreview": [activity]}
    edit = await catalogue.invoke("submitAction", {**previewed, "botMessagePreviewAction": "edit"})
    inputs = edit["task"]["value"]["card"]["content"]["body"]
    assert [each["value"] for each in inputs] == ["When?", "Now"]
    await catalogue.invoke("submitAction", {**previewed, "botMessagePreviewAction": "send"})
    [sent] = catalogue.chat.replies
    assert sent.card["body"][0]["text"] == "When?"
    vote = await catalogue.chat.press(sent, "Vote", Answer="Now")
    assert said(vote) == ["Ada: 'Now'"]


@pytest.mark.chat(bot=BOTS / "forms", channel="msteams")
async def test_forms(chat: Chat) -> None:
    """54 task-module: a page, a card from a file, and what is submitted."""
    [forms] = await chat.say("hi")
    page = await chat.press(forms, "Parking permit")
    assert page.body["task"]["value"]["url"] == "https://townhall.example.org/Parking.html"
    card = await chat.press(forms, "Change of address")
    info = card.body["task"]["value"]
    assert info["card"]["content"]["body"][0]["id"] == "street"
    result = await chat.invoke("task/submit", {"data": {"street": "Mill Lane"}})
    assert result.body["task"] == {"type": "message", "value": "Thank you"}
    assert said(result) == ['Filed: {"street": "Mill Lane"}']


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")  # the samples use it
@pytest.mark.chat(bot=BOTS / "scores", channel="msteams")
async def test_scores(chat: Chat, outside: BlockingService) -> None:
    """56 file-upload: consent, upload, refusal, and a file that the user sends."""
    [consent] = await chat.say("hi")
    card = consent.attachments[0]["content"]
    assert card["sizeInBytes"] == 9
    info = {
        "name": "canon.txt",
        "uploadUrl": f"{outside.url}/upload",
        "contentUrl": "https://example.org/canon.txt",
        "uniqueId": "1",
        "fileType": "txt",
    }
    answer = {"type": "fileUpload", "context": card["acceptContext"]}
    accepted = {**answer, "action": "accept", "uploadInfo": info}
    [link] = await consented(chat, accepted)
    assert outside.files["/upload"] == b"do re mi\n"
    assert link.attachments[0]["contentUrl"] == info["contentUrl"]
    [stays] = await consented(chat, {**answer, "action": "decline"})
    assert stays.text == "<b>canon.txt</b> stays here"
    outside.files["/alto.txt"] = b"la la la"
    content = {"downloadUrl": f"{outside.url}/alto.txt", "uniqueId": "2", "fileType": "txt"}
    sent = {"name": "alto.txt", "contentType": DOWNLOAD, "content": content}
    assert said(await chat.say("", attachments=[sent])) == ["<b>alto.txt</b> has 8 bytes"]


async def consented(chat: Chat, value: dict[str, Any]) -> TurnResult:
    """What the bot says to the answer to its request."""
    return await chat.invoke("fileConsent/invoke", value)


@pytest.mark.chat(bot=BOTS / "crew", channel="msteams", kind="channel")
async def test_crew(chat: Chat) -> None:
    """57 conversation-bot: members, mentions, and a card that is changed and deleted."""
    added = dict(chat.account)
    chat.account |= {"givenName": "Ada", "userPrincipalName": "ada@example.org"}
    team = {"eventType": "teamMemberAdded", "team": {"id": "19:crew"}}
    joined = {"type": "conversationUpdate", "membersAdded": [added], "channelData": team}
    assert said(await chat.send(joined)) == ["Welcome aboard, Ada."]
    mention = {"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": bot_id(chat)}}
    [reply] = await chat.say("<at>Bot</at> mention", entities=[mention])
    assert reply.text == "Ahoy <at>Ada</at>"
    assert reply.raw["entities"][0]["mentioned"]["id"] == chat.account["id"]
    assert said(await chat.say("who")) == ["Ada, ada@example.org"]

    [card] = await chat.say("hi")
    for count in (1, 2):
        card = next(each for each in chat.replies if each.id == card.id)
        await chat.press(card, "Next")
        card = next(each for each in chat.replies if each.id == card.id)
        assert card.card["text"] == f"Watch {count}"
    await chat.say("delete", replyToId=card.id)
    assert not chat.conversation.has(card.id)


@pytest.mark.chat(bot=BOTS / "crew", channel="msteams", kind="channel")
async def test_messages_to_members(chat: Chat) -> None:
    """57 and 58: a message to each member alone, and a new thread with a first reply."""
    chat.user("Grace")
    known = set(chat.bot.cloud.conversations.by_id)
    assert said(await chat.say("all")) == ["Everybody knows."]
    assert texts(created(chat, known)) == {("All hands, Ada.",), ("All hands, Grace.",)}
    known = set(chat.bot.cloud.conversations.by_id)
    await chat.say("thread", channelData={"channel": {"id": "19:log"}})
    assert texts(created(chat, known)) == {("A new log", "Its first entry")}


def bot_id(chat: Chat) -> str:
    """The bot's account."""
    return chat.bot.cloud.registration.app_id


def created(chat: Chat, known: set[str]) -> list[Conversation]:
    """The conversations that there were not before."""
    return [each for key, each in chat.bot.cloud.conversations.by_id.items() if key not in known]


def texts(conversations: list[Conversation]) -> set[tuple[str, ...]]:
    """What was said in each."""
    return {tuple(each["text"] for each in one.activities) for one in conversations}
