"""usable_functions: one wrong function in routes.py costs itself only, and is named."""

import sys
from pathlib import Path
from unittest.mock import AsyncMock

import azure.functions as func
import pytest
from azure_functions_runtime import handle_event
from azure_functions_runtime.functions import Registry
from azure_functions_runtime.http_v2 import HttpV2Registry
from azure_functions_runtime.loader import process_indexed_function

from bot_workbench.emulator.functions.workers.protocol import PROTOCOL
from bot_workbench.emulator.functions.workers.worker import prepare_indexing
from cloud_adapter.bot.folder import BotFolder
from cloud_adapter.bot.routes import usable_functions
from tests.cloud_adapter.bot.wrong_functions import GOOD, RIGHT, WRONG


def blueprint(*functions: str) -> func.Blueprint:
    """A blueprint with functions, each by its code."""
    routes = func.Blueprint()  # type: ignore[no-untyped-call]  # as the SDK has it
    for each in functions:
        exec(each, {"func": func, "routes": routes})  # noqa: S102  # the tests' own tables
    return routes


def names(routes: func.Blueprint) -> list[str | None]:
    """The names of a blueprint's functions."""
    app = func.FunctionApp()
    app.register_functions(routes)
    return [each.get_function_name() for each in app.get_functions()]


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's library, as it is when the worker imports the app."""
    monkeypatch.setattr(handle_event, "protos", None)
    prepare_indexing()


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_function(case: str) -> None:
    """It is left out, its line says why, and the function beside it stays."""
    code, why = WRONG[case]
    usable, faults = usable_functions([blueprint(GOOD), blueprint(code)])
    assert names(usable) == ["good"]
    [fault] = faults
    assert why in fault
    assert len(fault.splitlines()) == 1


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_function(case: str) -> None:
    """What the worker and the host accept stays."""
    usable, faults = usable_functions([blueprint(GOOD, RIGHT[case])])
    assert faults == []
    assert len(names(usable)) == 2
    app = func.FunctionApp()
    app.register_functions(blueprint(RIGHT[case]))
    process_indexed_function(PROTOCOL, Registry(), app.get_functions(), "")


def test_an_extension_for_requests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bot that imports one changes the requests of no function."""
    monkeypatch.setattr(HttpV2Registry, "_http_v2_enabled_checked", False)
    monkeypatch.setattr(
        HttpV2Registry, "_check_http_v2_enabled", lambda: "extension" in sys.modules
    )
    for name in ("bot_logic", "bot_logic.routes", "extension"):
        monkeypatch.setitem(sys.modules, name, sys)  # so that what the bot imports is removed
        del sys.modules[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "__init__.py").touch()
    code = "import sys\nsys.modules['extension'] = sys\ndef create_routes(ready): return []\n"
    (tmp_path / "routes.py").write_text(code)
    monkeypatch.setattr(sys, "path", [*sys.path])
    BotFolder(tmp_path).create_routes(AsyncMock())
    assert "extension" in sys.modules
    assert not HttpV2Registry.http_v2_enabled()


def test_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose library is unknown does not cost the bot its functions."""
    monkeypatch.setattr(handle_event, "protos", object())
    assert usable_functions([blueprint(GOOD)])[1] == []


@pytest.mark.parametrize("returned", [None, "routes", func.FunctionApp()])
def test_what_is_no_blueprint(returned: object) -> None:
    """It is named, and the functions of the blueprints beside it stay."""
    usable, [fault] = usable_functions([returned, blueprint(GOOD)])
    assert names(usable) == ["good"]
    assert type(returned).__name__ in fault
