"""The Agents SDK's dialogs: every turn starts from what is stored of the stack."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from microsoft_agents.activity import (
    Activity,
    Attachment,
    ChannelAccount,
    ChannelId,
    ConversationAccount,
    HeroCard,
    InputHints,
    ResourceResponse,
    SignInResource,
    TokenExchangeResource,
    TokenOrSignInResourceResponse,
    TokenResponse,
)
from microsoft_agents.hosting.core import (
    CardFactory,
    ChannelAdapter,
    ClaimsIdentity,
    ConversationState,
    MessageFactory,
    Storage,
    TurnContext,
    UserTokenClientBase,
)
from microsoft_agents.hosting.dialogs import (
    ComponentDialog,
    DialogManager,
    WaterfallDialog,
    WaterfallStepContext,
)
from microsoft_agents.hosting.dialogs.choices import Choice, FoundChoice, ListStyle
from microsoft_agents.hosting.dialogs.prompts import (
    ActivityPrompt,
    AttachmentPrompt,
    ChoicePrompt,
    ConfirmPrompt,
    DateTimePrompt,
    NumberPrompt,
    OAuthPrompt,
    OAuthPromptSettings,
    PromptOptions,
    TextPrompt,
)

from cloud_adapter.state.stored_state import from_text, to_text

QUESTIONS: list[tuple[Callable[[str], Any], str]] = [
    (TextPrompt, "Ada"),
    (NumberPrompt, "36.5"),
    (ConfirmPrompt, "yes"),
    (ChoicePrompt, "tea"),
    (DateTimePrompt, "2026-05-01"),
    (AttachmentPrompt, ""),
    (lambda name: ActivityPrompt(name, _has_text), "anything"),
    (lambda name: OAuthPrompt(name, OAuthPromptSettings("connection", "Sign in")), "123456"),
]
"""Each prompt, and what the user answers."""

CALLER = ClaimsIdentity({"aud": "own-id", "appid": "another-agent", "ver": "1.0"})
"""Another agent, of which an OAuthPrompt stores something."""


async def _has_text(prompt: Any) -> bool:
    return bool(prompt.recognized.value.text != "?")


class TextStorage(Storage):  # type: ignore[misc]  # untyped SDK base
    """Stores what the base's storage stores: texts."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def read(
        self, keys: list[str], *, target_cls: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The items of these keys."""
        found = {key: from_text(self.texts[key]) for key in keys if key in self.texts}
        return {key: target_cls.from_json_to_store_item(item) for key, item in found.items()}

    async def write(self, changes: dict[str, Any]) -> None:
        """Write items."""
        written = {key: to_text(item.store_item_to_json()) for key, item in changes.items()}
        assert {key: to_text(from_text(text)) for key, text in written.items()} == written
        self.texts |= written

    async def delete(self, keys: list[str]) -> None:
        """Nothing is deleted."""


class SilentAdapter(ChannelAdapter):  # type: ignore[misc]  # untyped SDK base
    """A channel to which everything can be sent."""

    async def send_activities(
        self, context: Any, activities: list[Activity]
    ) -> list[ResourceResponse]:
        """Send activities."""
        return [ResourceResponse(id="1") for _ in activities]

    async def update_activity(self, context: Any, activity: Activity) -> None:
        """Not used."""

    async def delete_activity(self, context: Any, reference: Any) -> None:
        """Not used."""


class Tokens:
    """The token service's client, for a user who signs in with a code."""

    async def get_token_or_sign_in_resource(self, *_: Any, **__: Any) -> Any:
        """No token yet."""
        return TokenOrSignInResourceResponse(
            sign_in_resource=SignInResource(
                sign_in_link="https://sign-in.example",
                token_exchange_resource=TokenExchangeResource(
                    id="1", uri="api://x", provider_id="2"
                ),
            )
        )

    async def get_user_token(self, *_: Any, **__: Any) -> TokenResponse:
        """The token."""
        return TokenResponse(connection_name="connection", token="token")


class Interview(ComponentDialog):  # type: ignore[misc]  # untyped SDK base
    """Asks everything, and collects the answers as the prompts return them."""

    def __init__(self, ask_within: "Interview | None" = None) -> None:
        super().__init__("interview" if ask_within is None else "outer")
        self.answers: list[Any] = []
        steps: list[Any] = [self._step(number) for number in range(len(QUESTIONS) + 1)]
        if ask_within is not None:
            self.add_dialog(ask_within)
            steps = [lambda step: step.begin_dialog("interview", {"since": datetime.now(UTC)})]
        self.add_dialog(WaterfallDialog("steps", steps))
        for number, (prompt, _) in enumerate(QUESTIONS):
            self.add_dialog(prompt(f"{number}"))
        self.initial_dialog_id = "steps"

    def _step(self, number: int) -> Callable[[WaterfallStepContext], Any]:
        async def step(context: WaterfallStepContext) -> Any:
            if number:
                context.values[f"answer {number}"] = context.result
            if number == len(QUESTIONS):
                self.answers = list(context.values.values())
                return await context.end_dialog(context.values)
            options = PromptOptions(
                prompt=MessageFactory.text("?", input_hint=InputHints.expecting_input),
                retry_prompt=MessageFactory.attachment(CardFactory.hero_card(HeroCard())),
                choices=[Choice("tea", synonyms=["chai"]), Choice("coffee")],
                style=ListStyle.in_line,
            )
            return await context.prompt(f"{number}", options)

        return step


async def test_dialogs() -> None:
    """Nested dialogs with all prompts go on, though every turn starts from what is stored."""
    storage, inner, oauth = TextStorage(), Interview(), QUESTIONS[-1][0]
    adapter: Any = SilentAdapter  # which is not typed
    stacks: set[str] = set()

    async def turn(text: str, files: list[Attachment]) -> None:
        # All of this is new in each turn, as if another process ran it.
        activity = Activity(
            type="message",
            text=text,
            attachments=files,
            locale="en-us",
            channel_id=ChannelId("webchat"),
            service_url="https://channel.example",
            from_property=ChannelAccount(id="user"),
            recipient=ChannelAccount(id="bot"),
            conversation=ConversationAccount(id="conversation"),
        )
        context = TurnContext(adapter(), activity, CALLER)
        context.services.set(UserTokenClientBase, Tokens())
        manager = DialogManager(Interview(inner))
        manager.conversation_state = ConversationState(storage)
        await manager.on_turn(context)
        stacks.update(storage.texts.values())

    await turn("hi", [])
    for prompt, answer in QUESTIONS:
        if prompt not in (TextPrompt, oauth):  # the first takes anything
            await turn("?", [])
        files = [Attachment(content_type="image/png")] if prompt is AttachmentPrompt else []
        await turn(answer, files)
    text, number, confirmed, choice, [moment], [file], activity, token = inner.answers
    assert (text, number, confirmed) == ("Ada", Decimal("36.5"), True)
    assert (type(choice), choice.value, moment.value) == (FoundChoice, "tea", "2026-05-01")
    assert file == Attachment(content_type="image/png")
    assert (activity.text, activity.channel_id.channel) == ("anything", "webchat")
    assert token == TokenResponse(connection_name="connection", token="token")
    assert len(stacks) > len(QUESTIONS)
    for name in ("DialogState", "Choice", "FoundChoice", "ListStyle", "DateTimeResolution"):
        assert any(f":{name}" in stack for stack in stacks), name
    assert any("oauth_prompt:CallerInfo" in stack for stack in stacks)
