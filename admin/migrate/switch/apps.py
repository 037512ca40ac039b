"""ReadyApp and ReachableApp: can the app behind an endpoint answer the bot's users?"""

from admin.azure.json_object import JsonObject
from admin.migrate.step import Finding
from admin.migrate.switch.moved_endpoint import endpoint_of
from admin.migrate.target import Target

_COMPARED = {
    "msaAppId": ("appId", "MicrosoftAppId"),
    "msaAppType": ("appType", "MicrosoftAppType"),
    "msaAppTenantId": ("tenantId", "MicrosoftAppTenantId"),
}
"""The Azure Bot's property, the name of its value in `/api/identity`, and the app's setting."""


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
        if wrong := differences(bot, proof.facts):
            return Finding(
                f"{name} does not sign in as this bot",
                refusal=f"{name} signs in with another {'; '.join(wrong)}. The endpoint stays where"
                " it is",
            )
        if barrier := self._target.azure.site.barrier(self._endpoint):
            return Finding(
                f"the channels do not reach {self._endpoint}",
                refusal=f"the channels cannot reach {self._endpoint}: {barrier}. The endpoint stays"
                " where it is",
            )
        kind, app_id = proof.facts.get("kind"), proof.facts.get("appId")
        return Finding(f"{name} signs in as {app_id}, with the credential {kind}")


def differences(bot: JsonObject, facts: JsonObject) -> list[str]:
    """How `/api/identity` differs from the Azure Bot, each with the setting to change."""
    found = []
    for name, (fact, setting) in _COMPARED.items():
        wanted, given = bot["properties"].get(name), facts.get(fact)
        if wanted and str(given or "").lower() != str(wanted).lower():
            found.append(f"{fact} ({given or 'none'}, not {wanted}): change the setting {setting}")
    return found


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
