"""The obstacles to deleting a secret: the situations in which that would strand somebody.

Each function yields the obstacles of one kind. Only the first one counts: each needs what those
before it have not found, and reads what those before it do not need.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.resources import answers_at, host_of
from bot_workbench.admin.migrate.certificate.app_registration import KeyCredentials, ends
from bot_workbench.admin.migrate.delete_secret.evidence import Evidence, moment
from bot_workbench.admin.migrate.delete_secret.secret_holders import command_of
from bot_workbench.admin.migrate.federated import Difference, Trust
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.migrate.switch import SWITCHED_ON
from bot_workbench.admin.plan.settings import setting
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.target import endpoint_of, type_of
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

MIN_VALID_DAYS = 7
"""A certificate that ends sooner is no credential to rely on alone."""

RECENT_HOURS = 24
"""The time for which a secret must not have been used, if the Azure Bot's tags do not say when the
endpoint moved."""

LAST_TURN_SECONDS = 60
"""The time after the switch in which a turn of the old app may still sign in: one that was under
way."""

_WRITE = "Write to the bot, and run this command again"
_IGNORE = "or, if nobody needs that, add --ignore-other-use"


@dataclass(frozen=True)
class Obstacle:
    """A reason, and what removes it; a line each.

    Attributes:
        reason: what was found.
        cure: what to do.
    """

    reason: str
    cure: str

    def __str__(self) -> str:
        return f"{self.reason}.\n{self.cure}."


def first_obstacle(evidence: Evidence, *, fresh_call: bool) -> Obstacle | None:
    """The obstacle to deleting the secrets, but for others who use them; None: there is none.

    Args:
        evidence: of this moment.
        fresh_call: whether a call to a channel is part of the proof.

    Raises:
        AzureProblem: something cannot be read. Then nothing may be deleted either.
    """
    credential = replaced_bot if evidence.replaced else remaining_credential
    calls = outbound_call(evidence) if fresh_call else ()
    return next(
        chain(
            sign_in_of_the_app(evidence),
            registration_is_unknown(evidence),
            credential(evidence),
            calls,
        ),
        None,
    )


def sign_in_of_the_app(evidence: Evidence) -> Iterator[Obstacle]:
    """Who answers the bot's users, and as whom that app signs in."""
    name, options = evidence.old.options.bot, evidence.live.options
    if type_of(evidence.bot) == USER_ASSIGNED_MSI:
        yield Obstacle(
            f"{name} signs in with a managed identity, which has no secret",
            "To delete the secret of the bot that it replaces, name that one with --bot",
        )
    site, endpoint = evidence.site or {}, endpoint_of(evidence.live_bot)
    if not answers_at(site, endpoint):
        found, host = str(site.get("name") or ""), host_of(endpoint) or "no app"
        named = f", not {found}" if found else ", which is no app that your account sees"
        cure = (
            f"Move the endpoint: `{options.command_line('switch', app=found)}`"
            if found
            else "Name the new Function App with --app, and move the endpoint with the command"
            " switch"
        )
        yield Obstacle(f"the endpoint of {options.bot} is at {host}{named}", cure)
    app, answer = str(site.get("name") or host_of(endpoint)), evidence.answer
    if answer.status == NOT_FOUND:
        yield Obstacle(
            f"{app} does not run this project's code: it has no /api/identity, so it may sign in"
            " with the secret",
            "Deploy the new app, and move the endpoint to it with the command switch",
        )
    if answer.status == UNAVAILABLE:
        yield Obstacle(
            f"{app} cannot sign in: its /api/identity answers 503",
            "Its log says why; docs/troubleshooting.md has the cures",
        )
    if not answer.facts:
        yield Obstacle(
            f"{app} gives no proof of its sign-in: {answer.problem.rstrip('.')}",
            "Start the app, and check that its /api/identity answers",
        )
    bot_id = str(evidence.live_bot["properties"]["msaAppId"]).lower()
    signs_in_as = evidence.fact("appId").lower()
    if signs_in_as != bot_id:
        yield Obstacle(
            f"{app} signs in as {signs_in_as or 'nobody'}, and the Azure Bot's id is {bot_id}",
            f"Set MicrosoftAppId of the app to {bot_id}, or move the endpoint to the bot's own app",
        )
    # The next process would sign in as somebody else.
    in_settings = setting(evidence.settings, "MicrosoftAppId")
    if in_settings.lower() != bot_id:
        yield Obstacle(
            f"MicrosoftAppId in the settings of {app} is {in_settings or 'missing'}, and the Azure"
            f" Bot's id is {bot_id}",
            f"Set MicrosoftAppId to {bot_id}",
        )
    kind = evidence.fact("kind")
    if kind not in ({MANAGED_IDENTITY} if evidence.replaced else {*WITH_CERTIFICATE, FEDERATED}):
        route = (
            "managed-identity first, or remove the tag replacedBy"
            if evidence.replaced
            else "certificate, or federated, first"
        )
        yield Obstacle(
            f"{app} signs in with the credential {kind or '(none)'}, which does not replace the"
            f" secret of {name}",
            f"Run the command {route}",
        )
    # The channels' tenant, where a multi-tenant bot signs in, trusts no managed identity.
    if kind == FEDERATED and MULTI_TENANT in {evidence.fact("appType"), type_of(evidence.live_bot)}:
        yield Obstacle(
            "the bot's type is MultiTenant, which cannot sign in with a federated credential",
            "Run the command certificate first",
        )
    # A token that is not for the channels proves nothing.
    audience, wanted = evidence.fact("audience"), evidence.live.azure.cloud.channel_audience
    if audience.rstrip("/").lower() != wanted.rstrip("/").lower():
        yield Obstacle(
            f"the token of {app} is for {audience or 'nobody'}, and the channels accept {wanted}",
            "Check the app's settings ChannelService and ToChannelFromBotOAuthScope, or give"
            " --cloud",
        )
    if evidence.started is None:  # a restart could not be seen
        yield Obstacle(
            f"the code of {app} is older than this command: its /api/identity has no"
            " processStartedOn",
            "Deploy this version of the project",
        )


