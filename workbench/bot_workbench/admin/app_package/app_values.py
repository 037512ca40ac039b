"""AppValues: the values of the manifest's variables."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from bot_workbench.admin.app_package.known_bot import KnownBot
from bot_workbench.admin.app_package.problems import PackageRefused
from bot_workbench.admin.migrate.managed_identity.env_file import EnvFile, EnvFileRefused

TEAMS_APP_ID = "TEAMS_APP_ID"
BOT_ID = "BOT_ID"
SSO_APP_ID = "SSO_APP_ID"


class AppValues:
    """The values of the command line, else in the .env file, else by azd.

    Args:
        path: the .env file.
        given: from the command line.
        azd: knows the deployed bot.

    Attributes:
        found: what the .env file lacks: azd's values, a new id for the Teams app, and for single
            sign-on the bot's own app registration, if azd knows that it has one.

    Raises:
        PackageRefused: the file cannot be read.
    """

    def __init__(self, path: Path, given: Mapping[str, str], azd: KnownBot) -> None:
        try:
            self._file = EnvFile(path)
        except EnvFileRefused as error:
            raise PackageRefused(f"{error}. Give another one, or copy env/.env.dev") from error
        self._written = {name: value for name, value in self._file.values.items() if value}
        self._given = given
        self._azd = azd
        known = self._written | dict(given)
        offered = {TEAMS_APP_ID: str(uuid4()), **azd.app_values}
        self.found = {name: value for name, value in offered.items() if name not in known}
        bot_id = (offered | known).get(BOT_ID, "")
        if SSO_APP_ID not in known and azd.has_registration(bot_id):
            self.found[SSO_APP_ID] = bot_id

    @property
    def path(self) -> Path:
        """The .env file."""
        return self._file.path

    @property
    def all(self) -> dict[str, str]:
        """The values, by variable; none is empty."""
        return self.found | self._written | dict(self._given)

    @property
    def contradictions(self) -> tuple[str, ...]:
        """Where the values that are used are not azd's; a line each."""
        values = self.all
        return tuple(
            f"{name} is {values[name]}, but azd says {value}: {self._cure(name)} to use azd's"
            for name, value in self._azd.app_values.items()
            if values[name].lower() != value.lower()
        )

    def save(self, values: Mapping[str, str]) -> None:
        """Write values to the .env file.

        Args:
            values: by variable.

        Raises:
            PackageRefused: it cannot be written.
        """
        if not values:
            return
        try:
            self._file.edit(dict(values))
        except OSError as error:
            raise PackageRefused(f"{self.path} cannot be written: {error.strerror}") from error

    def _cure(self, name: str) -> str:
        """The line that changes a variable, in the imperative."""
        return f"leave out --set {name}" if name in self._given else f"empty it in {self.path}"
