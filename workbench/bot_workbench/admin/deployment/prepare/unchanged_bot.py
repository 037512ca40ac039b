"""UnchangedBot: the template can be deployed over the Azure Bot that is there."""

from collections.abc import Callable

from bot_workbench.admin.azure.arm_client import BOT
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import ResourceId
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.options import BotAppType, DeploymentOptions
from bot_workbench.admin.deployment.parameters import APP_ID, APP_TYPE
from bot_workbench.admin.deployment.prepare.missing_registration import (
    LAG_SECONDS,
    missing_registration,
)
from bot_workbench.admin.deployment.prepare.registration import UNKNOWN_APP_ID
from bot_workbench.admin.deployment.resource_list import list_if_registered
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import type_of
from bot_workbench.credential_kinds import MANAGED_IDENTITY, USER_ASSIGNED_MSI, CredentialKind

TRUSTS_NO_IDENTITY = (
    "the channels' tenant, where a multi-tenant bot signs in, trusts no managed identity; choose"
    " SignInVault or Certificate"
)
"""Why Federated, alone of the credentials that may be combined with a type, refuses one."""

MIGRATION = "To move its users to another bot, read docs/migrate.md"


class UnchangedBot:
    """The bot to deploy keeps the type and the app id of the environment's Azure Bot.

    Azure never changes them, gives an app id to one bot only, and has created no multi-tenant bot
    since 31 July 2025. The template would fail after it has changed the app's settings.

    Args:
        azure: the clients.
        options: name the environment.
        credential: how the bot will sign in.
        app_type: of a bot with an app registration.
        app_id: reads the id of the app registration; UNKNOWN_APP_ID while there is none.
    """

    title = "Type and app id of the Azure Bot"

    def __init__(
        self,
        azure: AzureClients,
        options: DeploymentOptions,
        *,
        credential: CredentialKind,
        app_type: BotAppType,
        app_id: Callable[[], str],
    ) -> None:
        self._azure = azure
        self._options = options
        self._credential = credential
        self._app_type = app_type
        self._app_id = app_id
        self._shown_at = azure.clock.now() + LAG_SECONDS

    def look(self) -> Finding:
        """Compare the Azure Bot with what the template would make of it.

        Raises:
            AzureProblem: the bots or the directory cannot be read.
        """
        if self._wanted_type() not in self._credential.app_types:
            text = f"{self._credential.name} signs in no {self._wanted_type()} bot"
            return Finding(text, refusal=f"{text}: {TRUSTS_NO_IDENTITY}")
        bot = Deployed(self._azure, self._options).find_bot()
        return self._new() if bot is None else self._compared(bot)

    def _new(self) -> Finding:
        if self._wanted_type() == BotAppType.MULTI_TENANT:
            text = "there is no Azure Bot of this environment yet"
            return Finding(
                text,
                refusal=f"{text}, and Azure creates no new multi-tenant bots: choose SingleTenant"
                f" ({self._options.to_choose(APP_TYPE, BotAppType.SINGLE_TENANT)})",
            )
        return self._taken() or Finding("there is no Azure Bot of this environment yet")

    def _taken(self) -> Finding | None:
        """Another Azure Bot of the subscription has the app id."""
        if self._credential.name == MANAGED_IDENTITY:
            return None
        wanted = self._app_id().lower()
        bots = f"/subscriptions/{self._options.subscription}/providers/{BOT}"
        for each in list_if_registered(self._azure.arm, bots) or ():
            group = ResourceId(each["id"], each["name"], "").resource_group
            is_own = group.lower() == f"rg-{self._options.environment}".lower()
            if not is_own and str(each["properties"].get("msaAppId")).lower() == wanted:
                text = f"the app id {wanted} is that of the Azure Bot {each['name']} in {group}"
                return Finding(
                    text,
                    refusal=f"{text}, and belongs to one bot only: choose another app registration,"
                    f" or delete that bot first. {MIGRATION}",
                )
        return None

    def _compared(self, bot: JsonObject) -> Finding:
        name, current = bot["name"], str(bot["properties"].get("msaAppId"))
        kept = f"the Azure Bot {name} is {type_of(bot)}, with the app id {current}"
        never = f"{kept}, and Azure never changes that"
        wanted = self._wanted_type()
        if type_of(bot).lower() != wanted.lower():
            return Finding(
                kept,
                refusal=f"{never}: with the credential {self._credential.name} it would be"
                f" {wanted}. Choose the credential and the type that it was deployed with, or"
                f" another environment. {MIGRATION}",
            )
        if wanted == USER_ASSIGNED_MSI or self._app_id().lower() == current.lower():
            return Finding(kept)
        other = self._app_id()
        if other == UNKNOWN_APP_ID and self._azure.graph.application(current) is None:
            return missing_registration(self._azure, self._options, current, bot, self._shown_at)
        found = "none has this environment's tag" if other == UNKNOWN_APP_ID else f"not {other}"
        return Finding(
            kept,
            refusal=f"{never} ({found}): choose its app registration"
            f" ({self._options.to_choose(APP_ID, current)}), or another environment."
            f" {MIGRATION}",
        )

    def _wanted_type(self) -> str:
        is_identity = self._credential.name == MANAGED_IDENTITY
        return USER_ASSIGNED_MSI if is_identity else self._app_type
