"""SiteSettings: the settings of an app or a slot, which Azure replaces as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.errors import Conflict


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
