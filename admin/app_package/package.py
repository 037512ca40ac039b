"""AppPackage: the checked files of the Teams app."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from admin.app_package.app_values import AppValues
from admin.app_package.archive import write_archive
from admin.app_package.filled_manifest import FilledManifest
from admin.app_package.known_bot import KnownBot
from admin.app_package.languages import language_files, language_problems
from admin.app_package.problems import PackageRefused, Problem
from admin.app_package.rules import broken_rules
from admin.app_package.schema import schema_file, schema_problems

_FROM_AZD = {
    "BOT_ID": "the bot's app id (GUID)",
    "BOT_DOMAIN": "the host name of the bot's endpoint",
}


class AppPackage:
    """manifest.json, filled in, with the icons and the languages' files that it names.

    Args:
        manifest: path of the manifest; the other files are beside it.
        values: of its variables.
        azd: knows the deployed bot, or nothing.

    Attributes:
        schema: the file of Microsoft's schema that it was checked with; None: it is not installed.
        examples: the examples' values that it still has; a line each.

    Raises:
        PackageRefused: Teams would reject it; all reasons are given at once.
    """

    def __init__(self, manifest: Path, values: AppValues, azd: KnownBot) -> None:
        self._values = values
        self._folder = manifest.parent
        self._manifest = FilledManifest(manifest, values.all)
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
    def manifest(self) -> Mapping[str, Any]:
        """The manifest, parsed."""
        return self._manifest.value

    def check_for_examples(self) -> None:
        """Refuse what is left of the examples.

        Raises:
            PackageRefused: there is something.
        """
        if self.examples:
            raise PackageRefused(*self.examples)

    def write(self, path: Path) -> None:
        """Write the zip.

        Raises:
            PackageRefused: it cannot be written.
        """
        names = (*self.manifest["icons"].values(), *language_files(self.manifest).values())
        try:
            files = {name: (self._folder / name).read_bytes() for name in names}
            write_archive({"manifest.json": self._manifest.text.encode(), **files}, path)
        except OSError as error:
            raise PackageRefused(f"{path} cannot be written: {error}") from error

    def _problems(self, azd: KnownBot) -> Iterator[Problem]:
        """The rules' problems, then the schema's at other places."""
        broken = list(broken_rules(self._manifest, self._folder, azd))
        broken += language_problems(self.manifest, self._folder)
        yield from broken
        if self.schema is not None:
            places = {each.place for each in broken}
            for each in schema_problems(self._manifest.value, self.schema):
                if each.place not in places:
                    yield each

    def _line(self, problem: Problem) -> str:
        names = self._manifest.variables(problem.place)
        source = f" ({', '.join(names)} in {self._values.path})" if names else ""
        return f"{problem.pointer or self._manifest.path}{source}: {problem.text}"


def _missing(name: str, path: Path, absence: str) -> str:
    """What to do about a variable that has no value."""
    meaning = _FROM_AZD.get(name)
    if meaning is None:
        return f"{name} is empty: set it in {path}"
    reason = f" ({absence})" if absence else ""
    return f"{name} is empty: set it in {path} to {meaning}, or deploy the bot with azd{reason}"
