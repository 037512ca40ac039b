"""Draws architecture.svg from the imports of the code: `make picture`.

A box is a package, placed on its floor by `ROOMS`; its modules are those in the folder. An arrow is
an import, and leads down. Arrows that follow from others are left out: if A imports B and B imports
C, there is no arrow from A to C.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURE = Path(__file__).with_suffix(".svg")
FOLDERS = (ROOT, ROOT / "workbench")
"""Where the packages are."""


@dataclass(frozen=True)
class Room:
    """A box of the picture.

    Attributes:
        package: dotted name: the room holds its modules, except those of a longer name in ROOMS.
        title: as readers know it.
        about: what it is for, in a few words.
        row: its floor, from the top.
        column: 0 to 2 for the bot and the base, 3 for the workbench.
        color: the CSS class.
        columns: how many it spans.
    """

    package: str
    title: str
    about: str
    row: int
    column: int
    color: str
    columns: int = 1


BOT = Room("bot_logic", "bot_logic", "your bot", 0, 1, "bot")
"""Stands beside the floors. It is the user's: what it imports is not looked up."""

OFFERED = ("cloud_adapter.bot", "cloud_adapter.reply")
"""The imports of the bot that are drawn."""

TOOL = "tool"
"""The color of what the workbench's wheel holds, of which only packages are listed."""

ROOMS = (
    Room("function_app", "function_app.py", "triggers, translators, refusals", 1, 1, "host"),
    Room("composition", "composition.py", "the parts, and their warm-up", 2, 1, "host"),
    BOT,
    Room("cloud_adapter.agents", "agents", "bots of the Agents SDK", 3, 0, "turn"),
    Room("cloud_adapter.bot", "bot", "what a bot is given", 4, 1, "turn"),
    Room("cloud_adapter.telemetry", "telemetry", "spans and metrics", 3, 2, "turn"),
    Room("cloud_adapter.skills", "skills.py", "replies of skills", 5, 0, "turn"),
    Room("cloud_adapter.reply", "reply.py", "answers while they grow", 5, 1, "turn"),
    Room("cloud_adapter.proactive", "proactive", "notifications", 5, 2, "turn"),
    Room("cloud_adapter.message_stream", "message_stream.py", "one growing message", 6, 1, "turn"),
    Room("cloud_adapter.adapter", "adapter.py", "one turn", 7, 1, "turn"),
    Room("cloud_adapter.authentication", "authentication.py", "the SDK's interface", 8, 0, "turn"),
    Room("cloud_adapter.queued", "queued", "turns behind a queue", 8, 2, "turn"),
    Room("cloud_adapter", "a turn's parts", "what the adapter works with", 9, 1, "turn"),
    Room("cloud_adapter.connector", "connector", "calls to the channel", 10, 0, "turn"),
    Room("cloud_adapter.state", "state", "what the bot remembers", 10, 2, "turn"),
    Room("cloud_adapter.activities", "activities.py", "who, where, and which", 11, 0, "turn"),
    Room("cloud_adapter.storage", "storage", "blobs and queues", 11, 2, "turn"),
    Room("cloud_adapter.codec", "codec.py", "JSON to models and back", 12, 1, "turn"),
    Room("cloud_adapter.deadlines", "deadlines.py", "the time limits of a turn", 12, 0, "turn"),
    Room("cloud_adapter.home_loop", "home_loop.py", "calls from threads", 13, 0, "turn"),
    Room("cloud_adapter.errors", "errors.py", "of storage and turns", 14, 1, "turn"),
    Room("auth", "auth", "who the bot is, and who may call it", 15, 0, "auth", columns=3),
    Room("http_client", "http_client", "the pooled client", 16, 0, "http", columns=3),
    Room("bot_testing", "bot_testing", "a test kit for your bot", 1, 3, TOOL),
    Room("bot_workbench.app", "bot_workbench.app", "what imports the base", 2, 3, TOOL),
    Room("bot_workbench", "bot_workbench", "bot, and a cloud of your own", 3, 3, TOOL),
)


@dataclass(frozen=True)
class Panel:
    """The background of rooms that belong together; its title is in its first row and column.

    Attributes:
        title: as readers know the group.
        about: what it is for, in a few words.
        color: the CSS class.
        rows: the first and the last.
        columns: the first and the last.
        padding: how far it reaches beyond its rooms, in pixels.
    """

    title: str
    about: str
    color: str
    rows: tuple[int, int]
    columns: tuple[int, int] = (0, 2)
    padding: int = 16


