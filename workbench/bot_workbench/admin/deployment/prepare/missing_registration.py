"""The cure for a bot whose app registration the directory does not have."""

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import Forbidden
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.deployment.parameters import APP_ID
from bot_workbench.admin.deployment.restoration import restoration
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding

BY_DOWN = ", such as by `azd down` on another machine"

LAG_SECONDS = 120.0
"""The time for which Graph may not show a registration that has just been made."""


def missing_registration(
    azure: AzureClients,
    options: DeploymentOptions,
    app_id: str,
    bot: JsonObject | None,
    shown_at: float,
) -> Finding:
    """A wait while the registration may be new, then a refusal that says why, and leads out.

    Azure never changes the app id of an Azure Bot. So without one, a new registration will do; with
    one, only the deleted registration, or another bot.

    Args:
        azure: the clients.
        options: name the environment.
        app_id: of the registration (GUID).
        bot: the environment's Azure Bot with this id; None: there is none.
        shown_at: seconds of the clock, from which Graph shows a registration that is there.

    Raises:
        AzureProblem: the deleted registrations cannot be listed, for another reason than a right.
    """
    missing = text = f"the directory has no app registration {app_id}"
    again = "azd up" if options.azd else options.command_line()
    fresh = options.to_forget(APP_ID)
    if bot is not None:
        text = f"{text}, the app id of the Azure Bot {bot['name']}, which Azure never changes"
    try:
        deleted = azure.graph.deleted_application(app_id)
        long_ago = " more than 30 days ago"
    except Forbidden:  # the right to list what was deleted is another than that to register
        deleted = None
        long_ago = " (the portal restores it for 30 days: App registrations, Deleted applications)"
    if deleted is not None:
        back = (
            f"To get it back, restore it (`{restoration(azure.graph, deleted)}`), and run"
            f" `{again}`, which makes its service principal anew"
        )
        new = "" if bot else f"To get a new one, {fresh}, and run `{again}`. "
        return Finding(
            missing, refusal=f"{text}: it was deleted{'' if bot else BY_DOWN}. {new}{back}"
        )
    if azure.clock.now() < shown_at:
        return Finding(f"{missing}, or does not show it yet", waiting=True)
    elsewhere = "it is in another tenant than the one that you are signed in to, or was deleted"
    if bot is None:
        refusal = f"{text}: {elsewhere}{BY_DOWN}. To get a new one, {fresh}, and run `{again}`"
        return Finding(missing, refusal=refusal)
    group, name = quoted(f"rg-{options.environment}"), quoted(str(bot["name"]))
    other = "`azd env new NAME`" if options.azd else "another --environment"
    return Finding(
        missing,
        refusal=f"{text}: {elsewhere}{long_ago}. If nothing brings it back, deploy another"
        f" environment ({other}); or delete the Azure Bot (`az bot delete --resource-group {group}"
        f" --name {name}`), {fresh}, and run `{again}`, which makes another bot, for users to"
        " add anew",
    )
