"""Bots with dialogs, written as Microsoft's samples are: not a line is changed for the base."""

from pathlib import Path

import pytest

from bot_testing import Chat
from bot_workbench.emulator.channel.user_tokens import UserConnection
from tests.samples.blocking_service import BlockingService
from tests.samples.texts import conversation, said

BOTS = Path("tests/samples/bots")
DAY = "the 6th of May 2031"


@pytest.mark.chat(bot=BOTS / "rental")
async def test_rental(chat: Chat) -> None:
    """05 multi-turn-prompt: every kind of prompt, with validators, and prompts again."""
    await conversation(
        chat,
        ("hi", ["Which boat?"]),
        ("a ship", ["We have no such boat."]),
        ("sail", ["Who rents it?"]),
        ("X", ["Who rents it?"]),
        ("Grace", ["Hello Grace.", "For how many people?"]),
        ("seven", ["One to six people fit in."]),
        ("three", ["When?"]),
        (DAY, ["Please attach a picture of your licence."]),
    )
    text = {"contentType": "text/plain", "contentUrl": "https://example.org/licence.txt"}
    assert said(await chat.say("", attachments=[text])) == ["That is no picture."]
    picture = {"contentType": "image/png", "contentUrl": "https://example.org/licence.png"}
    [summary, question] = await chat.say("", attachments=[text, picture])
    assert summary.text == "A Dinghy for 3 on 2031-05-06, Grace."
    assert summary.attachments[0]["contentUrl"] == picture["contentUrl"]
    assert (question.text, question.suggested_actions) == ("Is this right?", ["Yes", "No"])
    await conversation(chat, ("maybe", [question.text]), ("yes", ["It is yours."]))


@pytest.mark.chat(bot=BOTS / "rental")
async def test_error(chat: Chat) -> None:
    """The bot's own handler speaks of the bot's error, and clears the dialog."""
    await conversation(chat, ("hi", ["Which boat?"]), ("2", ["Who rents it?"]))
    result = await chat.say("capsize", expect_error=ValueError)
    assert said(result) == ["Our bot has sprung a leak."]
    await conversation(chat, ("Grace", ["Which boat?"]))


HOURS = ["adaptive", "No recognizer is configured.", "What is broken?"]
AGAIN = ["No recognizer is configured.", "What is broken?"]


@pytest.mark.chat(bot=BOTS / "workshop")
async def test_workshop(chat: Chat) -> None:
    """13 core-bot: dialogs in dialogs, the options of which are a class of the bot's."""
    assert said(await chat.join()) == HOURS
    await conversation(
        chat,
        ("radio", ["What is wrong with the radio?"]),
        ("help", ["Answer, or say cancel."]),
        ("it hums", ["On which day?"]),
        ("someday", ["Please say it with month, day and year."]),
        ("?", ["Answer, or say cancel."]),
        (DAY, ["A radio, it hums, on 2031-05-06: shall we?"]),
        ("yes", ["We expect your radio (it hums) on 2031-05-06.", *AGAIN]),
        ("lamp", ["What is wrong with the lamp?"]),
        ("cancel", ["Cancelled.", *AGAIN]),
    )


@pytest.mark.chat(bot=BOTS / "parcels")
async def test_parcels(chat: Chat) -> None:
    """19 custom-dialogs: a dialog class of the bot's, in a DialogManager, with decimal numbers."""
    too_heavy = "We take up to 30 kg, in steps of half a kilogram."
    await conversation(
        chat,
        ("hi", ["To which street?"]),
        ("Mill Lane 3", ["In which town?"]),
        ("Ely", ["How heavy is it, in kilograms?"]),
        ("forty", [too_heavy]),
        ("7.3", [too_heavy]),
        ("7.5", ["How many pieces?"]),
        ("a dozen", ["12 x 7.5 kg to Mill Lane 3, Ely"]),
        ("hi", ["To which street?"]),
    )


