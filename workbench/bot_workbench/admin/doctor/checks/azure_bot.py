"""Checks of the Azure Bot: where it sends activities, as whom, and its channels."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from bot_workbench.admin.azure.cloud import CLOUDS
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import answers_at
from bot_workbench.admin.doctor.codes import Code
from bot_workbench.admin.doctor.cures import (
    WEB_CHAT,
    add_web_chat,
    change,
    change_channel,
    delete_settings,
    set_settings,
)
from bot_workbench.admin.doctor.deployed_bot import DeployedBot
from bot_workbench.admin.doctor.diagnosis import APP_TYPE, Diagnosis, error, warning
from bot_workbench.admin.doctor.parts.identities import with_client_id
from bot_workbench.admin.doctor.setting_rules import CHANNEL_SERVICE
from bot_workbench.admin.migrate.managed_identity.channels import TEAMS
from bot_workbench.admin.plan.setting_names import setting
from bot_workbench.admin.plan.target import ENDPOINT_PATH, endpoint_of, type_of
from bot_workbench.credential_kinds import MULTI_TENANT, USER_ASSIGNED_MSI

TENANTS = "AllowedTenants"


def check_endpoint(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the bot's endpoint is this app's `/api/messages`."""
    endpoint = endpoint_of(bot.bot)
    host = bot.site["properties"]["defaultHostName"]
    cure = change("bot update", bot.bot, endpoint=f"https://{host}{ENDPOINT_PATH}")
    switch = bot.target.options.command_line("switch", app=bot.app_name)
    if not endpoint:
        yield error("endpoint-missing", "the Azure Bot has no endpoint", cure)
    elif not answers_at(bot.site, endpoint):
        yield error(
            "endpoint-elsewhere",
            f"the Azure Bot's endpoint {endpoint} is not at {bot.app_name}",
            f"If no gateway forwards to {bot.app_name} from there:\n{switch}",
        )
    elif urlsplit(endpoint).scheme != "https" or urlsplit(endpoint).path != ENDPOINT_PATH:
        yield error(
            "endpoint-wrong",
            f"the Azure Bot's endpoint {endpoint} is not https with the path {ENDPOINT_PATH}",
            cure,
        )


def check_agreement(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether the Azure Bot and the app settings name the same bot."""
    values = bot.known_if_read
    properties, app_type = bot.bot["properties"], type_of(bot.bot)
    pairs: dict[str, tuple[Code, str]] = {
        "MicrosoftAppId": ("app-id-differs", str(properties.get("msaAppId") or "")),
        "MicrosoftAppType": ("app-type-differs", app_type),
    }
    if app_type != MULTI_TENANT:
        tenant = str(properties.get("msaAppTenantId") or "")
        pairs["MicrosoftAppTenantId"] = ("tenant-differs", tenant)
    for name, (code, right) in pairs.items():
        value = setting(values, name)
        if value and right and value.strip().lower() != right.lower():
            yield error(
                code,
                f"{name} of {bot.app_name} is not the Azure Bot's, which is {right}",
                set_settings(bot.target.site_id, **{name: right}),
                stops=True,
                spoils=(APP_TYPE,) if name == "MicrosoftAppType" else (),
            )
    yield from _cloud(bot)
    if app_type != MULTI_TENANT:
        yield from _tenants(bot, pairs["MicrosoftAppTenantId"][1])
    if app_type == USER_ASSIGNED_MSI:
        yield from _identity_resource(bot, properties)


def _cloud(bot: DeployedBot) -> Iterator[Diagnosis]:
    """The bot would sign in to another cloud's Entra, and accept another cloud's channels."""
    wanted, app = bot.target.azure.cloud, bot.target.site_id
    if bot.settings.value is None:
        return
    value, right = setting(bot.settings.value, CHANNEL_SERVICE).rstrip("/"), wanted.channel_service
    known = {each.channel_service for each in CLOUDS.values()}
    if value in known and value != right:  # any other value is invalid, or a reference
        yield error(
            "cloud-differs",
            f"{CHANNEL_SERVICE} names another cloud than {wanted.name}, where the Azure Bot is",
            set_settings(app, **{CHANNEL_SERVICE: right})
            if right
            else delete_settings(app, [CHANNEL_SERVICE]),
            stops=True,
        )


def _tenants(bot: DeployedBot, home: str) -> Iterator[Diagnosis]:
    """A bot of one tenant that refuses its users: a list that was copied from another bot."""
    listed = [
        one for each in setting(bot.known_if_read, TENANTS).split(",") if (one := each.strip())
    ]
    if home and listed and home.lower() not in map(str.lower, listed):
        yield warning(
            "tenants-excluded",
            f"{TENANTS} does not list the bot's own tenant {home}: its users are refused",
            set_settings(bot.target.site_id, **{TENANTS: ",".join([*listed, home])}),
        )


def _identity_resource(bot: DeployedBot, properties: JsonObject) -> Iterator[Diagnosis]:
    given = str(properties.get("msaAppMSIResourceId") or "")
    own = with_client_id(bot.assigned, str(properties.get("msaAppId") or ""))
    if own is not None and given.lower() != own.id.lower():
        yield error(
            "bot-identity-differs",
            f"the Azure Bot names the identity {given.rpartition('/')[2] or '(none)'}, and its id"
            f" is that of {own.name}",
            f"Neither can be changed: create the Azure Bot again with the identity {own.id}"
            " (docs/deploy-by-hand.md)",
        )


def check_channels(bot: DeployedBot) -> Iterator[Diagnosis]:
    """Whether Teams and Web Chat are configured and on."""
    channels = bot.channels.value
    if channels is None:
        return
    by_name = {str(one["properties"]["channelName"]): one["properties"] for one in channels}
    yield from _teams(bot, by_name.get(TEAMS))
    web_chat = by_name.get(WEB_CHAT)
    sites = ((web_chat or {}).get("properties") or {}).get("sites") or ()
    if not any(site.get("isEnabled") for site in sites):
        yield warning(
            "web-chat-off",
            'the Web Chat channel is off, so the portal\'s "Test in Web Chat" does not work',
            change_channel(
                str(bot.bot["id"]),
                WEB_CHAT,
                *(f"sites[{number}].isEnabled=true" for number, _ in enumerate(sites)),
            )
            if sites
            else add_web_chat(str(bot.bot["id"]), bot.target.azure.cloud.resource_manager),
        )


def _teams(bot: DeployedBot, teams: JsonObject | None) -> Iterator[Diagnosis]:
    agreement = ("isEnabled=true", "acceptedTerms=true")
    cure = change_channel(str(bot.bot["id"]), TEAMS, *agreement)
    if teams is None:
        # `az bot msteams create` cannot accept the terms.
        yield warning(
            "teams-missing",
            "the Azure Bot has no Teams channel",
            f"{change('bot msteams create', bot.bot)}\n{cure}",
        )
        return
    properties = teams.get("properties") or {}
    if properties.get("isEnabled") is False:
        yield error("teams-disabled", "the Teams channel is disabled", cure)
    if properties.get("acceptedTerms") is not True:
        yield error(
            "teams-terms",
            "the terms of the Teams channel are not accepted: Teams shows an invalid bot",
            cure,
        )
