"""`migrate federated`: the bot's registration trusts the Function App's identity."""

from bot_workbench.admin.migrate.federated.federated_credential import FederatedCredential
from bot_workbench.admin.migrate.federated.fresh_sign_in import FreshSignIn
from bot_workbench.admin.migrate.steps.app_settings import AppSettings
from bot_workbench.admin.migrate.steps.assigned_identity import AssignedIdentity, identity_in_use
from bot_workbench.admin.migrate.steps.bot_settings import (
    bot_settings,
    credential_plan,
    question_if_live,
)
from bot_workbench.admin.migrate.steps.bot_type import NO_REGISTRATION, BotType
from bot_workbench.admin.migrate.steps.deployed_code import DeployedCode
from bot_workbench.admin.migrate.steps.proven_sign_in import ProvenSignIn
from bot_workbench.admin.migrate.steps.unclaimed_app import UnclaimedApp
from bot_workbench.admin.plan.execution import execute
from bot_workbench.admin.plan.options import IdentityOption, Options
from bot_workbench.admin.plan.step import Plan
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import FEDERATED, MULTI_TENANT, USER_ASSIGNED_MSI

IF_SLOW = (
    "Entra takes some minutes to accept a new federated credential; the app's log says what is"
    " missing (AADSTS70021: it is not accepted yet, or a value differs)"
)


def federated(options: Options, identity: IdentityOption = "") -> None:
    """Let the new app sign in with its managed identity; the bot keeps its id.

    A federated credential for the app's identity is added to the app
    registration, beside all that is there; the app gets its settings, and
    must prove that it signs in. The bot's users notice nothing: they still
    talk to the old app, until `switch`.

    For bots of type SingleTenant only.

    [bold]Examples[/bold]

      bot migrate federated --bot contoso-bot --app contoso-new
      bot migrate federated --bot contoso-bot --app contoso-new \\
          --dry-run

    [bold]Exit status[/bold]

      0    the app has proved that it signs in with its identity
      1    it refuses, or the app has not proved it in time; the text says why
      2    the command line is wrong, or your account sees no bot or app
           of this name, or several; nothing was done
      3    no sign-in, no answer, or not allowed
      130  Ctrl-C: run it again

    [bold]--json[/bold] prints one JSON object, as `switch` does.
    """
    execute(options, lambda target: plan_federated(target, identity))


def plan_federated(target: Target, identity_name: str = "") -> Plan:
    """The registration trusts the app's identity, and the app signs in with it.

    Raises:
        AzureProblem: the bot or the app cannot be found.
    """
    identity = AssignedIdentity(target, identity_name or identity_in_use(target))
    multi_tenant = (
        "a MultiTenant bot signs in at the channels' tenant, which does not trust your identity:"
        f" use a certificate, with {target.options.command_line('certificate')} --vault NAME"
    )

    def expected() -> dict[str, str]:
        return {"kind": FEDERATED, "appId": target.app_id}

    credential = FederatedCredential(target, identity)
    proof = ProvenSignIn(target, expected, if_slow=IF_SLOW)

    def is_new() -> bool:
        return credential.was_missing or (proof.has_failed and not target.answers_users())

    steps = (
        BotType(target, {USER_ASSIGNED_MSI: NO_REGISTRATION, MULTI_TENANT: multi_tenant}),
        DeployedCode(target),
        UnclaimedApp(target, lambda: {target.app_id}),
        identity,
        credential,
        AppSettings(
            target,
            lambda _: {
                **bot_settings(target, FEDERATED),
                "AZURE_CLIENT_ID": identity.client_id(),
            },
            question=lambda: question_if_live(target, expected()),
        ),
        proof,
        FreshSignIn(target, proof, is_new),
    )
    return credential_plan(target, steps)
