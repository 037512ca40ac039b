"""How a fault of an app's code reads in one line."""

from pathlib import Path

import pytest

from bot_workbench.emulator.functions.reload.code_fault import fault_in, fault_of
from bot_workbench.emulator.functions.reload.code_folders import CodeFolders

LIBRARY = "def refuse():\n    raise ValueError('no such\\n  value')\n"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodeFolders:
    """An app with a bot, which calls the app's own code."""
    monkeypatch.chdir(tmp_path)
    for name in ("bot_logic", "cloud_adapter"):
        (tmp_path / name).mkdir()
    return CodeFolders(tmp_path)


def error_of(source: str, file: Path, values: dict[str, object]) -> Exception:
    """What running a source as a file raises."""
    try:
        exec(compile(source, str(file), "exec"), values)  # noqa: S102 # the test's own text
    except Exception as error:  # noqa: BLE001 # it is the answer
        return error
    raise AssertionError("nothing was raised")


def test_the_bots_own_line_is_named(folders: CodeFolders) -> None:
    """An error that is raised below the bot is shown where the bot is, in one line."""
    values: dict[str, object] = {}
    exec(compile(LIBRARY, str(folders.app / "cloud_adapter" / "part.py"), "exec"), values)  # noqa: S102
    error = error_of("x = 1\n\nrefuse()\n", folders.app / "bot_logic" / "bot.py", values)
    assert fault_of(error, folders) == "bot_logic/bot.py:3 ValueError: no such value"
    error.add_note("A note.")
    assert fault_of(error, folders) == "bot_logic/bot.py:3 ValueError: no such value A note."


def test_compiled_libraries(folders: CodeFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their frames have relative paths, which name no file of the bot's folder, its working one."""
    monkeypatch.chdir(folders.app / "bot_logic")
    values: dict[str, object] = {}
    exec(compile(LIBRARY, "uvloop/loop.pyx", "exec"), values)  # noqa: S102 # the test's own text
    error = error_of("x = 1\n\nrefuse()\n", folders.app / "bot_logic" / "bot.py", values)
    assert fault_of(error, folders) == "bot_logic/bot.py:3 ValueError: no such value"


def test_exception_group(folders: CodeFolders) -> None:
    """Of the errors of several tasks, the last is named."""
    source = (
        "try:\n    x = 1 / 0\nexcept Exception as error:\n    raise ExceptionGroup('two', [error])"
    )
    error = error_of(source, folders.app / "bot_logic" / "bot.py", {})
    assert fault_of(error, folders) == "bot_logic/bot.py:2 ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("module", "line"),
    [
        (
            "microsoft_agents.storage.none.at_all",
            "the line microsoft-agents-storage-none",
        ),
        (
            "microsoft_agents.none",
            "the line microsoft-agents-none",
        ),
        ("azure.search.documents.aio", "the line azure-search-documents"),
        ("azure.cosmos.aio", "the line azure-cosmos"),
        ("azure.cognitiveservices.speech", "the line azure-cognitiveservices-speech"),
        ("bs4", "the line beautifulsoup4"),
        ("no_such", "no_such, or the package that contains it if that has another name,"),
    ],
)
def test_a_missing_package(folders: CodeFolders, module: str, line: str) -> None:
    """The line that brings it is named, as where the package is built."""
    file = folders.app / "bot_logic" / "bot.py"
    code = f"x = 1\nfrom {module} import Client\n"
    file.write_text(code)  # tracebacks quote its lines
    error = error_of(code, file, {})
    error.add_note("A note.")
    fault = fault_of(error, folders)
    assert fault.startswith("bot_logic/bot.py:2 ModuleNotFoundError: No module named '")
    end = "to bot_logic/requirements.txt, then run `make constraints`"
    assert fault.endswith(f"': add {line} {end} A note.")


def test_a_missing_module_of_the_bots_own(folders: CodeFolders) -> None:
    """No package brings it."""
    file = folders.app / "bot_logic" / "bot.py"
    code = "import bot_logic.gone\n"
    file.write_text(code)
    fault = fault_of(error_of(code, file, {}), folders)
    assert fault.endswith("ModuleNotFoundError: No module named 'bot_logic.gone'")


def test_syntax_error(folders: CodeFolders) -> None:
    """The line is that of the source, which no frame has."""
    error = error_of("x = 1\ny = (\n", folders.app / "bot_logic" / "bot.py", {})
    line = "bot_logic/bot.py:2 SyntaxError: '(' was never closed"
    assert fault_of(error, folders) == line


def test_error_without_the_apps_code(folders: CodeFolders) -> None:
    """An error from elsewhere is its class and message."""
    assert fault_of(LookupError("what is missing"), folders) == "LookupError: what is missing"
    assert fault_in("no function was found", folders) == "no function was found"
    assert fault_in("", folders) == "unknown error"
