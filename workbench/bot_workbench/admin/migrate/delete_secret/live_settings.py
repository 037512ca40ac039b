"""LiveSettings: the bot's app has no secret in its settings, and has started again since."""

import datetime
from dataclasses import replace

from bot_workbench.admin.migrate.delete_secret.case import Case
from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.evidence.proof import moment
from bot_workbench.admin.migrate.delete_secret.password_settings import PasswordSettings
from bot_workbench.admin.migrate.steps.azure_bot import tag_change, tags_of
from bot_workbench.admin.migrate.steps.function_app import restart_change
from bot_workbench.admin.plan.step import Change, Finding

UNUSED_SINCE = "secretUnusedSince"
"""The tag of the Azure Bot that remembers when its app was last restarted without the secret."""

MAX_AGE = datetime.timedelta(hours=1)
"""An older restart proves nothing: the settings may have had the secret again since."""


def unused_since(evidence: Evidence) -> datetime.datetime | None:
    """Since when no process of the app can know the secret; None: not yet, or too long ago."""
    since = moment(tags_of(evidence.bot).get(UNUSED_SINCE))
    return since if since is not None and since > evidence.now - MAX_AGE else None


class LiveSettings:
    """The settings of the app and its slots have no secret of the bot, and a tag of the Azure Bot
    says since when the app has been restarting without it.

    A settings write restarts the app. If there is nothing to remove, the app is restarted all the
    same: the restarted process has no cached token, so that its proof is a new sign-in.

    Args:
        case: the bots.
    """

    title = "Settings of the app, and its restart"

    def __init__(self, case: Case) -> None:
        self._case = case

    def look(self) -> Finding:
        """Read the settings and the tag.

        Raises:
            AzureProblem: they cannot be read.
        """
        evidence = self._case.evidence()
        site = evidence.live.site()
        removals = PasswordSettings(evidence.live.azure.arm, site).removals()
        if not evidence.secrets:
            return Finding(self._found(site["name"], removals), removals)
        since = unused_since(evidence)
        if not removals and since is not None:
            return Finding(f"{self._found(site['name'], ())} since {since:%H:%M:%S} UTC")
        restart = restart_change(evidence.live, "so that its next token is a new sign-in")
        first, *others = removals or (restart,)
        timed = replace(first, az=("SINCE=$(date -u +%Y-%m-%dT%H:%M:%SZ)", *first.az))
        text = self._found(site["name"], removals)
        return Finding(text, (timed, *others, self._remember(evidence)))

    @staticmethod
    def _found(name: str, removals: tuple[Change, ...]) -> str:
        has = "a secret" if removals else "no secret"
        return f"{name} has {has} in its settings"

    @staticmethod
    def _remember(evidence: Evidence) -> Change:
        since = f"{evidence.now.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        summary = (
            f"Remember in the tag {UNUSED_SINCE} of {evidence.old.bot_id.name} that the app does"
            " without the secret from now on"
        )
        return tag_change(evidence.old, UNUSED_SINCE, since, summary, "$SINCE")
