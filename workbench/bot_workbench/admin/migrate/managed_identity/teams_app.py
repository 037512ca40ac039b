"""UpdatedTeamsApp: the developer's files name the new bot."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import typer

from bot_workbench.admin.azure.errors import Refused
from bot_workbench.admin.migrate.managed_identity.env_file import EnvFile, EnvFileRefused
from bot_workbench.admin.migrate.managed_identity.manifest import (
    Manifest,
    ManifestRefused,
    MovedBot,
)
from bot_workbench.admin.migrate.managed_identity.new_bot import NewBot
from bot_workbench.admin.migrate.managed_identity.raised_version import RaisedVersion
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import Target, endpoint_of

BOT_ID = "BOT_ID"
"""The variable of the bot's id, if there is no manifest that names another one."""


class TeamsApp:
    """The files of the bot's Teams app, and what they have to say.

    Args:
        old: the old bot.
        new: the new bot.
        identity: becomes the bot.
        manifest: path of manifest.json; None: no manifest is changed.
        env_file: path of the .env file; None: none is changed.
    """

    def __init__(
        self,
        old: Target,
        new: NewBot,
        identity: AssignedIdentity,
        manifest: Path | None,
        env_file: Path | None,
    ) -> None:
        self._old = old
        self._new = new
        self._identity = identity
        self.manifest = manifest
        self.env_file = env_file

    def check(self) -> None:
        """Read both files, before anything is changed.

        Raises:
            typer.BadParameter: one cannot be used, or another option is missing.
            AzureProblem: the bots cannot be read.
        """
        names: tuple[str, ...] = ()
        try:
            self.env_edits()
            if self.manifest:
                manifest = Manifest(self.manifest)
                names = manifest.variables
                manifest.edits(self.moved(), id_moves_elsewhere=bool(names))
        except (ManifestRefused, EnvFileRefused) as error:
            raise typer.BadParameter(str(error)) from error
        if names and not self.env_file:
            raise typer.BadParameter(
                f"{self.manifest} names the bot by the variable {names[0]}: give the file that sets"
                " it with --env-file, such as env/.env.dev"
            )

    def moved(self) -> MovedBot:
        """The ids and hosts of both bots.

        Raises:
            AzureProblem: they cannot be read.
        """
        return MovedBot(
            self._old.app_id,
            self._identity.client_id(),
            urlsplit(endpoint_of(self._old.bot())).hostname or "",
            urlsplit(self._new.endpoint).hostname or "",
        )

    def env_edits(self) -> dict[str, str]:
        """The changes in the .env file.

        Raises:
            EnvFileRefused: it is of another bot.
        """
        if self.env_file is None:
            return {}
        names = (Manifest(self.manifest).variables if self.manifest else ()) or (BOT_ID,)
        moved = self.moved()
        return EnvFile(self.env_file).edits(names, moved.old_id, moved.new_id)


class UpdatedTeamsApp:
    """The Teams app names the new bot, and its manifest has a higher version.

    The manifest is written first. If its botId is a variable, only the old id in the .env file
    shows that the version must still be raised. So before the manifest, a file beside it notes the
    raised version and the new id, and it is deleted when the .env file is written: a command that
    was interrupted between the two finds there that the version is raised.

    Args:
        app: the files.
    """

    title = "Teams app"

    def __init__(self, app: TeamsApp) -> None:
        self._app = app

    def look(self) -> Finding:
        """Read the files.

        Raises:
            AzureProblem: the bots cannot be read.
        """
        app = self._app
        paths = [str(path) for path in (app.manifest, app.env_file) if path]
        named = " and ".join(paths)
        by_hand = "raise the version of the Teams manifest, and set its botId yourself"
        notes = () if app.manifest else (by_hand,)
        try:
            changes = self._changes()
        except (ManifestRefused, EnvFileRefused) as error:
            return Finding(f"{named} cannot be changed", refusal=str(error))
        if not paths:
            return Finding("neither --manifest nor --env-file is given", notes=notes)
        if changes:
            return Finding(f"{named} must name the new bot", changes, notes=notes)
        return Finding(f"{named} already names the new bot", notes=notes)

    def _changes(self) -> tuple[Change, ...]:
        app, changes, note = self._app, list[Change](), None
        new_values = app.env_edits()
        if app.manifest:
            manifest = Manifest(app.manifest)
            moves = bool(manifest.variables and new_values)
            note = RaisedVersion(manifest.path, app.moved().new_id)
            moves = moves and not note.says(manifest.version)
            edits = manifest.edits(app.moved(), id_moves_elsewhere=moves)
            if edits:
                changes.append(_manifest_change(manifest, edits, note if moves else None))
        if app.env_file and new_values:
            changes.append(_env_change(EnvFile(app.env_file), new_values, note))
        return tuple(changes)


def _manifest_change(
    manifest: Manifest, edits: dict[str, str], note: RaisedVersion | None
) -> Change:
    path = str(manifest.path)
    named = ", ".join(f"{pointer} = {value}" for pointer, value in edits.items())
    return Change(
        method="EDIT",
        url=path,
        body=dict(edits),
        summary=f"Change {path}: {named}",
        az=tuple(
            _sed(f'{number}s|"{_pattern(old)}"|"{_replacement(new)}"|', path)
            for number, old, new in manifest.lines(edits)
        ),
        service="file",
        send=partial(_write_manifest, manifest, edits, note),
    )


def _env_change(file: EnvFile, edits: dict[str, str], note: RaisedVersion | None) -> Change:
    path = str(file.path)
    write = "echo" if file.ending == "\n" else r"printf '%s\r\n'"
    added = [f"{write} {quoted(line)} >> {quoted(path)}" for line in file.added(edits)]
    return Change(
        method="EDIT",
        url=path,
        body=dict(edits),
        summary=f"Set {', '.join(edits)} in {path} to the new bot's id",
        az=(
            *(
                _sed(f"{number}s|{_pattern(old)}|{_replacement(new)}|", path)
                for number, old, new in file.lines(edits)
            ),
            *added,
        ),
        service="file",
        send=partial(_write_env, file, edits, note),
    )


def _write_manifest(manifest: Manifest, edits: dict[str, str], note: RaisedVersion | None) -> None:
    """Edit the manifest, and note before that it will be raised.

    Raises:
        Refused: it cannot be written; it is as it was.
    """
    if note is not None:
        _written(manifest.path, lambda: note.write(edits["/version"]))
    _written(manifest.path, lambda: manifest.edit(edits))


def _write_env(file: EnvFile, edits: dict[str, str], note: RaisedVersion | None) -> None:
    """Edit the .env file, and delete the note.

    Raises:
        Refused: it cannot be written; it is as it was.
    """
    _written(file.path, lambda: file.edit(edits))
    if note is not None:
        note.delete()


def _written(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise Refused(
            f"{path} cannot be written ({error.strerror}): if a program has it open, close it"
        ) from error


def _sed(command: str, path: str) -> str:
    """A line that edits a file; `-i` without a suffix means something else on macOS."""
    backup = quoted(f"{path}.bak")
    return f"sed -i.bak {quoted(command)} {quoted(path)} && rm {backup}"


def _pattern(text: str) -> str:
    """A text as a basic regular expression of sed."""
    return re.sub(r"([.*\[\]^$\\|])", r"\\\1", text)


def _replacement(text: str) -> str:
    """A text as the replacement of sed's command s."""
    return re.sub(r"([&\\|])", r"\\\1", text)
