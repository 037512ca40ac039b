"""TeamsApp: the developer's files name the new bot."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import typer

from bot_workbench.admin.azure.errors import Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.managed_identity.developer_files import (
    EnvFile,
    FilesRefused,
    pointer,
    shell_lines,
    write_text,
)
from bot_workbench.admin.migrate.managed_identity.manifest import Manifest, MovedBot
from bot_workbench.admin.migrate.managed_identity.new_bot import NewBot
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity
from bot_workbench.admin.plan.step import Change, Finding
from bot_workbench.admin.plan.target import Target, endpoint_of

BOT_ID = "BOT_ID"
"""The variable of the bot's id, if there is no manifest that names another one."""


class TeamsApp:
    """The files of the bot's Teams app, and what they have to say.

    The manifest is written first. If its botId is a variable, only the old id in the .env file
    shows that the version must still be raised. So before the manifest, a hidden file beside it
    notes the raised version and the new id, and it is deleted when the .env file is written: a
    command that was interrupted between the two finds there that the version is raised.

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
        self._env_file = env_file

    def check(self) -> None:
        """Read both files, before anything is changed.

        Raises:
            typer.BadParameter: one cannot be used, or another option is missing.
            AzureProblem: the bots cannot be read.
        """
        variables: tuple[str, ...] = ()
        try:
            self._changes()
            if self.manifest and not self._env_file:
                variables = Manifest(self.manifest).variables
        except FilesRefused as error:
            raise typer.BadParameter(str(error)) from error
        if variables:
            raise typer.BadParameter(
                f"{self.manifest} names the bot by the variable {variables[0]}: give the file that"
                " sets it with --env-file, such as env/.env.dev"
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

    def look(self) -> Finding:
        """The Teams app names the new bot, and its manifest has a higher version.

        Raises:
            AzureProblem: the bots cannot be read.
        """
        named = " and ".join(str(path) for path in (self.manifest, self._env_file) if path)
        by_hand = "raise the version of the Teams manifest, and set its botId yourself"
        notes = () if self.manifest else (by_hand,)
        try:
            changes = self._changes()
        except FilesRefused as error:
            return Finding(f"{named} cannot be changed", refusal=str(error))
        if not named:
            return Finding("neither --manifest nor --env-file is given", notes=notes)
        state = "must name" if changes else "already names"
        return Finding(f"{named} {state} the new bot", changes, notes=notes)

    def _changes(self) -> tuple[Change, ...]:
        manifest = Manifest(self.manifest) if self.manifest else None
        env = EnvFile(self._env_file) if self._env_file else None
        if not manifest and not env:
            return ()
        moved, names = self.moved(), (manifest.variables if manifest else ()) or (BOT_ID,)
        values = env_edits(env, names, moved) if env else {}
        changes, last = list[Change](), list[Callable[[], object]]()
        if manifest:
            target = manifest.path.resolve()
            note = target.with_name(f".{target.name}.raised")
            last.append(partial(note.unlink, missing_ok=True))
            moves = bool(manifest.variables and values)
            moves = moves and not _says(note, _raised(manifest.version, moved))
            if edits := manifest.edits(moved, id_moves_elsewhere=moves):
                raised = partial(write_text, note, _raised(edits[("version",)], moved))
                texts = manifest.json.text, manifest.json.with_strings(edits)
                named = {pointer(place): value for place, value in edits.items()}
                summary = ", ".join(f"{name} = {value}" for name, value in named.items())
                summary = f"Change {manifest.path}: {summary}"
                first = [raised] if moves else []
                changes.append(_edit(manifest.path, *texts, named, summary, first=first))
        if env and values:
            texts = env.text, env.with_values(values)
            summary = f"Set {', '.join(values)} in {env.path} to the new bot's id"
            changes.append(_edit(env.path, *texts, values, summary, last=last))
        return tuple(changes)


def env_edits(file: EnvFile, names: tuple[str, ...], bot: MovedBot) -> dict[str, str]:
    """The variables of an .env file that must change, and their new values; empty: nothing.

    Args:
        file: the file.
        names: the variables that hold the bot's id.
        bot: the old and the new bot.

    Raises:
        FilesRefused: a variable holds the id of a third bot.
    """
    edits = {}
    for name in names:
        value = file.values.get(name, "")
        if value.lower() not in {"", bot.old_id.lower(), bot.new_id.lower()}:
            raise FilesRefused(
                f"{name} in {file.path} is {value}, which is another bot's id; the old bot's is"
                f" {bot.old_id}"
            )
        if value.lower() != bot.new_id.lower():
            edits[name] = bot.new_id
    return edits


def _raised(version: str, bot: MovedBot) -> str:
    """The note that a manifest's version was raised for the new bot."""
    return f"{version} {bot.new_id}\n"


def _says(note: Path, text: str) -> bool:
    try:
        return note.read_text("utf-8") == text
    except (OSError, ValueError):
        return False


def _edit(
    path: Path,
    old: str,
    new: str,
    body: JsonObject,
    summary: str,
    *,
    first: Sequence[Callable[[], object]] = (),
    last: Sequence[Callable[[], object]] = (),
) -> Change:
    """The change of a file's text, with what is done right before and after it."""
    writes: list[Callable[[], object]] = [*first, partial(write_text, path, new), *last]
    lines, send = shell_lines(path, old, new), partial(_send, writes)
    return Change("EDIT", str(path), body, summary, lines, service="file", send=send)


def _send(writes: Sequence[Callable[[], object]]) -> None:
    """Edit a file, and what belongs to it, in this order.

    Raises:
        Refused: it cannot be written; it is as it was.
    """
    try:
        for write in writes:
            write()
    except FilesRefused as error:
        raise Refused(str(error)) from error