PANELS = (
    Panel("The bot", "what its author writes", "author", (0, 0)),
    Panel("The base", "runs a bot in Azure", "base", (1, 16)),
    Panel("cloud_adapter", "how a turn runs", "house", (3, 14), padding=9),
    Panel("The workbench", "tools, never deployed", "tools", (0, 3), (3, 3)),
)

WIDTH, MARGIN = 1036, 34
COLUMN, COLUMN_GAP, WORKBENCH_GAP = 212, 28, 64
PADDING, TITLE, LINE, ROW_GAP = 14, 18, 15, 38
LANE = 12
"""The distance at which arrows pass a column on its left."""

CHARACTER = 6.1
"""Width in pixels of an average character of a module's name."""

STYLE = """
svg { color-scheme: light dark; font-family: -apple-system, "Segoe UI", Roboto, Helvetica, Arial,
  sans-serif; --page: #ffffff; --ink: #1f2328; --faint: #59636e; --arrow: #818b98;
  --edge: #d1d9e0; --author: #fffaf0; --base: #fafbfc; --house: #f0f5fc; --tools: #fafbfc;
  --host: #ffffff; --host-edge: #818b98; --bot: #fff4e0; --bot-edge: #d9822b;
  --turn: #ffffff; --turn-edge: #7aa7e0; --auth: #e9f7ee; --auth-edge: #4fa877;
  --http: #f3effc; --http-edge: #9275d1; --tool: #ffffff; --tool-edge: #afb8c1; }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --ink: #e6edf3; --faint: #9198a1;
  --arrow: #7d8590; --edge: #30363d; --author: #1c1710; --base: #0f141b; --house: #121d2f;
  --tools: #0f141b;
  --host: #161b22; --host-edge: #7d8590; --bot: #33230f; --bot-edge: #e3a04f;
  --turn: #16243b; --turn-edge: #4c7cba; --auth: #12281c; --auth-edge: #45936a;
  --http: #211a33; --http-edge: #8b6fd0; --tool: #0d1117; --tool-edge: #57606a; } }
.page { fill: var(--page); } .panel { stroke: var(--edge); }
.author { fill: var(--author); } .base { fill: var(--base); } .house { fill: var(--house); }
.tools { fill: var(--tools); }
.title { font-size: 14px; font-weight: 600; fill: var(--ink); }
.about { font-size: 12px; fill: var(--ink); } .modules { font-size: 11px; fill: var(--faint); }
.arrow { fill: none; stroke: var(--arrow); stroke-width: 1.4; marker-end: url(#head); }
.head { fill: var(--arrow); } .room { stroke-width: 1.3; }
.host { fill: var(--host); stroke: var(--host-edge); }
.bot { fill: var(--bot); stroke: var(--bot-edge); }
.turn { fill: var(--turn); stroke: var(--turn-edge); }
.auth { fill: var(--auth); stroke: var(--auth-edge); }
.http { fill: var(--http); stroke: var(--http-edge); }
.tool { fill: var(--tool); stroke: var(--tool-edge); stroke-dasharray: 5 4; }
"""

Edge = tuple[Room, Room]
Point = tuple[float, float]


def room_of(module: str) -> Room | None:
    """The room that a module is in; None for a module that is not ours."""
    fitting = [room for room in ROOMS if f"{module}.".startswith(f"{room.package}.")]
    return max(fitting, key=lambda room: len(room.package), default=None)


def modules() -> dict[str, Path]:
    """The files of all rooms but the bot's; a package's own name is that of its folder."""
    tops = {room.package.partition(".")[0] for room in ROOMS if room != BOT}
    names = {
        ".".join(file.relative_to(folder).with_suffix("").parts): file
        for folder in FOLDERS
        for top in tops
        for file in (folder / f"{top}.py", *(folder / top).rglob("*.py"))
        if file.exists()
    }
    return {name.removesuffix(".__init__"): file for name, file in sorted(names.items())}