def outbound_call(evidence: Evidence) -> Iterator[Obstacle]:
    """Whether the channels accept the app's calls now: only a call shows that they accept the
    token, and much can have changed since an old one."""
    site = evidence.site or {}
    app = str(site.get("name") or host_of(endpoint_of(evidence.live_bot)))
    if evidence.called is None:
        yield Obstacle(
            f"{app} has not called a channel since it started (lastOutboundCall is empty)", _WRITE
        )
        return
    minutes = (evidence.now - evidence.called).total_seconds() / 60
    if -minutes > MAX_CLOCK_SKEW_MINUTES:  # so no age can be known
        yield Obstacle(
            f"the last call of {app} to a channel is {-minutes:.0f} minutes in the future, by"
            " Azure's clock",
            "Correct the clock of the app's machine, write to the bot, and run this command again",
        )
    if minutes > MAX_PROOF_MINUTES:
        yield Obstacle(
            f"the last call of {app} to a channel was {minutes:.0f} minutes ago, and at most"
            f" {MAX_PROOF_MINUTES} count",
            _WRITE,
        )


def registration_is_unknown(evidence: Evidence) -> Iterator[Obstacle]:
    """Whether the registration cannot be read, so that nothing of it can be checked."""
    if evidence.registration is None:
        yield Obstacle(
            f"the directory of your account has no app registration {evidence.app_id}",
            "Sign in to the registration's own tenant: `az login --tenant TENANT`",
        )


def remaining_credential(evidence: Evidence) -> Iterator[Obstacle]:
    """Whether the bot can still sign in without the secret."""
    if evidence.fact("kind") in WITH_CERTIFICATE:
        yield from _certificate(evidence)
    if evidence.fact("kind") == FEDERATED:
        yield from _federated_credential(evidence)


def _certificate(evidence: Evidence) -> Iterator[Obstacle]:
    thumbprint = evidence.fact("certificateThumbprint").upper()
    soon = evidence.now + datetime.timedelta(days=MIN_VALID_DAYS)
    if not thumbprint:
        yield Obstacle(
            "the app signs in with a certificate, but does not say which (certificateThumbprint)",
            "Deploy this version of the project",
        )
    # The app works only until Entra notices, or with another key than the one that was checked.
    entries = KeyCredentials(tuple((evidence.registration or {}).get("keyCredentials") or ()))
    keys = [key for key in entries.of(thumbprint) if key.get("usage", "Verify") == "Verify"]
    if not keys:
        yield Obstacle(
            f"the certificate {thumbprint}, with which the app signs in, is not on the app"
            " registration",
            "Add it with the command certificate",
        )
    # Entra refuses the certificate from its key's end on, whatever its own end is.
    end = max(map(ends, keys))
    if end <= soon:
        yield Obstacle(
            f"the app registration accepts the certificate until {end:%Y-%m-%d} only",
            "Renew it with the command certificate rotate",
        )
    starts = [moment(key.get("startDateTime")) for key in keys]
    if not any(start is None or start <= evidence.now for start in starts):
        yield Obstacle(
            "the app registration does not accept the certificate yet",
            "Wait until the start of its validity, which the command status shows",
        )
    expires = moment(evidence.fact("certificateExpiresOn"))
    if expires is None or expires <= soon:
        when = f"{expires:%Y-%m-%d}" if expires else "an unknown day"
        yield Obstacle(
            f"the certificate with which the app signs in expires on {when}, and it would be the"
            " bot's only credential",
            "Renew it with the command certificate rotate",
        )


