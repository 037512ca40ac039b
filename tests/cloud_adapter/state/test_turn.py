"""ConversationTurn: which activities it recognizes, and which turns wait for each other."""

import asyncio
from typing import Any

import pytest
from botbuilder.core import TurnContext
from botbuilder.core.adapters import TestAdapter
from botbuilder.core.skills import SkillHandler
from botbuilder.schema import Activity, ConversationAccount

from cloud_adapter.deadlines import FIRST_STATE_SECONDS, MIN_FIRST_STATE_SECONDS
from cloud_adapter.errors import ConversationBusy, StorageUnavailable, TurnRepeated
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.stored_state import CONTAINER
from cloud_adapter.state.turn import BegunReply, ConversationTurn
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer, MemoryContainer
from tests.support.bots.queued_turns import LongTurn
from tests.support.storage.storage_front import StorageFront, after
from tests.support.timing.locked_turn import LockedTurn, is_free
from tests.support.timing.loop_turns import ended, settled
from tests.support.timing.moved_clock import MovedClock

NAME = "webchat~2Fconversations~2Fc"


def activity(**changes: Any) -> Activity:
    """A message."""
    facts = {"type": "message", "id": "a1", "channel_id": "webchat", "conversation": "c", **changes}
    facts["conversation"] = ConversationAccount(id=facts["conversation"])
    return Activity(**facts)


CONTEXT = TurnContext(TestAdapter(), activity())


def turn(locks: ConversationLocks | None = None, **changes: Any) -> ConversationTurn:
    """The turn of such a message."""
    context = TurnContext(TestAdapter(), activity(**changes))
    made = ConversationTurn(locks or ConversationLocks(MemoryContainer()), context)
    assert ConversationTurn.of(context) is made
    return made


def turn_id(**changes: Any) -> str:
    """The id by which state recognizes its turn."""
    return turn(**changes).id


def test_no_turn() -> None:
    """A context has none without AutoSaveStateMiddleware."""
    assert ConversationTurn.of(TurnContext(TestAdapter(), activity())) is None


def test_the_id_identifies_the_activity() -> None:
    """It is short, the same for each delivery, and another one for every other activity."""
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
def test_which_activities_are_recognized(changes: dict[str, Any], known: bool) -> None:
    """Not those that need an answer each time, nor those that no channel delivers."""
    assert bool(turn_id(**changes)) is known


async def test_it_locks_its_conversation_once() -> None:
    """However often its state is loaded, and until it ends."""
    locks = ConversationLocks(MemoryContainer())
    one = turn(locks)
    assert not one.runs_in_lock
    # Several states concurrently, as bots load them, and one more later.
    await asyncio.gather(one.lock(CONTEXT), one.lock(CONTEXT))
    await one.lock(CONTEXT)
    assert not await is_free(locks, NAME)
    await one.end()
    assert await is_free(locks, NAME)


async def test_a_turn_within_a_lock() -> None:
    """It knows whether its own conversation is locked around it, and does not wait for itself."""
    locks = ConversationLocks(MemoryContainer())
    async with locks.lock("webchat~2Fconversations~2Fother", 0):
        assert not turn(locks).runs_in_lock
        async with locks.lock(NAME, 0):
            within = turn(locks)
            assert within.runs_in_lock
            await within.lock(CONTEXT)
            await within.end()
        assert not turn(locks).runs_in_lock


async def test_invokes_and_replies_of_skills_do_not_wait(clock: MovedClock) -> None:
    """They go on while another turn runs, where a message waits for FIRST_STATE_SECONDS."""
    locks = ConversationLocks(MemoryContainer())
    running = await LockedTurn.start(locks, NAME)
    invoke = turn(locks, type="invoke")
    await invoke.lock(CONTEXT)
    await invoke.end()
    reply = TurnContext(TestAdapter(), activity())
    reply.turn_state[SkillHandler.SKILL_CONVERSATION_REFERENCE_KEY] = object()
    await turn(locks).lock(reply)
    with clock.stopped():
        waiting = asyncio.create_task(turn(locks).lock(CONTEXT))
        await settled()
        clock.move(FIRST_STATE_SECONDS - 0.5)
        await settled()
        assert not waiting.done()
    clock.move(1)
    with pytest.raises(ConversationBusy):
        await ended(waiting)
    await running.end()


