"""FuncIgnore follows Core Tools; .funcignore excludes keys by its rules and by git's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bot_workbench.funcignore import FuncIgnore
from tests.support.project import ROOT

FOLDERS = (
    *("auth", "auth/inbound", "auth/a/b", "bot_logic", "bot_logic/cards"),
    *("cloud_adapter", "cloud_adapter/state", "http_client"),
)
RESOURCES = {
    f"{folder}/x.{kind}"
    for folder in ("bot_logic", "bot_logic/cards", "bot_logic/a/b")
    for kind in (
        *("json", "lu", "qna", "lg", "dialog", "txt", "md", "csv", "tsv", "html", "css", "js"),
        *("xml", "yaml", "yml", "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "pdf"),
        *("mp3", "mp4", "wav", "po", "mo"),
    )
}
WANTED = {
    *("function_app.py", "composition.py"),
    *("host.json", "requirements.txt", "requirements-telemetry.txt"),
    "constraints.txt",
    *(f"{folder}/{name}" for folder in FOLDERS for name in ("__init__.py", "x.py")),
    *RESOURCES,
}
SECRETS = (
    *(".env", "prod.env", ".env.prod", "key.pem", "bot.pfx", "bot.p12", "bot.key", "id_rsa"),
    *("local.settings.json", ".gitconfig", ".git-credentials", ".netrc", "bot.crt", "bot.jks"),
    *("state.sqlite", "state.sqlite3", "state.db", "state.pickle", "bot.zip", "bot.log"),
)
"""Each is created in every folder, including the root."""

OTHERS = {
    *(".git/config", ".venv/lib/x.py", ".cache/x.py", ".github/x.py", ".vscode/x.py"),
    *(
        "auth/.git/x.txt",
        "auth/__pycache__/x.cpython-313.pyc",
        "bot_logic/x.pyc",
        "bot_logic/x.pyo",
    ),
    *("workbench/x.py", "workbench/pyproject.toml", "workbench/README.md", "workbench/x.json"),
    *(f"workbench/{name}/x.py" for name in ("bot_workbench", "bot_testing", "benchmarks", "tests")),
    *("workbench/bot_workbench/emulator/x.py", "workbench/bot_workbench/emulator/x.js"),
    *("tests/x.py", "tests/auth/x.py", "tests/x.json"),
    *("examples/echo/x.py", "examples/echo/x.json"),
    *("auth/x.json", "auth/a/b/x.txt", "cloud_adapter/x.json", "http_client/x.json", "x.json"),
    *("bot_logic/json", "bot_logic/x.jsonl", "bot_logic/cards/x.htmlx", "bot_logic2/x.json"),
    *("docs/x.md", "infra/x.bicep", "Makefile", "README.md"),
    *("Auth/x.py", "x.py", "other/auth/x.py", "auth.py", "artifacts/package/auth/x.py"),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with files that are uploaded, among others that must not be."""
    secrets = {f"{folder}/{name}" for folder in (".", *FOLDERS, "data") for name in SECRETS}
    for name in WANTED | secrets | OTHERS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    shutil.copyfile(ROOT / ".funcignore", tmp_path / ".funcignore")
    return tmp_path


def accepted_by_core_tools(tree: Path) -> set[str]:
    """What `func azure functionapp publish` uploads."""
    found = FuncIgnore((tree / ".funcignore").read_text()).files(tree)
    return {path.as_posix() for path in found}


def accepted_by_git(tree: Path) -> set[str]:
    """The files that git does not ignore when .funcignore is its ignore file."""
    shutil.rmtree(tree / ".git")
    shutil.rmtree(tree / "auth" / ".git")  # git would not look into a nested repository
    git = ["git", "-c", "safe.directory=*", "-C", str(tree)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-from=.funcignore"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(filter(None, listed.stdout.split("\0")))


def test_core_tools_uploads_code_and_the_bots_resources(tree: Path) -> None:
    """The five files at the root, the folders' Python files, and what the bot reads: no others."""
    assert accepted_by_core_tools(tree) == WANTED


def test_git_accepts_the_same_files(tree: Path) -> None:
    """git's rules, which azd and VS Code follow, accept the same files."""
    assert accepted_by_git(tree) == WANTED


def test_more_lines(tree: Path) -> None:
    """Lines like the existing ones add another kind of file, for Core Tools and for git."""
    with (tree / ".funcignore").open("a") as file:
        file.write("!/auth/*.key\n!/auth/**/*.key\n")
    more = WANTED | {f"{folder}/bot.key" for folder in FOLDERS if folder.startswith("auth")}
    assert accepted_by_core_tools(tree) == more
    assert accepted_by_git(tree) == more


@pytest.mark.parametrize(
    ("text", "path", "accepted"),
    [
        ("", "a.txt", True),
        ("/*\n!/auth/", "auth/key.pem", True),
        ("/*\n!/auth/", "auth/.env", False),  # no word boundary after the slash
        ("!/auth/\n/*\n/auth/*.pem", "auth/key.pem", True),
        ("  # a comment\n *.pem \n", "key.pem", False),
        ("*.pem", "auth/key.pem", True),  # anchored
        ("/*\n!/a*.py", "ab.py", True),
        ("/*\n!/a*.py", "ab.pyc", False),
        ("/*\n!/a*.py", "ab.py.bak", True),
        ("/*\n!/a/**/*.py", "a/b/c/d.py", True),
        ("/*\n!/a/**/*.py", "a/d.py", False),
        ("/*\n!/[a-z]*/", "auth/x.py", False),
        ("/*\n!/a.py", "aXpy", False),
        ("/*\n!/a?b", "axb", False),
    ],
    ids=str,
)
def test_core_tools_rules(text: str, path: str, accepted: bool) -> None:
    """Each rule that differs from git's has at least one case."""
    assert FuncIgnore(text).accepts(path) == accepted


def test_what_core_tools_never_uploads(tmp_path: Path) -> None:
    """Some names are never uploaded, whatever .funcignore says."""
    never = (
        "a/local.settings.json",
        ".gitignore",
        ".funcignore",
        ".git/x",
        "a/.vscode/x",
        "a/LOCAL.settings.json",
    )
    for name in (*never, "a/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(FuncIgnore("").files(tmp_path)) == [Path("a/x")]
