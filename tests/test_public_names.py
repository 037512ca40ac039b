"""Public names: they are listed in public_names.txt, and a bot imports no others of the base.

This holds for the sample bot and the examples, with their tests, and for the documentation's blocks
of Python. An author's bot is held to it by `bot check`.
"""

import ast
import difflib
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import bot_testing
from bot_workbench.public_names import BASE, PUBLIC, findings, imports_in, kit_names
from cloud_adapter.bot.folder import BotFolder
from cloud_adapter.proactive import notifications, references, run
from cloud_adapter.proactive.references import ConversationReferences
from cloud_adapter.queued import queued_turns, set_aside
from cloud_adapter.reply import Reply
from cloud_adapter.state import stored_state, transcripts
from composition import CreateBot
from function_app import REFUSALS
from tests.test_imports import BOT, PACKAGES, ROOT, files_of, name

EXAMPLES = ROOT / "examples"
TESTS = ROOT / "tests" / BOT
FILES = [*files_of(BOT), *sorted(TESTS.rglob("*.py")), *sorted(EXAMPLES.rglob("*.py"))]

LISTED = ROOT / "tests" / "public_names.txt"
TO_DO = """
tests/public_names.txt lists what users and their bots rely on. If a name must go or change, say in
CHANGELOG.md what a user has to do, and raise VERSION in composition.py: the second number before
1.0.0, the first one from then on. Then, as for a new name, correct the list:
"""
OF_REFERENCES = ("conversation", "conversations")
"""The methods of `services.references` for bots. The other services are the SDK's classes."""

CREATED = (Reply,)
"""The classes that bots create themselves, so that the parameters of `__init__` are public."""

WITH_EVERYTHING = {
    "AllowedCallers": "00000000-0000-0000-0000-000000000001",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "BotTurns": "Queued",
}
"""Settings with which the app has all its functions."""

FUNCTIONS = """
import json, function_app
print(json.dumps([
    [each.get_function_name(), each.get_trigger().get_dict_repr()]
    for each in function_app.app.get_functions()
], default=lambda value: value.value))
"""

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"^ *```python\n(.*?)^ *```", re.M | re.S)
IMPORT = re.compile(r"^ *(?:from ([\w.]+) import (.+)|import ([\w.]+))", re.M)


def folder_of(file: Path) -> Path:
    """The folder of the bot that a file belongs to; of a pair, that of the bot that calls."""
    if not file.is_relative_to(EXAMPLES):
        return ROOT / BOT
    example = EXAMPLES / file.relative_to(EXAMPLES).parts[0]
    folders = (file.parent, example, example / "host")
    return next(folder for folder in folders if (folder / "requirements.txt").exists())


def faults(file: Path) -> list[str]:
    """The imports of a file that is the bot's, an example's, or a test of these."""
    is_test = file.is_relative_to(TESTS) or file.name.startswith("test_")
    return list(findings(file, folder_of(file), is_test=is_test, root=ROOT))


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_bot_imports_public_names(file: Path) -> None:
    """The SDKs, azure.functions in routes.py, the base's public names, and what is its own."""
    assert faults(file) == []


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """An author's repository, whose bot names packages, and has modules."""
    included = f"-c {BOT}/constraints.txt\n-r {BOT}/requirements.txt\n"
    for file, text in {
        "requirements.txt": f"{included}aiohttp==3\nazure-functions==2\nbotbuilder-core==4\n",
        "requirements-dev.txt": "-r requirements.txt\nhypothesis==6\n",
        f"{BOT}/requirements.txt": "pyjwt\nazure-keyvault-keys\nabsent; python_version < '3'\n",
        f"{BOT}/constraints.txt": "msal==1\n",
        f"{BOT}/own.py": "",
        f"{BOT}/parts/__init__.py": "",
        "examples/echo/requirements.txt": "msal\nmicrosoft-agents-hosting-core\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


def said(author: Path, file: str, code: str) -> list[str]:
    """What is found in a file with some code, without its path."""
    path = author / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code)
    bot = author / ("examples/echo" if file.startswith("examples/") else BOT)
    is_test = path.name.startswith("test_")
    found = list(findings(path, bot, is_test=is_test, root=author))
    assert all(each.startswith(f"{file}:") for each in found)
    return [each.removeprefix(f"{file}:") for each in found]


