"""The guards that ask who else needs the secret."""

import datetime

from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.evidence.proof import moment
from bot_workbench.admin.migrate.delete_secret.guards.obstacle import Guard, Obstacle
from bot_workbench.admin.migrate.delete_secret.password_settings import command_of
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.migrate.switch import SWITCHED_ON
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.target import endpoint_of

RECENT_HOURS = 24
"""The time for which a secret must not have been used, if the Azure Bot's tags do not say when the
endpoint moved."""


LAST_TURN_SECONDS = 60
"""The time after the switch in which a turn of the old app may still sign in: one that was under
way."""

_IGNORE = "or, if nobody needs that, add --ignore-other-use"


def secret_was_used_after_the_switch(evidence: Evidence) -> Obstacle | None:
    """Somebody else signs in with a secret of the bot, such as a pipeline."""
    moved = _moved_on(evidence)
    since = moved or evidence.now - datetime.timedelta(hours=RECENT_HOURS)
    period = (
        f"after the bot had stopped using it at {moved:%Y-%m-%d %H:%M}"
        if moved
        else f"within the last {RECENT_HOURS} hours"
    )
    wait = "" if moved else f"; wait {RECENT_HOURS} hours"
    for secret in evidence.secrets:
        used = evidence.sign_ins.last_used.get(str(secret["keyId"]).lower())
        if used is not None and used > since:
            return Obstacle(
                f"the secret {secret['keyId']} was used to sign in at {used:%Y-%m-%d %H:%M} UTC,"
                f" {period}",
                "Find who it is (Entra ID, Sign-in logs, Service principal sign-ins), and give them"
                f" another credential{wait}, {_IGNORE}",
            )
    return None


def connection_holds_the_secret(evidence: Evidence) -> Obstacle | None:
    """Users sign in through an OAuth connection that has a secret of this registration."""
    found = evidence.users.connections
    if not found:
        return None
    return Obstacle(
        f"users sign in through {', '.join(found)}, with a secret of the app registration"
        f" {evidence.app_id}",
        "Let the connection use the provider AAD v2 with Federated Credentials, or another app"
        f" registration, {_IGNORE}",
    )


def app_holds_the_secret(evidence: Evidence) -> Obstacle | None:
    """Another app has the secret in its settings."""
    live_id = str((evidence.site or {}).get("id") or "")
    old_id = str((evidence.old_site or {}).get("id") or "")
    found = evidence.users.apps(live_id, old_id)
    if not found:
        return None
    return Obstacle(
        f"{', '.join(found)} may hold a secret of the app registration {evidence.app_id}",
        f"Move that app to another credential, and delete its setting, {_IGNORE}",
    )


def old_bot_runs(evidence: Evidence) -> Obstacle | None:
    """The replaced bot's app would stop answering those who have not moved."""
    site = evidence.old_site
    if site is None or _state(site) == "stopped":
        return None
    name, stop = site["name"], f"az {command_of(site)} stop --ids {quoted(site['id'])}"
    return Obstacle(
        f"{name}, the app of {evidence.old.options.bot}, still runs, and its users would get no"
        " answer",
        f"Stop it, and wait some days: `{stop}`",
    )


def old_bot_is_unknown(evidence: Evidence) -> Obstacle | None:
    """Nothing says whether the replaced bot is still used."""
    endpoint = endpoint_of(evidence.bot)
    report = evidence.sign_ins
    if not evidence.replaced or evidence.old_site is not None or not endpoint:
        return None
    if not report.problem:
        return None
    return Obstacle(
        f"whether {evidence.old.options.bot} is still used is not known: your account sees no app"
        f" with its endpoint {endpoint}, and {report.problem}",
        f"{report.cure[:1].upper()}{report.cure[1:]}; when that app is stopped, empty the endpoint"
        f" of the Azure Bot, {_IGNORE}",
    )


OTHER_USE: tuple[Guard, ...] = (
    secret_was_used_after_the_switch,
    connection_holds_the_secret,
    app_holds_the_secret,
    old_bot_is_unknown,
)
"""Whether anything but the bot needs the secret. `--ignore-other-use` passes them over."""

REPLACED_BOT: tuple[Guard, ...] = (old_bot_runs,)
"""Whether a bot that another one replaces is still used."""


def _moved_on(evidence: Evidence) -> datetime.datetime | None:
    """Since when the bot has not used its secret; None: it is not known."""
    switched = moment(tags_of(evidence.bot).get(SWITCHED_ON))
    if switched is None or evidence.replaced:
        return None
    return switched + datetime.timedelta(seconds=LAST_TURN_SECONDS)


def _state(site: dict[str, object]) -> str:
    properties = site.get("properties")
    return str(properties.get("state")).lower() if isinstance(properties, dict) else ""
