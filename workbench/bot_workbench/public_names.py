"""The modules that a bot and its tests may import, of the base above all: `bot check` says what
they may not.

A bot imports what is deployed with it: packages that the requirements name, modules of its own, and
of the base only its public names, because everything else there may be renamed.
"""

import ast
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
    version,
)
from pathlib import Path

from bot_workbench.app_folder import BOT
from bot_workbench.project import APP, WORKBENCH
from bot_workbench.setup.requirements import REQUIREMENTS, canonical, read

PUBLIC: Mapping[tuple[str, str], str] = {
    ("cloud_adapter.bot.services", "BotServices"): "what create_bot gets, and what `ready` returns",
    ("cloud_adapter.reply", "Reply"): "an answer that the user sees while it grows",
    ("auth.bot_framework", "credentials_factory"): "signs in a bot on botbuilder's own adapter",
    ("auth.errors", "SettingsError"): "what it raises, with every problem of the settings",
}
"""The base's public names, each with its module, and what a bot needs it for."""

BASE = ("function_app", "composition", "auth", "cloud_adapter", "http_client")
"""The base's modules and packages."""

PARTS: Mapping[str, Collection[str]] = {
    "botbuilder-core": ("botbuilder-schema", "botframework-connector", "botframework-streaming"),
    "microsoft-agents-hosting-core": ("microsoft-agents-activity",),
}
"""The packages of an SDK with which others of its packages come, in the same version."""

HOST = "azure.functions"
ROUTES = "routes.py"
"""The bot's file with functions of its own, which only it writes with `HOST`."""

KIT = "bot_testing"
FOR_TESTS = (KIT, "pytest", "bot_workbench", "tests")
"""The packages with which no bot is deployed."""

DEVELOPMENT = "requirements-dev.txt"
"""Includes requirements.txt, and names what else is installed to develop the bot."""


def findings(file: Path, bot: Path, *, is_test: bool, root: Path = APP) -> Iterator[str]:
    """The imports of a file that fail, or that may break, each with its place and the cure.

    A file that is not Python is left to ruff.

    Args:
        file: one of a bot's, or of its tests'.
        bot: the bot's folder.
        is_test: whether it is a test, which is not deployed.
        root: the app's folder.

    Raises:
        RequirementsError: a requirements file is missing, or is not text.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError:
        return
    lines = read([root / (DEVELOPMENT if is_test else REQUIREMENTS)], [bot], root)
    named = {line.name for line in lines if not line.is_constraint}
    packages = named.union(*(parts for whole, parts in PARTS.items() if whole in named))
    own = [BOT, f"tests.{BOT}", ".".join(bot.relative_to(root).parts)] if is_test else [BOT]
    for number, module, name in imports_in(tree):
        whole, top = f"{module}.{name}" if name else module, module.partition(".")[0]
        if top in BASE:
            fault = "" if (module, name) in PUBLIC else _private(whole)
        elif any(_within(whole, each) for each in own) or _is_local(top, bot):
            fault = ""
        elif is_test:
            fault = _fault_in_test(module, whole, packages)
        else:
            fault = _fault_in_bot(module, whole, packages, is_routes=file == bot / ROUTES)
        if fault:
            yield f"{file.relative_to(root).as_posix()}:{number}: {fault}"


def imports_in(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """The imports, within functions and for type checkers too, but not relative to the file.

    Returns:
        The line, the module, and the name that is imported from it; empty: the module itself.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)


def distributions_of(module: str) -> set[str]:
    """The installed packages that have a module, such as PyYAML for yaml.

    Of several that share its first name, such as those of Azure's SDK, it is the one with its file.
    """
    found = {*_distributions().get(module.partition(".")[0], ())}
    if len(found) == 1:
        return found
    path = module.replace(".", "/")
    beginnings = (f"{path}.", f"{path}/__init__.")  # .py, or what a compiled module has
    return {name for name in found if any(file.startswith(beginnings) for file in _files(name))}


