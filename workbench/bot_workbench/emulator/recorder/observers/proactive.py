"""Proactive turns: those that no activity from the channel has started."""

import sys
from typing import Any

from bot_workbench.emulator.recorder.interception import Arguments, Observer
from bot_workbench.emulator.recorder.observers.failures import summary
from bot_workbench.emulator.recorder.observers.invocations import (
    DONE,
    FAILED,
    turn_ended,
    turn_here,
)
from bot_workbench.emulator.recorder.recording import Recording
from bot_workbench.emulator.recorder.turn import PROACTIVE, RecordedTurn, new_turn_id, within


def sending(recording: Recording, call: Arguments) -> Observer:
    """A notification's message, or another in a known conversation: `send_proactively`."""
    yield from _turn(recording, call["reference"])


def pipeline(recording: Recording, call: Arguments) -> Observer:
    """A turn that the bot's code starts: `continue_conversation` or `create_conversation`."""
    yield from _turn(recording, call["context"].activity)


def _turn(recording: Recording, model: Any) -> Observer:
    """A turn in the conversation that an Activity or a ConversationReference names."""
    outer = turn_here()
    turn = RecordedTurn(
        new_turn_id(), PROACTIVE, outer.function if outer else "", outer.id if outer else None
    )
    content = None
    if recording.is_detailed:
        content = sys.modules["cloud_adapter.codec"].write_value(model)
        content = {"type": "event", "name": "ContinueConversation", **content}
    recording.report(
        "turn_started",
        turn,
        at=turn.started_at,
        kind=PROACTIVE,
        function=turn.function,
        parent=turn.parent,
        activity=content,
        conversation=model.conversation.id,
    )
    with within(turn):
        outcome = yield
    if outcome.error is not None and not turn.error:
        turn.error = summary(outcome.error)
    turn_ended(recording, turn, FAILED if turn.error else DONE)
