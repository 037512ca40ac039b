"""AppPackage: the checked files of the Teams app."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot_workbench.admin.app_package.app_values import AppValues
from bot_workbench.admin.app_package.archive import write_archive
from bot_workbench.admin.app_package.checks.languages import language_files, language_problems
from bot_workbench.admin.app_package.checks.rules import broken_rules, icon_files
from bot_workbench.admin.app_package.checks.schema import schema_file, schema_problems
from bot_workbench.admin.app_package.feature import Feature
from bot_workbench.admin.app_package.filled_manifest import FilledManifest
from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.app_package.problems import PackageRefused, Problem
from bot_workbench.admin.migrate.managed_identity.json_text import Path as Place
from bot_workbench.admin.migrate.managed_identity.local_file import LocalFile

_FROM_AZD = {
    "BOT_ID": "the bot's app id (GUID)",
    "BOT_DOMAIN": "the host name of the bot's endpoint",
}
_MEANINGS = {
    "SSO_APP_ID": "the client id (GUID) of the app registration that people sign in to",
    **_FROM_AZD,
}


class AppPackage:
    """manifest.json, filled in, with the icons and the languages' files that it names.

    Args:
        manifest: path of the manifest; the other files are beside it.
        values: of its variables.
        azd: knows the deployed bot, or nothing.
        features: what is set in the manifest, whose own text has less.

    Attributes:
        schema: the file of Microsoft's schema that it was checked with; None: it is not installed.
        examples: the examples' values that it still has; a line each.
        features: as given.

    Raises:
        PackageRefused: Teams would reject it; all reasons are given at once.
    """

    def __init__(
        self, manifest: Path, values: AppValues, azd: KnownBot, features: Sequence[Feature] = ()
    ) -> None:
        self._values = values
        self._folder = manifest.parent
        self.features = features
        self._manifest = FilledManifest(manifest, values.all, features)
        if missing := self._manifest.missing:
            lines = (_missing(name, values.path, azd.absence) for name in missing)
            raise PackageRefused(*lines)
        self.schema = schema_file(self._manifest.value)
        found = list(self._problems(azd))
        wrong = [self._line(each) for each in found if not each.is_example]
        if wrong:
            raise PackageRefused(*wrong)
        self.examples = tuple(self._line(each) for each in found)

    @property
    def strings(self) -> Mapping[Place, str]:
        """The manifest's strings, by place."""
        return self._manifest.strings

    @property
    def found(self) -> dict[str, str]:
        """The values that the manifest needs and the .env file lacks, by variable."""
        needed = self._manifest.named
        return {name: value for name, value in self._values.found.items() if name in needed}

    def check_for_examples(self) -> None:
        """Refuse what is left of the examples.

        Raises:
            PackageRefused: there is something.
        """
        if self.examples:
            raise PackageRefused(*self.examples)

    def write_manifest(self) -> None:
        """Write the manifest's file with the features, and with its variables as they are.

        Raises:
            PackageRefused: it cannot be written.
        """
        path = self._manifest.path
        try:
            LocalFile(path).write(self._manifest.template)
        except OSError as error:
            raise PackageRefused(f"{path} cannot be written: {error.strerror}") from error

    def write(self, path: Path) -> None:
        """Write the zip.

        Raises:
            PackageRefused: it cannot be written.
        """
        strings = self.strings
        names = (*icon_files(strings).values(), *language_files(strings).values())
        try:
            files = {name: (self._folder / name).read_bytes() for name in names}
            write_archive({"manifest.json": self._manifest.text.encode(), **files}, path)
        except OSError as error:
            raise PackageRefused(f"{path} cannot be written: {error}") from error

    def _problems(self, azd: KnownBot) -> Iterator[Problem]:
        """The rules' problems, then the schema's at other places."""
        broken = list(broken_rules(self._manifest, self._folder, azd))
        broken += language_problems(self.strings, self._folder)
        yield from broken
        if self.schema is not None:
            places = {each.place for each in broken}
            for each in schema_problems(self._manifest.value, self.schema):
                if each.place not in places:
                    yield each

    def _line(self, problem: Problem) -> str:
        sources = [str(path) for path in self._manifest.features(problem.place)]
        if names := self._manifest.variables(problem.place):
            sources.append(f"{', '.join(names)} in {self._values.path}")
        source = f" ({'; '.join(sources)})" if sources else ""
        return f"{problem.pointer or self._manifest.path}{source}: {problem.text}"


def _missing(name: str, path: Path, absence: str) -> str:
    """The cure for a variable that has no value."""
    line = f"{name} is empty: set it in {path}"
    if meaning := _MEANINGS.get(name):
        line += f" to {meaning}"
    if name not in _FROM_AZD:
        return line
    reason = f" ({absence})" if absence else ""
    return f"{line}, or deploy the bot with azd{reason}"
