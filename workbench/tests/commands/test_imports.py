"""The check of a package: by importing its app once, or by reading what its bot imports."""

import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from textwrap import indent

import pytest

from bot_workbench.commands import imports
from bot_workbench.commands.imports import (
    LENIENT_ROUTES,
    SITE_PACKAGES,
    UNCHECKED_ROUTES,
    check_by_import,
    check_by_reading,
    missing_modules,
)
from bot_workbench.commands.outgoing import PackageError
from tests.cloud_adapter.bot.wrong_functions import GOOD, WRONG

ROUTES = """
import azure.functions as func


def create_routes(ready):
    routes = func.Blueprint()
"""


@pytest.fixture
def app(uploaded: Path, packed: Path, tmp_path: Path) -> Iterator[Path]:
    """A package before it is compiled, with a bot of the test's own."""
    folder = tmp_path / "package"
    shutil.copytree(uploaded, folder)
    (folder / SITE_PACKAGES).parent.mkdir(parents=True)
    (folder / SITE_PACKAGES).symlink_to(packed / SITE_PACKAGES)
    yield folder
    assert not list(folder.glob("*/**/*.pyc"))


def routes(*cases: str) -> str:
    """The code of routes.py with a good function, and with wrong ones."""
    body = "".join([GOOD, *(WRONG[case][0] for case in cases)])
    return f"{ROUTES}{indent(body, '    ')}    return routes\n"


def test_an_app_without_faults(app: Path) -> None:
    """Its functions are checked as Azure's worker does.

    What the bot prints, its exit handlers and its threads make no difference.
    """
    assert check_by_import(app) == []
    bot = app / "bot_logic" / "__init__.py"
    noise = (
        "import atexit, threading\natexit.register(print, 'bye')\nprint('{\"error\": 1}', end='')\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
    )
    bot.write_text(noise + bot.read_text())
    (app / "bot_logic" / "routes.py").write_text(routes())
    assert check_by_import(app) == []


def test_wrong_functions_are_refused(app: Path) -> None:
    """Functions that the app would leave out are named, also those that need storage."""
    (app / "bot_logic" / "routes.py").write_text(
        routes("a name of a function that is off", "the route a//b")
    )
    with pytest.raises(PackageError, match=r"(?s)function turns: .*function wrong: .*a//b"):
        check_by_import(app)
    (app / "bot_logic" / "routes.py").write_text("print('hi')")
    with pytest.raises(PackageError, match="no attribute 'create_routes'"):
        check_by_import(app)


def test_only_the_worker_finds_some_wrong_functions(app: Path) -> None:
    """Where its library is not installed, the check says so."""
    (app / "bot_logic" / "routes.py").write_text(
        f"{ROUTES}    @routes.timer_trigger('timer', '0 0 0 1 1 *')\n"
        "    async def wrong(another: func.TimerRequest) -> None: ...\n    return routes\n"
    )
    with pytest.raises(PackageError, match=r"function wrong: .*another"):
        check_by_import(app)
    assert check_by_import(app, worker=None) == [LENIENT_ROUTES]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "def load():\n    raise LookupError('a fault of its own')\n\nload()",
            '  File "bot_logic/own.py", line 4, in <module>\n    load()\n'
            '  File "bot_logic/own.py", line 2, in load\n'
            "    raise LookupError('a fault of its own')\nLookupError: a fault of its own",
        ),
        ("x = (", 'File "bot_logic/own.py", line 1'),
        ("from auth.clouds import Missing", "cannot import name 'Missing' from 'auth.clouds'"),
        ("import bot_logic.gone", "No module named 'bot_logic.gone'"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import os\nos._exit(0)", "bot_logic ends the process, with exit status 0"),
        ("import os, sys\nprint('why', file=sys.stderr, flush=True)\nos.abort()", "why"),
    ],
)
def test_a_bot_that_cannot_be_imported(code: str, said: str, app: Path) -> None:
    """Its own error is shown with the lines of its own files, be it in routes.py or not."""
    (app / "bot_logic" / "own.py").write_text(code)
    for name in ("routes.py", "__init__.py"):
        (app / "bot_logic" / name).write_text("import bot_logic.own")
        with pytest.raises(PackageError) as caught:
            check_by_import(app)
        message = str(caught.value)
        assert message.startswith("The app cannot be imported")
        assert said in message
        assert "import_app" not in message
        assert "function_app" not in message


