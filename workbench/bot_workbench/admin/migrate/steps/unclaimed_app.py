"""UnclaimedApp: the Function App answers no other bot, before its settings are changed."""

from collections.abc import Callable, Collection

from bot_workbench.admin.azure.arm_client import BOT
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import answers_at, find_resources
from bot_workbench.admin.plan.setting_names import setting
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target, endpoint_of

APP_ID = "MicrosoftAppId"
"""The setting that says which bot an app answers. It is one bot only."""


class UnclaimedApp:
    """The app's settings name no other bot, and no other bot's endpoint leads to the app.

    Args:
        target: has the app.
        app_ids: the ids (GUID) that the app may have: of the bot that it will answer, and of bots
            that do not need it. One may be a shell variable while it is not known.
    """

    title = "The bot that the app answers"

    def __init__(self, target: Target, app_ids: Callable[[], Collection[str]]) -> None:
        self._target = target
        self._app_ids = app_ids

    def look(self) -> Finding:
        """Read the app's settings; if they are not the bot's yet, read all bots' endpoints.

        Raises:
            AzureProblem: the app or the list of bots cannot be read.
        """
        app, current = self._target.site_id.name, setting(self._target.settings(), APP_ID)
        allowed = {each.lower() for each in self._app_ids()}
        if current.lower() in allowed:
            return Finding(f"{app} is set up for the bot {current}")
        claims = self._claims(current, allowed)
        if not current and not claims:
            return Finding(f"{app} is set up for no bot")
        found = f"{app} is set up for {f'the bot {current}' if current else 'no bot'}"
        text = "; ".join((found, *claims))
        return Finding(text, refusal=f"{text}. {self._cure(current, claims)}")

    def _cure(self, current: str, claims: list[str]) -> str:
        place = {**self._target.site_id.az_options, "--setting-names": APP_ID}
        ends = [
            *(("delete it",) if claims else ()),
            *((f"`{az('functionapp config appsettings delete', place)}`",) if current else ()),
        ]
        return (
            f"An app answers one bot, and {self._target.options.bot} has the id"
            f" {self._target.app_id}: users of the other bot would get no answer any more. Publish"
            " an app of its own for this bot (docs/deploy-by-hand.md), and name that one with --app"
            f". If nobody uses the other bot: {', '.join(ends)}, and run the command again"
        )

    def _claims(self, current: str, allowed: Collection[str]) -> list[str]:
        """The other bots' use of the app, for people."""
        site, claims = self._target.site(), []
        for found in find_resources(self._target.azure.arm, BOT):
            bot = self._read(found.id)
            app_id = str(bot["properties"].get("msaAppId") or "").lower()
            if app_id in allowed:
                continue
            if answers_at(site, endpoint_of(bot)):
                claims.append(f"the endpoint of the Azure Bot {found.name} leads to it")
            elif current and app_id == current.lower():
                claims.append(f"that is the Azure Bot {found.name}")
        return claims

    def _read(self, bot_id: str) -> JsonObject:
        nothing: JsonObject = {"properties": {}}
        try:
            return self._target.azure.arm.find(bot_id) or nothing
        except Forbidden:  # the settings alone say whose the app is
            return nothing
