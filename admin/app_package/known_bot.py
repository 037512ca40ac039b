"""KnownBot: what azd knows of the deployed bot."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from auth import clouds

TIMEOUT_SECONDS = 60

_LINE = re.compile(r'^([A-Za-z_][A-Za-z0-9_]*)="?(.*?)"?\r?$', re.MULTILINE)
_CLOUDS = {
    "": clouds.PUBLIC,
    "Public": clouds.PUBLIC,
    "USGovernment": clouds.US_GOVERNMENT,
    "China": clouds.CHINA,
}
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

        Args:
            name: of the environment; None: azd's default.
        """
        azd = shutil.which("azd")
        if azd is None:
            return cls(absence="azd is not installed")
        named = ["--environment", name] if name else []
        try:
            done = subprocess.run(  # noqa: S603  # azd is the user's own
                [azd, "env", "get-values", "--no-prompt", *named],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return cls(absence=f"azd did not answer in {TIMEOUT_SECONDS} seconds")
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            return cls(absence=f"azd says: {said[0]}" if said else "azd has no environment")
        return cls(dict(_LINE.findall(done.stdout)))

    @property
    def app_values(self) -> dict[str, str]:
        """What it knows of the variables of the Teams app: BOT_ID and BOT_DOMAIN."""
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
        return _CLOUDS.get(self.values.get("BOT_CLOUD", "")) in {clouds.PUBLIC, None}

    @property
    def token_domain(self) -> str:
        """The host name of the token service in the bot's cloud; empty if azd does not know."""
        cloud = _CLOUDS.get(self.values.get("BOT_CLOUD", "")) if self.values else None
        return urlsplit(cloud.token_service_url).hostname or "" if cloud else ""
