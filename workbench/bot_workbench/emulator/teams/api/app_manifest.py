"""AppManifest: what the app's Teams manifest offers users."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from bot_workbench.emulator.faults import Handler

READ_ALL = frozenset({"ChannelMessage.Read.Group", "ChatMessage.Read.Chat"})
"""Permissions (resource-specific consent) with which a bot gets messages that do not mention it."""


def manifest_of(bot: Path, project: Path) -> Path | None:
    """Where a bot's manifest is; None: it has none.

    Args:
        bot: the bot's folder: its manifest is `manifest.json`, in it or in its `app_package`.
        project: the project's folder, whose `app_package` is of the bot in `bot_logic`.
    """
    places = [bot / "manifest.json", bot / "app_package" / "manifest.json"]
    if bot.resolve() == (project / "bot_logic").resolve():
        places.append(project / "app_package" / "manifest.json")
    return next((place for place in places if place.is_file()), None)


class AppManifest:
    """Reads the manifest at each request, so that changes show at once.

    Args:
        path: the manifest; None: there is none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def table(self) -> dict[tuple[str, str], Handler]:
        """The handlers by HTTP method and path below /api/chat."""
        return {("GET", "/app"): self._app}

    async def _app(self, _: web.Request) -> web.Response:
        return web.json_response(self.offer())

    def reads_all(self) -> bool:
        """Whether the bot gets messages that do not mention it."""
        return bool(READ_ALL & set(_permissions(self._read())))

    def refusal_of_files(self) -> str:
        """Why users cannot send the bot files; empty: they can, as without a manifest."""
        text = self._text()
        bots = _objects(_parsed(text).get("bots"))
        if self._path is None or not bots or any(bot.get("supportsFiles") is True for bot in bots):
            return ""
        name = '"supportsFiles"' if '"supportsFiles"' in text else '"bots"'
        line = text[: text.index(name)].count("\n") + 1
        place = f"{_from_here(self._path)}:{line}"
        return f'Teams lets users send this bot no files: set "supportsFiles": true in {place}.'

    def offer(self) -> dict[str, Any]:
        """The app as pages show it; nothing without a manifest, or with one that is no JSON."""
        manifest = self._read()
        bots = _objects(manifest.get("bots"))
        extensions = _objects(manifest.get("composeExtensions"))
        name = (manifest.get("name") or {}).get("short") or ""
        return {
            "name": "" if "${{" in name else name,
            "commands": [
                {**command, "scopes": of_list.get("scopes") or []}
                for bot in bots
                for of_list in _objects(bot.get("commandLists"))
                for command in _objects(of_list.get("commands"))
            ],
            "composeExtensions": [
                _command(command)
                for extension in extensions
                for command in _objects(extension.get("commands"))
            ],
            "messageHandlers": [
                handler
                for extension in extensions
                for handler in _objects(extension.get("messageHandlers"))
            ],
            "canUpdateConfiguration": any(
                extension.get("canUpdateConfiguration") is True for extension in extensions
            ),
        }

    def _read(self) -> dict[str, Any]:
        return _parsed(self._text())

    def _text(self) -> str:
        """The manifest; empty: there is none, or it cannot be read."""
        try:
            return "" if self._path is None else self._path.read_text("utf-8")
        except (OSError, ValueError):
            return ""


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _command(command: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": command.get("id"),
        "type": command.get("type") or "query",
        "title": command.get("title") or command.get("id"),
        "description": command.get("description") or "",
        "context": command.get("context") or ["compose", "commandBox"],
        "parameters": _objects(command.get("parameters")),
        "fetchTask": command.get("fetchTask") is True,
        "initialRun": command.get("initialRun") is True,
        "taskInfo": command.get("taskInfo"),
    }


def _permissions(manifest: dict[str, Any]) -> list[str]:
    authorization = manifest.get("authorization") or {}
    permissions = authorization.get("permissions") or {}
    return [str(each.get("name")) for each in _objects(permissions.get("resourceSpecific"))]


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
