"""Harms: what can go wrong with a deployed bot, done to one in the local Azure."""

import datetime
import json
from collections.abc import Callable
from dataclasses import replace

from bot_workbench.emulator.entra.credentials import TrustedSubject
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.seeds import CERTIFICATES_OFFICER, assign_role
from tests.admin.doctor.examined_bot import (
    CERTIFICATE_NAME,
    ExaminedBot,
    last_day,
)
from tests.admin.migrate.migration import BOTS, VAULT

Harm = Callable[[ExaminedBot], object]

OTHER_GUID = "99999999-2222-3333-4444-555555555555"
VAULTS, STORAGE = "Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
WEBSITE_CONTRIBUTOR = "de139f84-1756-47ae-9be6-808fbbe84772"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER_OF_RESOURCES = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
SECRET_VALUE = "Zq8~not-to-be-printed"  # it must not be printed


def setting(name: str, value: str | None) -> Harm:
    """A setting has this value; None: it is missing."""
    return lambda bot: bot.set_settings(**{name: value})


def site(**properties: object) -> Harm:
    """The Function App has these properties."""
    return lambda bot: bot.site.properties.update(properties)


def web(**properties: object) -> Harm:
    """The Function App has this configuration."""
    return lambda bot: bot.site.hidden.setdefault("siteConfig", {}).update(properties)


def scale(**properties: object) -> Harm:
    """The Function App scales like this."""
    return lambda bot: bot.site.properties["functionAppConfig"]["scaleAndConcurrency"].update(
        properties
    )


def azure_bot(**properties: object) -> Harm:
    """The Azure Bot has these properties."""
    return lambda bot: bot.bot.properties.update(properties)


def of(type_name: str, **properties: object) -> Harm:
    """The first resource of this type has these properties."""
    return lambda bot: bot.found(type_name).properties.update(properties)


def channel(name: str, **settings: object) -> Harm:
    """A channel has these settings."""
    type_name = "Microsoft.BotService/botServices/channels"
    return lambda bot: bot.found(type_name, name).hidden["settings"].update(settings)


def rows(**counts: int) -> Harm:
    """The last 24 hours were like this, by the query's column."""
    result = last_day(**{"Turns": 12, **counts})
    return lambda bot: bot.azure.log_analytics.results.update(AppRequests=result)


def queue(name: str, count: int) -> Harm:
    """A queue has so many messages."""

    def harm(bot: ExaminedBot) -> None:
        account = bot.found("Microsoft.Storage/storageAccounts")
        bot.put(
            f"{account.id}/queueServices/default/queues/{name}", {"approximateMessageCount": count}
        )

    return harm


def unassign(role: str) -> Harm:
    """The identity has lost a role (GUID)."""

    def harm(bot: ExaminedBot) -> None:
        principal = bot.prepared.identity["principalId"]
        for each in bot.azure.resource_manager.resources.of_type(
            "Microsoft.Authorization/roleAssignments"
        ):
            own = each.properties["principalId"] == principal
            if own and str(each.properties["roleDefinitionId"]).endswith(role):
                bot.remove(each)

    return harm


def assign(role: str) -> Harm:
    """The identity has a role (GUID) on the Function App."""

    def harm(bot: ExaminedBot) -> None:
        bot.call(assign_role, bot.azure.group, bot.site, role, bot.prepared.identity["principalId"])

    return harm


def assign_to_subscription(bot: ExaminedBot) -> None:
    """The identity may read every queue of the subscription, not only its own."""
    manager, principal = bot.azure.resource_manager, bot.prepared.identity["principalId"]
    scope = f"/subscriptions/{manager.subscription_id}"
    role = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{QUEUE_CONTRIBUTOR}"
    name = "77777777-2222-3333-4444-555555555555"
    bot.put(
        f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"},
    )


def registration_of(bot: ExaminedBot) -> Registration:
    """The app registration, which the bot must have."""
    assert bot.registration is not None
    return bot.registration


def add_secret(bot: ExaminedBot) -> None:
    """The app registration has a secret."""
    bot.call(bot.azure.directory.add_secret, registration_of(bot))


def retrust(**values: str) -> Harm:
    """The federated credential has these values."""

    def harm(bot: ExaminedBot) -> None:
        credentials = registration_of(bot).federated_credentials
        credentials[:] = [replace(each, **values) for each in credentials]

    return harm


