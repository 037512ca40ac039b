"""`deployment remove`: what is left of a deployment outside of its group, once that is deleted."""

from collections.abc import Iterator
from functools import partial

from bot_workbench.admin.azure.arm_client import ArmClient
from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Forbidden, NotFound, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.deployment.azd import TemplateValue, stored_values
from bot_workbench.admin.deployment.deployed import deleted_vaults
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.registration import restoration
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.step import Change, Finding, Plan, Step
from bot_workbench.credential_kinds import MANAGED_IDENTITY, CredentialKind

LOGS = (
    "unless it was purged (`azd down --purge`), the Log Analytics workspace stays for 14 days;"
    " another deployment of this environment recovers it"
)

NOT_LISTED = (
    "your account may not list app registrations; with ManagedIdentity, none was made. If the bot"
    " had another credential before, let somebody delete the one with the environment's name"
)

ROLE, ROLE_ID = "Cognitive Services OpenAI User", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"


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
    steps = [Step("Resource group", partial(_deleted_group, azure.arm, options))]
    notes: tuple[str, ...] = ()
    made: list[JsonObject] = []
    try:
        made = azure.graph.tagged_applications(options.tag)
    except Forbidden:
        if credential.name != MANAGED_IDENTITY:
            raise
        notes = (NOT_LISTED,) if bot_app_id else ()
    if options.azd and bot_app_id in {str(each["appId"]) for each in made}:
        # Before the registration: after it, nothing would say any more that it was ours.
        steps.append(stored_values(options, [TemplateValue("BOT_APP_ID", "botAppId", lambda: "")]))
    if made:
        look = partial(_deleted_registrations, azure.graph, options.tag, made)
        steps.append(Step("App registration", look))
    if models:
        steps.append(Step(f"Role {ROLE}", partial(_deleted_role, azure.arm, options, models)))
    steps.append(Step("What stays for a while", partial(_leftovers, azure.arm, options)))
    return Plan(steps, notes=notes)


def _deleted_group(arm: ArmClient, options: DeploymentOptions) -> Finding:
    """The environment's resource group does not exist any more, so nothing uses what is left.

    Raises:
        AzureProblem: it cannot be read.
    """
    name = f"rg-{options.environment}"
    if arm.find(options.group) is None:
        return Finding(f"the resource group {name} is deleted")
    where = f"--name {quoted(name)} --subscription {options.subscription}"
    command = "azd down" if options.azd else f"az group delete {where}"
    text = f"the resource group {name} still exists"
    return Finding(text, refusal=f"{text}: delete it first (`{command}`)")


def _deleted_registrations(graph: GraphClient, tag: str, made: list[JsonObject]) -> Finding:
    """The directory has no app registration with the environment's tag.

    A registration that the reader brought does not have the tag, and stays.

    Args:
        graph: the client.
        tag: the environment's.
        made: those that had it when the command began.

    Raises:
        AzureProblem: the directory cannot be read.
    """
    found = graph.tagged_applications(tag)
    if found:
        return Finding(
            f"made for this environment: {_named(found)}",
            changes=tuple(_deletion(graph, each) for each in found),
            question=f"Delete the app registration {_named(found)}, which was made for this"
            " environment? It can be restored for 30 days.",
        )
    lines = ", ".join(f"`{restoration(graph, each)}`" for each in made)
    return Finding(
        f"deleted, because it was made for this environment: {_named(made)}",
        notes=(
            f"it can be restored for 30 days, for the next deployment to use: {lines}, or in the"
            " portal (App registrations, Deleted applications)",
        ),
    )


def _named(found: list[JsonObject]) -> str:
    return ", ".join(f"{each['displayName']} ({each['appId']})" for each in found)


def _deletion(graph: GraphClient, application: JsonObject) -> Change:
    name, app_id = application["displayName"], str(application["appId"])
    return Change(
        method="DELETE",
        url=graph.url(f"/applications/{application['id']}"),
        body=None,
        summary=f"Delete the app registration {name} ({app_id}), with its service principal",
        az=(az("ad app delete", {"--id": app_id}),),
        service="graph",
        done_codes=frozenset({"Request_ResourceNotFound"}),
    )


def _deleted_role(arm: ArmClient, options: DeploymentOptions, resource_id: str) -> Finding:
    """The Azure OpenAI resource, which is in another group, has no role assignment that the
    template made for this environment.

    The template describes each with the environment's tag: once the managed identity is deleted,
    Azure shows its assignments as those of an unknown identity. Assignments without the tag stay.

    Raises:
        AzureProblem: they cannot be listed.
    """
    name = resource_id.rpartition("/")[2]
    path = f"{resource_id}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()"
    try:
        found = [
            each["id"]
            for each in arm.pages(path)
            if str(each["properties"].get("description")).lower() == options.tag
            if str(each["properties"]["scope"]).lower() == resource_id.lower()
            if str(each["properties"]["roleDefinitionId"]).lower().endswith(ROLE_ID)
        ]
    except NotFound:  # the resource was deleted, and with it all roles on it
        found = []
    if not found:
        return Finding(f"the resource {name} has no role that was assigned for this environment")
    changes = tuple(
        Change(
            method="DELETE",
            url=arm.url(each),
            body=None,
            summary=f"Delete the assignment of {ROLE} on {name}",
            az=(az("role assignment delete", {"--ids": each}),),
        )
        for each in found
    )
    text = f"the resource {name} has the role that was assigned for this environment"
    return Finding(text, changes=changes)


def _leftovers(arm: ArmClient, options: DeploymentOptions) -> Finding:
    """The resources of a deployment that Azure keeps for a while, and why.

    Raises:
        AzureProblem: the deleted vaults cannot be listed.
    """
    notes = (*_deleted_vaults(arm, options), LOGS)
    return Finding("Azure keeps what can be restored; none of it costs anything", notes=notes)


def _deleted_vaults(arm: ArmClient, options: DeploymentOptions) -> Iterator[str]:
    try:
        found = deleted_vaults(arm, options)
    except (Forbidden, Refused):
        return  # such as an account that may not list them: a note is not worth a failure
    for each in found:
        until = str(each["properties"].get("scheduledPurgeDate") or "")[:10]
        yield (
            f"the key vault {each['name']} with the bot's certificate stays until {until}: its"
            " purge protection, which nobody can switch off, keeps thieves from destroying it."
            " Another deployment of this environment recovers it"
        )
