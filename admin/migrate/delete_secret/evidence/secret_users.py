"""SecretUsers: what else holds a secret of an app registration: apps and OAuth connections."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from admin.azure.arm_client import BOT, SITE, ArmClient
from admin.azure.errors import AzureProblem
from admin.azure.json_object import JsonObject
from admin.azure.resources import ResourceId, find_resources

PASSWORD = "MicrosoftAppPassword"  # noqa: S105  # a setting's name
"""The setting that holds a bot's secret."""

SECRET_SETTINGS = frozenset(
    name.lower()
    for name in (
        PASSWORD,
        "BOT_PASSWORD",
        "SECRET_BOT_PASSWORD",
        "CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "AAD_APP_CLIENT_SECRET",
        "MICROSOFT_PROVIDER_AUTHENTICATION_SECRET",
        "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET",
        "Connections__ServiceConnection__Settings__ClientSecret",
    )
)
"""Settings that hold a secret, in lower case: of Bot Framework, Microsoft 365 Agents Toolkit, Azure
Identity, App Service authentication and the Microsoft 365 Agents SDK."""


@dataclass(frozen=True)
class AppSettings:
    """The settings of an app or a slot.

    Attributes:
        id: resource id of the app or slot.
        values: the settings, with their secret values.
    """

    id: str
    values: Mapping[str, str]

    @property
    def password_names(self) -> list[str]:
        """The settings that are called MicrosoftAppPassword, as they are written."""
        return [name for name in self.values if name.lower() == PASSWORD.lower()]


class SecretUsers:
    """Apps and OAuth connections in all subscriptions that the signed-in account sees.

    Args:
        arm: the client.
        app_id: the registration's app id (lower-case GUID).

    Attributes:
        unreadable: the names of apps and bots whose settings the account may not read.
    """

    def __init__(self, arm: ArmClient, app_id: str) -> None:
        self._arm = arm
        self._app_id = app_id
        self.unreadable: list[str] = []

    @cached_property
    def sites(self) -> list[JsonObject]:
        """All apps, with their properties."""
        return [self._arm.get(found.id) for found in find_resources(self._arm, SITE)]

    def site_at(self, host: str) -> JsonObject | None:
        """The app with this host name; None if the account sees none."""
        for site in self.sites:
            properties = site.get("properties") or {}
            names = [properties.get("defaultHostName"), *(properties.get("hostNames") or ())]
            if host.lower() in {str(name).lower() for name in names}:
                return site
        return None

    def apps(self, live_id: str, old_id: str) -> list[str]:
        """The settings of apps that hold a secret of this registration.

        Args:
            live_id: resource id of the bot's app, whose MicrosoftAppPassword does not count: it is
                deleted first.
            old_id: resource id of the app that answered before, which does not count.
        """
        found = []
        for site in self.sites:
            own = site["id"].lower()
            if own != old_id.lower():
                ignored = {PASSWORD.lower()} if own == live_id.lower() else set()
                for settings in self._settings_of(site):
                    found += self._held_secrets(settings, SECRET_SETTINGS - ignored)
        return found

    @cached_property
    def connections(self) -> list[str]:
        """The OAuth connections that sign in with this registration, and its secret."""
        return [
            f"the OAuth connection {connection['name'].rsplit('/', 1)[-1]} of {bot.name}"
            for bot in find_resources(self._arm, BOT)
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
        if str(connection.get("clientId") or "").lower() != self._app_id:
            return False
        provider = str(connection.get("serviceProviderDisplayName") or "").lower()
        return "federated" not in provider and "certificate" not in provider

    def _held_secrets(self, settings: AppSettings, names: Collection[str]) -> list[str]:
        if self._app_id not in {str(value).lower() for value in settings.values.values()}:
            return []
        return [
            f"the setting {name} of {settings.id.split('/sites/')[-1]}"
            for name, value in settings.values.items()
            if name.lower() in names and value
        ]

    def _settings_of(self, site: JsonObject) -> list[AppSettings]:
        try:
            return settings_of(self._arm, site)
        except AzureProblem:
            self.unreadable.append(site["name"])
            return []


def settings_of(arm: ArmClient, site: JsonObject) -> list[AppSettings]:
    """The settings of an app and of its slots.

    Raises:
        AzureProblem: they cannot be read.
    """
    slots = [slot["id"] for slot in arm.pages(f"{site['id']}/slots")]
    return [
        AppSettings(one, arm.send("POST", f"{one}/config/appsettings/list").get("properties") or {})
        for one in (site["id"], *slots)
    ]