def imported(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a file imports, in functions and for type checkers too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in known else node.module


def imports_of_rooms(known: dict[str, Path]) -> dict[Room, set[Room]]:
    """Which rooms each room imports.

    Raises:
        ValueError: an import leads up or sideways, so the floors are not the code's.
    """
    below: dict[Room, set[Room]] = {room: set() for room in ROOMS}
    below[BOT] = {room for room in ROOMS if room.package in OFFERED}
    wrong = []
    for module, file in known.items():
        room = room_of(module)
        for name in sorted(set(imported(file, known))):
            target = room_of(name)
            if target == room or target is None or room is None:
                continue
            if target.row > room.row:
                below[room].add(target)
            else:
                wrong.append(f"{module} imports {name}")
    if wrong:
        raise ValueError(f"These imports do not lead down: {'; '.join(wrong)}")
    return below


def edges(below: dict[Room, set[Room]]) -> list[Edge]:
    """The arrows: imports without those that follow from others, in a stable order."""
    found = [
        (room, target)
        for room, targets in below.items()
        for target in targets
        if not any(_reaches(other, target, below) for other in targets - {target})
    ]
    return sorted(found, key=lambda edge: (edge[0].package, edge[1].package))


def _reaches(start: Room, end: Room, below: dict[Room, set[Room]]) -> bool:
    return end in below[start] or any(_reaches(each, end, below) for each in below[start])


class Picture:
    """The picture of some modules.

    Args:
        known: files by dotted names.

    Raises:
        ValueError: an import does not lead down, so the floors are not the code's.
    """

    def __init__(self, known: dict[str, Path]) -> None:
        self._lines = {room: _listed(room, known) for room in ROOMS}
        self._edges = edges(imports_of_rooms(known))
        rows = range(max(room.row for room in ROOMS) + 1)
        heights = [max(self._height(r) for r in ROOMS if r.row == row) for row in rows]
        self._tops = [MARGIN + sum(heights[:row]) + ROW_GAP * row for row in rows]
        self._bottoms = [top + height for top, height in zip(self._tops, heights, strict=True)]

    def svg(self) -> str:
        """The picture as an SVG document."""
        height = self._bottoms[-1] + MARGIN
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            f' width="{WIDTH}" height="{height}" role="img">',
            "<title>The packages, top to bottom, and who imports whom</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"',
            'markerHeight="7" orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>',
            f'<rect class="page" width="{WIDTH}" height="{height}" rx="12"/>',
            *(line for panel in PANELS for line in self._panel(panel)),
            *(self._arrow(edge) for edge in self._edges),
            *(line for room in ROOMS for line in self._room(room)),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _height(self, room: Room) -> int:
        return 2 * PADDING + TITLE + LINE * (1 + len(self._lines[room])) - 4

    def _panel(self, panel: Panel) -> Iterator[str]:
        (top, bottom), (first, last) = panel.rows, panel.columns
        lowest = [r for r in ROOMS if r.row == bottom and first <= r.column <= last]
        x, y = _left_of(first) - panel.padding, self._tops[top] - panel.padding
        width = _left_of(last) + COLUMN + panel.padding - x
        height = self._tops[bottom] + max(map(self._height, lowest)) + panel.padding - y
        place = f'x="{x}" y="{y}" width="{width}" height="{height}" rx="14"'
        yield f'<rect class="panel {panel.color}" {place}/>'
        yield _text("title", _left_of(first), self._tops[top] + PADDING + 6, panel.title)
        yield _text("about", _left_of(first), self._tops[top] + PADDING + 24, panel.about)

    def _room(self, room: Room) -> Iterator[str]:
        x, y = _left(room), self._tops[room.row]
        yield (
            f'<rect class="room {room.color}" x="{x}" y="{y}" width="{_width(room)}"'
            f' height="{self._height(room)}" rx="9"/>'
        )
        y += PADDING + 11
        yield _text("title", x + PADDING, y, room.title)
        yield _text("about", x + PADDING, y + TITLE, room.about)
        for number, line in enumerate(self._lines[room], start=1):
            yield _text("modules", x + PADDING, y + TITLE + LINE * number + 2, line)

    def _arrow(self, edge: Edge) -> str:
        upper, lower = edge
        x1, x2 = self._port(edge, leaving=True), self._port(edge, leaving=False)
        start, end = self._tops[upper.row] + self._height(upper), self._tops[lower.row]
        lane = self._lane(edge, x1, x2)
        turn = ROW_GAP / 2
        if lane not in (x1, x2):  # where it comes out of a gap, the next goes into it
            x2 -= LANE
            turn *= 1.4
        first, last = self._bottoms[upper.row] + turn, end - turn
        points = [(x1, start), (x1, first), (lane, first), (lane, last), (x2, last), (x2, end)]
        return _path(points)

    def _port(self, edge: Edge, *, leaving: bool) -> float:
        """Where an arrow leaves the bottom of its upper room, or meets the top of its lower one."""
        room, mine = (edge[0], 0) if leaving else (edge[1], 1)
        others = [e for e in self._edges if e[mine] == room]
        others.sort(key=lambda e: (_center(e[1 - mine]), e[1 - mine].row))
        if room.columns > 1:  # straight down, if it comes from one of these columns
            port = _center(edge[1]) if leaving else self._port(edge, leaving=True)
            return min(port, _left(room) + _width(room) - PADDING)
        return _left(room) + _width(room) * (others.index(edge) + 1) / (len(others) + 1)

    def _lane(self, edge: Edge, x1: float, x2: float) -> float:
        """Where an arrow passes the rows between: through free columns, else through a gap."""
        upper, lower = edge
        between = [room for room in ROOMS if upper.row < room.row < lower.row]
        gap = _left_of(max(upper.column, lower.column)) - LANE
        for lane in (x2, x1, gap):
            if not any(_left(r) <= lane <= _left(r) + _width(r) for r in between):
                return lane
        return gap


def _listed(room: Room, known: dict[str, Path]) -> list[str]:
    """A room's content, in lines that fit: modules, and a wide room's packages with theirs."""
    own = sorted(name for name in known if room_of(name) == room and name != room.package)
    paths = [name.removeprefix(f"{room.package}.").split(".") for name in own]
    names = sorted({path[0] for path in paths})
    inner = {name: [path[1] for path in paths if path[0] == name and path[1:]] for name in names}
    if room.color == TOOL:
        return _wrapped([name for name in names if inner[name]], room)
    lines = _wrapped([name for name in names if not inner[name]], room)
    for name in filter(inner.get, names):
        lines += _wrapped([f"{name}/", *inner[name]], room)
    return lines


def _wrapped(names: list[str], room: Room) -> list[str]:
    lines = [""]
    for name in names:
        longer = f"{lines[-1]}  {name}".strip()
        if len(longer) * CHARACTER > _width(room) - 2 * PADDING:
            lines.append(name)
        else:
            lines[-1] = longer
    return [line for line in lines if line]


def _left_of(column: int) -> float:
    more = WORKBENCH_GAP - COLUMN_GAP if column == 3 else 0
    return MARGIN + column * (COLUMN + COLUMN_GAP) + more


def _left(room: Room) -> float:
    return _left_of(room.column)


def _width(room: Room) -> float:
    return room.columns * COLUMN + (room.columns - 1) * COLUMN_GAP


def _center(room: Room) -> float:
    return _left(room) + _width(room) / 2


def _text(kind: str, x: float, y: float, text: str) -> str:
    spaced = escape(text).replace("  ", "&#160; ")
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{spaced}</text>'


def _path(points: list[Point]) -> str:
    """A line through the points, with round corners."""
    kept = [points[0]]
    for point, following in pairwise(points[1:]):
        if point not in (kept[-1], following):
            kept.append(point)
    kept.append(points[-1])
    d = [f"M{kept[0][0]:g} {kept[0][1]:g}"]
    for before, corner, after in zip(kept, kept[1:], kept[2:], strict=False):
        near, far = _toward(corner, before), _toward(corner, after)
        d.append(f"L{near[0]:g} {near[1]:g}Q{corner[0]:g} {corner[1]:g} {far[0]:g} {far[1]:g}")
    d.append(f"L{kept[-1][0]:g} {kept[-1][1]:g}")
    return f'<path class="arrow" d="{"".join(d)}"/>'


def _toward(corner: Point, other: Point, radius: float = 8) -> Point:
    """The point where the round corner begins."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(dx), abs(dy), 1)
    part = min(radius, length / 2) / length
    return corner[0] + dx * part, corner[1] + dy * part


def main() -> None:
    """Write the picture."""
    try:
        PICTURE.write_text(Picture(modules()).svg(), "utf-8")
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
