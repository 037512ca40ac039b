"""The guards that ask who answers the bot's users, and whether that app can sign in.

Each names one situation in which deleting the secret would strand the bot.
"""

import datetime

from bot_workbench.admin.azure.resources import host_of
from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.evidence.proof import Proof
from bot_workbench.admin.migrate.delete_secret.guards.obstacle import Guard, Obstacle
from bot_workbench.admin.plan.settings import setting
from bot_workbench.admin.plan.target import type_of
from bot_workbench.credential_kinds import (
    FEDERATED,
    MANAGED_IDENTITY,
    MULTI_TENANT,
    USER_ASSIGNED_MSI,
    WITH_CERTIFICATE,
)

MAX_PROOF_MINUTES = 10
MAX_CLOCK_SKEW_MINUTES = 2
NOT_FOUND, UNAVAILABLE = 404, 503
_WRITE = "Write to the bot, and run this command again"


def bot_has_no_registration(evidence: Evidence) -> Obstacle | None:
    """The bot is a managed identity, which has no secret."""
    if type_of(evidence.bot) != USER_ASSIGNED_MSI:
        return None
    return Obstacle(
        f"{evidence.old.options.bot} signs in with a managed identity, which has no secret",
        "To delete the secret of the bot that it replaces, name that one with --bot",
    )


def endpoint_is_elsewhere(evidence: Evidence) -> Obstacle | None:
    """The users do not reach the app that is asked for a proof."""
    if evidence.at_endpoint:
        return None
    options = evidence.live.options
    host = host_of(evidence.endpoint) or "no app"
    app = (evidence.site or {}).get("name") or ""
    cure = (
        f"Move the endpoint: `{options.command_line('switch', app=app)}`"
        if app
        else "Name the new Function App with --app, and move the endpoint with the command switch"
    )
    named = f", not {app}" if app else ", which is no app that your account sees"
    return Obstacle(f"the endpoint of {options.bot} is at {host}{named}", cure)


def app_is_another_program(evidence: Evidence) -> Obstacle | None:
    """The endpoint is still the old app's, which has no /api/identity."""
    if evidence.answer.status != NOT_FOUND:
        return None
    return Obstacle(
        f"{_app(evidence)} does not run this project's code: it has no /api/identity, so it may"
        " sign in with the secret",
        "Deploy the new app, and move the endpoint to it with the command switch",
    )


def app_cannot_sign_in(evidence: Evidence) -> Obstacle | None:
    """The app answers 503: no token, or wrong settings."""
    if evidence.answer.status != UNAVAILABLE:
        return None
    return Obstacle(
        f"{_app(evidence)} cannot sign in: its /api/identity answers 503",
        "Its log says why; docs/troubleshooting.md has the cures",
    )


def app_gives_no_proof(evidence: Evidence) -> Obstacle | None:
    """The app cannot be reached, or refuses the function key."""
    if evidence.answer.proof is not None:
        return None
    return Obstacle(
        f"{_app(evidence)} gives no proof of its sign-in: {evidence.answer.problem.rstrip('.')}",
        "Start the app, and check that its /api/identity answers",
    )


def app_signs_in_as_another_bot(evidence: Evidence) -> Obstacle | None:
    """The proof is of another id."""
    proof = proof_of(evidence)
    if proof.app_id == evidence.live_app_id:
        return None
    return Obstacle(
        f"{_app(evidence)} signs in as {proof.app_id or 'nobody'}, and the Azure Bot's id is"
        f" {evidence.live_app_id}",
        f"Set MicrosoftAppId of the app to {evidence.live_app_id}, or move the endpoint to the"
        " bot's own app",
    )


def settings_name_another_bot(evidence: Evidence) -> Obstacle | None:
    """The next process would sign in as somebody else."""
    named = setting(evidence.settings, "MicrosoftAppId")
    if named.lower() == evidence.live_app_id:
        return None
    return Obstacle(
        f"MicrosoftAppId in the settings of {_app(evidence)} is {named or 'missing'}, and the Azure"
        f" Bot's id is {evidence.live_app_id}",
        f"Set MicrosoftAppId to {evidence.live_app_id}",
    )


