"""AppPackage: the checked files of the Teams app."""

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from bot_workbench.admin.app_package.checks import (
    Problem,
    icon_files,
    language_files,
    problems,
    schema_file,
)
from bot_workbench.admin.app_package.filled_manifest import Feature, FilledManifest
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.migrate.managed_identity.developer_files import (
    EnvFile,
    FilesRefused,
    pointer,
    write_text,
)

TEAMS_APP_ID, BOT_ID, SSO_APP_ID = "TEAMS_APP_ID", "BOT_ID", "SSO_APP_ID"

_FROM_AZD = {
    BOT_ID: "the bot's app id (GUID)",
    "BOT_DOMAIN": "the host name of the bot's endpoint",
}
_MEANINGS = {
    SSO_APP_ID: "the client id (GUID) of the app registration that people sign in to",
    **_FROM_AZD,
}

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNIX = 3


class AppValues:
    """The values of the manifest's variables: of the command line, else in the .env file, else by
    azd.

    Args:
        path: the .env file.
        given: from the command line.
        azd: knows the deployed bot.

    Attributes:
        file: the .env file.
        found: what the .env file lacks: azd's values, a new id for the Teams app, and for single
            sign-on the bot's own app registration, if azd knows that it has one.
        all: the values, by variable; none is empty.
        contradictions: where the values that are used are not azd's; a line each.

    Raises:
        FilesRefused: the file cannot be read.
    """

    def __init__(self, path: Path, given: Mapping[str, str], azd: KnownBot) -> None:
        try:
            self.file = EnvFile(path)
        except FilesRefused as error:
            raise FilesRefused(f"{error}. Give another one, or copy env/.env.dev") from error
        written = {name: value for name, value in self.file.values.items() if value}
        known = written | dict(given)
        offered = {TEAMS_APP_ID: str(uuid4()), **azd.app_values}
        self.found = {name: value for name, value in offered.items() if name not in known}
        bot_id = (offered | known).get(BOT_ID, "")
        if SSO_APP_ID not in known and azd.has_registration(bot_id):
            self.found[SSO_APP_ID] = bot_id
        self.all = self.found | known
        self.contradictions = [
            f"{name} is {self.all[name]}, but azd says {value}:"
            f" {f'leave out --set {name}' if name in given else f'empty it in {path}'} to use azd's"
            for name, value in azd.app_values.items()
            if self.all[name].lower() != value.lower()
        ]


class AppPackage:
    """manifest.json, filled in, with the icons and the languages' files that it names.

    Args:
        manifest: path of the manifest; the other files are beside it.
        values: of its variables.
        azd: knows the deployed bot, or nothing.
        features: what is set in the manifest, whose own text has less.
        publish: whether what is left of the examples is refused, too.

    Attributes:
        strings: the manifest's strings, by place.
        schema: the file of Microsoft's schema that it was checked with; None: it is not installed.
        examples: the examples' values that it still has; a line each.
        features: as given.
        found: the values that the manifest needs and the .env file lacks, by variable.

    Raises:
        FilesRefused: Teams would reject it; all reasons are given at once.
    """

    def __init__(
        self,
        manifest: Path,
        values: AppValues,
        azd: KnownBot,
        features: Sequence[Feature] = (),
        *,
        publish: bool = False,
    ) -> None:
        self._env_file = values.file.path
        self.features = features
        self._manifest = FilledManifest(manifest, values.all, features)
        if missing := self._manifest.missing:
            raise FilesRefused(*(_missing(name, values.file.path, azd.absence) for name in missing))
        self.strings = self._manifest.strings
        self.schema = schema_file(self._manifest.value)
        found = problems(self._manifest, manifest.parent, azd, self.schema)
        if wrong := [self._line(each) for each in found if publish or not each.is_example]:
            raise FilesRefused(*wrong)
        self.examples = tuple(self._line(each) for each in found)
        needed = self._manifest.named
        self.found = {name: value for name, value in values.found.items() if name in needed}

    def write_manifest(self) -> None:
        """Write the manifest's file with the features, and with its variables as they are.

        Raises:
            FilesRefused: it cannot be written.
        """
        write_text(self._manifest.path, self._manifest.template)

    def write(self, path: Path) -> None:
        """Write the zip; its folder is created.

        Raises:
            FilesRefused: it cannot be written.
        """
        names = (*icon_files(self.strings).values(), *language_files(self.strings).values())
        folder = self._manifest.path.parent
        try:
            files = {name: (folder / name).read_bytes() for name in names}
            packed = archive({"manifest.json": self._manifest.text.encode(), **files})
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed)
        except OSError as error:
            raise FilesRefused(f"{path} cannot be written: {error}") from error

    def _line(self, problem: Problem) -> str:
        place, variables = problem.place, self._manifest.variables.get(problem.place)
        sources = [str(each.path) for each in self.features if each.sets(place)]
        if variables:
            sources.append(f"{', '.join(variables)} in {self._env_file}")
        source = f" ({'; '.join(sources)})" if sources else ""
        return f"{pointer(place) or self._manifest.path}{source}: {problem.text}"


def _missing(name: str, path: Path, absence: str) -> str:
    """The cure for a variable that has no value."""
    line = f"{name} is empty: set it in {path}"
    if meaning := _MEANINGS.get(name):
        line += f" to {meaning}"
    if name not in _FROM_AZD:
        return line
    reason = f" ({absence})" if absence else ""
    return f"{line}, or deploy the bot with azd{reason}"


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files at its root, in their order. It is the same bytes whenever they are.

    They are stored, not compressed, because what a compressor writes depends on its version.
    """
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX  # on Windows, too
            entry.external_attr = _MODE
            packed.writestr(entry, content)
    return target.getvalue()
