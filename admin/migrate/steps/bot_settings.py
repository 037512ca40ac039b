"""The settings that say who the bot is, and what a change of them means for a live bot."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from admin.azure.cloud import ManagementCloud
from admin.migrate.target import Target
from auth.clouds import CLOUDS as CHANNEL_CLOUDS
from auth.settings import MULTI_TENANT


def bot_settings(target: Target, credential: str) -> dict[str, str]:
    """The settings that say who the bot is, and how it signs in.

    Raises:
        AzureProblem: the bot cannot be read.
    """
    properties = target.bot()["properties"]
    app_type = str(properties.get("msaAppType") or MULTI_TENANT)
    settings = {
        "MicrosoftAppType": app_type,
        "MicrosoftAppId": str(properties["msaAppId"]),
        "BotCredential": credential,
    }
    if app_type != MULTI_TENANT:
        settings["MicrosoftAppTenantId"] = str(properties.get("msaAppTenantId") or "")
    service = channel_service(target.azure.cloud)
    return {**settings, **({"ChannelService": service} if service else {})}


def channel_service(cloud: ManagementCloud) -> str:
    """The setting ChannelService of a cloud; empty in the public one."""
    by_authority = {each.authority_host: name for name, each in CHANNEL_CLOUDS.items()}
    return by_authority[cloud.authority]


def question_if_live(target: Target, expected: Mapping[str, str]) -> str:
    """What to ask before an app that answers the bot's users gets another credential; else empty.

    Args:
        target: has the bot and the app.
        expected: what `/api/identity` must answer afterwards, by the names of its facts.

    Raises:
        AzureProblem: the bot or the app cannot be read.
    """
    endpoint = str(target.bot()["properties"].get("endpoint") or "")
    if urlsplit(endpoint).hostname != target.host:
        return ""
    facts = target.proof().facts
    if not facts or all(
        str(facts.get(name) or "").lower() == value.lower() for name, value in expected.items()
    ):
        return ""
    return (
        f"{target.site_id.name} answers the bot's users now, with the credential {facts['kind']}."
        " After the change it cannot sign in until Entra accepts the new credential, which takes"
        " minutes. (Without a gap: deploy a second app, and name it with --app.) Change it?"
    )
