"""Workers and hosts die in real times: what becomes of what the bot has accepted.

Runs the scenarios that are named, all at the same time, and prints their figures as a table. The
exit status is 1 if one of them misses a demand. A demand that is missed is bold in the table.

Usage: python -m tests.support.load.deaths [SCENARIO ...]
"""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from pathlib import Path

from bot_workbench.commands.shutdown import INTERRUPTED, run_until_asked_to_stop
from tests.support.load.deaths.outcome import Outcome, table_of
from tests.support.load.deaths.scenarios import SCENARIOS
from tests.support.load.deaths.stage import BOTS, stage
from tests.support.project import ROOT

LOGS = ROOT / "artifacts" / "deaths"


def main() -> int:
    """Run the scenarios; returns the exit status."""
    given = _options()
    names = given.scenario or list(SCENARIOS)
    LOGS.mkdir(parents=True, exist_ok=True)
    for name in names:
        (LOGS / f"{name}.turns").unlink(missing_ok=True)
    outcomes: list[Outcome] = []

    async def all_at_once(folder: Path) -> None:
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(_run(name, folder / name, given.bot, outcomes))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_until_asked_to_stop(all_at_once(Path(folder))))
    outcomes.sort(key=lambda each: names.index(each.scenario))
    missed = [f"- {line}" for each in outcomes for line in each.missed]
    if outcomes:
        print(table_of(outcomes), "", *missed, sep="\n")
    if len(outcomes) < len(names):
        return INTERRUPTED
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    described = "\n".join(f"  {name:16}{SCENARIOS[name].__doc__}" for name in SCENARIOS)
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.load.deaths",
        description=f"Let workers and hosts die in real times.\n\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "scenario",
        nargs="*",
        choices=[[], *SCENARIOS],
        metavar="SCENARIO",
        help=f"one of the above (default: all); logs, and when turns began, are in {LOGS}",
    )
    parser.add_argument("--bot", choices=BOTS, default=BOTS[0], help="of which SDK")
    return parser.parse_args()


async def _run(name: str, folder: Path, bot: str, outcomes: list[Outcome]) -> None:
    """Run a scenario, and add what came of it."""
    begin = time.monotonic()
    try:
        async with stage(folder, LOGS / f"{name}.log", bot) as own:
            outcomes.append(Outcome(name, await SCENARIOS[name](own)))
    except Exception:  # noqa: BLE001  # the other scenarios go on
        outcomes.append(Outcome(name, {}, traceback.format_exc()))
    print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
