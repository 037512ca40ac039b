"""OldCredential: can the old app still sign in as the bot?"""

from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.migrate.deployed_bot.credential_period import has_usable_secret
from bot_workbench.admin.migrate.switch.apps import differences, facts_of
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target


class OldCredential:
    """The old app proves its sign-in, or the app registration still has a usable secret.

    Args:
        target: has the bot.
        endpoint: the old app's (URL).
    """

    title = "The old app's credential"

    def __init__(self, target: Target, endpoint: str) -> None:
        self._target = target
        self._endpoint = endpoint

    def look(self) -> Finding:
        """Ask the old app, and read the registration.

        What cannot be read does not stop the way back, which may be urgent: a note says so.

        Raises:
            AzureProblem: the bot cannot be read.
        """
        if self._proves_itself():
            return Finding("the old app signs in as the bot")
        try:
            usable = has_usable_secret(self._target.application())
        except AzureProblem as error:
            note = f"whether the old app's secret still exists cannot be read: {error}"
            return Finding("the old app does not say how it signs in", notes=(note,))
        if usable:
            return Finding("the app registration has a secret that has not expired")
        return Finding(
            "the old app does not prove that it signs in, and the app registration has no usable"
            " secret",
            refusal="the old app could not answer the users: no secret of the bot is left that has"
            " not expired. The endpoint stays where it is. To go back all the same, give the old"
            " app a new secret first (`az ad app credential reset --append`); to move to another"
            " app, use `switch` with --app",
        )

    def _proves_itself(self) -> bool:
        try:
            old = self._target.for_app(self._target.site_at(self._endpoint))
            proof = old.proof()
        except AzureProblem:
            return False
        return bool(proof.facts) and not differences(facts_of(self._target.bot()), proof.facts)
