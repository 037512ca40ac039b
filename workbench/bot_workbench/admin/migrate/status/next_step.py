"""NextStep: the one command to paste after a `status`, and its way back."""

from dataclasses import dataclass, replace

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.deployed_bot.app_settings import VAULT_URL
from bot_workbench.admin.migrate.deployed_bot.deployed_bot import DeployedBot
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.status.report import StatusReport
from bot_workbench.admin.migrate.switch import differences, facts_of
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.settings import credential_kind, setting
from bot_workbench.credential_kinds import MULTI_TENANT, USER_ASSIGNED_MSI

NOT_DEPLOYED = 404
"""The status of an app that does not have this project's functions."""

NEW_APP_NAME = "NEW_APP"
VAULT_NAME = "VAULT"
"""Stand for names that only the reader knows."""

NO_WAY_BACK = "none for the secret itself: its value cannot be recovered, but a new one can be made"


@dataclass(frozen=True)
class NextStep:
    """The next step.

    Attributes:
        reason: why, in a sentence.
        command: the command line to paste; empty: nothing is left to do.
        way_back: the command line or the sentence that undoes it; empty: there is nothing to undo.
    """

    reason: str
    command: str = ""
    way_back: str = ""

    def as_json(self) -> JsonObject:
        """The step as `status --json` prints it."""
        command, way_back = self.command or None, self.way_back or None
        return {"reason": self.reason, "command": command, "wayBack": way_back}


def next_step(report: StatusReport, options: Options) -> NextStep:
    """The next step.

    Args:
        report: how things stand.
        options: the command line of `status`.
    """
    bot, current, new = report.bot, report.current, report.new
    if replaced := bot.tags.get(REPLACED_BY):
        return _replaced(report, options, replaced)
    if report.is_secretless:
        return NextStep("the bot has no secret")
    if bot.app_type != USER_ASSIGNED_MSI and bot.application.error:
        return NextStep(
            "without the app registration, nobody knows what signs the bot in: sign in as one of"
            " its owners",
            "az login",
        )
    if current is not None and _ready(current):
        kind = current.proof.require().facts.get("kind")
        return NextStep(
            f"users talk to {current.app.name}, which signs in with {kind}; a secret is still"
            " there. Let a day of ordinary traffic pass first",
            options.command_line("delete-secret", app=current.app.name),
            NO_WAY_BACK,
        )
    if new is None or (new is current and new.proof.require().status == NOT_DEPLOYED):
        return NextStep(
            "the bot signs in with a secret. Publish the new app beside the old one"
            f" (docs/deploy-by-hand.md, steps 0 to 8), and name it in place of {NEW_APP_NAME}",
            options.command_line("status", app=NEW_APP_NAME),
            "delete the new app's resource group: users still talk to the old app",
        )
    if new is not current and _ready(new):
        return NextStep(
            f"{new.app.name} signs in as the bot without a secret; users still talk to the old app",
            options.command_line("switch", app=new.app.name),
            options.command_line("back", app=""),
        )
    return _credential(options, new)


def _replaced(report: StatusReport, options: Options, new_bot: str) -> NextStep:
    if report.is_secretless:
        new = replace(options, bot=new_bot, resource_group="", subscription="")
        return NextStep(
            f"the Azure Bot {new_bot} replaces this one, which has no secret",
            new.command_line("status", app=""),
        )
    return NextStep(
        f"the Azure Bot {new_bot} replaces this one. When all users have moved, stop the old app;"
        " after a day without it, delete the secret",
        options.command_line("delete-secret"),
        NO_WAY_BACK,
    )


def _ready(app: DeployedBot) -> bool:
    """Whether an app proves that it signs in as the bot, without a secret."""
    facts = app.proof.require().facts
    wanted = {**facts_of(app.bot), "appType": app.app_type}
    return bool(facts) and not differences(wanted, facts)


def _credential(options: Options, app: DeployedBot) -> NextStep:
    values, is_multi_tenant = app.known_if_read, app.app_type == MULTI_TENANT
    kind = credential_kind(values)
    certificate = is_multi_tenant or (kind is not None and kind.has_certificate)
    named = setting(values, VAULT_URL).removeprefix("https://").partition(".")[0]
    beside = app.vaults.value or []
    vault = named or (beside[0] if len(beside) == 1 else VAULT_NAME)
    why = " (a multi-tenant bot cannot use a federated credential)" if is_multi_tenant else ""
    return NextStep(
        f"{app.app.name} does not sign in as the bot yet{why}",
        options.command_line("certificate", "--vault", vault, app=app.app.name)
        if certificate
        else options.command_line("federated", app=app.app.name),
        "nothing to undo: it adds a credential, and users still talk to the old app",
    )
