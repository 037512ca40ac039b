"""Deployed: the resources of an environment, found in its group by the environment's tag."""

from dataclasses import replace
from functools import cached_property

from bot_workbench.admin.azure.arm_client import BOT, SITE, STORAGE, VAULT, ArmClient
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Conflict, NotFound, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import KINDS, ResourceId
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.migrate.certificate.key_vault import BotVault
from bot_workbench.admin.migrate.steps.identity import AppIdentity, identities_of
from bot_workbench.admin.plan.settings import credential_kind
from bot_workbench.admin.plan.target import ENVIRONMENT_TAG, Target, environment_of
from bot_workbench.credential_kinds import CredentialKind

CERTIFICATE_NAME = "bot-certificate"

UNREGISTERED = "MissingSubscriptionRegistration"
"""The code of Resource Manager's refusal (409). Microsoft reference: "Resolve errors for resource
provider registration"."""


def list_if_registered(arm: ArmClient, path: str) -> list[JsonObject] | None:
    """All objects of a list; None if the subscription has not registered the provider.

    Then there are none of its resources. `prepare` registers the providers before it asks them, but
    a dry run does not, and `remove` may run where nothing was ever deployed.

    Args:
        arm: the client.
        path: of the list, beginning with "/".

    Raises:
        AzureProblem: it cannot be read for another reason.
    """
    try:
        return list(arm.pages(path))
    except Conflict as error:
        if error.code != UNREGISTERED:
            raise
        return None


class Deployed:
    """The resources that the template has created.

    The resources are listed by their providers, which know a new one at once; the list of all
    resources of a subscription is minutes late.

    Args:
        azure: the clients.
        options: name the environment.
    """

    def __init__(self, azure: AzureClients, options: DeploymentOptions) -> None:
        self._azure = azure
        self._options = options

    @cached_property
    def target(self) -> Target:
        """The Azure Bot and the Function App.

        Raises:
            AzureProblem: one of them cannot be found.
        """
        bot, site = self._only(BOT), self._only(SITE)
        group = bot.resource_group
        found = replace(self._options, bot=bot.id, app=site.id, resource_group=group)
        return Target(self._azure, found, site)

    def find_bot(self) -> JsonObject | None:
        """The Azure Bot as it is now; None if nothing is deployed yet.

        Raises:
            Refused: there are several.
            AzureProblem: they cannot be listed.
        """
        try:
            return self._azure.arm.get(self._only(BOT).id)
        except NotFound:
            return None

    @cached_property
    def credential(self) -> CredentialKind:
        """The app's credential, by its settings.

        Raises:
            NotFound: they name none.
            AzureProblem: they cannot be read.
        """
        kind = credential_kind(self.target.settings())
        if kind is None:
            name = self.target.site_id.name
            text = f"the settings of {name} name no credential (BotCredential)"
            raise NotFound(f"{text}: {self._cure_of_one}")
        return kind

    @cached_property
    def vault(self) -> BotVault:
        """The vault with the bot's certificate.

        Raises:
            AzureProblem: it cannot be found.
        """
        found = self._only(VAULT)
        target = Target(self._azure, self._options)
        return BotVault(target, found.name, CERTIFICATE_NAME, found)

    @cached_property
    def storage(self) -> ResourceId:
        """The app's storage account.

        Raises:
            AzureProblem: it cannot be found.
        """
        return self._only(STORAGE)

    def identity(self) -> AppIdentity:
        """The app's user-assigned identity, of which the template gives it one.

        Raises:
            AzureProblem: the app cannot be read, or has none.
        """
        found = identities_of(self.target.site())
        if not found:
            raise NotFound(f"{self.target.site_id.name} has no identity: {self._cure_of_one}")
        return found[0]

    @property
    def _cure(self) -> str:
        return "run `azd up`" if self._options.azd else "deploy infra/main.bicep first"

    @property
    def _cure_of_one(self) -> str:
        """The command that makes a single resource again: azd skips a template that has not
        changed."""
        again = "run `azd provision --no-state`, then `azd deploy`"
        return again if self._options.azd else "deploy infra/main.bicep again, then the code"

    def _only(self, kind: str) -> ResourceId:
        """The environment's one resource of a type.

        Raises:
            NotFound: there is none.
            Refused: there are several.
            AzureProblem: they cannot be listed.
        """
        name = self._options.environment
        try:
            path = f"{self._options.group}/providers/{kind}"
            listed = list_if_registered(self._azure.arm, path) or ()
        except NotFound as error:
            text = f"there is no resource group rg-{name} in this subscription: {self._cure}"
            raise NotFound(text) from error
        found = [
            ResourceId(each["id"], each["name"], each.get("location", ""))
            for each in listed
            if environment_of(each) == name.lower()
        ]
        if not found:
            raise NotFound(
                f"the resource group rg-{name} has no {KINDS[kind]} with the tag"
                f" {ENVIRONMENT_TAG}={name}: {self._cure_of_one}"
            )
        if len(found) > 1:
            names = ", ".join(each.name for each in found)
            raise Refused(f"the resource group rg-{name} has several: {names}")
        return found[0]


def deleted_vaults(arm: ArmClient, options: DeploymentOptions) -> list[JsonObject]:
    """The deleted vaults of an environment, as Resource Manager lists them.

    Args:
        arm: the client.
        options: name the environment.

    Raises:
        AzureProblem: they cannot be listed.
    """
    path = f"/subscriptions/{options.subscription}/providers/Microsoft.KeyVault/deletedVaults"
    vaults = f"{options.group}/".lower()
    return [
        each
        for each in list_if_registered(arm, path) or ()
        if str(each["properties"].get("vaultId") or "").lower().startswith(vaults)
    ]