def trust_a_pipeline_only(bot: ExaminedBot) -> None:
    """The only federated credential is a pipeline's."""
    issuer = "https://token.actions.githubusercontent.com"
    registration_of(bot).federated_credentials[:] = [TrustedSubject(issuer, "repo:a/b", name="ci")]


def certificate_ends(days: float) -> Harm:
    """The registered certificate ends in so many days."""

    def harm(bot: ExaminedBot) -> None:
        registration = registration_of(bot)
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        known = registration.key_credentials()[-1]
        registration.certificates[:] = [known.certificate]
        bot.call(registration.add_key, replace(known, end=end))

    return harm


def newer_certificate(bot: ExaminedBot) -> None:
    """The vault has a newer version that nobody has registered."""
    inventory = bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory
    made = bot.call(inventory.add_version, CERTIFICATE_NAME)
    inventory.versions[CERTIFICATE_NAME][-1] = replace(made, created=made.created + 60)


def disable_versions(bot: ExaminedBot) -> None:
    """No version of the certificate is enabled."""
    inventory = bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory
    versions = inventory.versions[CERTIFICATE_NAME]
    versions[:] = [replace(each, enabled=False) for each in versions]


def lose_versions(bot: ExaminedBot) -> None:
    """The vault has no such certificate."""
    bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory.versions.clear()


def all_of(*harms: Harm) -> Harm:
    """Several things that are one defect."""

    def harm(bot: ExaminedBot) -> None:
        for each in harms:
            each(bot)

    return harm


def delete_vault(bot: ExaminedBot) -> None:
    """The vault was deleted."""
    bot.remove(bot.found("Microsoft.KeyVault/vaults"))


def disable_principal(bot: ExaminedBot) -> None:
    """Entra refuses the bot's sign-in."""
    bot.azure.directory.disabled.add(registration_of(bot).service_principal_id)


def require_assignment(bot: ExaminedBot) -> None:
    """Users need an assignment."""
    required = bot.azure.directory.assignment_required
    required.add(registration_of(bot).service_principal_id)


def delete_registration(bot: ExaminedBot) -> None:
    """The app registration was deleted."""
    bot.call(bot.azure.directory.delete, registration_of(bot))


def lose_registration(bot: ExaminedBot) -> None:
    """The app registration is gone for good."""
    delete_registration(bot)
    bot.azure.directory.deleted.clear()


def lose_principal(bot: ExaminedBot) -> None:
    """The app registration has no service principal."""
    registration_of(bot).service_principal_id = ""


def allow_publishing(bot: ExaminedBot) -> None:
    """Code can be published with a password."""
    policy = f"{bot.site.id}/basicPublishingCredentialsPolicies/scm"
    bot.put(policy, {"allow": True})


def unassign_identity(bot: ExaminedBot) -> None:
    """The app has no identity."""
    del bot.site.body["identity"]


def delete_identity(bot: ExaminedBot) -> None:
    """The identity's resource was deleted; the app still lists it."""
    bot.remove(bot.found("Microsoft.ManagedIdentity/userAssignedIdentities"))


def remove_channel(name: str) -> Harm:
    """The Azure Bot has no such channel."""
    return lambda bot: bot.remove(bot.found("Microsoft.BotService/botServices/channels", name))


def close_web_chat(bot: ExaminedBot) -> None:
    """Web Chat is off."""
    kind = "Microsoft.BotService/botServices/channels"
    for each in bot.found(kind, "WebChatChannel").hidden["settings"]["sites"]:
        each["isEnabled"] = False


def misspell(bot: ExaminedBot) -> None:
    """A setting's name has another case, which Linux does not read."""
    bot.set_settings(MICROSOFTAPPID=bot.app_id, MicrosoftAppId=None)


def make_multi_tenant(bot: ExaminedBot) -> None:
    """The bot is multi-tenant, and the app registration is not."""
    bot.bot.properties["msaAppType"] = "MultiTenant"
    bot.set_settings(MicrosoftAppType="MultiTenant")


