"""Plots: a comparison's figures as PNG files."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.contestant import PROJECT, Contestant
from benchmarks.results.goals import MAIN_CELL
from benchmarks.results.measurement import Cell
from benchmarks.results.state_goals import StateSummaries
from benchmarks.results.summary import Summaries, Summary
from benchmarks.state.contestant import AZURITE

_OURS, _THEIRS = "#0f6cbd", "#9aa0a6"
_MARKERS, _STROKES = "os^Dv", ("-", "--", ":")


def draw(summaries: Summaries, folder: Path) -> None:
    """Write `turns.png`, `cpu.png`, `cold_start.png` and `in_flight.png`."""
    mpl.use("agg")
    _bars(
        summaries,
        folder / "turns.png",
        f"Turns per second ({MAIN_CELL}); more is better",
        lambda summary: summary.cells[MAIN_CELL].turns_per_second,
        logarithmic=True,
    )
    _bars(
        summaries,
        folder / "cpu.png",
        f"CPU seconds per 1000 turns ({MAIN_CELL}); less is better",
        lambda summary: summary.cells[MAIN_CELL].cpu,
        logarithmic=True,
    )
    _bars(
        summaries,
        folder / "cold_start.png",
        "Milliseconds from the process's start to its first reply (auth 60 ms); less is better",
        lambda summary: summary.cold_starts[60],
        logarithmic=False,
    )
    _lines(summaries, folder / "in_flight.png")


def draw_state(summaries: StateSummaries, folder: Path) -> None:
    """Write `state_cpu.png` and `state_reply.png`."""
    mpl.use("agg")
    drawn = {each: found for each, found in summaries.items() if each.storage == AZURITE}
    names = [each.label for each in drawn]
    colors = [_OURS if each.bot.name == PROJECT else _THEIRS for each in drawn]
    _draw_bars(
        (names, [found.load.cpu for found in drawn.values()], colors),
        folder / "state_cpu.png",
        "Milliseconds of CPU time per turn of a counter bot; less is better",
        logarithmic=False,
    )
    _draw_bars(
        (names, [found.turns.reply[20] for found in drawn.values() if found.turns], colors),
        folder / "state_reply.png",
        "Milliseconds to the reply of a counter bot, storage 20 ms; less is better",
        logarithmic=False,
    )


def _name(contestant: Contestant) -> str:
    host = "" if contestant.host.startswith("the workbench") else " (own host)"
    return contestant.label + host


def _bars(
    summaries: Summaries,
    path: Path,
    title: str,
    figure: Callable[[Summary], float],
    *,
    logarithmic: bool,
) -> None:
    names = [_name(each) for each in summaries]
    figures = [figure(summary) for summary in summaries.values()]
    colors = [_OURS if each.name == PROJECT else _THEIRS for each in summaries]
    _draw_bars((names, figures, colors), path, title, logarithmic=logarithmic)


def _draw_bars(
    bars: tuple[Sequence[str], Sequence[float], Sequence[str]],
    path: Path,
    title: str,
    *,
    logarithmic: bool,
) -> None:
    """Draw bars: their names, lengths and colors."""
    names, figures, colors = bars
    drawing, axes = plt.subplots(figsize=(9, 0.38 * len(names) + 1.2), layout="constrained")
    drawn = axes.barh(names, figures, color=colors, log=logarithmic)
    axes.bar_label(drawn, fmt=_figure, padding=3)
    axes.margins(x=0.12)
    axes.invert_yaxis()
    drawing.suptitle(title, x=0.01, ha="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(path, dpi=120)
    plt.close(drawing)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def _lines(summaries: Summaries, path: Path) -> None:
    drawing, pair = plt.subplots(1, 2, figsize=(13, 6), sharey=True, layout="constrained")
    for connector, axes in zip((0, 50), pair, strict=True):
        lines = itertools.product(_STROKES, _MARKERS)
        for (contestant, summary), line in zip(summaries.items(), lines, strict=False):
            in_flight = (1, 16, 64)
            speeds = [summary.cells[Cell(n, connector, 0)].turns_per_second for n in in_flight]
            color = _OURS if contestant.name == PROJECT else None
            stroke, marker = line
            axes.loglog(
                in_flight, speeds, stroke, marker=marker, label=_name(contestant), color=color
            )
        axes.set_xticks(in_flight, [str(n) for n in in_flight])
        axes.set_xlabel("turns in flight")
        axes.set_title(f"connector {connector} ms", loc="left", fontsize=11)
        axes.grid(alpha=0.3)
    pair[0].set_ylabel("turns per second")
    pair[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    drawing.savefig(path, dpi=120)
    plt.close(drawing)
