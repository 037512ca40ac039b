"""OAuthPrompt, unmodified: users sign in to a dialog bot on Teams, Web Chat and Direct Line."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.dialogs import (
    ComponentDialog,
    DialogExtensions,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.prompts import OAuthPrompt, OAuthPromptSettings

from bot_workbench.emulator.channel.user_tokens import UserConnection, UserSignIn
from bot_workbench.emulator.cloud import Cloud
from cloud_adapter.bot.services import BotServices
from cloud_adapter.queued.queued_turns import QUEUE
from tests.support.bots.composed_app import ComposedApp
from tests.support.storage.queue_messages import QueueMessages
from tests.support.storage.received_message import received

CONNECTION = "My own connection"
OAUTH_CARD = "application/vnd.microsoft.card.oauth"


class SignInDialog(ComponentDialog):  # type: ignore[misc]  # untyped SDK base
    """Signs the user in, and then says so."""

    def __init__(self, timeout: int) -> None:
        super().__init__("sign-in")
        settings = OAuthPromptSettings(CONNECTION, "Sign in", "Please sign in.", timeout)
        self.add_dialog(OAuthPrompt("token", settings))
        self.add_dialog(WaterfallDialog("steps", [self.ask, self.confirm]))
        self.initial_dialog_id = "steps"

    async def ask(self, step: WaterfallStepContext) -> DialogTurnResult:
        return await step.begin_dialog("token")

    async def confirm(self, step: WaterfallStepContext) -> DialogTurnResult:
        await step.context.send_activity("signed in" if step.result else "not signed in")
        return await step.end_dialog()


class SignInBot(TeamsActivityHandler):  # type: ignore[misc]  # untyped SDK base
    """Runs the dialog for everything that may end it; users have `timeout` ms to sign in."""

    def __init__(self, services: BotServices, timeout: int = 300_000) -> None:
        super().__init__()
        self._state = services.conversation_state
        self._dialog_state = self._state.create_property("DialogState")
        self._dialog = SignInDialog(timeout)

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        if turn_context.activity.text == "logout":
            await turn_context.adapter.sign_out_user(turn_context, CONNECTION)
            await turn_context.send_activity("signed out")
        else:
            await self._run(turn_context)

    async def on_token_response_event(self, turn_context: TurnContext) -> None:
        await self._run(turn_context)

    async def on_teams_signin_verify_state(self, turn_context: TurnContext) -> None:
        await self._run(turn_context)

    async def on_teams_signin_token_exchange(self, turn_context: TurnContext) -> None:
        await self._run(turn_context)

    async def _run(self, turn_context: TurnContext) -> None:
        await DialogExtensions.run_dialog(self._dialog, turn_context, self._dialog_state)


class Talk:
    """A new user's conversation with the bot, on one channel."""

    def __init__(self, app: ComposedApp, channel_id: str) -> None:
        self.app = app
        self.target = UserConnection(f"user-{uuid.uuid4().hex}", CONNECTION, channel_id)
        account = {"id": app.account["id"], "name": "Bot", "role": "bot"}
        self._user = {"id": self.target.user_id, "name": "Ada", "role": "user"}
        self.conversation = app.cloud.conversations.create([self._user, account])

    async def sends(self, **content: Any) -> tuple[int, Any]:
        """Status and parsed body of the bot's answer to an activity."""
        place = {"from": self._user, "conversation": {"id": self.conversation.id}}
        channel_id = {"channelId": self.target.channel_id}
        response = await self.app.deliver(
            {**place, **channel_id, **content}, self.app.parts.bot.on_turn
        )
        return response.status, json.loads(response.body) if response.body else None

    async def says(self, text: str) -> list[str]:
        """Every text that the bot has sent by the end of the turn of a message."""
        assert await self.sends(type="message", text=text) == (200, None)
        return self.texts()

    async def invokes(self, name: str, value: Any) -> tuple[int, Any]:
        """The answer to an invoke of the sign-in."""
        return await self.sends(type="invoke", name=f"signin/{name}", value=value)

    def texts(self) -> list[str]:
        """The texts of all messages so far; a card has none."""
        return [each["text"] for each in self.conversation.activities if each.get("text")]

    def attachment(self) -> Any:
        """The card that the bot sent last, as the user gets it."""
        (attachment,) = self.conversation.activities[-1]["attachments"]
        return attachment

    def card(self) -> Any:
        """Its content."""
        return self.attachment()["content"]

    def sign_in(self) -> UserSignIn:
        """The sign-in behind the card's button."""
        (button,) = self.card()["buttons"]
        found = self.app.cloud.user_tokens.find_sign_in(button["value"].partition("signin=")[2])
        assert found is not None
        assert found.target == self.target
        return found

    def code(self) -> str:
        """The code on the sign-in page."""
        return self.app.cloud.user_tokens.confirm(self.sign_in())

    def offer(self, user_id: str = "") -> dict[str, Any]:
        """What the channel offers for single sign-on."""
        resource = self.card()["tokenExchangeResource"]
        token = self.app.cloud.user_tokens.exchangeable_token(
            resource["uri"], user_id or self.target.user_id, "Ada"
        )
        return {"id": resource["id"], "connectionName": CONNECTION, "token": token}


@pytest.fixture
async def app(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ComposedApp]:
    async with ComposedApp(cloud, monkeypatch, create_bot=SignInBot) as app:
        yield app


@pytest.fixture(params=["msteams", "webchat", "directline"])
def talk(app: ComposedApp, request: pytest.FixtureRequest) -> Talk:
    """A user on each channel whose sign-in card differs."""
    return Talk(app, request.param)


