"""Manifest: the Teams app names the new bot, and everything else stays as it was written."""

import json
from pathlib import Path

import pytest

from bot_workbench.admin.migrate.managed_identity.developer_files import FilesRefused, write_text
from bot_workbench.admin.migrate.managed_identity.manifest import Manifest, MovedBot

OLD, NEW = "11111111-aaaa-4aaa-8aaa-111111111111", "22222222-bbbb-4bbb-8bbb-222222222222"
MOVED = MovedBot(OLD, NEW, "old.contoso.com", "new.contoso.com")
TEXT = """{
    "$schema": "https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams.schema.json",
  "version": "1.0.9", "id":   "33333333-cccc-4ccc-8ccc-333333333333",
  "unknownMember": {"botId": "11111111-aaaa-4aaa-8aaa-111111111111"},
  "bots": [ { "botId": "11111111-AAAA-4aaa-8aaa-111111111111", "scopes": ["personal"] } ],
  "composeExtensions": [{"botId":"11111111-aaaa-4aaa-8aaa-111111111111"}],
  "dashboardCards": [{"contentSource": {
    "botConfiguration": {"botId": "11111111-aaaa-4aaa-8aaa-111111111111"}}}],
  "copilotAgents": {"customEngineAgents": [
    {"type": "bot", "id": "11111111-aaaa-4aaa-8aaa-111111111111"}]},
  "webApplicationInfo": {"id": "11111111-aaaa-4aaa-8aaa-111111111111",
    "resource": "api://botid-11111111-aaaa-4aaa-8aaa-111111111111"},
  "validDomains": ["old.contoso.com", "token.botframework.com"]
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A manifest."""
    path = tmp_path / "manifest.json"
    path.write_text(TEXT)
    return path


def edited(file: Path) -> str:
    """The file's text after the edits."""
    manifest = Manifest(file)
    edits = manifest.edits(MOVED, id_moves_elsewhere=False)
    write_text(file, manifest.json.with_strings(edits))
    return file.read_text()


def test_the_new_bot(file: Path) -> None:
    """The bot's id, its host and the version change, and not a character more."""
    wanted = TEXT.splitlines(keepends=True)
    for line in (4, 5, 7, 9):
        wanted[line] = wanted[line].replace(OLD, NEW).replace(OLD.replace("aaaa", "AAAA", 1), NEW)
    wanted[2] = wanted[2].replace("1.0.9", "1.0.10")
    wanted[12] = wanted[12].replace("old.contoso.com", "new.contoso.com")
    assert edited(file) == "".join(wanted)


def test_twice(file: Path) -> None:
    """The version is raised once."""
    once = edited(file)
    assert Manifest(file).edits(MOVED, id_moves_elsewhere=False) == {}
    assert edited(file) == once


def test_line_endings_and_mark(file: Path) -> None:
    """A file of Windows keeps its line endings and its byte order mark."""
    windows = TEXT.replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + windows.encode())
    edited(file)
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf{\r\n")
    assert raw.count(b"\r\n") == raw.count(b"\n") == TEXT.count("\n")


def test_variables(file: Path) -> None:
    """A manifest of Microsoft 365 Agents Toolkit names a variable: only the version changes, and
    only if the variable does."""
    value = json.loads(TEXT)
    value = {name: value[name] for name in ("version", "validDomains")}
    value["bots"] = [{"botId": "${{BOT_ID}}"}]
    value["validDomains"] = ["${{BOT_DOMAIN}}"]
    file.write_text(json.dumps(value))
    manifest = Manifest(file)
    assert manifest.variables == ("BOT_ID",)
    assert manifest.edits(MOVED, id_moves_elsewhere=False) == {}
    assert manifest.edits(MOVED, id_moves_elsewhere=True) == {("version",): "1.0.10"}
    assert "set the variable to new.contoso.com" in manifest.leftovers(MOVED)[0]


def test_leftovers(file: Path) -> None:
    """Single sign-on keeps its registration, and needs the new bot's id in its URI."""
    (line,) = Manifest(file).leftovers(MOVED)
    assert f"api://botid-{OLD}" in line
    assert f"api://botid-{NEW}" in line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cannot be read"),
        ("[]", 'it has no "version"'),
        ('{"id": "x"}', 'it has no "version"'),
        ('{"version": "1.0.0"}', "has no bot"),
        (TEXT.replace("1.0.9", "next"), "is not MAJOR.MINOR.PATCH"),
        (TEXT.replace(OLD, "44444444-dddd-4ddd-8ddd-444444444444"), "is of another bot"),
    ],
)
def test_refused(file: Path, text: str, reason: str) -> None:
    """A file that is not this bot's manifest stays as it is."""
    file.write_text(text)
    with pytest.raises(FilesRefused, match=reason):
        edited(file)
    assert file.read_text() == text


def test_missing(tmp_path: Path) -> None:
    """A file that does not exist is refused."""
    with pytest.raises(FilesRefused, match="cannot be read"):
        Manifest(tmp_path / "none.json")
