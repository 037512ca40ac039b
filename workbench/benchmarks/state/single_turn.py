"""SingleTurn: what one turn cost that ran while no other did."""

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.state.storage.call import StorageCall, counted, serial_round_trips
from benchmarks.state.turns import Turn


@dataclass(frozen=True)
class SingleTurn:
    """The figures of a turn; times in milliseconds.

    Attributes:
        requests: to storage, without polls that found nothing.
        dollars: price of a million times these requests.
        reply, answer: from the message to the reply, and to the HTTP response.
        reply_after_delivery: from the delivery of the wake-up message to the reply; the same as
            `reply` if there was no such message.
        trips_before_reply, trips_before_answer, trips_after_delivery: serial round trips to storage
            in these times.
    """

    requests: int
    dollars: float
    reply: float
    answer: float
    reply_after_delivery: float
    trips_before_reply: int
    trips_before_answer: int
    trips_after_delivery: int

    @classmethod
    def of(cls, turn: Turn, calls: Iterable[StorageCall]) -> "SingleTurn":
        """The figures of a turn, and of all calls from its message until its last call had ended.

        The first message that the host got is the turn's own, since no other turn ran.
        """
        calls = counted(calls)
        deliveries = [call.ended for call in calls if call.is_delivery and call.ended is not None]
        delivered = min(deliveries, default=turn.sent)
        return cls(
            len(calls),
            sum(call.price for call in calls),
            1000 * (turn.replied - turn.sent),
            1000 * (turn.answered - turn.sent),
            1000 * (turn.replied - delivered),
            serial_round_trips(calls, turn.sent, turn.replied),
            serial_round_trips(calls, turn.sent, turn.answered),
            serial_round_trips(calls, delivered, turn.replied),
        )
