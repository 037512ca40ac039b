"""Summary: the medians of one contestant's measurements."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.comparison import Results
from benchmarks.contestant import Contestant
from benchmarks.results.measurement import Cell, Measurement, median


@dataclass(frozen=True)
class Summary:
    """One contestant's medians.

    Attributes:
        cells: warm turns.
        cold_starts: milliseconds, by the latency (milliseconds) of the sign-in and keys endpoints.
        peak_memory: bytes.
        imports: milliseconds.
    """

    cells: Mapping[Cell, Measurement]
    cold_starts: Mapping[int, float]
    peak_memory: float
    imports: float

    @classmethod
    def of(cls, results: Results) -> "Summary":
        """The medians of all rounds."""
        return cls(
            {cell: median(rounds) for cell, rounds in results.cells.items()},
            {auth: statistics.median(rounds) for auth, rounds in results.cold_starts.items()},
            statistics.median(results.peak_memory),
            statistics.median(results.imports),
        )


Summaries = Mapping[Contestant, Summary]
