"""Bots without dialogs, written as Microsoft's samples are: not a line is changed for the base."""

from pathlib import Path

import pytest

from bot_testing import Chat
from tests.samples.blocking_service import BlockingService
from tests.samples.texts import conversation, kinds, said

BOTS = Path("tests/samples/bots")
CARDS = "adaptive animation audio hero oauth receipt signin thumbnail video"


@pytest.mark.chat(bot=BOTS / "welcome")
async def test_welcome(chat: Chat) -> None:
    """03 welcome-user: who joins is greeted; the user's state is a class of the bot's."""
    assert said(await chat.join()) == ["Welcome to the garden, Ada.", "Your locale is en-US."]
    await conversation(
        chat,
        ("hi", ["This is your first message to us."]),
        ("hi", ["Message 2: welcome back."]),
        ("tour", ["hero"]),
        ("hi", ["Message 4: welcome back."]),
    )
    again = chat.new_conversation("Grace")
    assert said(await again.say("hi")) == ["This is your first message to us."]


@pytest.mark.chat(bot=BOTS / "photos")
async def test_photos(
    chat: Chat, outside: BlockingService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """15 handling-attachments: downloads, and an upload by a connector client of the adapter's."""
    monkeypatch.setenv("PhotoFolder", str(tmp_path))
    picture = (chat.bot.folder / "resources/print.png").read_bytes()
    assert said(await chat.say("1")) == ["In the message itself.", "hero"]
    assert said(await chat.say("2")) == ["From the web.", "hero"]
    [upload, offer] = await chat.say("3")
    file_id = upload.attachments[0]["contentUrl"].split("/")[-3]
    assert chat.bot.cloud.conversations.attachments[file_id].views["original"] == picture
    assert len(offer.buttons) == 3

    outside.files["/beach.png"] = b"a beach"
    sent = {"contentType": "image/png", "name": "beach.png"}
    photo = {**sent, "contentUrl": f"{outside.url}/beach.png"}
    assert said(await chat.say("", attachments=[photo]))[0] == "beach.png has 7 bytes."
    assert (tmp_path / "beach.png").read_bytes() == b"a beach"
    lost = {**sent, "contentUrl": "http://127.0.0.1:9/beach.png"}
    assert said(await chat.say("", attachments=[lost]))[0] == "That cannot be downloaded."


@pytest.mark.chat(bot=BOTS / "interpreter")
async def test_interpreter(chat: Chat, outside: BlockingService) -> None:
    """17 multilingual: middleware changes what comes in and what goes out, by the user's state."""
    outside.answers["/translate"] = [{"translations": [{"text": "(translated)"}]}]
    [offer] = await chat.say("hall")
    assert offer.text == "You are in the hall."
    assert offer.suggested_actions == ["English", "Español"]
    assert said(await chat.press(offer, "Español")) == ["(translated)"]
    outside.seen.clear()
    assert said(await chat.say("cripta")) == ["(translated)"]
    asked = [(path, body.decode()) for _, path, _, body in outside.seen]
    assert asked == [
        ("/translate?api-version=3.0&to=en", '[{"text": "cripta"}]'),
        ("/translate?api-version=3.0&to=es", '[{"text": "You are in the (translated)."}]'),
    ]


@pytest.mark.chat(bot=BOTS / "taxi")
async def test_taxi(chat: Chat) -> None:
    """44 prompt-for-user-input, 45 state-management: classes with enums, datetimes and tuples."""
    questions = [
        ("hi", ["Where do you want to go?"]),
        ("Station", ["To Station.", "How many are you?"]),
        ("nine", ["One to four people fit in."]),
    ]
    ride = "three to Station, asked 3 times"
    await conversation(chat, *questions)
    [first] = await chat.say("three", timestamp="2026-01-01T10:00:00.000Z")
    assert first.text == f"Ride 1: {ride.replace('three', '3')}, by webchat, today."
    await conversation(chat, *questions)
    [second] = await chat.say("2")
    assert second.text.startswith("Ride 2: 2 to Station, asked 7 times")


@pytest.mark.chat(bot=BOTS / "till")
async def test_till(chat: Chat) -> None:
    """42 scaleout: a store of the bot's own, which lets it run its dialog again."""
    await conversation(
        chat,
        ("hi", ["The price?"]),
        ("7", ["How much is given?"]),
        ("ten", ["Change: 3"]),
        ("hi", ["The price?"]),
    )


@pytest.mark.chat(bot=BOTS / "cards")
async def test_cards(chat: Chat) -> None:
    """06 using-cards, 07 adaptive cards, 08 suggested actions: each kind of card arrives whole."""
    await conversation(chat, ("hi", ["Which card?"]), ("pizza", ["Choose one of the list."]))
    [card] = await chat.say("menu")
    assert card.card["body"][0]["text"] == "Crème brûlée"
    names = CARDS.split()
    for name in names:
        await conversation(chat, ("hi", ["Which card?"]), (name, [name]))
    await chat.say("hi")
    [everything] = await chat.say("all")
    assert kinds(everything.attachments).split() == names
    assert everything.raw["attachmentLayout"] == "carousel"
    [taste] = await chat.say("taste")
    assert taste.suggested_actions == ["Sweet", "Sour"]


@pytest.mark.chat(bot=BOTS / "scales", channel="emulator")
async def test_scales(chat: Chat) -> None:
    """47 inspection: one conversation shows the activities and the state of another."""
    await chat.say("/INSPECT open")
    [command] = [each["value"] for each in chat.activities if each["type"] == "trace"]
    scales = chat.new_conversation("Grace")
    attached = "Attached to session, all traffic is being replicated for inspection."
    await conversation(scales, (command, [attached]), ("2 apples", ["100 g here, 100 g in all."]))
    received, sent, state = [each for each in chat.activities if each["type"] == "trace"][1:]
    assert received["value"]["text"] == "2 apples"
    assert sent["value"]["text"] == "100 g here, 100 g in all."
    assert state["value"]["conversation_state"]["Weight"]["grams"] == 100


@pytest.mark.chat(bot=BOTS / "lighthouse")
async def test_lighthouse(chat: Chat) -> None:
    """16 proactive-messages: a route writes to everybody whose reference the bot remembers."""
    grace = chat.new_conversation("Grace")
    await conversation(chat, ("hi", ["Seen: hi"]))
    await conversation(grace, ("ho", ["Seen: ho"]))
    answer = await chat.call("GET", "warn")
    assert (answer.status_code, answer.get_body()) == (200, b"Everybody is warned.")
    for each in (chat, grace):
        assert each.replies[-1].text == "A storm is coming."
