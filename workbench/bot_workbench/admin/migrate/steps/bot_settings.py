"""The settings that say who the bot is, and what a change of them means for a live bot."""

from collections.abc import Mapping, Sequence

from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.plan.setting_names import setting
from bot_workbench.admin.plan.step import Plan, Step, unless_refused
from bot_workbench.admin.plan.target import Target, endpoint_of, type_of
from bot_workbench.credential_kinds import MULTI_TENANT


def bot_settings(target: Target, credential: str) -> dict[str, str]:
    """The settings that say who the bot is, and how it signs in.

    Raises:
        AzureProblem: the bot cannot be read.
    """
    bot = target.bot()
    properties, app_type = bot["properties"], type_of(bot)
    settings = {
        "MicrosoftAppType": app_type,
        "MicrosoftAppId": str(properties["msaAppId"]),
        "BotCredential": credential,
    }
    if app_type != MULTI_TENANT:
        settings["MicrosoftAppTenantId"] = str(properties.get("msaAppTenantId") or "")
    service = target.azure.cloud.channel_service
    return {**settings, **({"ChannelService": service} if service else {})}


def credential_plan(target: Target, steps: Sequence[Step]) -> Plan:
    """The plan that gives an app another credential, with what undoes it and what comes next.

    Args:
        target: has the bot and the app.
        steps: in their order.

    Raises:
        AzureProblem: the bot or the app cannot be found.
    """
    app = target.site_id.name
    if target.answers_users():
        command = "delete-secret"
        way_back = (
            f"set BotCredential in the settings of {app} back to what it was: its former credential"
            " is still registered"
        )
    else:
        command = "switch"
        way_back = "nothing is needed: the old app still answers, and its secret still works"
    next_command = target.options.command_line(command, app=target.options.app or app)
    return Plan(steps, way_back=unless_refused(way_back), next_command=next_command)


def question_if_live(target: Target, expected: Mapping[str, str]) -> str:
    """The question before an app that answers the bot's users gets another credential; else empty.

    Args:
        target: has the bot and the app.
        expected: what `/api/identity` must answer afterwards, by the names of its facts.

    Raises:
        AzureProblem: the bot or the app cannot be read.
    """
    if not target.answers_users():
        return question_if_hidden(target)
    facts = target.proof().facts
    if facts and all(
        str(facts.get(name) or "").lower() == value.lower() for name, value in expected.items()
    ):
        return ""
    now = f"with the credential {facts['kind']}" if facts else "and does not say how it signs in"
    return (
        f"{target.site_id.name} answers the bot's users now, {now}. After the change it cannot sign"
        " in until Entra accepts the new credential, which takes minutes. (Without a gap: deploy a"
        " second app, and name it with --app.) Change it?"
    )


def question_if_hidden(target: Target) -> str:
    """The question before an app is changed that may answer the bot's users behind another host
    name (Front Door, API Management, a proxy); empty if it cannot.

    Args:
        target: has the bot and the app.

    Raises:
        AzureProblem: the bot or the app cannot be read.
    """
    endpoint = endpoint_of(target.bot())
    if not endpoint or not setting(target.settings(), "MicrosoftAppId"):
        return ""  # an app without a bot's settings answers nobody
    try:
        target.site_at(endpoint)
    except NotFound:
        app = target.site_id.name
        return (
            f"The bot's endpoint is {endpoint}, which is no app that your account sees: a gateway"
            f" may lead from there to {app}, which has a bot's settings. Change {app}?"
        )
    return ""
