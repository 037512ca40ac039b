"""The plan of `deployment remove`."""

from collections.abc import Iterator

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Forbidden, Refused
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.prepare.vault_mode import deleted_vaults
from bot_workbench.admin.deployment.remove.deleted_group import DeletedGroup
from bot_workbench.admin.deployment.remove.deleted_registration import DeletedRegistration
from bot_workbench.admin.deployment.remove.deleted_role import DeletedRole
from bot_workbench.admin.deployment.stored_values import StoredValues, TemplateValue
from bot_workbench.admin.plan.step import Finding, Plan, Step
from bot_workbench.credential_kinds import MANAGED_IDENTITY, CredentialKind

LOGS = (
    "unless it was purged (`azd down --purge`), the Log Analytics workspace stays for 14 days;"
    " another deployment of this environment recovers it"
)

NOT_LISTED = (
    "your account may not list app registrations; with ManagedIdentity, none was made. If the bot"
    " had another credential before, let somebody delete the one with the environment's name"
)


class Leftovers:
    """The resources of a deployment that Azure keeps for a while, and why.

    Args:
        azure: the clients.
        options: name the environment.
    """

    title = "What stays for a while"

    def __init__(self, azure: AzureClients, options: DeploymentOptions) -> None:
        self._azure = azure
        self._options = options

    def look(self) -> Finding:
        """List the deleted vaults.

        Raises:
            AzureProblem: they cannot be listed.
        """
        notes = (*self._vaults(), LOGS)
        return Finding("Azure keeps what can be restored; none of it costs anything", notes=notes)

    def _vaults(self) -> Iterator[str]:
        try:
            found = deleted_vaults(self._azure.arm, self._options)
        except (Forbidden, Refused):
            return  # such as an account that may not list them: a note is not worth a failure
        for each in found:
            until = str(each["properties"].get("scheduledPurgeDate") or "")[:10]
            yield (
                f"the key vault {each['name']} with the bot's certificate stays until {until}: its"
                " purge protection, which nobody can switch off, keeps thieves from destroying it."
                " Another deployment of this environment recovers it"
            )


def remove_plan(
    azure: AzureClients,
    options: DeploymentOptions,
    *,
    bot_app_id: str,
    credential: CredentialKind,
    models: str,
) -> Plan:
    """The rest to delete once the resource group is gone.

    Args:
        azure: the clients.
        options: name the environment.
        bot_app_id: app id (GUID) that azd has stored; empty: none.
        credential: how the bot signed in: with a managed identity, no registration was made, and
            an account that may not list them needs not.
        models: resource id of the Azure OpenAI resource on which the bot had a role; empty:
            none.

    Raises:
        AzureProblem: the directory cannot be read.
    """
    steps: list[Step] = [DeletedGroup(azure.arm, options)]
    notes: tuple[str, ...] = ()
    made = set[str]()
    try:
        made = {str(each["appId"]) for each in azure.graph.tagged_applications(options.tag)}
    except Forbidden:
        if credential.name != MANAGED_IDENTITY:
            raise
        notes = (NOT_LISTED,) if bot_app_id else ()
    if options.azd and bot_app_id in made:
        # Before the registration: after it, nothing would say any more that it was ours.
        steps.append(StoredValues(options, [TemplateValue("BOT_APP_ID", "botAppId", lambda: "")]))
    if made:
        steps.append(DeletedRegistration(azure, options))
    if models:
        steps.append(DeletedRole(azure.arm, options, models))
    return Plan([*steps, Leftovers(azure, options)], notes=notes)
