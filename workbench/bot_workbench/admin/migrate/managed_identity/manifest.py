"""Manifest: the Teams app's manifest.json, which names the bot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.admin.migrate.managed_identity.developer_files import (
    FilesRefused,
    JsonText,
    Place,
    pointer,
)

VARIABLE = re.compile(r"\$\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
"""Source: Microsoft 365 Agents Toolkit, "Customize app manifest": `${{NAME}}`."""

_VERSION = re.compile(r"((?:\d+\.)*)(\d+)")


def bot_ids(strings: Mapping[Place, str]) -> list[Place]:
    """The places of a manifest that name the bot.

    Source: Microsoft 365 app manifest, "bots", "composeExtensions", "dashboardCards",
    "copilotAgents".

    Args:
        strings: of the manifest, by place.
    """
    return [
        place
        for place in strings
        if (place[0] in {"bots", "composeExtensions", "dashboardCards"} and place[-1] == "botId")
        or (
            place[:2] == ("copilotAgents", "customEngineAgents")
            and place[-1] == "id"
            and strings.get((*place[:-1], "type")) == "bot"
        )
    ]


@dataclass(frozen=True)
class MovedBot:
    """The old bot's values in a manifest, and the new one's in their place.

    Attributes:
        old_id: the old bot's app id (GUID).
        new_id: the new bot's.
        old_host: host name of the old bot's endpoint; empty if it has none.
        new_host: host name of the new bot's endpoint.
    """

    old_id: str
    new_id: str
    old_host: str
    new_host: str


class Manifest:
    """A Teams app's manifest, read once.

    Args:
        path: the file.

    Attributes:
        path: the file.
        json: its text.
        version: its version, such as "1.2.3".
        variables: those that stand for the bot's id, as Microsoft 365 Agents Toolkit writes them:
            `BOT_ID` for `${{BOT_ID}}`.

    Raises:
        FilesRefused: the file cannot be read, or is not a manifest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.json = JsonText.read(path)
        self._strings = self.json.strings
        if ("version",) not in self._strings:
            raise FilesRefused(f'{path} is no Teams manifest: it has no "version"')
        self.version = self._strings[("version",)]
        self._ids = {place: self._strings[place] for place in bot_ids(self._strings)}
        found = [VARIABLE.fullmatch(value) for value in self._ids.values()]
        self.variables = tuple(dict.fromkeys(match[1] for match in found if match))

    def edits(self, bot: MovedBot, *, id_moves_elsewhere: bool) -> dict[Place, str]:
        """The strings to change; empty: none.

        The version is raised with the first change of an id, so that it is raised once.

        Args:
            bot: the old and the new bot.
            id_moves_elsewhere: the manifest has a variable for the id, whose value changes.

        Raises:
            FilesRefused: the manifest is of another bot, or its version cannot be raised.
        """
        if not self._ids:
            raise FilesRefused(f"{self.path} has no bot: give the manifest of the bot's Teams app")
        for place, value in self._ids.items():
            known = {bot.old_id.lower(), bot.new_id.lower()}
            if value.lower() not in known and not VARIABLE.fullmatch(value):
                raise FilesRefused(
                    f"{self.path} is of another bot: {pointer(place)} is {value}, and the old"
                    f" bot's id is {bot.old_id}"
                )
        old = [place for place, value in self._ids.items() if value.lower() == bot.old_id.lower()]
        if not old and not id_moves_elsewhere:
            return {}
        version = _VERSION.fullmatch(self.version)
        if version is None:
            raise FilesRefused(
                f"the version in {self.path} is {self.version}, which is not MAJOR.MINOR.PATCH:"
                " write a number there"
            )
        domains = [
            place
            for place, value in self._strings.items()
            if place[0] == "validDomains" and bot.old_host and value.lower() == bot.old_host.lower()
        ]
        return {
            **dict.fromkeys(old, bot.new_id),
            **dict.fromkeys(domains, bot.new_host),
            ("version",): f"{version[1]}{int(version[2]) + 1}",
        }

    def leftovers(self, bot: MovedBot) -> tuple[str, ...]:
        """The names in the manifest that no command can change; a line each."""
        resource = self._strings.get(("webApplicationInfo", "resource"), "")
        found = []
        if ("webApplicationInfo", "id") in self._strings:
            named = f" ({resource})" if resource else ""
            found.append(
                f"single sign-on: webApplicationInfo{named} keeps its app registration, because an"
                " identity has none; its Application ID URI must name the new bot:"
                f" api://botid-{bot.new_id}"
            )
        for place, value in self._strings.items():
            if place[0] == "validDomains" and VARIABLE.search(value):
                found.append(f"validDomains names {value}: set the variable to {bot.new_host}")
        return tuple(found)
