"""`migrate federated`: the bot's app registration trusts the Function App's identity."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from bot_workbench.admin.azure.cloud import ManagementCloud
from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.steps.function_app import (
    app_settings,
    bot_settings,
    credential_plan,
    first_steps,
    question_if_live,
    restart_change,
)
from bot_workbench.admin.migrate.steps.identity import AssignedIdentity, identity_in_use
from bot_workbench.admin.migrate.steps.proof import Proof, unavailable_note
from bot_workbench.admin.plan.options import IdentityOption, Options
from bot_workbench.admin.plan.run import execute
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Change, Finding, Plan, Step
from bot_workbench.admin.plan.target import Target
from bot_workbench.credential_kinds import FEDERATED, MULTI_TENANT

MAX_CREDENTIALS = 20
"""Of one app registration (Microsoft reference: "federatedIdentityCredential resource type")."""

FIRST_NAME = "bot-identity"
FILE = "federated-credential.json"

SIGN_INS = 3
"""The number of processes that must sign in. Entra may refuse a new federated credential
(AADSTS70021) for a while, even after it has accepted it once: the servers that answer do not learn
of it together."""

BEFORE = """BEFORE=$(echo "$FACTS" | grep -o '"processStartedOn": *"[^"]*"' || echo none)"""

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
    execute(options, lambda target: federated_plan(target, identity))


def federated_plan(target: Target, identity_name: str = "") -> Plan:
    """The registration trusts the app's identity, and the app signs in with it.

    Args:
        target: the bot and the Function App.
        identity_name: of the app's identity; empty: the one that it uses, or a new one.

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

    def settings(_: Mapping[str, str]) -> Mapping[str, str]:
        return {**bot_settings(target, FEDERATED), "AZURE_CLIENT_ID": identity.client_id()}

    credential = FederatedCredential(target, identity)
    proof = Proof(target, expected, IF_SLOW)

    def is_new() -> bool:
        return credential.was_missing or (proof.has_failed and not target.answers_users())

    steps = [
        *first_steps(target, {MULTI_TENANT: multi_tenant}),
        Step(identity.title, identity.look),
        Step(credential.title, credential.look),
        app_settings(target, settings, question=lambda: question_if_live(target, expected())),
        Step(proof.title, proof.look),
        fresh_sign_in(target, proof, is_new),
    ]
    return credential_plan(target, steps)


@dataclass(frozen=True)
class Difference:
    """A value of a credential that is not as it must be.

    Attributes:
        name: Graph's property: issuer, subject or audiences.
        given: what the credential has.
        wanted: what the identity's tokens have.
    """

    name: str
    given: object
    wanted: object


@dataclass(frozen=True)
class Trust:
    """The values that Entra compares, character by character, with the claims of the identity's
    token. It accepts wrong values when the credential is created.

    Attributes:
        issuer: URL of the tenant.
        subject: principal id of the identity (GUID).
        audience: URI, by cloud.
    """

    issuer: str
    subject: str
    audience: str

    @classmethod
    def of(cls, cloud: ManagementCloud, tenant_id: str, principal_id: str) -> "Trust":
        """The trust in an identity.

        Args:
            cloud: the cloud.
            tenant_id: the identity's tenant (GUID).
            principal_id: the identity's principal id (GUID).
        """
        issuer = f"{cloud.authority}/{tenant_id}/v2.0"
        return cls(issuer, principal_id, cloud.federation_audience)

    def differences(self, found: JsonObject) -> list[Difference]:
        """Where a credential, as Graph returns it, differs; empty: nowhere."""
        wanted = {"issuer": self.issuer, "subject": self.subject, "audiences": [self.audience]}
        return [
            Difference(name, found.get(name), value)
            for name, value in wanted.items()
            if found.get(name) != value
        ]

    def resembles(self, found: JsonObject) -> bool:
        """Whether a credential is meant for the same identity, whatever its audience."""
        issuer, subject = str(found.get("issuer") or ""), str(found.get("subject") or "")
        return (
            subject.lower() == self.subject.lower()
            and issuer.lower().rstrip("/") == self.issuer.lower()
        )