def package_of(module: str) -> str:
    """The name of the package that has a module, such as PyYAML for yaml; empty: it is not known.

    Of those that are not installed, it is known for a few with other names, and for Azure's SDK and
    the Microsoft 365 Agents SDK, which name them for what they have: microsoft-agents-hosting-core
    for microsoft_agents.hosting.core.
    """
    if found := sorted(distributions_of(module)):
        return found[0]
    top = module.partition(".")[0]
    if match := _AGENTS.match(module) or _AZURE.match(module):
        return canonical(match[0].replace(".", "-"))
    return NAMES.get(top, "")


def cure_of_missing(module: str, file: str = "") -> str:
    """The cure of a module that is imported, and that no requirement brings.

    Args:
        module: its name, as far as it is known.
        file: the requirements file as people are shown it; empty: that of bot_logic.
    """
    package, top = package_of(module), module.partition(".")[0]
    try:
        line = f"the line {package}=={version(package)}" if package else ""
    except PackageNotFoundError:
        line = f"the line {package}"
    line = line or f"{top}, or the package that contains it if that has another name,"
    return f"add {line} to {file or f'{BOT}/{REQUIREMENTS}'}, then run `make constraints`"


NAMES: Mapping[str, str] = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "msgraph": "msgraph-sdk",
    "PIL": "pillow",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""By first name of the module, the packages with another name that bots use most."""

_AZURE_GROUPS = (
    "ai|cognitiveservices|communication|data|keyvault|messaging|mgmt|monitor|search|storage"
)
_AZURE = re.compile(rf"azure\.(?:(?:{_AZURE_GROUPS})\.\w+|(?!(?:{_AZURE_GROUPS})\b)\w+)")
_GROUPS = "hosting|authentication|storage"
_AGENTS = re.compile(rf"microsoft_agents\.(?:(?:{_GROUPS})\.\w+|(?!(?:{_GROUPS})\b)\w+)")

_distributions = cache(packages_distributions)


@cache
def _files(name: str) -> Sequence[str]:
    return [str(file) for file in distribution(name).files or ()]


@cache
def kit_names() -> tuple[str, ...]:
    """The public names of the test kit, which imports the app: so they are read."""
    tree = ast.parse((WORKBENCH / KIT / "__init__.py").read_text("utf-8"))
    [names] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return tuple(names)


def _private(whole: str) -> str:
    public = ", ".join(f"{name} from {module}" for module, name in PUBLIC)
    return f"{whole} is private to the base, and may be renamed: import only {public}"


def _fault_in_bot(module: str, whole: str, packages: Collection[str], *, is_routes: bool) -> str:
    if module.partition(".")[0] in FOR_TESTS:
        return f"{module} is for tests, and is missing in Azure: import it in tests/{BOT} only"
    if _within(whole, HOST) and not is_routes:
        return f"{HOST} is for functions of your own: write them in {BOT}/{ROUTES}"
    if _is_named(module, whole, packages):
        return ""
    return (
        f"no requirement names the package of {module}, so it may be missing in Azure:"
        f" {cure_of_missing(module)}"
    )


def _fault_in_test(module: str, whole: str, packages: Collection[str]) -> str:
    if _within(module, KIT):
        if whole in {KIT, *(f"{KIT}.{name}" for name in kit_names())}:
            return ""
        return (
            f"{whole} is private to the test kit: from {KIT} import only {', '.join(kit_names())}"
        )
    if module.partition(".")[0] in ("bot_workbench", "tests"):
        return f"{whole} is for the workbench and the base: write a bot's tests with {KIT}"
    if module.partition(".")[0] == "pytest" or _is_named(module, whole, packages):
        return ""
    return (
        f"no requirement names the package of {module}: add {package_of(module) or 'it'} to"
        f" {DEVELOPMENT}"
    )


def _is_named(module: str, whole: str, packages: Collection[str]) -> bool:
    """Whether the package that has a module is among some; if none has, that of its name."""
    found = distributions_of(module) | distributions_of(whole)
    found = found or {package_of(module) or module.partition(".")[0]}
    return any(canonical(each) in packages for each in found)


def _is_local(top: str, bot: Path) -> bool:
    """Whether a module is Python's, or the bot's, which the base also finds by its name alone."""
    return top in sys.stdlib_module_names or (bot / f"{top}.py").exists() or (bot / top).is_dir()


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
