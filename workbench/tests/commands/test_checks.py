"""`bot test` and `bot check`, in an author's repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot_workbench import command_line
from bot_workbench.commands import checks

BOT = (
    '"""A bot."""\n\nfrom cloud_adapter.bot.services import BotServices\n\nSERVICES = BotServices\n'
)
TEST = '''"""A test."""

from bot_logic.bot import SERVICES


def test_bot() -> None:
    """It has the services."""
    assert SERVICES
'''
PYPROJECT = """
[tool.ruff.lint]
select = ["F"]

[tool.pytest.ini_options]
addopts = "--strict-markers --strict-config --import-mode=importlib"
pythonpath = ["."]
"""


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """An author's repository: a bot with a test, and a base that ruff would have much to say of."""
    for file, text in {
        "function_app.py": "import no_such_module",
        "host.json": "",
        "cloud_adapter/bot/services.py": "import json\nclass BotServices: ...",
        "bot_logic/bot.py": BOT,
        "bot_logic/requirements.txt": "",
        "bot_logic/constraints.txt": "",
        "tests/bot_logic/test_bot.py": TEST,
        "requirements.txt": "-c bot_logic/constraints.txt\n-r bot_logic/requirements.txt\n",
        "requirements-dev.txt": "-r requirements.txt\n",
        "pyproject.toml": PYPROJECT,
        ".gitignore": "/.venv\n/.cache\n/artifacts/\n__pycache__/\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


def ended(folder: Path, *words: str) -> tuple[int, str]:
    """The exit status of a command that was started in a folder, and what it printed."""
    command = [sys.executable, "-m", "bot_workbench", *words]
    environ = {name: text for name, text in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "tool"), [("test", "pytest"), ("check", "ruff")])
def test_a_missing_tool_is_named(
    name: str, tool: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`bot` runs without the tools of these commands, and says how to install them."""
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    monkeypatch.setattr(checks, "run_programs", pytest.fail)
    with pytest.raises(SystemExit) as ended:
        command_line.run([name])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"{tool} is missing: name it in requirements-dev.txt")


def test_what_an_author_starts_with(author: Path) -> None:
    """The test passes, the check has nothing to say, and git sees no file of theirs."""
    git = ["git", "-c", "user.name=author", "-c", "user.email=author@example.com"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "Begin"]):
        subprocess.run([*git, *words], cwd=author, check=True)
    status, said = ended(author, "test")
    assert status == 0, said
    assert "1 passed" in said
    assert ended(author, "check") == (0, "All checks passed!\n2 files already formatted\n")
    state = subprocess.run([*git, "status", "--porcelain"], cwd=author, capture_output=True)
    assert (state.returncode, state.stdout) == (0, b"")


def test_imports_that_are_not_allowed(author: Path) -> None:
    """Each has a line, those of the tests too, and the status is not 0."""
    (author / "bot_logic" / "bot.py").write_text("import http_client\n\nimport pytest\n")
    (author / "tests" / "bot_logic" / "more.py").write_text("import bot_workbench, pytest\n")
    status, said = ended(author, "check")
    assert status == 1
    assert [line.partition(" is ")[0] for line in said.splitlines()] == [
        "bot_logic/bot.py:1: http_client",
        "bot_logic/bot.py:3: pytest",
        "tests/bot_logic/more.py:1: bot_workbench",
    ]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(:\n", "invalid-syntax"),
        ("import json\n", "F401"),
        ("x = 1;\n", "1 file would be reformatted"),
    ],
)
def test_what_ruff_finds(author: Path, code: str, found: str) -> None:
    """A file that is not Python, the lint and the format; the tests may be gone."""
    (author / "tests" / "bot_logic" / "test_bot.py").unlink()
    (author / "tests" / "bot_logic").rmdir()
    (author / "bot_logic" / "bot.py").write_text(code)
    status, said = ended(author, "check")
    assert status == 1
    assert found in said
    assert "function_app" not in said


def test_the_arguments_are_pytests(author: Path) -> None:
    """A file is named from the folder in which the command was started."""
    folder = author / "tests" / "bot_logic"
    (folder / "test_bot.py").write_text("def test_x(): ...\ndef test_y(): assert False\n")
    status, said = ended(folder, "test", "test_bot.py", "-k", "x")
    assert (status, "1 passed, 1 deselected" in said) == (0, True)
    status, said = ended(folder, "test")
    assert (status, "1 failed, 1 passed" in said) == (1, True)
