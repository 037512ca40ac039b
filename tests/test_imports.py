"""Who may import whom. These rules hold the architecture; README.md draws it."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEPLOYED = ("function_app", "auth", "bot_logic", "cloud_adapter", "http_client")
NOT_DEPLOYED = {"admin", "emulator", "benchmarks", "tests"}
SDK = {"botbuilder", "botframework"}


def imports(folder: str) -> dict[Path, set[str]]:
    """The modules that each file of a folder (or a module) imports."""
    files = [ROOT / f"{folder}.py"] if folder == "function_app" else (ROOT / folder).rglob("*.py")
    return {file: _imported(ast.parse(file.read_text("utf-8"))) for file in files}


def _imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add(node.module or "")
    return found


def tops(modules: set[str]) -> set[str]:
    """The packages of modules."""
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("part", DEPLOYED)
def test_deployed_code_imports_nothing_local(part: str) -> None:
    """Nothing that is deployed imports what is not."""
    for file, modules in imports(part).items():
        assert not tops(modules) & NOT_DEPLOYED, file


def test_bot_logic_knows_the_sdk_only() -> None:
    """bot_logic imports the bot SDK, itself and the standard library, and reads no environment.

    The SDK's TeamsInfo has a stand-in of ours that does not block: that one is the SDK, too.
    """
    for file, modules in imports("bot_logic").items():
        allowed = SDK | {"bot_logic"} | set(sys.stdlib_module_names) - {"os"}
        assert tops(modules - {"cloud_adapter.teams_info"}) <= allowed, file


def test_auth_knows_neither_bot_nor_host() -> None:
    """auth imports neither the bot, nor the turn, nor the Functions host, nor the bot SDK."""
    for file, modules in imports("auth").items():
        assert not tops(modules) & {"bot_logic", "cloud_adapter", "function_app", *SDK}, file
        assert not {module for module in modules if module.startswith("azure.functions")}, file


def test_cloud_adapter_knows_neither_bot_nor_host() -> None:
    """cloud_adapter imports neither the bot nor the Functions host."""
    for file, modules in imports("cloud_adapter").items():
        assert not tops(modules) & {"bot_logic", "function_app"}, file
        foreign = ("azure.functions", "azure.identity", "azure.keyvault")
        assert not {module for module in modules if module.startswith(foreign)}, file


@pytest.mark.parametrize("part", DEPLOYED)
def test_environment_is_read_in_one_place(part: str) -> None:
    """Only the composition root touches os.environ."""
    for file in imports(part):
        reads = "os.environ" in file.read_text("utf-8")
        assert reads == (file.name == "function_app.py"), file


@pytest.mark.parametrize("name", DEPLOYED)
def test_no_installed_package_has_our_names(name: str) -> None:
    """The worker puts the app's folder last on sys.path: an installed namesake would win."""
    elsewhere = [Path(entry) for entry in sys.path if Path(entry or ".").resolve() != ROOT]
    assert not [
        folder
        for folder in elsewhere
        if (folder / name).exists() or (folder / f"{name}.py").exists()
    ]
