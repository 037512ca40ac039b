"""The command behind `make bench`."""

import argparse
import asyncio
import datetime
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvloop
from tqdm import tqdm

from benchmarks import environments
from benchmarks.agents import comparison as agents
from benchmarks.agents.contestant import AGENTS_CONTESTANTS, AgentsContestant
from benchmarks.comparison import Comparison
from benchmarks.contestant import CONTESTANTS, ROOT, Contestant
from benchmarks.machine import machine
from benchmarks.results import (
    agents_report,
    plots,
    report,
    state_report,
    streams_report,
    telemetry_report,
)
from benchmarks.results.goals import Goals
from benchmarks.results.state_goals import StateGoals
from benchmarks.results.summary import Summary
from benchmarks.state.comparison import StateComparison
from benchmarks.state.contestant import STATE_CONTESTANTS, StateContestant
from benchmarks.state.measurement import median
from benchmarks.streams import comparison as streams
from benchmarks.streams.contestant import STREAM_CONTESTANTS, key
from benchmarks.telemetry import comparison as telemetry
from benchmarks.telemetry.contestant import TELEMETRY_CONTESTANTS, TelemetryContestant
from bot_workbench.commands.shutdown import run_until_asked_to_stop

DOCUMENT = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare this project with its peers."
    )
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="of one measurement (default: 1)"
    )
    parser.add_argument(
        "--only",
        default="",
        help="measure only matching contestants (a regular expression; `^state`, `^agents`,"
        " `^telemetry` and `^streams` are parts): a part of which not all are measured is not"
        " written to docs",
    )
    return parser.parse_args()


