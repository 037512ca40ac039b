"""The plan of `deployment prepare`."""

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.options import BotAppType, DeploymentOptions
from bot_workbench.admin.deployment.parameters import APP_ID, APP_TYPE, CREDENTIAL
from bot_workbench.admin.deployment.prepare.chosen import Chosen
from bot_workbench.admin.deployment.prepare.exportable_key import ExportableKey
from bot_workbench.admin.deployment.prepare.last_deployment import LostChoices
from bot_workbench.admin.deployment.prepare.model_resource import ModelResource
from bot_workbench.admin.deployment.prepare.names import EnvironmentName
from bot_workbench.admin.deployment.prepare.providers import (
    PROVIDERS,
    VAULT_PROVIDER,
    RegisteredProviders,
)
from bot_workbench.admin.deployment.prepare.region import Region
from bot_workbench.admin.deployment.prepare.registration import BotPrincipal, BotRegistration
from bot_workbench.admin.deployment.prepare.unchanged_bot import UnchangedBot
from bot_workbench.admin.deployment.prepare.vault_mode import vault_mode
from bot_workbench.admin.deployment.stored_values import StoredValues, TemplateValue
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Plan, Step
from bot_workbench.credential_kinds import KINDS, MANAGED_IDENTITY

TEMPLATE = "infra/main.bicep"


def prepare_plan(
    azure: AzureClients,
    options: DeploymentOptions,
    *,
    location: str,
    chosen: Chosen,
) -> Plan:
    """All that must be so before the template is deployed.

    Args:
        azure: the clients.
        options: name the environment.
        location: the region.
        chosen: the choices, without fault. The app id is that of the reader's app registration, or
            of the one that an earlier run has made.
    """
    arm, subscription = azure.arm, options.subscription
    credential = KINDS[chosen.value(CREDENTIAL)]
    providers = (*PROVIDERS, *((VAULT_PROVIDER,) if credential.has_certificate else ()))
    steps: list[Step] = [EnvironmentName(options, location), LostChoices(arm, options, chosen)]
    if chosen.models:
        steps.append(ModelResource(arm, options, chosen.models))
    if credential.loads_key:
        steps.append(ExportableKey(azure, options, location))
    steps += [
        RegisteredProviders(arm, subscription, providers),  # the next steps ask them
        Region(arm, subscription, location),
    ]
    registration = BotRegistration(azure, options, chosen.value(APP_ID))
    steps.append(
        UnchangedBot(
            azure,
            options,
            credential=credential,
            app_type=BotAppType(chosen.value(APP_TYPE)),
            app_id=registration.app_id,
        )
    )
    values = [*vault_mode(arm, options, location, is_used=credential.has_certificate)]
    if credential.name != MANAGED_IDENTITY:
        principal = BotPrincipal(azure, registration)
        steps += [registration, principal]
        values.append(TemplateValue("BOT_APP_ID", "botAppId", registration.app_id))
        if chosen.models:
            values.append(TemplateValue("BOT_PRINCIPAL_ID", "botPrincipalId", principal.object_id))
    if values:
        steps.append(StoredValues(options, values))  # last: azd is called once
    return Plan(
        steps,
        way_back=lambda has_run: _way_back(azure, options) if has_run else "",
        next_command="" if options.azd else _next(options, location, chosen, has_more=bool(values)),
    )


def _way_back(azure: AzureClients, options: DeploymentOptions) -> str:
    """The command that removes what was prepared; empty: it would remove a deployed bot, too.

    Raises:
        AzureProblem: the bot cannot be looked up.
    """
    if options.azd or Deployed(azure, options).find_bot() is not None:
        return ""
    return options.command_line("remove")


def _next(options: DeploymentOptions, location: str, chosen: Chosen, *, has_more: bool) -> str:
    parameters = {"environmentName": options.environment, "location": location}
    parameters |= chosen.parameters()
    parameters.pop(APP_ID.parameter, None)  # its step says it
    given = " ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
    return (
        f"az deployment sub create --name {quoted(options.environment)}"
        f" --subscription {options.subscription}"
        f" --location {quoted(location)} --template-file {TEMPLATE} --parameters {given}"
        f"{', with the parameters above' if has_more else ''}"
    )
