"""The command behind `make bench`."""

import argparse
import asyncio
import datetime
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import uvloop
from tqdm import tqdm

from benchmarks import environments
from benchmarks.comparison import Comparison
from benchmarks.contestant import CONTESTANTS, ROOT, Contestant
from benchmarks.machine import machine
from benchmarks.results import plots, report
from benchmarks.results.goals import Goal, Goals
from benchmarks.results.summary import Summary
from emulator.commands.shutdown import run_until_asked_to_stop

DOCUMENT = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"
_GENERATED = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end -->)", re.DOTALL)


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
        help="measure only matching contestants (a regular expression), and write nothing to docs",
    )
    return parser.parse_args()


async def _compare(
    contestants: Sequence[Contestant], options: argparse.Namespace
) -> dict[Contestant, Summary]:
    steps = Comparison.steps(len(contestants), options.rounds)
    with tempfile.TemporaryDirectory() as folder, tqdm(total=steps, smoothing=0.02) as bar:

        def progress(text: str) -> None:
            bar.set_description_str(f"{text:60.60}")
            bar.update()

        comparison = Comparison(contestants, Path(folder), options.seconds, progress)
        try:
            await comparison.run(options.rounds)
        except Exception:
            _show_logs(Path(folder))
            raise
    return {each: Summary.of(results) for each, results in comparison.results.items()}


def _show_logs(folder: Path) -> None:
    for log in folder.glob("*.log"):
        if text := log.read_text():
            print(f"\n{log.name}:\n{text[-2000:]}", file=sys.stderr)


def _write(summaries: dict[Contestant, Summary], options: argparse.Namespace) -> str:
    complete = len(summaries) == len(CONTESTANTS)
    goals: list[Goal] = Goals(summaries).all() if complete else []
    facts = {
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "machine": machine(),
        "event_loop": f"uvloop {version('uvloop')}",
        "versions": {name: environments.versions(name) for name in _environments(summaries)},
    }
    text = report.as_markdown(summaries, goals, facts)
    if complete:
        PLOTS.mkdir(exist_ok=True)
        plots.draw(summaries, PLOTS)
        found = report.as_json(summaries, goals, facts)
        (PLOTS / "results.json").write_text(json.dumps(found, indent=1) + "\n")
        document = DOCUMENT.read_text()
        DOCUMENT.write_text(_GENERATED.sub(lambda _: f"\n{text}\n", document))
    return text


def _environments(contestants: Sequence[Contestant] | dict[Contestant, Summary]) -> list[str]:
    return list(dict.fromkeys(each.environment for each in contestants))


def main() -> None:
    """Measure and print the tables; write them to docs/benchmarks.md if all were measured."""
    options = _options()
    contestants = [
        each for each in CONTESTANTS if re.search(options.only, f"{each.label}, {each.host}")
    ]
    if not contestants:
        sys.exit("--only matches no contestant.")
    environments.make(_environments(contestants))

    async def work() -> None:
        summaries = await _compare(contestants, options)
        print(_write(summaries, options))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_until_asked_to_stop(work()))


if __name__ == "__main__":
    main()
