"""HealthyApp: the deployed app can run a turn."""

from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

HEALTH_PATH = "/api/health"
FORBIDDEN, NOT_FOUND, UNAVAILABLE = 403, 404, 503

_REASONS = {
    0: "it does not answer: it is starting, or this machine's network does not reach it",
    FORBIDDEN: "it is stopped, or its access restrictions keep this machine out",
    NOT_FOUND: "the host does not know the function yet; if that lasts, the deployment of the code"
    " has failed: look at its log (`az functionapp log deployment show`)",
    UNAVAILABLE: "it cannot sign in yet. A new role or credential takes minutes to have an effect;"
    " if it lasts, the app's log says why (docs/troubleshooting.md)",
}


class HealthyApp:
    """`/api/health` answers 200: the settings are valid, and the bot has keys and a token.

    Args:
        target: has the app.
    """

    title = "Health of the app"

    def __init__(self, target: Target) -> None:
        self._target = target

    def look(self) -> Finding:
        """Ask the app.

        Raises:
            AzureProblem: the app cannot be found.
        """
        url = f"https://{self._target.host}{HEALTH_PATH}"
        status = self._status(url)
        if status == 200:
            return Finding(f"{url} answers 200")
        reason = _REASONS.get(status, "see the app's log")
        answer = f"answers {status}" if status else "gives no answer"
        loop = (
            "for attempt in $(seq 60); do # a new app, role or credential takes minutes",
            f"  curl --fail --silent --show-error {quoted(url)} && break",
            "  sleep 10",
            "done",
        )
        return Finding(f"{url} {answer}: {reason}", waiting=True, az=loop)

    def _status(self, url: str) -> int:
        try:
            return self._target.azure.site.respond("GET", url, None, None).status_code
        except AzureProblem:
            return 0