@contextmanager
def _measuring(steps: int) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A folder for files and logs, and a progress bar; after an error the logs are printed."""
    with tempfile.TemporaryDirectory() as folder, tqdm(total=steps, smoothing=0.02) as bar:

        def progress(text: str) -> None:
            bar.set_description_str(f"{text:60.60}")
            bar.update()

        try:
            yield Path(folder), progress
        except Exception:
            _show_logs(Path(folder))
            raise


def _show_logs(folder: Path) -> None:
    for log in folder.glob("*.log"):
        if text := log.read_text():
            print(f"\n{log.name}:\n{text[-2000:]}", file=sys.stderr)


async def _compare(contestants: Sequence[Contestant], options: argparse.Namespace) -> str:
    steps = Comparison.steps(len(contestants), options.rounds)
    with _measuring(steps) as (folder, progress):
        comparison = Comparison(contestants, folder, options.seconds, progress)
        await comparison.run(options.rounds)
    summaries = {each: Summary.of(results) for each, results in comparison.results.items()}
    facts = _facts(options, [each.environment for each in contestants])
    if len(summaries) < len(CONTESTANTS):
        return report.as_markdown(summaries, [], facts)
    goals = Goals(summaries).all()
    plots.draw(summaries, PLOTS)
    found = report.as_json(summaries, goals, facts)
    return _written("", found, report.as_markdown(summaries, goals, facts))


async def _compare_state(
    contestants: Sequence[StateContestant], options: argparse.Namespace
) -> str:
    with _measuring(len(contestants) * options.rounds) as (folder, progress):
        comparison = StateComparison(contestants, folder, options.seconds, progress)
        await comparison.run(options.rounds)
    summaries = {each: median(rounds) for each, rounds in comparison.results.items()}
    facts = _facts(options, [each.bot.environment for each in contestants])
    if len(summaries) < len(STATE_CONTESTANTS):
        return state_report.as_markdown(summaries, [], facts)
    goals = StateGoals(summaries).all()
    plots.draw_state(summaries, PLOTS)
    found = state_report.as_json(summaries, goals, facts)
    return _written("state ", found, state_report.as_markdown(summaries, goals, facts))


async def _compare_agents(
    contestants: Sequence[AgentsContestant], options: argparse.Namespace
) -> str:
    with _measuring(len(contestants) * options.rounds) as (folder, progress):
        comparison = agents.AgentsComparison(contestants, folder, options.seconds, progress)
        await comparison.run(options.rounds)
    summaries = {each: agents.median(rounds) for each, rounds in comparison.results.items()}
    facts = _facts(options, [each.echo.environment for each in contestants])
    if len(summaries) < len(AGENTS_CONTESTANTS):
        return agents_report.as_markdown(summaries, [], facts)
    goals = agents_report.agents_goals(summaries)
    found = agents_report.as_json(summaries, goals, facts)
    return _written("agents ", found, agents_report.as_markdown(summaries, goals, facts))


async def _compare_telemetry(
    contestants: Sequence[TelemetryContestant], options: argparse.Namespace
) -> str:
    with _measuring(len(contestants) * options.rounds) as (folder, progress):
        comparison = telemetry.TelemetryComparison(contestants, folder, options.seconds, progress)
        await comparison.run(options.rounds)
    summaries = {each: telemetry.median(rounds) for each, rounds in comparison.results.items()}
    facts = _facts(options, [each.environment for each in contestants])
    if len(summaries) < len(TELEMETRY_CONTESTANTS):
        return telemetry_report.as_markdown(summaries, [], facts)
    goals = telemetry_report.telemetry_goals(summaries)
    found = telemetry_report.as_json(summaries, goals, facts)
    return _written("telemetry ", found, telemetry_report.as_markdown(summaries, goals, facts))


async def _compare_streams(contestants: Sequence[Contestant], options: argparse.Namespace) -> str:
    with _measuring(len(contestants) * options.rounds) as (folder, progress):
        comparison = streams.StreamsComparison(contestants, folder, progress)
        await comparison.run(options.rounds)
    summaries = {each: streams.median(rounds) for each, rounds in comparison.results.items()}
    facts = _facts(options, [each.environment for each in contestants])
    facts["seconds"] = streams.ANSWER_SECONDS
    if len(summaries) < len(STREAM_CONTESTANTS):
        return streams_report.as_markdown(summaries, [], facts)
    goals = streams_report.streams_goals(summaries)
    found = streams_report.as_json(summaries, goals, facts)
    return _written("streams ", found, streams_report.as_markdown(summaries, goals, facts))


def _facts(options: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    return {
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "machine": machine(),
        "event_loop": f"uvloop {version('uvloop')}",
        "versions": {name: environments.versions(name) for name in dict.fromkeys(names)},
    }


def _written(part: str, found: dict[str, Any], text: str) -> str:
    """Write a part's results to docs, and return its text."""
    (PLOTS / f"{part.strip() or 'results'}.json").write_text(json.dumps(found, indent=1) + "\n")
    section = re.compile(rf"(?<=<!-- {part}measured -->\n).*(?=<!-- {part}end -->)", re.DOTALL)
    document = DOCUMENT.read_text()
    DOCUMENT.write_text(section.sub(lambda _: f"\n{text}\n", document))
    return text


def main() -> None:
    """Measure and print the tables; write a part to docs if all its contestants were measured."""
    options = _options()
    contestants = [
        each for each in CONTESTANTS if re.search(options.only, f"{each.label}, {each.host}")
    ]
    state_contestants = [each for each in STATE_CONTESTANTS if re.search(options.only, each.key)]
    hosting = [each for each in AGENTS_CONTESTANTS if re.search(options.only, each.key)]
    exporting = [each for each in TELEMETRY_CONTESTANTS if re.search(options.only, each.key)]
    streaming = [each for each in STREAM_CONTESTANTS if re.search(options.only, key(each))]
    if not any((contestants, state_contestants, hosting, exporting, streaming)):
        sys.exit("--only matches no contestant.")
    programs = [*contestants, *(each.bot for each in state_contestants)]
    programs += [each.echo for each in hosting]
    programs += [*(each.bot for each in exporting), *streaming]
    environments.make(dict.fromkeys(each.environment for each in programs))
    PLOTS.mkdir(exist_ok=True)

    async def work() -> None:
        if contestants:
            print(await _compare(contestants, options))
        if state_contestants:
            print(await _compare_state(state_contestants, options))
        if hosting:
            print(await _compare_agents(hosting, options))
        if exporting:
            print(await _compare_telemetry(exporting, options))
        if streaming:
            print(await _compare_streams(streaming, options))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_until_asked_to_stop(work()))


if __name__ == "__main__":
    main()