def _federated_credential(evidence: Evidence) -> Iterator[Obstacle]:
    identity = evidence.identity
    if not identity:
        yield Obstacle(
            f"no identity of the app has the client id {evidence.identity_client_id or '(none)'} of"
            " its setting AZURE_CLIENT_ID",
            "Run the command federated, which assigns it",
        )
        return
    if not evidence.federated:
        yield Obstacle(
            "the app registration has no federated credential", "Add it with the command federated"
        )
    # Entra compares issuer, subject and audience letter by letter; a wrong one looks right.
    tenant, principal = str(identity.get("tenantId")), str(identity.get("principalId"))
    trust = Trust.of(evidence.live.azure.cloud, tenant, principal)
    nearest = min((trust.differences(each) for each in evidence.federated), key=_unlikeness)
    if nearest:
        wrong = nearest[0]
        yield Obstacle(
            f"no federated credential is the app's identity: {wrong.name} is {wrong.given!r}, and"
            f" must be {wrong.wanted!r}, letter by letter",
            "Correct it with the command federated",
        )


def _unlikeness(differences: list[Difference]) -> int:
    """The degree to which a credential differs; in upper and lower case only counts less."""
    return sum(1 + (str(one.given).lower() != str(one.wanted).lower()) for one in differences)


def replaced_bot(evidence: Evidence) -> Iterator[Obstacle]:
    """Whether the app of a bot that another one replaces would stop answering those who have not
    moved."""
    site = evidence.old_site
    if site is not None and _state(site) != "stopped":
        stop = f"az {command_of(site)} stop --ids {quoted(site['id'])}"
        yield Obstacle(
            f"{site['name']}, the app of {evidence.old.options.bot}, still runs, and its users"
            " would get no answer",
            f"Stop it, and wait some days: `{stop}`",
        )


def _state(site: JsonObject) -> str:
    return str((site.get("properties") or {}).get("state")).lower()


def other_use(evidence: Evidence) -> Iterator[Obstacle]:
    """Whether anything but the bot needs the secret. `--ignore-other-use` passes this over."""
    bot, report = evidence.old.options.bot, evidence.sign_ins
    switched = moment(tags_of(evidence.bot).get(SWITCHED_ON))
    since = evidence.now - datetime.timedelta(hours=RECENT_HOURS)
    period, wait = f"within the last {RECENT_HOURS} hours", f"; wait {RECENT_HOURS} hours"
    if switched is not None and not evidence.replaced:
        since = switched + datetime.timedelta(seconds=LAST_TURN_SECONDS)
        period, wait = f"after the bot had stopped using it at {since:%Y-%m-%d %H:%M}", ""
    for secret in evidence.secrets:
        used = report.last_used.get(str(secret["keyId"]).lower())
        if used is not None and used > since:
            yield Obstacle(
                f"the secret {secret['keyId']} was used to sign in at {used:%Y-%m-%d %H:%M} UTC,"
                f" {period}",
                "Find who it is (Entra ID, Sign-in logs, Service principal sign-ins), and give them"
                f" another credential{wait}, {_IGNORE}",
            )
    if connections := evidence.holders.connections:
        yield Obstacle(
            f"users sign in through {', '.join(connections)}, with a secret of the app registration"
            f" {evidence.app_id}",
            "Let the connection use the provider AAD v2 with Federated Credentials, or another app"
            f" registration, {_IGNORE}",
        )
    live_id = str((evidence.site or {}).get("id") or "")
    old_id = str((evidence.old_site or {}).get("id") or "")
    if settings := evidence.holders.settings(live_id, old_id):
        yield Obstacle(
            f"{', '.join(settings)} may hold a secret of the app registration {evidence.app_id}",
            f"Move that app to another credential, and delete its setting, {_IGNORE}",
        )
    endpoint = endpoint_of(evidence.bot)
    if evidence.replaced and evidence.old_site is None and endpoint and report.problem:
        yield Obstacle(
            f"whether {bot} is still used is not known: your account sees no app with its endpoint"
            f" {endpoint}, and {report.problem}",
            f"{report.cure[:1].upper()}{report.cure[1:]}; when that app is stopped, empty the"
            f" endpoint of the Azure Bot, {_IGNORE}",
        )