def credential_is_not_secretless(evidence: Evidence) -> Obstacle | None:
    """The app signs in with something that this command does not know, such as the secret."""
    kind, replaced = proof_of(evidence).kind, evidence.replaced
    if kind in ({MANAGED_IDENTITY} if replaced else {*WITH_CERTIFICATE, FEDERATED}):
        return None
    route = (
        "managed-identity first, or remove the tag replacedBy"
        if replaced
        else "certificate, or federated, first"
    )
    return Obstacle(
        f"{_app(evidence)} signs in with the credential {kind or '(none)'}, which does not replace"
        f" the secret of {evidence.old.options.bot}",
        f"Run the command {route}",
    )


def multi_tenant_with_federated(evidence: Evidence) -> Obstacle | None:
    """The channels' tenant, where a multi-tenant bot signs in, trusts no managed identity."""
    proof = proof_of(evidence)
    types = {proof.app_type, type_of(evidence.live_bot)}
    if proof.kind != FEDERATED or MULTI_TENANT not in types:
        return None
    return Obstacle(
        "the bot's type is MultiTenant, which cannot sign in with a federated credential",
        "Run the command certificate first",
    )


def token_is_for_another_cloud(evidence: Evidence) -> Obstacle | None:
    """A token that is not for the channels proves nothing."""
    proof, audience = proof_of(evidence), evidence.live.azure.cloud.channel_audience
    if proof.audience.rstrip("/").lower() == audience.rstrip("/").lower():
        return None
    return Obstacle(
        f"the token of {_app(evidence)} is for {proof.audience or 'nobody'}, and the channels"
        f" accept {audience}",
        "Check the app's settings ChannelService and ToChannelFromBotOAuthScope, or give --cloud",
    )


def no_outbound_call(evidence: Evidence) -> Obstacle | None:
    """Only a call shows that the channels accept the token."""
    if proof_of(evidence).last_outbound_call is not None:
        return None
    return Obstacle(
        f"{_app(evidence)} has not called a channel since it started (lastOutboundCall is empty)",
        _WRITE,
    )


def outbound_call_is_too_old(evidence: Evidence) -> Obstacle | None:
    """Much can have changed since."""
    last = proof_of(evidence).last_outbound_call
    age = evidence.now - last if last else datetime.timedelta()
    if age <= datetime.timedelta(minutes=MAX_PROOF_MINUTES):
        return None
    return Obstacle(
        f"the last call of {_app(evidence)} to a channel was {age.total_seconds() / 60:.0f} minutes"
        f" ago, and at most {MAX_PROOF_MINUTES} count",
        _WRITE,
    )


def outbound_call_is_in_the_future(evidence: Evidence) -> Obstacle | None:
    """A clock is wrong, so no age can be known."""
    last = proof_of(evidence).last_outbound_call
    ahead = last - evidence.now if last else datetime.timedelta()
    if ahead <= datetime.timedelta(minutes=MAX_CLOCK_SKEW_MINUTES):
        return None
    return Obstacle(
        f"the last call of {_app(evidence)} to a channel is {ahead.total_seconds() / 60:.0f}"
        " minutes in the future, by Azure's clock",
        "Correct the clock of the app's machine, write to the bot, and run this command again",
    )


def start_is_unknown(evidence: Evidence) -> Obstacle | None:
    """A restart could not be seen."""
    if proof_of(evidence).process_started_on is not None:
        return None
    return Obstacle(
        f"the code of {_app(evidence)} is older than this command: its /api/identity has no"
        " processStartedOn",
        "Deploy this version of the project",
    )


IDENTITY_OF_THE_APP: tuple[Guard, ...] = (
    bot_has_no_registration,
    endpoint_is_elsewhere,
    app_is_another_program,
    app_cannot_sign_in,
    app_gives_no_proof,
    app_signs_in_as_another_bot,
    settings_name_another_bot,
    credential_is_not_secretless,
    multi_tenant_with_federated,
    token_is_for_another_cloud,
    start_is_unknown,
)
"""Who answers, and as whom; in this order, because each needs what the ones before have found."""

FRESH_CALL: tuple[Guard, ...] = (
    no_outbound_call,
    outbound_call_is_in_the_future,
    outbound_call_is_too_old,
)
"""Whether the channels accept the app's calls now."""


def _app(evidence: Evidence) -> str:
    return str((evidence.site or {}).get("name") or host_of(evidence.endpoint))


def proof_of(evidence: Evidence) -> Proof:
    """The proof, which `app_gives_no_proof` has seen."""
    proof = evidence.answer.proof
    if proof is None:
        raise ValueError("the guards are not in their order")
    return proof
