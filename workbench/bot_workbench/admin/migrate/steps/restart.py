"""Restart: the call after which an app's processes are new, and sign in again."""

from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.target import Target


def restart_change(target: Target, purpose: str) -> Change:
    """The change that restarts the Function App.

    Args:
        target: has the app.
        purpose: for the plan: "so that ...".

    Raises:
        AzureProblem: the app cannot be found.
    """
    app = target.site_id
    return Change(
        method="POST",
        url=target.azure.arm.url(f"{app.id}/restart"),
        body=None,
        summary=f"Restart {app.name}, {purpose}",
        az=(az("functionapp restart", app.az_options),),
    )