@pytest.mark.chat(bot=BOTS / "festival")
async def test_festival(chat: Chat) -> None:
    """43 complex-dialog: a dialog replaces itself, and a class is handed from one to another."""
    assert said(await chat.join()) == ["Shall we plan your week?"]
    await conversation(
        chat,
        ("hi", ["What is your name?"]),
        ("Ada", ["How old are you?"]),
        ("old", ["How old are you?"]),
        ("36", ["Which film? (0 chosen)"]),
        ("the news", ["We do not show that one."]),
        ("two rivers", ["Which film? (1 chosen)"]),
        ("2", ["Thank you, Ada.", "You will see Two Rivers and Winter Apples."]),
        ("hi", ["What is your name?"]),
        ("Bob", ["How old are you?"]),
        ("12", ["Only from 16 on.", "Thank you, Bob.", "You will see no films."]),
    )


SIGNED_IN = ["You are signed in.", "Whose mail, 'mine' or 'ours'?"]


@pytest.mark.chat(bot=BOTS / "mailbox")
async def test_mailbox_in_web_chat(chat: Chat, outside: BlockingService) -> None:
    """18, 24 authentication: the prompt in Web Chat by code and by event, and signing out."""
    outside.answers["/mine/count"] = {"count": 3}
    tokens = chat.bot.cloud.user_tokens
    target = UserConnection(chat.account["id"], "letters", "webchat")
    assert said(await chat.sign_in(await chat.say("hi"), by="code")) == SIGNED_IN
    await conversation(chat, ("mine", ["3 letters"]))
    token = outside.seen[-1][2]["Authorization"].removeprefix("Bearer ")
    assert token == (tokens.token(target) or {})["token"]
    await conversation(chat, ("hi", SIGNED_IN), ("log out", ["You are signed out."]))
    assert not tokens.has_token(target)
    assert said(await chat.sign_in(await chat.say("hi"), by="window")) == SIGNED_IN
    await conversation(chat, ("mine", ["3 letters"]), ("bye", ["You are signed out."]))
    assert not tokens.has_token(target)


@pytest.mark.chat(bot=BOTS / "mailbox", channel="msteams")
async def test_mailbox_in_teams(chat: Chat, outside: BlockingService) -> None:
    """46 teams-auth: single sign-on by two clients at once, one with a bad token; the window."""
    outside.answers["/mine/count"] = {"count": 3}
    prompt = await chat.say("hi")
    resource = prompt[0].card["tokenExchangeResource"]
    bad = {"id": resource["id"], "connectionName": "letters", "token": "bad"}
    assert (await chat.invoke("signin/tokenExchange", bad)).status == 412
    result = await chat.sign_in(prompt, by="sso")
    assert (result.status, said(result)) == (200, SIGNED_IN)
    offer = next(each["value"] for each in chat.activities[::-1] if each["type"] == "invoke")
    twin = await chat.invoke("signin/tokenExchange", offer)
    assert (twin.status, said(twin)) == (200, [])
    await conversation(chat, ("mine", ["3 letters"]), ("bye", ["You are signed out."]))
    result = await chat.sign_in(await chat.say("hi"), by="window")
    assert (result.status, said(result)) == (200, SIGNED_IN)
    await conversation(chat, ("mine", ["3 letters"]))


@pytest.mark.parametrize("chat_options", ["Inline azurite", "Queued azurite"], indirect=True)
@pytest.mark.chat(bot=BOTS / "rental")
async def test_process_that_ends_in_each_step(chat: Chat) -> None:
    """A step whose process ended after its reply is taken again, and once only."""
    for text, expected in (
        ("hi", ["Which boat?"]),
        ("Raft", ["Who rents it?"]),
        ("Grace", ["Hello Grace.", "For how many people?"]),
        ("3", ["When?"]),
        (DAY, ["A Raft for 3 on 2031-05-06, Grace.", "Is this right?"]),
        ("yes", ["It is yours."]),
    ):
        assert said(await chat.crash(text)) == expected[:1]
        assert said(await chat.redeliver()) == expected
        assert said(await chat.redeliver()) == []
