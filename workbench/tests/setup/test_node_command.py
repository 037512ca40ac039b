"""Programs that npm has installed are started by Node.js itself, and stop in their own time."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bot_workbench.setup.npm import node_command

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is missing")


def printed(script: Path, code: str, *words: str) -> str:
    """The output of a script."""
    script.write_text(code, "utf-8")
    command = [*node_command(script), *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout


@needs_node
def test_a_script(tmp_path: Path) -> None:
    """It gets its words, also from a folder with a space in its name."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    code = "console.log(process.argv.slice(2).join())"
    assert printed(folder / "program.js", code, "--port", "1") == "--port,1\n"


@needs_node
@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("process.once('SIGINT', () => { console.log('written'); process.exit() })", "written\n"),
        ("", ""),
    ],
)
def test_ctrl_break(tmp_path: Path, handler: str, expected: str) -> None:
    """By which Windows asks it to stop: it is Ctrl-C, so that nothing in memory is lost."""
    # No signal on this system; an event by its name is the same to the program.
    code = f"{handler}\nsetTimeout(() => {{}}, 100_000)\nprocess.emit('SIGBREAK')"
    assert printed(tmp_path / "program.js", code) == expected


def test_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program, or without Node.js, there is no command."""
    script = tmp_path / "program.js"
    assert node_command(script) == []
    script.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node_command(script) == []
