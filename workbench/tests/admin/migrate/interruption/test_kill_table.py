"""Each command is killed right after each of its writes and run again: the same end, nothing lost.

The table is printed, and written to artifacts/kill-table/.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Handler
from tests.admin.migrate.interruption.cases import CASES, Case
from tests.admin.migrate.interruption.stage import Stage, stage
from tests.support.project import ROOT

FOLDER = ROOT / "artifacts" / "kill-table"
KILLED = -9
MOMENTS = {
    "before the answer": Stage.before_the_answer,
    "after the answer": Stage.after_the_answer,
}
HEADINGS = ("write", "killed", "request", "secret", "users answered", "same end state")
DELETION = "removePassword"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_killed_after_each_write(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the n-th write and run again, a command ends where it would have ended."""
    case = CASES[name]
    with stage(tmp_path / "whole", monkeypatch, case) as whole:
        writes = whole.listen()
        whole.run()
        count, end = len(writes), whole.state()
    assert count
    rows: list[tuple[str, ...]] = []
    for number in range(1, count + 1):
        for moment in MOMENTS:
            folder = tmp_path / f"{number}-{moment[:5].strip()}"
            with stage(folder, monkeypatch, case) as cut:
                rows.append(_row(cut, number, count, moment, end))
    _show(name, case, rows)
    assert all(row[-2:] == ("yes", "yes") for row in rows)
    # The secret is there until its own deletion, which is one of the last writes.
    deleted = [row[3] == "gone" for row in rows]
    assert deleted == [any(DELETION in row[2] for row in rows[: n + 1]) for n in range(len(rows))]


def _row(
    cut: Stage, number: int, count: int, moment: str, end: dict[str, object]
) -> tuple[str, ...]:
    """Kill a command, look, run it again, look again."""
    interfere = MOMENTS[moment]

    async def interfered(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await interfere(cut, request, handler)

    writes = cut.listen(number, interfered)
    assert cut.run_killed() == KILLED
    write = writes[number - 1]
    has_secret, serves = cut.has_secret, cut.serves
    cut.listen()
    cut.run()
    same = cut.state() == end
    return (
        f"{number} of {count}",
        moment,
        str(write),
        "there" if has_secret else "gone",
        _word(serves),
        _word(same),
    )


def _word(value: bool) -> str:
    return "yes" if value else "NO"


def _show(name: str, case: Case, rows: list[tuple[str, ...]]) -> None:
    """Print the table, and keep it."""
    widths = [max(len(row[place]) for row in [HEADINGS, *rows]) for place in range(len(HEADINGS))]
    lines = [
        f"bot migrate {case.command}",
        "",
        *_lines(widths, [HEADINGS, *rows]),
    ]
    text = "\n".join(lines) + "\n"
    print(f"\n{text}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name.replace(', ', '-').replace(' ', '-')}.txt"
    file.write_text(text, "utf-8")


def _lines(widths: list[int], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
