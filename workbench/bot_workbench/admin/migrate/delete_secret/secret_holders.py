"""SecretHolders: who holds a secret of an app registration: settings of apps, OAuth connections."""

import re
from functools import cached_property, partial

from bot_workbench.admin.azure.arm_client import BOT, SITE, ArmClient
from bot_workbench.admin.azure.errors import AzureProblem, NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, answers_at, find_resources
from bot_workbench.admin.plan.settings import SiteSettings
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import ALL_VALUES, Change

PASSWORD = "MicrosoftAppPassword"  # noqa: S105  # a setting's name
AGENTS_SECRET = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET"  # noqa: S105
PASSWORDS = frozenset({PASSWORD.lower(), AGENTS_SECRET.lower()})
"""The settings that hold a bot's secret, in lower case: of Bot Framework and of the Microsoft 365
Agents SDK for Python. An app of this project uses neither."""

SECRET_SETTINGS = PASSWORDS | frozenset(
    name.lower()
    for name in (
        "BOT_PASSWORD",
        "SECRET_BOT_PASSWORD",
        "CLIENT_SECRET",
        "AZURE_CLIENT_SECRET",
        "AAD_APP_CLIENT_SECRET",
        "AzureAd__ClientSecret",
        "AzureAd:ClientSecret",
        "MICROSOFT_PROVIDER_AUTHENTICATION_SECRET",
        "Connections__ServiceConnection__Settings__ClientSecret",
    )
)
"""Settings that hold the secret of the id beside them, in lower case: of Bot Framework, Microsoft
365 Agents Toolkit, Azure Identity, Microsoft.Identity.Web, App Service authentication and the
Microsoft 365 Agents SDK."""

IDENTITY_AS_SECRET = "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"  # noqa: S105  # a setting's name
"""App Service authentication signs in with a managed identity if its secret's setting has this
name (Microsoft Learn: "Use a managed identity instead of a secret")."""

NOT_SEARCHED = (
    "not searched: Container Apps, virtual machines, clusters, pipelines, key vaults and what is"
    " outside Azure. Check that nothing there signs in with the secret"
)

_SECRET_NAME = re.compile(r"secret|password", re.IGNORECASE)
_REFERENCE = re.compile(r"@Microsoft\.KeyVault\(", re.IGNORECASE)


