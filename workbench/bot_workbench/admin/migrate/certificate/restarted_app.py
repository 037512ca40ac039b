"""The certificate with which an app signs in, and a restart until it is the right one."""

from collections.abc import Callable

from bot_workbench.admin.migrate.steps.restart import restart_change
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target


def thumbprint_in_use(target: Target) -> str:
    """The thumbprint of the certificate that the app signs in with; empty: it does not say.

    Args:
        target: has the app.
    """
    return str(target.proof().facts.get("certificateThumbprint") or "").upper()


class RestartedApp:
    """The app is restarted until it signs in with a certificate.

    A process that started before Entra accepted the certificate uses the previous version for as
    long as its token lasts, so one restart may be too early.

    Args:
        target: has the app.
        thumbprint: of the certificate, in upper-case hex; a shell variable if it is unknown.
        in_use: asks the app for the thumbprint that it signs in with; empty: it does not say.
    """

    title = "Restart of the app"

    def __init__(
        self, target: Target, thumbprint: Callable[[], str], in_use: Callable[[], str]
    ) -> None:
        self._target = target
        self._thumbprint = thumbprint
        self._in_use = in_use

    def look(self) -> Finding:
        """Ask the app.

        Raises:
            AzureProblem: the vault or the app cannot be read.
        """
        app, in_use, thumbprint = self._target.site_id, self._in_use(), self._thumbprint()
        if in_use == thumbprint:
            return Finding(f"{app.name} signs in with {thumbprint}")
        if not in_use:
            return Finding(f"{app.name} does not answer, or cannot sign in", waiting=True)
        change = restart_change(self._target, f"so that it signs in with {thumbprint}")
        return Finding(f"{app.name} signs in with {in_use}", changes=(change,))
