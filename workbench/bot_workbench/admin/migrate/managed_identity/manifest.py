"""Manifest: the Teams app's manifest.json, which names the bot."""

import re
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.admin.migrate.managed_identity.json_text import JsonText
from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place
from bot_workbench.admin.migrate.managed_identity.local_file import LocalFile

_PLACEHOLDER = re.compile(r"\$\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}")
_VERSION = re.compile(r"((?:\d+\.)*)(\d+)")


class ManifestRefused(Exception):
    """The manifest cannot be updated; the text says why, and what to do."""


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

    Source of the members: Microsoft 365 app manifest, "bots", "composeExtensions",
    "dashboardCards", "copilotAgents".

    Args:
        path: the file.

    Raises:
        ManifestRefused: the file cannot be read, or is not a manifest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._json = JsonText(LocalFile(path).read())
        except (OSError, ValueError) as error:
            raise ManifestRefused(f"{path} cannot be read: {error}") from error
        if not isinstance(self._json.value, dict) or ("version",) not in self._json.strings:
            raise ManifestRefused(f'{path} is no Teams manifest: it has no "version"')
        self._strings = self._json.strings

    @property
    def version(self) -> str:
        """Its version, such as "1.2.3"."""
        return self._strings[("version",)]

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that stand for the bot's id, as Microsoft 365 Agents Toolkit writes them:
        `BOT_ID` for `${{BOT_ID}}`."""
        found = [_PLACEHOLDER.fullmatch(self._strings[place]) for place in self._bot_ids]
        return tuple(dict.fromkeys(match[1] for match in found if match))

    def edits(self, bot: MovedBot, *, id_moves_elsewhere: bool) -> dict[str, str]:
        """The changes, by JSON pointer (RFC 6901); empty: none.

        The version is raised with the first change of an id, so that it is raised once.

        Args:
            bot: the old and the new bot.
            id_moves_elsewhere: the manifest has a variable for the id, whose value changes.

        Raises:
            ManifestRefused: the manifest is of another bot, or its version cannot be raised.
        """
        named = {place: self._strings[place] for place in self._bot_ids}
        if not named:
            raise ManifestRefused(
                f"{self.path} has no bot: give the manifest of the bot's Teams app"
            )
        for place, value in named.items():
            known = {bot.old_id.lower(), bot.new_id.lower()}
            if value.lower() not in known and not _PLACEHOLDER.fullmatch(value):
                raise ManifestRefused(
                    f"{self.path} is of another bot: {_pointer(place)} is {value}, and the old"
                    f" bot's id is {bot.old_id}"
                )
        old = [place for place, value in named.items() if value.lower() == bot.old_id.lower()]
        if not old and not id_moves_elsewhere:
            return {}
        changed: dict[Place, str] = dict.fromkeys(old, bot.new_id)
        changed |= dict.fromkeys(self._old_domains(bot), bot.new_host)
        changed |= {("version",): self._raised_version()}
        return {_pointer(place): value for place, value in changed.items()}

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
            if place[0] == "validDomains" and _PLACEHOLDER.search(value):
                found.append(f"validDomains names {value}: set the variable to {bot.new_host}")
        return tuple(found)

    def edit(self, edits: dict[str, str]) -> None:
        """Write the file with these strings.

        Args:
            edits: see `edits`.

        Raises:
            OSError: the file cannot be written; it is as it was.
        """
        places = {_pointer(place): place for place in self._strings}
        text = self._json.with_strings({places[name]: value for name, value in edits.items()})
        LocalFile(self.path).write(text)

    def lines(self, edits: dict[str, str]) -> list[tuple[int, str, str]]:
        """The same edits as line numbers (from 1), with the old and the new text.

        Args:
            edits: see `edits`.
        """
        places = {_pointer(place): place for place in self._strings}
        return [
            (self._json.line(places[name]), self._strings[places[name]], value)
            for name, value in edits.items()
        ]

    @property
    def _bot_ids(self) -> list[Place]:
        return [place for place in self._strings if self._is_bot_id(place)]

    def _is_bot_id(self, place: Place) -> bool:
        if place[0] in {"bots", "composeExtensions", "dashboardCards"}:
            return place[-1] == "botId"
        agents = ("copilotAgents", "customEngineAgents")
        kind = self._strings.get((*place[:-1], "type"))
        return place[:2] == agents and place[-1] == "id" and kind == "bot"

    def _old_domains(self, bot: MovedBot) -> list[Place]:
        return [
            place
            for place, value in self._strings.items()
            if place[0] == "validDomains" and bot.old_host and value.lower() == bot.old_host.lower()
        ]

    def _raised_version(self) -> str:
        match = _VERSION.fullmatch(self.version)
        if match is None:
            raise ManifestRefused(
                f"the version in {self.path} is {self.version}, which is not MAJOR.MINOR.PATCH:"
                " write a number there"
            )
        return f"{match[1]}{int(match[2]) + 1}"


def _pointer(place: Place) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place)
