"""ReadyApp and ReachableApp: can the app behind an endpoint answer the bot's users?"""

from collections.abc import Mapping

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.managed_identity.channels import channel_name
from bot_workbench.admin.migrate.switch.access_restrictions import barrier, callers_of
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target, endpoint_of

_SETTINGS = {
    "appId": "MicrosoftAppId",
    "appType": "MicrosoftAppType",
    "tenantId": "MicrosoftAppTenantId",
}
"""The app's setting behind each compared fact of `/api/identity`."""

MAX_TRIES = 3
PASSING = {0, 429, 500, 502, 503, 504}
"""Statuses (0: no answer) that a new look may not meet again."""


class ReadyApp:
    """The new app signs in as this bot, and lets the channels in.

    Args:
        target: has the bot and the app.
        endpoint: the new app's (URL).
    """

    title = "The new app"

    def __init__(self, target: Target, endpoint: str) -> None:
        self._target = target
        self._endpoint = endpoint
        self._tries = MAX_TRIES

    def look(self) -> Finding:
        """Ask the app, unless the bot's users talk to it already.

        Raises:
            AzureProblem: the bot or the app cannot be read.
        """
        bot, name = self._target.bot(), self._target.site_id.name
        if endpoint_of(bot).lower() == self._endpoint.lower():
            return Finding(f"the bot's users already talk to {name}")
        proof = self._target.proof()
        if proof.problem:
            self._tries -= 1
            if self._tries and proof.status in PASSING and not self._target.options.dry_run:
                return Finding(f"{name} does not answer as it should", waiting=True)
            return Finding(
                f"{name} does not sign in as the bot",
                refusal=f"{proof.problem}. The endpoint stays where it is. If the app has just been"
                " started, wait a minute; else see its log and docs/troubleshooting.md, and run"
                " `status`",
            )
        if wrong := differences(facts_of(bot), proof.facts):
            return Finding(
                f"{name} does not sign in as this bot",
                refusal=f"{name} signs in with another {'; '.join(wrong)}. The endpoint stays where"
                " it is",
            )
        if found := self._barrier():
            return Finding(
                f"the channels do not reach {self._endpoint}",
                refusal=f"the channels cannot reach {self._endpoint}: {found}. The endpoint stays"
                " where it is",
            )
        kind, app_id = proof.facts.get("kind"), proof.facts.get("appId")
        return Finding(f"{name} signs in as {app_id}, with the credential {kind}")

    def _barrier(self) -> str:
        """The barrier to the channels, and the cure; empty: nothing that can be seen."""
        azure, site = self._target.azure, self._target.site()
        web = azure.arm.get(f"{self._target.site_id.id}/config/web")
        names = map(channel_name, azure.arm.pages(f"{self._target.bot_id.id}/channels"))
        found = (barrier(site, web, callers) for callers in callers_of(azure.cloud, names))
        return next(filter(None, found), "") or azure.site.barrier(self._endpoint)


def facts_of(bot: JsonObject) -> dict[str, str]:
    """The facts in the `/api/identity` of an Azure Bot's app; an empty one: any."""
    properties = bot["properties"]
    return {
        "appId": str(properties.get("msaAppId") or ""),
        "appType": str(properties.get("msaAppType") or ""),
        "tenantId": str(properties.get("msaAppTenantId") or ""),
    }


def differences(wanted: Mapping[str, str], facts: JsonObject) -> list[str]:
    """The differences between `/api/identity` and what it must say, each with the setting to
    change.

    Args:
        wanted: as `facts_of` an Azure Bot.
        facts: the app's answer.
    """
    return [
        f"{name} ({facts.get(name) or 'none'}, not {value}): change the setting {_SETTINGS[name]}"
        for name, value in wanted.items()
        if value and str(facts.get(name) or "").lower() != value.lower()
    ]


class ReachableApp:
    """The old app still answers; if not, a note says so, because the user may know better.

    Args:
        target: has the clients.
        endpoint: the old app's (URL).
    """

    title = "The old app"

    def __init__(self, target: Target, endpoint: str) -> None:
        self._target = target
        self._endpoint = endpoint

    def look(self) -> Finding:
        """Send an empty activity without a token, which every bot refuses."""
        status = self._target.azure.site.probe(self._endpoint)
        if status and status < 500 and status not in {403, 404}:
            return Finding(f"{self._endpoint} answers")
        seen = f"answers {status}" if status else "does not answer"
        return Finding(
            f"{self._endpoint} {seen}",
            notes=("users get no replies until the old app runs: start it (`az webapp start`)",),
        )