async def test_the_replies_of_a_turn() -> None:
    """They are numbered; a rerun learns what an earlier one has begun; an ended turn is over."""
    locks = ConversationLocks(MemoryContainer())
    first = turn(locks)
    begun = [await first.begin_reply(CONTEXT) for _ in range(2)]
    assert begun == [BegunReply(f"{first.id}.{number}") for number in range(2)]
    await first.note_message(CONTEXT, begun[1].key, "m1")
    await first.end()
    rerun = turn(locks)
    assert [await rerun.begin_reply(CONTEXT) for _ in range(3)] == [
        BegunReply(f"{rerun.id}.0", is_rerun=True),
        BegunReply(f"{rerun.id}.1", is_rerun=True, message_id="m1"),
        BegunReply(f"{rerun.id}.2", is_rerun=True),
    ]
    await rerun.save_rest()
    await rerun.end()
    repeated = turn(locks)
    with pytest.raises(TurnRepeated):
        await repeated.begin_reply(CONTEXT)
    await repeated.end()


@pytest.mark.parametrize("changes", [{"id": None}, {"type": "invoke"}])
async def test_replies_of_which_nothing_is_stored(changes: dict[str, Any]) -> None:
    """Those of an activity that no rerun recognizes: the conversation is not locked for them."""
    locks = ConversationLocks(MemoryContainer())
    running = await LockedTurn.start(locks, NAME)
    before = await locks.read(NAME)
    one = turn(locks, **changes)
    assert await one.begin_reply(CONTEXT) == BegunReply()
    await one.note_message(CONTEXT, "", "m1")
    await one.save_rest()
    await one.end()
    await running.end()
    assert await locks.read(NAME) == before


def late_turn(locks: ConversationLocks, clock: MovedClock) -> tuple[ConversationTurn, TurnContext]:
    """A turn that uses its user's state, and whose request arrived long ago."""
    context = TurnContext(TestAdapter(), activity())
    context.arrived_at = clock.time() - 60
    return ConversationTurn(locks, context, lambda _: ["user"]), context


@pytest.fixture
def far(far_account: StorageAccount) -> ConversationLocks:
    """A process's locks, whose account is behind the proxy."""
    return ConversationLocks(BlobContainer(far_account, CONTAINER))


@pytest.mark.parametrize("is_reply", [True, False])
async def test_a_first_read_that_is_slow(
    far: ConversationLocks, front: StorageFront, stopped_clock: MovedClock, is_reply: bool
) -> None:
    """It has a deadline: in a skill's reply, and of a state that is not read with the lock."""
    late, context = late_turn(far, stopped_clock)
    if is_reply:
        context.turn_state[SkillHandler.SKILL_CONVERSATION_REFERENCE_KEY] = object()
    held = LongTurn()
    front.spoil(f"GET blob {CONTAINER}", after(held), skip=0 if is_reply else 2)
    using = asyncio.create_task(late.read(context, "user" if is_reply else "other"))
    await stopped_clock.until(held.started.is_set)
    stopped_clock.move(MIN_FIRST_STATE_SECONDS)
    with pytest.raises(StorageUnavailable, match="too slow"):
        await ended(using)
    held.ends.set()
    await late.end()
    await far.close()


async def test_a_read_within_a_lock(
    far: ConversationLocks, front: StorageFront, stopped_clock: MovedClock
) -> None:
    """It has no deadline: the turn has waited for its lock, and its user may have got a reply."""
    held = LongTurn()
    async with far.lock(NAME, 0):
        late, context = late_turn(far, stopped_clock)
        front.spoil(f"GET blob {CONTAINER}", after(held), skip=1)
        reading = asyncio.create_task(late.read(context, "other"))
        await stopped_clock.until(held.started.is_set)
        stopped_clock.move(MIN_FIRST_STATE_SECONDS + 1)
        await settled()
        assert not reading.done()
        held.ends.set()
        assert await reading is None
        await late.end()
    await far.close()
