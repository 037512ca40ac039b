"""OldSettings: the app that answered before has no deleted secret in its settings."""

from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.migrate.delete_secret.case import Case
from bot_workbench.admin.migrate.delete_secret.password_settings import PasswordSettings
from bot_workbench.admin.plan.step import Finding


class OldSettings:
    """The secret in the old app's settings is removed last: until the secret is deleted, it is the
    way back.

    The tag `previousEndpoint` stays: an interrupted command needs it to find the old app, and
    `back` works again once the old app has a new secret.

    Args:
        case: the bots.
    """

    title = "Settings of the old app"

    def __init__(self, case: Case) -> None:
        self._case = case

    def look(self) -> Finding:
        """Find the app behind the tag `previousEndpoint`, or the replaced bot's endpoint.

        Raises:
            AzureProblem: the bot or the list of apps cannot be read.
        """
        evidence = self._case.evidence()
        site, live = evidence.old_site, evidence.site or {}
        if site is None or site["id"].lower() == str(live.get("id")).lower():
            return Finding("there is no old app, or your account does not see it")
        try:
            removals = PasswordSettings(evidence.old.azure.arm, site).removals()
        except AzureProblem as error:
            note = f"delete the bot's secret from the settings of {site['name']} yourself: {error}"
            return Finding(f"the settings of {site['name']} cannot be read", notes=(note,))
        has = "still has the secret" if removals else "has no secret"
        return Finding(f"{site['name']} {has} in its settings", removals)
