"""ConversationTurn: which activities are known again, and which turns wait."""

import asyncio
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.schema import Activity, ConversationAccount

from cloud_adapter.errors import ConversationBusy
from cloud_adapter.state.lock import ConversationLocks, conversation_name
from cloud_adapter.state.turn import PATIENCE, ConversationTurn
from tests.support.timing.loop_turns import settled
from tests.support.timing.moved_clock import MovedClock


def activity(**changes: Any) -> Activity:
    """A message."""
    facts = {"type": "message", "id": "a1", "channel_id": "webchat", "conversation": "c", **changes}
    facts["conversation"] = ConversationAccount(id=facts["conversation"])
    return Activity(**facts)


def turn(locks: ConversationLocks | None = None, **changes: Any) -> ConversationTurn:
    """A turn for such a message."""
    context = TurnContext(TestAdapter(), activity(**changes))
    made = ConversationTurn(locks or ConversationLocks(), context)
    assert ConversationTurn.of(context) is made
    return made


def turn_id(**changes: Any) -> str:
    """What the turn is known by."""
    return turn(**changes).id


def test_no_turn() -> None:
    """A context without AutoSaveStateMiddleware has none."""
    assert ConversationTurn.of(TurnContext(TestAdapter(), activity())) is None


def test_an_id_is_its_activity_s() -> None:
    """It is the same each time, short, and another one for every other activity."""
    assert turn_id() == turn_id(text="other")
    assert len(turn_id()) == 16
    others = [{"id": "a2"}, {"channel_id": "msteams"}, {"conversation": "d"}, {"id": "x" * 5000}]
    assert len({turn_id(), *(turn_id(**each) for each in others)}) == 5
    assert turn_id(id="\ud800")


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"type": "conversationUpdate"}, True),
        ({"type": "event", "name": "tokens/response"}, True),
        ({"delivery_mode": "normal"}, True),
        ({"id": None}, False),
        ({"id": ""}, False),
        ({"type": "invoke"}, False),
        ({"delivery_mode": "expectReplies"}, False),
        ({"type": "event", "name": "ContinueConversation"}, False),
        ({"type": "event", "name": "CreateConversation"}, False),
    ],
)
def test_what_is_known_again(changes: dict[str, Any], known: bool) -> None:
    """Nothing that needs an answer of its own each time, and nothing that nobody delivers."""
    assert bool(turn_id(**changes)) is known


async def test_it_waits_once() -> None:
    """A turn asks for its conversation once, however often its state is loaded."""
    locks = ConversationLocks()
    one = turn(locks)
    assert not one.held
    # Several states at once, as bots load them, and one more later.
    await asyncio.gather(one.begin(), one.begin())
    await one.begin()
    assert locks._known
    await one.end()
    assert not one.held
    assert locks._known == {}


async def test_an_invoke_does_not_wait(clock: MovedClock) -> None:
    """It is answered while another turn goes on, where a message waits for a while."""
    locks = ConversationLocks()
    async with locks.hold(conversation_name(activity()), 0):
        pass

    async def other() -> None:
        async with locks.hold(conversation_name(activity()), 0):
            await asyncio.Event().wait()

    task = asyncio.create_task(other())
    await settled()
    invoke = turn(locks, type="invoke")
    await invoke.begin()
    assert not invoke.held
    waiting = asyncio.create_task(turn(locks).begin())
    await settled()
    clock.move(PATIENCE - 0.5)
    await settled()
    assert not waiting.done()
    clock.move(1)
    with pytest.raises(ConversationBusy):
        await waiting
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
