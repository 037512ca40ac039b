"""import_bot_sdk: packages that only the SDK's HTTP clients need are imported on first use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_adapter.bot.folder import DeferredModule, deferred
from tests.support.project import ROOT

IN_A_NEW_PROCESS = """
import json, sys
from cloud_adapter.bot.folder import import_bot_sdk

import_bot_sdk()
NAMES = ("aiohttp", "oauthlib.oauth2", "requests_oauthlib")
imported = [name for name in NAMES if name in sys.modules]

import msrest.authentication, msrest.pipeline.requests, msrest.universal_http.aiohttp
HELD = (
    msrest.universal_http.aiohttp.aiohttp,
    msrest.pipeline.requests.oauth2,
    msrest.authentication.oauth,
)
deferred = [type(module).__name__ for module in HELD]
used = [HELD[0].ClientSession, HELD[1].OAuth2Error, HELD[2].OAuth2Session, HELD[0].ClientResponse]

import aiohttp, oauthlib.oauth2, requests_oauthlib
real = [
    aiohttp.ClientSession,
    oauthlib.oauth2.OAuth2Error,
    requests_oauthlib.OAuth2Session,
    aiohttp.ClientResponse,
]

from botbuilder.core import ShowTypingMiddleware, show_typing_middleware
from botbuilder.core.teams import TeamsInfo, teams_activity_handler, teams_info
ours = [
    ShowTypingMiddleware,
    show_typing_middleware.ShowTypingMiddleware,
    TeamsInfo,
    teams_activity_handler.TeamsInfo,
    teams_info.TeamsInfo,
]
print(json.dumps([imported, deferred, used == real, [each.__module__ for each in ours]]))
"""


def run(code: str) -> str:
    """What a new process prints that runs this code."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_the_sdk() -> None:
    """The SDK imports none of them, finds the real ones when it uses them, and has our classes."""
    imported, held, same, ours = json.loads(run(IN_A_NEW_PROCESS))
    assert imported == []
    assert held == ["DeferredModule"] * 3
    assert same
    assert set(ours) == {"cloud_adapter.turn_context", "cloud_adapter.teams_info"}


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that has not been imported."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"package_of_{tmp_path.name}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("Session, Response, __version__ = 1, 2, '3'\n")
    (tmp_path / name / "inner.py").write_text("value = 4\n")
    return name


def imported_for(statement: str, name: str) -> bool:
    """Whether a statement about `package`, which is deferred, imports it."""
    with deferred({name: {"Response"}}):
        exec(statement.replace("package", name))  # noqa: S102  # the test's own code
        return not isinstance(sys.modules[name], DeferredModule)


def test_an_annotation_imports_nothing(name: str) -> None:
    """A name that is used in an annotation only does not import the module."""
    assert not imported_for("import package\ndef f(answer: package.Response): pass", name)
    assert name not in sys.modules


@pytest.mark.parametrize(
    "use",
    [
        "import package; assert package.Session == 1",
        "from package import Session; assert Session == 1",
        "from package import Response; assert Response == 2",
        "import package.inner; assert package.inner.value == 4",
        "from package.inner import value; assert value == 4",
        "import package; assert package.__version__ == '3'",
    ],
)
def test_any_other_use_imports_it(use: str, name: str) -> None:
    """Any other use imports the real module."""
    assert imported_for(use, name)
    assert not isinstance(sys.modules[name], DeferredModule)


def test_a_stand_in_after_the_import(name: str) -> None:
    """Code that still has it gets the module's attributes; a missing one raises AttributeError."""
    with deferred({name: {"Response"}}):
        stand_in = __import__(name)
    assert (stand_in.Session, stand_in.Response) == (1, 2)
    assert not isinstance(__import__(name), DeferredModule)
    with pytest.raises(AttributeError, match="nothing_of_it"):
        _ = stand_in.nothing_of_it


def test_a_module_that_is_imported_already(name: str) -> None:
    """It is not replaced."""
    module = __import__(name)
    with deferred({name: ()}):
        assert sys.modules[name] is module
    assert sys.modules[name] is module


def test_a_failing_import(name: str) -> None:
    """No stand-in is left in `sys.modules`."""
    with pytest.raises(RuntimeError), deferred({name: ()}):
        raise RuntimeError
    assert name not in sys.modules


SAYS = """
from cloud_adapter.bot.folder import import_bot_sdk

import_bot_sdk()
from botbuilder.schema import Activity, AdaptiveCardInvokeValue

AdaptiveCardInvokeValue(action={}, trigger="manual")
Activity(txt="hello")
"""


def test_what_msrest_says_of_unknown_properties() -> None:
    """Nothing for a card's action, which the channel writes; a slip in the bot's own code stays."""
    command = [sys.executable, "-c", SAYS]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (line,) = done.stderr.splitlines()
    assert line.startswith("txt is not a known attribute")