def replace_identity(bot: ExaminedBot) -> None:
    """The app has another identity than the one that is the bot."""
    (only,) = bot.site.body["identity"]["userAssignedIdentities"].values()
    only["clientId"] = OTHER_GUID
    bot.set_settings(
        AZURE_CLIENT_ID=OTHER_GUID,
        AzureWebJobsStorage__clientId=OTHER_GUID,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING=f"Authorization=AAD;ClientId={OTHER_GUID}",
    )


def app_answers(path: str, status: int, body: str | None = None) -> Harm:
    """The app answers like this at a path."""
    server = "*.azurewebsites.net"
    return lambda bot: bot.azure.servers[server].faults.set(path=path, status=status, body=body)


def app_warns(bot: ExaminedBot) -> None:
    """The app answers that its certificate ends."""
    facts = {"appId": bot.app_id, "warnings": ["the certificate expires soon"]}
    app_answers("/api/identity", 200, json.dumps(facts))(bot)


def cut_off(bot: ExaminedBot) -> None:
    """The app closes every connection."""
    bot.azure.servers["*.azurewebsites.net"].faults.set(cut=True)


def stop(bot: ExaminedBot) -> None:
    """The app is stopped."""
    bot.site.properties["state"] = "Stopped"
    bot.call(bot.azure.resource_manager.on_site_change, bot.site)


def forget_functions(bot: ExaminedBot) -> None:
    """Another program answers."""
    bot.site.body["kind"] = "app,linux"
    bot.call(bot.azure.resource_manager.on_site_change, bot.site)


def delete_certificate(bot: ExaminedBot) -> None:
    """The certificate was deleted in its vault; it can be recovered."""
    bot.call(bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory.delete, CERTIFICATE_NAME)


def disable_newest(bot: ExaminedBot) -> None:
    """The newest version is registered, but disabled; an older one is enabled, but unknown."""
    newer_certificate(bot)
    inventory, registration = (
        bot.azure.vaults[f"{VAULT}.vault.azure.net"].inventory,
        bot.registration,
    )
    *older, newest = inventory.versions[CERTIFICATE_NAME]
    assert registration is not None
    registration.certificates[:] = [newest.certificate]
    inventory.versions[CERTIFICATE_NAME] = [*older, replace(newest, enabled=False)]


def unregister(bot: ExaminedBot) -> None:
    """Somebody has removed the certificate from the app registration."""
    registration_of(bot).certificates.clear()


def other_vault(bot: ExaminedBot) -> None:
    """The settings name the vault of another bot, which has another certificate."""
    vault = bot.call(
        bot.azure.group.put,
        VAULTS,
        "contoso-other",
        {"properties": dict(bot.found(VAULTS).properties)},
    )
    bot.call(bot.azure.vaults["contoso-other.vault.azure.net"].inventory.add_version, "another")
    officer = bot.azure.pipeline.object_id
    bot.call(assign_role, bot.azure.group, vault, CERTIFICATES_OFFICER, officer)
    bot.set_settings(CertificateVaultUrl="https://contoso-other.vault.azure.net")


def second_identity(bot: ExaminedBot) -> dict[str, str]:
    """Another identity, which the app has too."""
    made: dict[str, str] = bot.call(bot.azure.group.identity, "contoso-second")
    bot.site.body["identity"]["userAssignedIdentities"][made["id"]] = {
        name: made[name] for name in ("principalId", "clientId")
    }
    return made


def name_second_identity(bot: ExaminedBot) -> None:
    """The settings name another of the app's identities than the one that is trusted."""
    bot.set_settings(AZURE_CLIENT_ID=second_identity(bot)["clientId"])


def delete_second_identity(bot: ExaminedBot) -> None:
    """An identity was deleted that the app has, and does not use."""
    name = second_identity(bot)["id"].rpartition("/")[2]
    bot.remove(bot.found(IDENTITIES, name))


def give_system_identity(bot: ExaminedBot) -> None:
    """The app has only a system-assigned identity; the settings name the other one."""
    bot.site.body["identity"] = {"type": "SystemAssigned", "principalId": OTHER_GUID}


def assign_to_system_identity(bot: ExaminedBot) -> None:
    """The role was given to the app's system-assigned identity, not to the bot's."""
    bot.site.body["identity"] |= {
        "type": "SystemAssigned, UserAssigned",
        "principalId": OTHER_GUID,
    }
    unassign(QUEUE_CONTRIBUTOR)(bot)
    bot.call(assign_role, bot.azure.group, bot.found(STORAGE), QUEUE_CONTRIBUTOR, OTHER_GUID)


