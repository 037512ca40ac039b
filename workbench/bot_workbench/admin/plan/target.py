"""Target: the Azure Bot and the Function App that a command is about, found by their names; and how
what the template has deployed is recognized.
"""

from dataclasses import replace
from functools import cached_property

from bot_workbench.admin.azure.arm_client import BOT, SITE
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId, SiteLookup, answers_at, find_resource
from bot_workbench.admin.azure.services import IdentityAnswer
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.settings import SiteSettings
from bot_workbench.credential_kinds import MULTI_TENANT

ENDPOINT_PATH = "/api/messages"


def endpoint_of(bot: JsonObject) -> str:
    """The messaging endpoint (URL) of an Azure Bot; empty if it has none."""
    return str(bot["properties"].get("endpoint") or "")


def type_of(bot: JsonObject) -> str:
    """The type of an Azure Bot; one that is older than the property is multi-tenant."""
    return str(bot["properties"].get("msaAppType") or MULTI_TENANT)


class Target:
    """The bot of the command line. Nothing is kept but the resources' ids and which app has which
    host name: each other read is new.

    Args:
        azure: the clients.
        options: the command line.
        site: the Function App; None: the one of the command line.

    Attributes:
        azure: the clients.
        options: the command line.
    """

    def __init__(
        self, azure: AzureClients, options: Options, site: ResourceId | None = None
    ) -> None:
        self.azure = azure
        self.options = options
        self._site = site
        self._sites = SiteLookup(azure.arm)

    def for_app(self, site: ResourceId) -> "Target":
        """The same bot with another app."""
        return Target(self.azure, replace(self.options, app=site.name), site)

    @cached_property
    def bot_id(self) -> ResourceId:
        """The Azure Bot.

        Raises:
            AzureProblem: it cannot be found.
        """
        options = self.options
        return find_resource(
            self.azure.arm, BOT, options.bot, options.resource_group, options.subscription
        )

    def bot(self) -> JsonObject:
        """The Azure Bot as it is now: id, location, kind, sku, tags, properties.

        Raises:
            AzureProblem: it cannot be read.
        """
        return self.azure.arm.get(self.bot_id.id)

    @cached_property
    def app_id(self) -> str:
        """The bot's id (GUID), `msaAppId`, which never changes.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        return str(self.bot()["properties"]["msaAppId"])

    @cached_property
    def site_id(self) -> ResourceId:
        """The Function App: the one of `--app`, or the one that the bot's endpoint names.

        Raises:
            AzureProblem: it cannot be found.
        """
        if self._site is not None:
            return self._site
        if self.options.app:
            return find_resource(self.azure.arm, SITE, self.options.app)
        return self.site_at(endpoint_of(self.bot()))

    def site_at(self, endpoint: str) -> ResourceId:
        """The app that answers at an endpoint (URL).

        Raises:
            AzureProblem: it cannot be found.
        """
        return self._sites.at(endpoint)

    def answers_to(self, endpoint: str) -> bool:
        """Whether an endpoint (URL) is the Function App's, by any of its host names.

        Raises:
            AzureProblem: the app cannot be read.
        """
        return answers_at(self.site(), endpoint)

    def answers_users(self) -> bool:
        """Whether the bot's endpoint is the Function App's.

        Raises:
            AzureProblem: the bot or the app cannot be read.
        """
        return self.answers_to(endpoint_of(self.bot()))

    def site(self) -> JsonObject:
        """The Function App as it is now: id, location, identity, properties.

        Raises:
            AzureProblem: it cannot be read.
        """
        return self.azure.arm.get(self.site_id.id)

    @cached_property
    def host(self) -> str:
        """The Function App's default host name.

        Raises:
            AzureProblem: the app cannot be read.
        """
        return str(self.site()["properties"]["defaultHostName"])

    def settings(self) -> dict[str, str]:
        """The Function App's settings. They hold secret values: print names only.

        Raises:
            AzureProblem: they cannot be read.
        """
        return dict(SiteSettings.read(self.azure.arm, self.site_id.id).values)

    def proof(self) -> IdentityAnswer:
        """The present answer of the Function App's `/api/identity`.

        Raises:
            AzureProblem: the app cannot be found or read.
        """
        return self.azure.site.identity(self.azure.arm, self.site_id.id, self.host)

    def application(self) -> JsonObject:
        """The bot's app registration as it is now.

        Raises:
            NotFound: the directory has none: the bot signs in with a managed identity, or the
                registration is in another tenant.
            AzureProblem: the directory cannot be read.
        """
        found = self.azure.graph.application(self.app_id)
        if found is None:
            raise NotFound(
                f"the directory has no app registration {self.app_id}: it belongs to another tenant"
                " (`az login --tenant`), or the bot's type is UserAssignedMSI"
            )
        return found


ENVIRONMENT_TAG = "azd-env-name"
"""The tag of all its resources, deployed with azd or without; azd finds the app that it deploys to
by it."""

DEPLOY_AGAIN = (
    "deploy the template again, with `azd provision --no-state` or with `az deployment sub create`"
)
"""Without --no-state, azd skips a template that has not changed."""


def environment_of(resource: JsonObject) -> str:
    """The environment that a resource was deployed for, in lower case; empty: none.

    Args:
        resource: as Resource Manager returns it.
    """
    return str((resource.get("tags") or {}).get(ENVIRONMENT_TAG) or "").lower()
