"""botbuilder-dialogs: every turn starts from what is stored of the stack."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from botbuilder.core import CardFactory, ConversationState, MessageFactory, TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.dialogs import (
    ComponentDialog,
    DialogInstance,
    DialogManager,
    DialogState,
    DialogTurnResult,
    WaterfallDialog,
    WaterfallStepContext,
)
from botbuilder.dialogs.choices import Choice, FoundChoice, ListStyle
from botbuilder.dialogs.prompts import (
    AttachmentPrompt,
    ChoicePrompt,
    ConfirmPrompt,
    DateTimePrompt,
    NumberPrompt,
    PromptOptions,
    TextPrompt,
)
from botbuilder.schema import Activity, Attachment, HeroCard, InputHints

from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import from_text, to_text
from cloud_adapter.storage.blobs import MemoryContainer

QUESTIONS: list[tuple[Callable[[str], Any], str, Any]] = [
    (TextPrompt, "Ada", "Ada"),
    (NumberPrompt, "36.5", Decimal("36.5")),
    (ConfirmPrompt, "yes", True),
    (ChoicePrompt, "tea", "tea"),
    (DateTimePrompt, "2026-05-01", "2026-05-01"),
    (AttachmentPrompt, "", "image/png"),
]
"""A prompt, what the user answers, and what the bot gets."""


class Interview(ComponentDialog):  # type: ignore[misc]  # untyped SDK base
    """Asks everything, and collects the answers as the prompts return them."""

    def __init__(self, ask_within: "Interview | None" = None) -> None:
        super().__init__("interview" if ask_within is None else "outer")
        self.answers: list[Any] = []
        steps = [self._step(number) for number in range(len(QUESTIONS) + 1)]
        if ask_within is not None:
            self.add_dialog(ask_within)
            steps = [lambda step: step.begin_dialog("interview", {"since": datetime.now(UTC)})]
        self.add_dialog(WaterfallDialog("steps", steps))
        for prompt, _, _ in QUESTIONS:
            self.add_dialog(prompt(prompt.__name__))
        self.initial_dialog_id = "steps"

    def _step(self, number: int) -> Callable[[WaterfallStepContext], Any]:
        async def step(context: WaterfallStepContext) -> DialogTurnResult:
            if number:
                context.values[f"answer {number}"] = context.result
            if number == len(QUESTIONS):
                self.answers = list(context.values.values())
                return await context.end_dialog(context.values)
            prompt = QUESTIONS[number][0]
            options = PromptOptions(
                prompt=MessageFactory.text("?", input_hint=InputHints.expecting_input),
                retry_prompt=MessageFactory.attachment(CardFactory.hero_card(HeroCard())),
                choices=[Choice("tea", synonyms=["chai"]), Choice("coffee")],
                style=ListStyle.in_line,
            )
            return await context.prompt(prompt.__name__, options)

        return step


async def test_dialogs() -> None:
    """Nested dialogs with all prompts go on, though every turn starts from what is stored."""
    storage = BlobStorage(ConversationLocks(MemoryContainer()))
    inner = Interview()
    stacks = []

    async def turn(context: TurnContext) -> None:
        # All of this is new in each turn, as if another process ran it.
        manager = DialogManager(Interview(inner))
        manager.conversation_state = ConversationState(storage)
        await manager.on_turn(context)
        state = manager.conversation_state.get_cached_state(context).state
        stacks.append(to_text(state["DialogState"]))

    adapter = TestAdapter(turn)
    await adapter.receive_activity("hi")
    for prompt, answer, _ in QUESTIONS:
        if prompt is not TextPrompt:  # which takes anything
            await adapter.receive_activity("?")
        files = [Attachment(content_type="image/png")] if prompt is AttachmentPrompt else []
        await adapter.receive_activity(
            Activity(type="message", text=answer, attachments=files, locale="en-us")
        )
    text, number, confirmed, choice, [moment], [file] = inner.answers
    assert isinstance(choice, FoundChoice)
    answers = [text, number, confirmed, choice.value, moment.value, file.content_type]
    assert answers == [expected for _, _, expected in QUESTIONS]
    assert len({*stacks}) > len(QUESTIONS)


def test_a_stack_of_dialogs() -> None:
    """The objects are the SDK's own, so that its code works on them."""
    stack = [DialogInstance("a", {"dialogs": DialogState([DialogInstance("b", {"stepIndex": 1})])})]
    read = from_text(to_text({"a": DialogState(stack)}))["a"]
    assert type(read) is DialogState
    assert str(read) != "dialog stack empty!"
    assert read.dialog_stack[0].state["dialogs"].dialog_stack[0].state == {"stepIndex": 1}