PRIVATE = "is private to the base, and may be renamed: import only BotServices from cloud_adapter"
FOR_TESTS = "is for tests, and is missing in Azure: import it in tests/bot_logic only"
NOT_NAMED = "so it may be missing in Azure: add "
TO_NAME = "to bot_logic/requirements.txt, then run `make constraints`"
OWN_FUNCTIONS = "azure.functions is for functions of your own: write them in bot_logic/routes.py"
BOT_FILE, ROUTES, TEST = f"{BOT}/bot.py", f"{BOT}/routes.py", f"tests/{BOT}/test_bot.py"


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        (BOT_FILE, "import cloud_adapter", f"cloud_adapter {PRIVATE}"),
        (BOT_FILE, "import cloud_adapter.bot.services", f"cloud_adapter.bot.services {PRIVATE}"),
        (BOT_FILE, "from cloud_adapter.bot import services", PRIVATE),
        (BOT_FILE, "from cloud_adapter.bot.services import *", PRIVATE),
        (BOT_FILE, "from cloud_adapter.state.lock import Lock", "cloud_adapter.state.lock.Lock is"),
        (ROUTES, "from http_client.pool import Pool", PRIVATE),
        (TEST, "import function_app", f"function_app {PRIVATE}"),
        (BOT_FILE, "import azure.functions", OWN_FUNCTIONS),
        (BOT_FILE, "from azure import functions", OWN_FUNCTIONS),
        (f"{BOT}/parts/routes.py", "import azure.functions", OWN_FUNCTIONS),
        (ROUTES, "from azure.storage.blob import BlobClient", NOT_NAMED),
        (BOT_FILE, "import pytest", f"pytest {FOR_TESTS}"),
        (BOT_FILE, "from bot_testing import Chat", f"bot_testing {FOR_TESTS}"),
        (BOT_FILE, "import bot_workbench.project", f"bot_workbench.project {FOR_TESTS}"),
        (BOT_FILE, "from tests.bot_logic import fakes", f"tests.bot_logic {FOR_TESTS}"),
        (BOT_FILE, "import botbuilder.dialogs", "names the package of botbuilder.dialogs"),
        (BOT_FILE, "from botbuilder import dialogs", NOT_NAMED),
        (BOT_FILE, "import msal", f"{NOT_NAMED}the line msal=={version('msal')} {TO_NAME}"),
        (BOT_FILE, "import hypothesis", NOT_NAMED),
        (BOT_FILE, "import no_such_module", f"if that has another name, {TO_NAME}"),
        (
            BOT_FILE,
            "import microsoft_agents.hosting.none.at_all",
            f"{NOT_NAMED}the line microsoft-agents-hosting-none {TO_NAME}",
        ),
        (
            BOT_FILE,
            "from microsoft_agents.activity import Activity",
            f"{NOT_NAMED}the line microsoft-agents-activity",
        ),
        (TEST, "from bot_testing.chat import Chat", "bot_testing.chat.Chat is private to the test"),
        (TEST, "from bot_testing import chat", "from bot_testing import only APOLOGY, Chat, "),
        (TEST, "import bot_workbench", "is for the workbench and the base: write a bot's tests"),
        (TEST, "from tests.support.project import ROOT", "tests.support.project.ROOT is for the"),
        (TEST, "import msal", "no requirement names the package of msal: add msal to requirements"),
        ("examples/echo/bot.py", "import examples.echo.own", NOT_NAMED),
        ("examples/echo/bot.py", "import jwt", NOT_NAMED),
        ("examples/echo/test_echo.py", "import examples.files.bot", "the package of examples.file"),
    ],
)
def test_what_is_refused(author: Path, file: str, line: str, fault: str) -> None:
    """A module of the base, what is missing in Azure, and what is not for this file."""
    [found] = said(author, file, f"if TYPE_CHECKING:\n    {line}\n")
    assert found.startswith("2: ")
    assert fault in found


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (BOT_FILE, "from cloud_adapter.bot.services import BotServices"),
        (BOT_FILE, "import json, xml.dom, own, parts.more, bot_logic.own"),
        (BOT_FILE, "from . import own\nfrom .own import x\nfrom bot_logic import own"),
        (f"{BOT}/parts/more.py", "from .inner import x\nfrom ..own import y"),
        (BOT_FILE, "import aiohttp.web, absent"),
        (
            BOT_FILE,
            "import jwt\nfrom azure.keyvault.keys import KeyType\nfrom azure.keyvault import keys",
        ),
        (
            BOT_FILE,
            "import botbuilder.schema.teams, botframework.connector.auth, botframework.streaming",
        ),
        (BOT_FILE, "no Python"),
        (ROUTES, "import azure.functions as func"),
        (TEST, "import pytest, hypothesis.strategies, aiohttp, own, bot_logic.own"),
        (TEST, "import bot_testing\nfrom bot_testing import Chat"),
        (TEST, "from tests.bot_logic.fakes import Fake\nfrom tests import bot_logic"),
        ("examples/echo/bot.py", "import msal"),
        ("examples/echo/bot.py", "import microsoft_agents.activity, microsoft_agents.hosting.core"),
        ("examples/echo/test_echo.py", "import examples.echo.bot, msal"),
    ],
)
def test_what_is_not_refused(author: Path, file: str, code: str) -> None:
    """What is deployed, or installed for tests; what is no Python is for ruff to say."""
    assert said(author, file, code) == []


def test_public_names_are_used() -> None:
    """A bot or an example imports each of them."""
    used = {
        (module, imported)
        for file in FILES
        for _, module, imported in imports_in(ast.parse(file.read_text("utf-8")))
    }
    assert PUBLIC.keys() <= used


