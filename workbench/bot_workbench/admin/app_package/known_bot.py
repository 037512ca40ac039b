"""KnownBot: what azd knows of the deployed bot."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot_workbench.admin.azure.cloud import CLOUDS_BY_PARAMETER, PUBLIC
from bot_workbench.admin.migrate.managed_identity.developer_files import variables

TIMEOUT_SECONDS = 60

_CLOUDS = {"": PUBLIC, **CLOUDS_BY_PARAMETER}
"""By the values of BOT_CLOUD."""


@dataclass(frozen=True)
class KnownBot:
    """The values of an azd environment, if there is one.

    Attributes:
        values: by variable; empty: there is no environment.
        absence: why there is none; empty otherwise.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    absence: str = ""

    @classmethod
    def read(cls, name: str | None) -> "KnownBot":
        """Ask azd. Source: azd, `azd env get-values`, which prints NAME="VALUE" lines.

        That command creates an environment if there is no default and none is named, so azd is
        asked for its default first. Source: azure-dev, `LoadOrInitInteractive`.

        Args:
            name: of the environment; None: azd's default.
        """
        try:
            name = name or _default_environment()
            values = _said("get-values", "--no-prompt", "--environment", name)
        except _NoAnswer as error:
            return cls(absence=str(error))
        return cls(variables(values))

    @property
    def app_values(self) -> dict[str, str]:
        """The variables of the Teams app that it knows: BOT_ID and BOT_DOMAIN."""
        endpoint = urlsplit(self.values.get("BOT_ENDPOINT", ""))
        domain = endpoint.hostname if endpoint.scheme == "https" else None
        known = {"BOT_ID": self.values.get("BOT_ID", ""), "BOT_DOMAIN": domain or ""}
        return {name: value for name, value in known.items() if value}

    @property
    def is_identity(self) -> bool:
        """The bot is a managed identity, which has no app registration."""
        return bool(self.values) and self.values.get("BOT_CREDENTIAL", "") in {
            "",
            "ManagedIdentity",
        }

    def has_registration(self, app_id: str) -> bool:
        """An app id (GUID) is the bot's, and that of an app registration."""
        return bool(app_id) and app_id == self.values.get("BOT_ID") and not self.is_identity

    @property
    def has_files(self) -> bool:
        """In the bot's cloud, Teams lets bots send and receive files; true if azd does not know.

        Source: Microsoft Teams, "Send and receive files using bots".
        """
        return _CLOUDS.get(self.values.get("BOT_CLOUD", "")) in {PUBLIC, None}

    @property
    def token_domain(self) -> str:
        """The host name of the token service in the bot's cloud; empty if azd does not know."""
        cloud = _CLOUDS.get(self.values.get("BOT_CLOUD", "")) if self.values else None
        return cloud.token_domain if cloud else ""


class _NoAnswer(Exception):
    """Why azd has no values."""


def _default_environment() -> str:
    """The name of azd's default environment.

    Raises:
        _NoAnswer: there is none.
    """
    listed = _said("list", "--output", "json", "--no-prompt")
    try:
        names = [each["Name"] for each in json.loads(listed) if each["IsDefault"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _NoAnswer("azd lists no environments") from error
    if not names:
        raise _NoAnswer("azd has no default environment")
    return str(names[0])


def _said(*words: str) -> str:
    """The output of `azd env`.

    Raises:
        _NoAnswer: azd is not installed, fails, or does not answer.
    """
    azd = shutil.which("azd")
    if azd is None:
        raise _NoAnswer("azd is not installed")
    try:
        done = subprocess.run(  # azd is the user's own
            [azd, "env", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",  # azd's, whatever the code page of a Windows console
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _NoAnswer(f"azd did not answer in {TIMEOUT_SECONDS} seconds") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise _NoAnswer(f"azd says: {lines[0]}" if lines else f"azd failed: {done.returncode}")
    return done.stdout
