"""SecretUsers: what else holds a secret of an app registration: apps and OAuth connections."""

from functools import cached_property

from bot_workbench.admin.azure.arm_client import BOT, SITE, ArmClient
from bot_workbench.admin.azure.errors import AzureProblem, NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, answers_at, find_resources
from bot_workbench.admin.migrate.delete_secret.evidence.secret_search import SecretSearch
from bot_workbench.admin.plan.settings import SiteSettings

NOT_SEARCHED = (
    "not searched: Container Apps, virtual machines, clusters, pipelines, key vaults and what is"
    " outside Azure. Check that nothing there signs in with the secret"
)


class SecretUsers:
    """Apps and OAuth connections in all subscriptions that the signed-in account sees.

    Args:
        arm: the client.
        search: what is known of the registration's secrets.

    Attributes:
        unreadable: the names of apps and bots that cannot be read.
    """

    def __init__(self, arm: ArmClient, search: SecretSearch) -> None:
        self._arm = arm
        self._search = search
        self.unreadable: list[str] = []

    @cached_property
    def sites(self) -> list[JsonObject]:
        """All apps that can be read, with their properties."""
        listed = find_resources(self._arm, SITE, unreadable=self.unreadable)
        return [site for found in listed for site in self._read(found)]

    def _read(self, found: ResourceId) -> list[JsonObject]:
        try:
            return [self._arm.get(found.id)]
        except NotFound:
            return []  # a list may show for minutes what is deleted
        except AzureProblem:
            self.unreadable.append(found.name)
            return []

    def site_at(self, endpoint: str) -> JsonObject | None:
        """The app that answers at an endpoint (URL); None if the account sees none."""
        return next((site for site in self.sites if answers_at(site, endpoint)), None)

    def apps(self, live_id: str, old_id: str) -> list[str]:
        """The settings of apps that hold a secret of this registration.

        Args:
            live_id: resource id of the bot's app, whose PASSWORDS do not count: they are
                deleted first.
            old_id: resource id of the app that answered before, which does not count.
        """
        return [
            held
            for site in self.sites
            if site["id"].lower() != old_id.lower()
            for held in self._held_secrets(site, is_live=site["id"].lower() == live_id.lower())
        ]

    @cached_property
    def connections(self) -> list[str]:
        """The OAuth connections that sign in with this registration, and its secret."""
        return [
            f"the OAuth connection {connection['name'].rsplit('/', 1)[-1]} of {bot.name}"
            for bot in find_resources(self._arm, BOT, unreadable=self.unreadable)
            for connection in self._connections(bot)
            if self._uses_secret(connection.get("properties") or {})
        ]

    def _connections(self, bot: ResourceId) -> list[JsonObject]:
        try:
            return list(self._arm.pages(f"{bot.id}/connections"))
        except AzureProblem:
            self.unreadable.append(bot.name)
            return []

    def _uses_secret(self, connection: JsonObject) -> bool:
        """Whether a connection has this registration's id; those without a secret have another
        provider, which names no client secret."""
        if str(connection.get("clientId") or "").lower() != self._search.app_id:
            return False
        provider = str(connection.get("serviceProviderDisplayName") or "").lower()
        return "federated" not in provider and "certificate" not in provider

    def _held_secrets(self, site: JsonObject, *, is_live: bool) -> list[str]:
        try:
            return [
                f"the setting {name} of {settings.place}"
                for settings in settings_of(self._arm, site)
                for name in sorted(self._names(settings, is_live=is_live))
            ]
        except AzureProblem:
            self.unreadable.append(site["name"])
            return []

    def _names(self, settings: SiteSettings, *, is_live: bool) -> set[str]:
        found = self._search.names(settings.values, is_live=is_live)
        configuration = self._arm.get(f"{settings.id}/config/authsettingsV2")
        used = self._search.used_by_authentication(configuration.get("properties") or {})
        return found | ({used} if settings.values.get(used) else set())


def settings_of(arm: ArmClient, site: JsonObject) -> list[SiteSettings]:
    """The settings of an app and of its slots.

    Raises:
        AzureProblem: they cannot be read.
    """
    slots = [slot["id"] for slot in arm.pages(f"{site['id']}/slots")]
    return [SiteSettings.read(arm, one) for one in (site["id"], *slots)]
