"""FirstProof: before anything is changed, nothing stands against deleting the secrets."""

from bot_workbench.admin.migrate.delete_secret.case import Case
from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.evidence.secret_users import NOT_SEARCHED
from bot_workbench.admin.migrate.delete_secret.live_settings import unused_since
from bot_workbench.admin.migrate.delete_secret.password_settings import PasswordSettings
from bot_workbench.admin.plan.step import Finding


class FirstProof:
    """The bot's app signs in without the secret and calls a channel, another credential remains,
    and nobody else uses the secret.

    Args:
        case: the bots.
    """

    title = "Proof that the secret is not needed"

    def __init__(self, case: Case) -> None:
        self._case = case

    def look(self) -> Finding:
        """Ask the app, Azure and the directory.

        Raises:
            AzureProblem: something cannot be read.
        """
        evidence = self._case.evidence()
        if evidence.registration is not None and not evidence.secrets:
            return Finding(f"the app registration {evidence.app_id} has no secret")
        # After the restart, the app has not called a channel yet: the second proof waits for that.
        goes_on = self._goes_on(evidence)
        obstacle = self._case.obstacle(evidence, fresh_call=not goes_on)
        if obstacle is None and not self._case.ignore_other_use:
            obstacle = self._case.other_use(evidence)
        if obstacle is not None:
            return Finding(str(obstacle), refusal=str(obstacle))
        if not goes_on and evidence.answer.proof:
            self._case.first_start = evidence.answer.proof.process_started_on
        return Finding(proven(evidence), notes=self._notes(evidence))

    @staticmethod
    def _goes_on(evidence: Evidence) -> bool:
        """Whether an interrupted command has restarted the app without the secret."""
        if unused_since(evidence) is None or evidence.site is None:
            return False
        return not PasswordSettings(evidence.live.azure.arm, evidence.site).removals()

    def _notes(self, evidence: Evidence) -> tuple[str, ...]:
        notes = []
        if self._case.ignore_other_use and (found := self._case.other_use(evidence)):
            notes.append(f"ignored, as you said: {found.reason}")
        if evidence.sign_ins.problem:
            notes.append(
                "who else signs in with the secret is not known, because"
                f" {evidence.sign_ins.problem}: {evidence.sign_ins.cure}"
            )
        if unreadable := sorted(set(evidence.users.unreadable)):
            notes.append(
                f"the settings of {', '.join(unreadable)} cannot be read: check that none of them"
                " holds the secret"
            )
        notes.append(NOT_SEARCHED)
        return tuple(notes)


def proven(evidence: Evidence) -> str:
    """The result of a proof without obstacles, for people."""
    proof = evidence.answer.proof
    if proof is None:
        return "no proof"
    called = f"{proof.last_outbound_call:%H:%M:%S} UTC" if proof.last_outbound_call else "never"
    key = f" {proof.thumbprint}" if proof.thumbprint else ""
    return (
        f"the app signs in as {proof.app_id} with the credential {proof.kind}{key}; its last call"
        f" to a channel was at {called}"
    )