@pytest.mark.parametrize(("module", "public"), PUBLIC)
def test_public_names_are_there(module: str, public: str) -> None:
    """A public name exists, where the table says, and a page mentions it."""
    found = getattr(importlib.import_module(module), public)
    assert found.__module__ == module
    assert any(re.search(rf"\b{public}\b", page.read_text("utf-8")) for page in PAGES)


def test_what_is_known_of_the_base_and_the_kit() -> None:
    """The rule has the names of all packages of the base, and those that the kit offers."""
    assert BASE == PACKAGES
    assert list(kit_names()) == bot_testing.__all__


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_import_public_names(page: Path) -> None:
    """A page's blocks of Python import nothing else of the base."""
    found = [
        (module or whole, imported.strip(" ()"))
        for block in BLOCK.findall(page.read_text("utf-8"))
        for module, names, whole in IMPORT.findall(block)
        for imported in names.split(",")
    ]
    of_base = {each for each in found if each[0].partition(".")[0] in PACKAGES}
    assert of_base <= PUBLIC.keys()


def test_the_list_is_complete() -> None:
    """A name that is public, its signature, its text or its place in storage changes on purpose."""
    listed, found = LISTED.read_text("utf-8"), "".join(f"{line}\n" for line in public_names())
    changes = difflib.unified_diff(
        listed.splitlines(), found.splitlines(), LISTED.name, "the code", lineterm="", n=1
    )
    assert listed == found, TO_DO + "\n".join(changes)


def public_names() -> Iterator[str]:
    """The lines of the list."""
    yield "# What users and bots rely on; tests/test_public_names.py compares it with the code."
    yield "\n# bot_logic"
    yield f"create_bot: {shown(CreateBot)}"
    ready = inspect.signature(BotFolder.create_routes).parameters["ready"].annotation
    yield f"create_routes: Callable[[{shown(ready)}], Blueprint | Sequence[Blueprint]]"
    for module, public in PUBLIC:
        yield f"\n# {public}, from {module}"
        yield from members(public, getattr(importlib.import_module(module), public))
    yield "\n# services.references"
    of_references = members("references", ConversationReferences)
    yield from (
        each for each in of_references if each.partition("(")[0].split()[-1] in OF_REFERENCES
    )
    yield "\n# settings"
    yield from json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))["Values"]
    yield "\n# functions"
    yield from functions()
    yield "\n# answers to refused requests"
    yield from sorted({f"{status} {text}" for _, status, text in REFUSALS})
    yield "\n# containers"
    containers = (stored_state, references, set_aside, run, transcripts)
    yield from sorted({each.CONTAINER for each in containers})
    yield "\n# queues"
    yield from sorted([queued_turns.QUEUE, notifications.QUEUE])
    for public in bot_testing.__all__:
        yield f"\n# {public}, from bot_testing"
        yield from members(public, getattr(bot_testing, public))


def members(public: str, value: object) -> Iterator[str]:
    """The signature of a function, the text of a constant, or the public members of a class.

    An attribute is one that the class annotates, or that its docstring lists.
    """
    if not isinstance(value, type):
        text = inspect.signature(value) if callable(value) else f": {value!r}"
        yield f"{public}{shown(text)}"
        return
    [tree] = ast.parse(inspect.getsource(value)).body
    assert isinstance(tree, ast.ClassDef)
    bases = ", ".join(map(ast.unparse, tree.bases))
    yield f"class {public}({bases})" if bases else f"class {public}"
    annotated = [each for each in tree.body if isinstance(each, ast.AnnAssign)]
    names = [ast.unparse(each.target) for each in annotated]
    _, _, section = (inspect.getdoc(value) or "").partition("Attributes:\n")
    section = section.partition("\n\n")[0]
    yield from (each for each in re.findall(r"^    (\w+):", section, re.M) if each not in names)
    yield from (ast.unparse(each) for each in annotated if not is_private(ast.unparse(each.target)))
    for each in tree.body:
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not is_private(each.name) or (each.name == "__init__" and value in CREATED):
            decorators = "".join(f"@{ast.unparse(one)} " for one in each.decorator_list)
            kind = "async def" if isinstance(each, ast.AsyncFunctionDef) else "def"
            returns = f" -> {ast.unparse(each.returns)}" if each.returns else ""
            yield f"{decorators}{kind} {each.name}({ast.unparse(each.args)}){returns}"


def is_private(name: str) -> bool:
    """Whether it is, or Python calls it."""
    return name.startswith("_")


def shown(annotation: object) -> str:
    """A type without the modules of its names."""
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(annotation)).replace("ForwardRef", "")


def functions() -> Iterator[str]:
    """Each function of the app with its trigger."""
    command = [sys.executable, "-c", FUNCTIONS]
    ended = subprocess.run(
        command, cwd=ROOT, env=WITH_EVERYTHING, capture_output=True, text=True, check=True
    )
    for function, trigger in json.loads(ended.stdout):
        if trigger["type"] == "queueTrigger":
            yield f"{function}: queue {trigger['queueName']}, {trigger['connection']}"
        else:
            methods = "|".join(trigger["methods"])
            yield f"{function}: {methods} /api/{trigger['route']}, {trigger['authLevel'].lower()}"