def assign_to_one_queue(bot: ExaminedBot) -> None:
    """The role is on one queue, not on the account."""
    unassign(QUEUE_CONTRIBUTOR)(bot)
    path = f"{bot.found(STORAGE).id}/queueServices/default/queues/bot-turns"
    made, principal = bot.put(path, {}), bot.prepared.identity["principalId"]
    bot.call(assign_role, bot.azure.group, made, QUEUE_CONTRIBUTOR, principal)


def principal_as(name: str) -> Harm:
    """A setting has the identity's object id, which the portal shows beside its client id."""
    return lambda bot: bot.set_settings(**{name: bot.prepared.identity["principalId"]})


def trust_the_client_id(bot: ExaminedBot) -> None:
    """The federated credential's subject is the identity's client id, not its object id."""
    retrust(subject=bot.prepared.identity["clientId"])(bot)


def delete_storage(bot: ExaminedBot) -> None:
    """The storage account is gone."""
    bot.remove(bot.found(STORAGE))


def delete_component(bot: ExaminedBot) -> None:
    """Application Insights is gone."""
    bot.remove(bot.found("Microsoft.Insights/components"))


def trust_another_tenant(bot: ExaminedBot) -> None:
    """The federated credential's issuer is another tenant, as after a copy from another bot."""
    retrust(issuer=f"https://login.microsoftonline.com/{OTHER_GUID}/v2.0")(bot)


def trust_with_a_slash(bot: ExaminedBot) -> None:
    """The federated credential's issuer ends with a slash."""
    known = registration_of(bot).federated_credentials[-1]
    retrust(issuer=f"{known.issuer}/")(bot)


def trust_v1(bot: ExaminedBot) -> None:
    """The federated credential's issuer is that of version 1 tokens."""
    retrust(issuer=f"https://sts.windows.net/{bot.azure.directory.tenant_id}/")(bot)


def delete_identity_and_roles(bot: ExaminedBot) -> None:
    """The identity was deleted, and somebody has tidied its role assignments away."""
    principal = bot.prepared.identity["principalId"]
    for each in bot.azure.resource_manager.resources.of_type(ASSIGNMENTS):
        if each.properties["principalId"] == principal:
            bot.remove(each)
    delete_identity(bot)


def sign_in_elsewhere(bot: ExaminedBot) -> None:
    """The bot is registered in another tenant than the account's."""
    lose_registration(bot)
    bot.bot.properties["msaAppTenantId"] = OTHER_GUID
    bot.set_settings(MicrosoftAppTenantId=OTHER_GUID)


def add_domain(bot: ExaminedBot) -> None:
    """The endpoint is a domain of the app's own, without TLS."""
    bot.site.properties["hostNames"] = [bot.site.properties["defaultHostName"], "bot.contoso.com"]
    bot.bot.properties["endpoint"] = "http://bot.contoso.com/api/messages"


def unassign_caller(bot: ExaminedBot) -> None:
    """The account that runs the doctor is Reader of the resource group, and nothing else."""
    manager, caller = bot.azure.resource_manager, bot.azure.pipeline.object_id
    manager.access.owners.discard(caller)
    group = manager.resources.find(bot.azure.group.id)
    assert group is not None
    bot.call(assign_role, bot.azure.group, group, READER_OF_RESOURCES, caller)


def run_other_code(bot: ExaminedBot) -> None:
    """The app is a web app of another framework."""
    bot.site.body["kind"] = "app,linux"
    bot.set_settings(**dict.fromkeys(bot.settings()))


def replace_bot(bot: ExaminedBot) -> None:
    """Its app is the old one, and another Azure Bot replaces it."""
    run_other_code(bot)
    bot.bot.body["tags"] = {"replacedBy": "contoso-bot-2"}


def share_app(bot: ExaminedBot) -> None:
    """The endpoint is at the app of another Azure Bot, which works."""
    properties = {**bot.bot.properties, "msaAppId": bot.app_id}
    body = {"location": "global", "kind": "azurebot", "sku": {"name": "F0"}}
    bot.bot.properties["msaAppId"] = OTHER_GUID
    bot.call(bot.azure.group.put, BOTS, "contoso-other", {**body, "properties": properties})
