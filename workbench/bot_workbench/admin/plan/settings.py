"""App settings: their names, and how they are replaced as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Conflict
from bot_workbench.admin.azure.resources import host_of
from bot_workbench.credential_kinds import KINDS, CredentialKind

CALLERS = "AllowedCallers"
STORAGE = "AzureWebJobsStorage"
TURNS = "BotTurns"

QUEUED = "Queued"
"""A value of TURNS."""


def same_name(one: str, other: str) -> bool:
    """Whether two names are one setting's."""
    return one.lower() == other.lower()


def setting(settings: Mapping[str, str], name: str) -> str:
    """The value of a setting, however its name is written; empty if it is not set.

    Args:
        settings: of an app.
        name: of the setting.
    """
    if name in settings:
        return settings[name]
    return next((value for found, value in settings.items() if same_name(found, name)), "")


def credential_kind(settings: Mapping[str, str]) -> CredentialKind | None:
    """The credential that BotCredential names, in any case; None: it names none.

    Args:
        settings: of an app.
    """
    named = setting(settings, "BotCredential").strip().lower()
    return next((kind for kind in KINDS.values() if kind.name.lower() == named), None)


def storage_account(settings: Mapping[str, str]) -> str:
    """The name of the storage account that an app uses with an identity; empty: it names none.

    The Functions host completes an account's name with the public cloud's domain, so in other
    clouds the settings have the URL of its blobs.

    Args:
        settings: of the app.
    """
    url = setting(settings, f"{STORAGE}__blobServiceUri")
    return setting(settings, f"{STORAGE}__accountName") or host_of(url).partition(".")[0]


@dataclass(frozen=True)
class SiteSettings:
    """The settings as they were read.

    Azure replaces all settings by those that are sent (Microsoft reference: "Web Apps - Update
    Application Settings"), and has no conditional write for them.

    Attributes:
        arm: the client.
        id: resource id of the app or slot.
        values: the settings, with their secret values.
    """

    arm: ArmClient
    id: str
    values: Mapping[str, str]

    @classmethod
    def read(cls, arm: ArmClient, site_id: str) -> "SiteSettings":
        """The settings as they are now.

        Raises:
            AzureProblem: they cannot be read.
        """
        answer = arm.send("POST", f"{site_id}/config/appsettings/list")
        return cls(arm, site_id, answer.get("properties") or {})

    @property
    def place(self) -> str:
        """The app's name, and the slot's: "contoso-bot-web/slots/staging"."""
        return self.id.split("/sites/")[-1]

    def replace(self, values: Mapping[str, str]) -> None:
        """Send other settings, if a read just before shows that these are still the current ones.

        Raises:
            Conflict: they have changed; nothing was sent.
            AzureProblem: they cannot be read or written.
        """
        if self.read(self.arm, self.id).values != self.values:
            raise Conflict("the settings of the app have just changed")
        body = {"properties": dict(values)}
        self.arm.send("PUT", f"{self.id}/config/appsettings", body)