class SecretHolders:
    """Apps and OAuth connections in all subscriptions that the signed-in account sees.

    Args:
        arm: the client.
        app_id: the registration's app id (lower-case GUID).
        hints: the first characters of each of its secrets; an empty one is unknown.

    Attributes:
        unreadable: the names of apps and bots that cannot be read.
    """

    def __init__(self, arm: ArmClient, app_id: str, hints: tuple[str, ...]) -> None:
        self._arm = arm
        self._app_id = app_id
        self._hints = hints
        self.unreadable: list[str] = []

    @cached_property
    def _sites(self) -> list[JsonObject]:
        """All apps that can be read, with their properties."""
        sites = []
        for found in find_resources(self._arm, SITE, unreadable=self.unreadable):
            try:
                sites.append(self._arm.get(found.id))
            except NotFound:
                continue  # a list may show for minutes what is deleted
            except AzureProblem:
                self.unreadable.append(found.name)
        return sites

    def site_at(self, endpoint: str) -> JsonObject | None:
        """The app that answers at an endpoint (URL); None if the account sees none."""
        return next((site for site in self._sites if answers_at(site, endpoint)), None)

    def settings(self, live_id: str, old_id: str) -> list[str]:
        """The settings of apps that hold a secret of this registration.

        Args:
            live_id: resource id of the bot's app, whose PASSWORDS do not count: they are
                deleted first.
            old_id: resource id of the app that answered before, which does not count.
        """
        found = []
        for site in self._sites:
            site_id = site["id"].lower()
            if site_id == old_id.lower():
                continue
            try:
                for settings in settings_of(self._arm, site):
                    names = sorted(self._names(settings, is_live=site_id == live_id.lower()))
                    found += [f"the setting {name} of {settings.place}" for name in names]
            except AzureProblem:
                self.unreadable.append(site["name"])
        return found

    @cached_property
    def connections(self) -> list[str]:
        """The OAuth connections that sign in with this registration, and its secret."""
        found = []
        for bot in find_resources(self._arm, BOT, unreadable=self.unreadable):
            try:
                connections = list(self._arm.pages(f"{bot.id}/connections"))
            except AzureProblem:
                self.unreadable.append(bot.name)
                continue
            found += [
                f"the OAuth connection {connection['name'].rsplit('/', 1)[-1]} of {bot.name}"
                for connection in connections
                if self._uses_secret(connection.get("properties") or {})
            ]
        return found

    def _uses_secret(self, connection: JsonObject) -> bool:
        """Whether a connection has this registration's id; those without a secret have another
        provider, which names no client secret."""
        provider = str(connection.get("serviceProviderDisplayName") or "").lower()
        is_this = str(connection.get("clientId") or "").lower() == self._app_id
        return is_this and "federated" not in provider and "certificate" not in provider

    def _names(self, settings: SiteSettings, *, is_live: bool) -> set[str]:
        """The settings that hold a secret of the registration, or may do so.

        Args:
            settings: of an app, with their values.
            is_live: whether the app is the bot's. It proves that it needs no secret, so its
                PASSWORDS and what cannot be compared do not count.
        """
        values = settings.values
        is_named = self._app_id in {value.lower() for value in values.values()}
        found = {
            name
            for name, value in values.items()
            if value and not (is_live and name.lower() in PASSWORDS)
            if (is_named and name.lower() in SECRET_SETTINGS)
            or self._may_be_secret(name, value, counts_unknown=is_named and not is_live)
        }
        used = self._used_by_authentication(settings)
        return found | ({used} if values.get(used) else set())

    def _may_be_secret(self, name: str, value: str, *, counts_unknown: bool) -> bool:
        """Whether a value begins as a secret of the registration does, or cannot be compared."""
        is_unknown = not all(self._hints) or bool(_REFERENCE.match(value))
        begins = value.startswith(tuple(hint for hint in self._hints if hint))
        return bool(_SECRET_NAME.search(name)) and (begins or (counts_unknown and is_unknown))

    def _used_by_authentication(self, settings: SiteSettings) -> str:
        """The setting with which App Service authentication signs in as the registration; empty:
        it does not."""
        configuration = self._arm.get(f"{settings.id}/config/authsettingsV2")
        found = configuration.get("properties") or {}
        for name in ("identityProviders", "azureActiveDirectory", "registration"):
            found = found.get(name) or {}
        name = str(found.get("clientSecretSettingName") or "")
        is_this = str(found.get("clientId") or "").lower() == self._app_id
        return name if is_this and name != IDENTITY_AS_SECRET else ""


def settings_of(arm: ArmClient, site: JsonObject) -> list[SiteSettings]:
    """The settings of an app and of its slots.

    Raises:
        AzureProblem: they cannot be read.
    """
    slots = [slot["id"] for slot in arm.pages(f"{site['id']}/slots")]
    return [SiteSettings.read(arm, one) for one in (site["id"], *slots)]


def password_removals(arm: ArmClient, site: JsonObject) -> tuple[Change, ...]:
    """The changes that remove the bot's secret from the settings of an app and of its slots; empty:
    it is nowhere.

    Raises:
        AzureProblem: the settings cannot be read.
    """
    return tuple(
        _removal(site, settings, names)
        for settings in settings_of(arm, site)
        if (names := [name for name in settings.values if name.lower() in PASSWORDS])
    )


def _removal(site: JsonObject, settings: SiteSettings, names: list[str]) -> Change:
    kept = {name: text for name, text in settings.values.items() if name not in names}
    place = ResourceId(site["id"], site["name"]).az_options
    _, _, slot = settings.place.partition("/slots/")
    if slot:
        place["--slot"] = slot
    command = az(f"{command_of(site)} config appsettings delete", place)
    return Change(
        method="PUT",
        url=settings.arm.url(f"{settings.id}/config/appsettings"),
        body={"properties": kept},
        summary=f"Delete {', '.join(names)} from the settings of {settings.place}, and keep"
        f" the {len(kept)} others; the app restarts",
        az=(f"{command} --setting-names {' '.join(names)}",),
        hidden=ALL_VALUES,
        send=partial(settings.replace, kept),
    )


def command_of(site: JsonObject) -> str:
    """The `az` command for an app: "functionapp" or "webapp"."""
    return "functionapp" if "functionapp" in str(site.get("kind")).lower() else "webapp"