async def test_the_card(talk: Talk) -> None:
    """It has a button with a link, and what single sign-on needs."""
    assert await talk.says("hi") == []
    assert talk.attachment()["contentType"] == OAUTH_CARD
    assert (talk.card()["text"], talk.card()["connectionName"]) == ("Please sign in.", CONNECTION)
    (button,) = talk.card()["buttons"]
    assert (button["type"], button["title"]) == ("signin", "Sign in")
    assert talk.sign_in().conversation_id == talk.conversation.id
    assert talk.card()["tokenExchangeResource"]["uri"].startswith("api://botid-")


async def test_a_code_as_a_message(talk: Talk) -> None:
    """The code from the sign-in page ends the prompt; a wrong one, or another text, does not."""
    await talk.says("hi")
    code = talk.code()
    wrong = "000000" if code != "000000" else "111111"
    for text in (wrong, "hello"):
        assert await talk.says(text) == []
    assert await talk.says(code) == ["signed in"]
    assert await talk.says("hi again") == ["signed in"] * 2


async def test_a_code_in_an_invoke(talk: Talk) -> None:
    """Teams sends the code when its window closes."""
    await talk.says("hi")
    assert await talk.invokes("verifyState", {"state": "000000x"}) == (404, None)
    assert await talk.invokes("verifyState", {"state": talk.code()}) == (200, None)
    assert talk.texts() == ["signed in"]


async def test_single_sign_on(talk: Talk) -> None:
    """The offered token is exchanged, and the user is signed in without a card's press."""
    await talk.says("hi")
    offer = talk.offer()
    status, body = await talk.invokes("tokenExchange", offer)
    assert (status, body["id"], body["connectionName"]) == (200, offer["id"], CONNECTION)
    assert talk.texts() == ["signed in"]
    assert talk.app.cloud.user_tokens.has_token(talk.target)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"token": "x"}, 412), ({"token": None}, 400), ({"connectionName": "another"}, 400)],
)
async def test_no_single_sign_on(talk: Talk, changes: dict[str, Any], status: int) -> None:
    """If the token cannot be exchanged, the channel learns why, and the card still works."""
    await talk.says("hi")
    code = talk.code()
    answer, body = await talk.invokes("tokenExchange", {**talk.offer(), **changes})
    assert (answer, bool(body["failureDetail"])) == (status, True)
    assert await talk.says(code) == ["signed in"]


async def test_the_event_of_web_chat(app: ComposedApp) -> None:
    """Once the user has signed in on the page, the channel's event ends the prompt."""
    talk = Talk(app, "webchat")
    await talk.says("hi")
    sign_in = talk.sign_in()
    users = app.cloud.user_tokens
    assert users.redeem(talk.target, users.confirm(sign_in))
    event = {"type": "event", "name": "tokens/response", "value": users.token(talk.target)}
    assert await talk.sends(**event) == (200, None)
    assert talk.texts() == ["signed in"]


async def test_signing_out(talk: Talk) -> None:
    """After signing out, the user gets the card again."""
    await talk.says("hi")
    await talk.says(talk.code())
    assert (await talk.says("logout"))[1:] == ["signed out"]
    assert not talk.app.cloud.user_tokens.has_token(talk.target)
    await talk.says("hi")
    assert talk.attachment()["contentType"] == OAUTH_CARD


async def test_a_late_code(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prompt reads from state when it expires: after that, it ends without a token."""
    create_bot = partial(SignInBot, timeout=0)
    async with ComposedApp(cloud, monkeypatch, create_bot=create_bot) as app:
        talk = Talk(app, "msteams")
        await talk.says("hi")
        assert await talk.says(talk.code()) == ["not signed in"]


async def test_queued_turns(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, storage: str) -> None:
    """Messages and the event run behind a queue, an invoke at once, all on the same state."""
    changes = {"AzureWebJobsStorage": storage, "BotTurns": "Queued"}
    wake_ups = QueueMessages(storage, QUEUE)
    async with ComposedApp(cloud, monkeypatch, changes, create_bot=SignInBot) as app:
        adapter, users = app.parts.adapter, cloud.user_tokens

        async def run(talk: Talk, **content: Any) -> None:
            assert await talk.sends(**content) == (202, None)
            for message in await wake_ups.taken():
                await asyncio.create_task(adapter.process_wake_up(received(message), app.parts.bot))

        web = Talk(app, "webchat")
        await run(web, type="message", text="hi")
        assert users.redeem(web.target, web.code())
        token = users.token(web.target)
        await run(web, type="event", name="tokens/response", value=token)
        teams = Talk(app, "msteams")
        await run(teams, type="message", text="hi")
        status, _ = await teams.invokes("tokenExchange", teams.offer())
        assert status == 200
        await run(teams, type="message", text="hi again")
    assert web.texts() == ["signed in"]
    assert teams.texts() == ["signed in"] * 2


async def test_an_unknown_connection(talk: Talk) -> None:
    """The bot's code fails, since it has no connection of that name: the user gets the apology."""
    unknown = talk.app.cloud.user_tokens.unknown_connections
    unknown.add(CONNECTION)
    try:
        (apology,) = await talk.says("hi")
    finally:
        unknown.remove(CONNECTION)
    assert apology.startswith("Sorry")


async def test_the_user_s_token_is_not_stored(talk: Talk) -> None:
    """Neither state nor any activity of the bot's holds it."""
    await talk.says("hi")
    await talk.says(talk.code())
    key = f"{talk.target.channel_id}/conversations/{talk.conversation.id}"
    stored = await talk.app.parts.services.storage.read([key])
    assert "DialogState" in repr(stored)
    assert "eyJ" not in repr(stored)
    assert "eyJ" not in repr(talk.conversation.activities)
