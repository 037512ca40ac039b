"""What the app's manifest offers users of the chat page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot_workbench.emulator.server import Server
from bot_workbench.emulator.teams.api.app_manifest import AppManifest, manifest_of
from tests.support.project import ROOT

QUERY = {
    "id": "find",
    "type": "query",
    "title": "Find",
    "description": "Finds it",
    "context": ["compose", "message"],
    "parameters": [{"name": "text", "title": "Text"}],
    "initialRun": True,
}
MANIFEST = {
    "name": {"short": "Helper"},
    "bots": [{"commandLists": [{"scopes": ["personal"], "commands": [{"title": "help"}]}]}],
    "composeExtensions": [
        {
            "canUpdateConfiguration": True,
            "commands": [QUERY, {"id": "new", "type": "action", "fetchTask": True}],
            "messageHandlers": [{"type": "link", "value": {"domains": ["*.example.com"]}}],
        }
    ],
}


async def test_what_a_manifest_offers(tmp_path: Path) -> None:
    """The page learns of commands and extensions."""
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    (_, handler) = next(iter(AppManifest(path).table().items()))
    async with (
        Server("app", [aiohttp.web.get("/app", handler)]) as server,
        aiohttp.ClientSession(server.url) as http,
        http.get("/app") as response,
    ):
        app = await response.json()
    assert app["name"] == "Helper"
    assert app["commands"] == [{"title": "help", "scopes": ["personal"]}]
    query, action = app["composeExtensions"]
    assert query == {**query, **QUERY}
    assert (action["type"], action["title"], action["fetchTask"]) == ("action", "new", True)
    assert app["messageHandlers"][0]["value"]["domains"] == ["*.example.com"]
    assert app["canUpdateConfiguration"] is True


READ_CHATS = {"resourceSpecific": [{"name": "ChatMessage.Read.Chat"}]}


@pytest.mark.parametrize(
    ("manifest", "line", "reads_all"),
    [
        (None, 0, False),
        ({"bots": [{}]}, 2, False),
        ({"bots": [{"botId": "x", "supportsFiles": False}]}, 5, False),
        ({"bots": [{"supportsFiles": False}, {"supportsFiles": True}]}, 0, False),
        ({"authorization": {"permissions": READ_CHATS}}, 0, True),
        ({"authorization": {"permissions": {"resourceSpecific": [{"name": "x"}]}}}, 0, False),
    ],
)
def test_what_the_bot_gets(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    manifest: object,
    line: int,
    reads_all: bool,
) -> None:
    """Files need `supportsFiles` in the manifest; messages without a mention, a permission."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "app_package" / "manifest.json"
    path.parent.mkdir()
    path.write_text(json.dumps(manifest, indent=2))
    app = AppManifest(path)
    assert app.refusal_of_files().endswith(
        f'set "supportsFiles": true in app_package/manifest.json:{line}.' if line else ""
    )
    assert bool(app.refusal_of_files()) == bool(line)
    assert app.reads_all() == reads_all


@pytest.mark.parametrize("content", [None, "no JSON", "[]", "{}", '{"bots": 1, "name": {}}'])
def test_a_manifest_that_offers_nothing(tmp_path: Path, content: str | None) -> None:
    """Without a manifest, or with a broken one, the page has no commands."""
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_text(content)
    offer: Mapping[str, Any] = AppManifest(path if content is not None else None).offer()
    assert not any(offer.values())


def test_the_projects_own_manifest() -> None:
    """Its name is a placeholder until the app is packed, and is not shown."""
    path = manifest_of(ROOT / "bot_logic", ROOT)
    offer = AppManifest(path).offer()
    assert offer["name"] == ""
    assert "help" in [command["title"] for command in offer["commands"]]


def test_where_a_manifest_is(tmp_path: Path) -> None:
    """Another bot has its own one, or none."""
    assert manifest_of(tmp_path, ROOT) is None
    (tmp_path / "app_package").mkdir()
    packaged = tmp_path / "app_package" / "manifest.json"
    packaged.write_text("{}")
    assert manifest_of(tmp_path, ROOT) == packaged
    (tmp_path / "manifest.json").write_text("{}")
    assert manifest_of(tmp_path, ROOT) == tmp_path / "manifest.json"
