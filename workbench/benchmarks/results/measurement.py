"""Measurement: the figures of one contestant in one cell of one round, and their medians."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from benchmarks.benchmark_cloud import Counts
from benchmarks.traffic.load import LoadOutcome


@dataclass(frozen=True, order=True)
class Cell:
    """The conditions of a measurement.

    Attributes:
        in_flight: turns at the same time.
        connector: latency of the connector, in milliseconds.
        auth: latency of the sign-in and keys endpoints, in milliseconds.
    """

    in_flight: int
    connector: int
    auth: int

    def __str__(self) -> str:
        return f"{self.in_flight} in flight, connector {self.connector} ms, auth {self.auth} ms"


CELLS = tuple(
    Cell(in_flight, connector, auth)
    for auth in (0, 60)
    for connector in (0, 50)
    for in_flight in (1, 16, 64)
)


@dataclass(frozen=True)
class Measurement:
    """Figures of warm turns.

    Attributes:
        turns_per_second: turns whose response and verified reply both arrived.
        p50, p99: milliseconds of a turn.
        cpu: seconds of CPU time per 1000 turns, including the host's.
        token_requests, connections: per 1000 turns.
        failures: number of failed turns.
    """

    turns_per_second: float
    p50: float
    p99: float
    cpu: float
    token_requests: float
    connections: float
    failures: float

    @classmethod
    def of(cls, outcome: LoadOutcome, cpu_seconds: float, counts: Counts) -> "Measurement":
        """The figures of a load's outcome.

        Raises:
            RuntimeError: no turn succeeded.
        """
        turns = len(outcome.latencies)
        if not turns:
            raise RuntimeError(f"no turn succeeded: {outcome.failures[:3]}")
        milliseconds = sorted(1000 * each for each in outcome.latencies)
        return cls(
            turns / outcome.seconds,
            statistics.median(milliseconds),
            milliseconds[min(turns - 1, int(0.99 * turns))],
            1000 * cpu_seconds / turns,
            1000 * counts.token_requests / turns,
            1000 * counts.connections / turns,
            len(outcome.failures),
        )


def median(measurements: Sequence[Measurement]) -> Measurement:
    """The median of each figure; for failures the sum."""
    rows = [asdict(each) for each in measurements]
    middle = {
        each.name: statistics.median(row[each.name] for row in rows) for each in fields(Measurement)
    }
    return Measurement(**{**middle, "failures": sum(row["failures"] for row in rows)})
