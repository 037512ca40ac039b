"""PasswordSettings: the bot's secret in the settings of an app and of its slots."""

from dataclasses import dataclass
from functools import partial

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.migrate.delete_secret.evidence.secret_search import PASSWORDS
from bot_workbench.admin.migrate.delete_secret.evidence.secret_users import settings_of
from bot_workbench.admin.plan.settings import SiteSettings
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import ALL_VALUES, Change


@dataclass(frozen=True)
class PasswordSettings:
    """The settings of an app that hold the bot's secret.

    Attributes:
        arm: the client.
        site: the app.
    """

    arm: ArmClient
    site: JsonObject

    def removals(self) -> tuple[Change, ...]:
        """The changes that remove the password from the app and its slots; empty: it is nowhere.

        Raises:
            AzureProblem: the settings cannot be read.
        """
        return tuple(
            self._removal(settings, removed)
            for settings in settings_of(self.arm, self.site)
            if (removed := [name for name in settings.values if name.lower() in PASSWORDS])
        )

    def _removal(self, settings: SiteSettings, removed: list[str]) -> Change:
        kept = {name: text for name, text in settings.values.items() if name not in removed}
        return Change(
            method="PUT",
            url=self.arm.url(f"{settings.id}/config/appsettings"),
            body={"properties": kept},
            summary=f"Delete {', '.join(removed)} from the settings of {settings.place}, and keep"
            f" the {len(kept)} others; the app restarts",
            az=(self._az(settings, removed),),
            hidden=ALL_VALUES,
            send=partial(settings.replace, kept),
        )

    def _az(self, settings: SiteSettings, removed: list[str]) -> str:
        place = ResourceId(self.site["id"], self.site["name"]).az_options
        _, _, slot = settings.place.partition("/slots/")
        if slot:
            place["--slot"] = slot
        command = az(f"{command_of(self.site)} config appsettings delete", place)
        return f"{command} --setting-names {' '.join(removed)}"


def command_of(site: JsonObject) -> str:
    """The `az` command for an app: "functionapp" or "webapp"."""
    return "functionapp" if "functionapp" in str(site.get("kind")).lower() else "webapp"
