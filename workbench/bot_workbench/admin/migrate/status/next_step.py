"""NextStep: the one command to paste after a `status`, and its way back."""

from dataclasses import dataclass, replace

from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.status.parts.app import AppStatus
from bot_workbench.admin.migrate.status.report import NEW, StatusReport
from bot_workbench.admin.migrate.switch.apps import differences
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.setting_names import credential_kind
from bot_workbench.credential_kinds import USER_ASSIGNED_MSI

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


def next_step(report: StatusReport, options: Options) -> NextStep:
    """The next step.

    Args:
        report: how things stand.
        options: the command line of `status`.
    """
    if replaced := report.bot.tags.get(REPLACED_BY):
        return _replaced(report, options, replaced)
    if report.is_secretless:
        return NextStep("the bot has no secret")
    if report.bot.type != USER_ASSIGNED_MSI and report.registration.value is None:
        return NextStep(
            "without the app registration, nobody knows what signs the bot in: sign in as one of"
            " its owners",
            "az login",
        )
    current = report.current
    if current is not None and _ready(report, current):
        return _delete_secret(options, current)
    new = report.new
    if new is None or (new.role != NEW and not _has_code(new)):
        return _build(options)
    if new.role == NEW and _ready(report, new):
        return NextStep(
            f"{new.id.name} signs in as the bot without a secret; users still talk to the old app",
            options.command_line("switch", app=new.id.name),
            options.command_line("back", app=""),
        )
    return _credential(report, options, new)


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


def _ready(report: StatusReport, app: AppStatus) -> bool:
    bot = report.bot
    wanted = {"appId": bot.app_id, "appType": bot.type, "tenantId": bot.tenant_id}
    return app.signs_in and not differences(wanted, app.answer.facts)


def _has_code(app: AppStatus) -> bool:
    return app.answer.status != 404


def _delete_secret(options: Options, app: AppStatus) -> NextStep:
    kind = app.answer.facts.get("kind")
    return NextStep(
        f"users talk to {app.id.name}, which signs in with {kind}; a secret is still there. Let a"
        " day of ordinary traffic pass first",
        options.command_line("delete-secret", app=app.id.name),
        NO_WAY_BACK,
    )


def _build(options: Options) -> NextStep:
    return NextStep(
        "the bot signs in with a secret. Publish the new app beside the old one"
        f" (docs/deploy-by-hand.md, steps 0 to 8), and name it in place of {NEW_APP_NAME}",
        options.command_line("status", app=NEW_APP_NAME),
        "delete the new app's resource group: users still talk to the old app",
    )


def _credential(report: StatusReport, options: Options, app: AppStatus) -> NextStep:
    shown = app.settings.value.shown if app.settings.value else {}
    multi_tenant = report.bot.type == "MultiTenant"
    kind = credential_kind(shown)
    certificate = multi_tenant or (kind is not None and kind.has_certificate)
    command = "certificate" if certificate else "federated"
    named = shown.get("CertificateVaultUrl", "").removeprefix("https://").partition(".")[0]
    beside = report.vaults.value or []
    vault = named or (beside[0] if len(beside) == 1 else VAULT_NAME)
    why = " (a multi-tenant bot cannot use a federated credential)" if multi_tenant else ""
    return NextStep(
        f"{app.id.name} does not sign in as the bot yet{why}",
        options.command_line(
            command, *(("--vault", vault) if certificate else ()), app=app.id.name
        ),
        "nothing to undo: it adds a credential, and users still talk to the old app",
    )
