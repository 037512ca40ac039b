"""A turn's storage calls have prices, and make up serial round trips."""

import pytest

from benchmarks.state.single_turn import SingleTurn
from benchmarks.state.storage.call import BLOB, QUEUE, StorageCall, counted, serial_round_trips
from benchmarks.state.turns import Turn

BLOB_PATH = "/bench0/bot-state/a/b"
MESSAGES = "/bench0/turns/messages"


def call(started: float, ended: float | None, target: str = BLOB_PATH) -> StorageCall:
    """A read of a blob."""
    return StorageCall(BLOB, "GET", target, started, ended)


def poll(started: float, ended: float | None, *, is_empty: bool) -> StorageCall:
    """A host's poll of the queue."""
    return StorageCall(QUEUE, "GET", f"{MESSAGES}?numofmessages=16", started, ended, is_empty)


@pytest.mark.parametrize(
    ("service", "method", "target", "dollars"),
    [
        (BLOB, "PUT", BLOB_PATH, 5.0),
        (BLOB, "PUT", f"{BLOB_PATH}?comp=appendblock", 5.0),
        (BLOB, "PUT", f"{BLOB_PATH}?comp=metadata", 5.0),
        (BLOB, "PUT", "/bench0/bot-state?restype=container", 5.0),
        (BLOB, "GET", "/bench0/bot-state?restype=container&comp=list&prefix=a", 5.0),
        (BLOB, "PUT", f"{BLOB_PATH}?comp=lease", 0.4),
        (BLOB, "GET", BLOB_PATH, 0.4),
        (BLOB, "HEAD", BLOB_PATH, 0.4),
        (BLOB, "DELETE", BLOB_PATH, 0.0),
        (QUEUE, "POST", MESSAGES, 0.4),
        (QUEUE, "DELETE", f"{MESSAGES}/1?popreceipt=x", 0.4),
    ],
)
def test_prices(service: str, method: str, target: str, dollars: float) -> None:
    """Writes and lists of blobs are expensive, deletions of blobs free, all else is cheap."""
    assert StorageCall(service, method, target, 0.0).price == dollars


def test_only_polls_with_a_message_count() -> None:
    """A poll that found nothing, or still waits, costs the turn nothing; others are requests."""
    delivery, read = poll(1, 2, is_empty=False), call(2, 3)
    assert counted([poll(0, 1, is_empty=True), delivery, read, poll(3, None, is_empty=False)]) == [
        delivery,
        read,
    ]


def test_calls_side_by_side_are_one_round_trip() -> None:
    """Only a call that started after another had ended has waited for it."""
    assert serial_round_trips([call(0, 2), call(1, 3)], 0, 9) == 1
    assert serial_round_trips([call(0, 2), call(2, 3)], 0, 9) == 2
    assert serial_round_trips([], 0, 9) == 0


def test_the_longest_sequence_counts() -> None:
    """A long call beside two short ones hides neither of them, in whatever order."""
    assert serial_round_trips([call(0, 9), call(0, 2), call(3, 5)], 0, 9) == 2
    assert serial_round_trips([call(3, 5), call(0, 2), call(5, 6), call(1, 4)], 0, 9) == 3


def test_only_calls_within_the_period_count() -> None:
    """Those that ended after the reply, or began before the message, are no part of the wait."""
    calls = [call(0, 1), call(2, 3), call(4, 6), call(4, None)]
    assert serial_round_trips(calls, 2, 5) == 1


def test_a_queued_turn() -> None:
    """Times and round trips are counted from the message, and from the delivery to the host."""
    turn = Turn("T-1", sent=10.0, status=202, answered=10.1, replied=10.5)
    calls = [
        StorageCall(QUEUE, "POST", MESSAGES, 10.01, 10.05),
        StorageCall(BLOB, "PUT", f"{BLOB_PATH}?comp=appendblock", 10.01, 10.06),
        poll(10.0, 10.02, is_empty=True),
        poll(10.2, 10.25, is_empty=False),
        call(10.3, 10.35),
        call(10.4, 10.45),
        StorageCall(BLOB, "PUT", BLOB_PATH, 10.55, 10.6),
    ]
    found = SingleTurn.of(turn, calls)
    assert (found.requests, round(found.dollars, 1)) == (6, 11.6)
    trips = (found.trips_before_answer, found.trips_before_reply, found.trips_after_delivery)
    assert trips == (1, 4, 2)
    times = (found.answer, found.reply, found.reply_after_delivery)
    assert times == pytest.approx((100, 500, 250))


def test_a_turn_without_a_queue() -> None:
    """There is no delivery: the reply's time is that since the message."""
    turn = Turn("T-1", sent=10.0, status=200, answered=10.4, replied=10.2)
    found = SingleTurn.of(turn, [call(10.0, 10.1), call(10.2, 10.3)])
    assert found.reply_after_delivery == found.reply
    assert (found.trips_before_reply, found.trips_before_answer) == (1, 2)