def test_missing_modules_are_named(app: Path) -> None:
    """With the line to add where this Python has the package, all of them at once.

    What this Python has, the package does not: Azure's worker library is such a package.
    """
    (app / "bot_logic" / "own.py").write_text(
        "\nimport pytest_asyncio\nimport azure.storage.blob.aio\nimport no_such_module\n"
        "import bot_workbench\nimport azure_functions_runtime\n"
        "import microsoft_agents.storage.none.at_all\n"
    )
    init = app / "bot_logic" / "__init__.py"
    init.write_text(f"from . import own\n{init.read_text()}")
    for check in (check_by_import, check_by_reading):
        with pytest.raises(PackageError) as caught:
            check(app)
        lines = str(caught.value).splitlines()
        end = "to bot_logic/requirements.txt, then run `make constraints`"
        blob = f"the line azure-storage-blob=={version('azure-storage-blob')} {end}"
        tests = f"the line pytest-asyncio=={version('pytest-asyncio')} {end}"
        own = {
            name: f"{name}, or the package that contains it if that has another name, {end}"
            for name in ("bot_workbench", "no_such_module")
        }

        assert [line.partition(", which no requirement brings: add ")[::2] for line in lines] == [
            ("bot_logic/own.py:3 imports azure.storage.blob.aio", blob),
            (
                "bot_logic/own.py:6 imports azure_functions_runtime",
                f"the line azure-functions-runtime=={version('azure-functions-runtime')} {end}",
            ),
            ("bot_logic/own.py:5 imports bot_workbench", own["bot_workbench"]),
            (
                "bot_logic/own.py:7 imports microsoft_agents.storage.none.at_all",
                f"the line microsoft-agents-storage-none {end}",
            ),
            ("bot_logic/own.py:4 imports no_such_module", own["no_such_module"]),
            ("bot_logic/own.py:2 imports pytest_asyncio", tests),
        ]


@pytest.mark.parametrize("name", ["gone", "pytest_asyncio", "bot_workbench"])
def test_a_module_that_is_missing_only_in_a_call(name: str, app: Path) -> None:
    """What reading cannot find, the import does; what only this machine has, it does not see."""
    code = f"import importlib\nimportlib.import_module({name!r})"
    (app / "bot_logic" / "own.py").write_text(code)
    init = app / "bot_logic" / "__init__.py"
    init.write_text(f"import own\n{init.read_text()}")
    assert missing_modules(app) == {}
    with pytest.raises(PackageError, match=rf"bot_logic/own\.py:2 imports {name}, "):
        check_by_import(app)


def test_what_reading_does_not_count(app: Path) -> None:
    """Imports that may never be executed, and modules that are there in any form."""
    (app / "bot_logic" / "own.py").write_text(
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "import winreg, azure.core, yarl._quoting_c, _cffi_backend, botbuilder.core.teams\n"
        "from . import data\nfrom .data import words\nfrom data.words import x\n"
        "import own\nfrom auth import clouds\n"
        "try:\n    import gone1\nexcept ImportError:\n    gone1 = None\n"
        "if TYPE_CHECKING:\n    import gone2\n"
        "def late():\n    import gone3\n"
    )
    for name in ("data/__init__.py", "data/words.py"):
        (app / "bot_logic" / name).parent.mkdir(exist_ok=True)
        (app / "bot_logic" / name).write_text("x = 1")
    (app / "bot_logic" / "tests").mkdir()
    (app / "bot_logic" / "tests" / "test_it.py").write_text("import gone4")
    (app / "bot_logic" / "routes.py").write_text("import own")
    assert missing_modules(app) == {}
    assert check_by_reading(app) == [UNCHECKED_ROUTES]
    (app / "bot_logic" / "data" / "words.py").write_text("\nfrom gone5 import x")
    assert missing_modules(app) == {"gone5": "bot_logic/data/words.py:2"}


def test_reading_what_is_not_python(app: Path) -> None:
    """The line is named."""
    (app / "bot_logic" / "routes.py").write_text("\nx = (")
    with pytest.raises(PackageError, match=r"bot_logic/routes\.py:2 is not Python: '\(' was never"):
        check_by_reading(app)


def test_an_import_that_never_ends(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and the build says why."""
    monkeypatch.setattr(imports, "IMPORT_SECONDS", 3)
    (app / "bot_logic" / "__init__.py").write_text("import threading\nthreading.Event().wait()")
    with pytest.raises(PackageError, match="has not ended after 3 seconds"):
        check_by_import(app)
