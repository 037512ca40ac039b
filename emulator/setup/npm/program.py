"""The command of a program that npm has installed."""

import shutil
from pathlib import Path

ON_BREAK = "process.once('SIGBREAK', () => process.emit('SIGINT') || process.exit())"
"""Ctrl-Break, by which programs are asked to stop on Windows, is what Ctrl-C is. No other system
has it."""


def node_command(program: Path) -> list[str]:
    """The words that start a program; none if it, or Node.js, is not installed.

    A script is started by Node.js itself. What npm puts into `.bin` is a batch file on Windows,
    and Ctrl-Break ends its script before that has written what it keeps in memory.

    Args:
        program: a script, or what starts by itself.
    """
    if not program.exists():
        return []
    if program.suffix != ".js":
        return [str(program)]
    node = shutil.which("node")
    return [node, "--import", f"data:text/javascript,{ON_BREAK}", str(program)] if node else []