class FederatedCredential:
    """The app registration has a federated credential for the app's identity.

    Args:
        target: the bot, with its app registration.
        identity: of the Function App.
        may_be_new: whether a registration that Graph does not show may have just been made.

    Attributes:
        was_missing: whether a look has found that it must be added.
    """

    title = "Federated credential on the app registration"

    def __init__(
        self,
        target: Target,
        identity: AssignedIdentity,
        may_be_new: Callable[[], bool] = lambda: False,
    ) -> None:
        self._target = target
        self._identity = identity
        self._may_be_new = may_be_new
        self.was_missing = False

    def look(self) -> Finding:
        """Compare the registration's federated credentials with the identity.

        Raises:
            AzureProblem: the directory or the identity cannot be read.
        """
        try:
            return self._compared()
        except NotFound:
            if not self._may_be_new():
                raise
            return Finding("Microsoft Graph does not show the app registration yet", waiting=True)

    def _compared(self) -> Finding:
        application = self._target.application()
        tenant = str(self._target.bot()["properties"].get("msaAppTenantId") or "")
        if elsewhere := self._other_tenant(tenant):
            return elsewhere
        azure, app_id, object_id = self._target.azure, self._target.app_id, str(application["id"])
        trust = Trust.of(azure.cloud, tenant, self._identity.principal_id())
        found = azure.graph.federated_credentials(object_id)
        for each in found:
            if not trust.differences(each):
                return Finding(f"the app registration trusts the identity, as {each.get('name')!r}")
        text = f"none of the {len(found)} federated credentials is for the identity"
        for each in found:
            if trust.resembles(each):
                return Finding(text, refusal=_mismatch(trust, each, app_id))
        if len(found) >= MAX_CREDENTIALS:
            return Finding(
                text,
                refusal=f"the app registration has {len(found)} federated credentials, and"
                f" {MAX_CREDENTIALS} are allowed: delete one that nobody uses (`az ad app"
                f" federated-credential list --id {app_id}`)",
            )
        self.was_missing = True
        body: JsonObject = {
            "name": _free_name({str(each.get("name") or "").lower() for each in found}),
            "issuer": trust.issuer,
            "subject": trust.subject,
            "audiences": [trust.audience],
        }
        options = {"--id": app_id, "--parameters": f"@{FILE}"}
        change = Change(
            method="POST",
            url=azure.graph.url(f"/applications/{object_id}/federatedIdentityCredentials"),
            body=body,
            summary=f"Add the federated credential {body['name']} to the app registration, which"
            f" then accepts the tokens of the identity {trust.subject}",
            az=(
                # Not quoted, so that a variable in it is replaced; no value has a $ of its own.
                f"cat > {FILE} <<JSON",
                json.dumps(body, indent=2),
                "JSON",
                az("ad app federated-credential create", options),
            ),
            service="graph",
            # Of a credential with this issuer and subject that the list did not show yet.
            done_codes=frozenset({"InvalidFederatedIdentityCredentialValue"}),
        )
        return Finding(text, changes=(change,))

    def _other_tenant(self, tenant: str) -> Finding | None:
        actual = self._identity.tenant_id()
        if actual.startswith("$") or actual.lower() == tenant.lower():
            return None
        name = self._identity.resource_id().rsplit("/", 1)[-1]
        return Finding(
            f"the identity {name} is in the tenant {actual}",
            refusal=f"the app registration is in the tenant {tenant}, and the identity {name} in"
            f" {actual}: an app registration trusts identities of its own tenant only. Deploy the"
            " Function App in a subscription of the registration's tenant, or use a certificate"
            f" ({self._target.options.command_line('certificate')} --vault NAME)",
        )


def _mismatch(trust: Trust, found: JsonObject, app_id: str) -> str:
    """Entra accepts one credential for an issuer and subject, and compares them exactly."""
    wrong = [
        f"{one.name} is {one.given!r}, and must be {one.wanted!r}"
        for one in trust.differences(found)
    ]
    name = found.get("name")
    return (
        f"the federated credential {name!r} is for this identity, but Entra compares exactly:"
        f" {'; '.join(wrong)}. If nobody uses it, delete it (`az ad app federated-credential"
        f" delete --id {app_id} --federated-credential-id {name}`), and run the command again"
    )


def _free_name(taken: set[str]) -> str:
    """A name that no other credential has: it cannot be changed later."""
    names = [FIRST_NAME, *(f"{FIRST_NAME}-{number}" for number in range(2, MAX_CREDENTIALS + 2))]
    return next(name for name in names if name not in taken)


def fresh_sign_in(target: Target, proof: Proof, is_new: Callable[[], bool]) -> Step:
    """The app is restarted until SIGN_INS of its processes have signed in with a new credential.

    A process answers from its token for up to an hour, so that only another one signs in again.
    Other instances of the app count.

    Args:
        target: has the app.
        proof: asks the app.
        is_new: whether the credential is so new that Entra may still refuse it. If not, nothing is
            restarted.
    """
    restarted: set[str] = set()
    unavailable_before: int | None = None

    def look() -> Finding:
        nonlocal unavailable_before
        if not is_new():
            return Finding("the credential is not new: the app has signed in with it before")
        if target.options.dry_run:
            text = f"{SIGN_INS} processes of the app must sign in, one after the other"
            return Finding(text, tuple(map(restart, range(2, SIGN_INS + 1))))
        if unavailable_before is None:
            unavailable_before = proof.unavailable
        found = proof.look()
        if found.waiting:
            return found
        text = f"{len(proof.processes)} of {SIGN_INS} processes of the app have signed in"
        if len(proof.processes) >= SIGN_INS:
            times = proof.unavailable - unavailable_before
            return Finding(text, notes=unavailable_note(times, " since the first had signed in"))
        if proof.processes == restarted:
            return Finding(f"{text}; the restart is not over", waiting=True)
        return Finding(text, changes=(restart(len(proof.processes) + 1),))

    def restart(number: int) -> Change:
        purpose = f"so that its next token is a new sign-in ({number} of {SIGN_INS})"
        change = restart_change(target, purpose)
        return replace(
            change,
            az=(BEFORE, *change.az, *proof.loop_after_restart()),
            send=partial(send, change.url),
        )

    def send(url: str) -> None:
        target.azure.arm.send("POST", url)
        restarted.update(proof.processes)

    return Step("Proof by restarted processes", look)
