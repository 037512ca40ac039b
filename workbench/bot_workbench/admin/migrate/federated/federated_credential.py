"""FederatedCredential: the app registration trusts the tokens of the app's identity."""

import json
from collections.abc import Callable

from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.migrate.federated.trust import Trust
from bot_workbench.admin.migrate.steps.assigned_identity import AssignedIdentity
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

MAX_CREDENTIALS = 20
"""Of one app registration (Microsoft reference: "federatedIdentityCredential resource type")."""

FIRST_NAME = "bot-identity"
FILE = "federated-credential.json"


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
        self._graph: GraphClient = target.azure.graph
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
        cloud = self._target.azure.cloud
        trust = Trust.of(cloud, tenant, self._identity.principal_id())
        found = self._graph.federated_credentials(application["id"])
        for each in found:
            if not trust.differences(each):
                text = f"the app registration trusts the identity, as {each.get('name')!r}"
                return Finding(text)
        return self._missing(str(application["id"]), trust, found)

    def _missing(self, object_id: str, trust: Trust, found: list[JsonObject]) -> Finding:
        text = f"none of the {len(found)} federated credentials is for the identity"
        for each in found:
            if trust.resembles(each):
                return Finding(text, refusal=self._mismatch(trust, each))
        if len(found) >= MAX_CREDENTIALS:
            return Finding(
                text,
                refusal=f"the app registration has {len(found)} federated credentials, and"
                f" {MAX_CREDENTIALS} are allowed: delete one that nobody uses (`az ad app"
                f" federated-credential list --id {self._target.app_id}`)",
            )
        self.was_missing = True
        return Finding(text, changes=(self._addition(object_id, trust, found),))

    def _mismatch(self, trust: Trust, found: JsonObject) -> str:
        """Entra accepts one credential for an issuer and subject, and compares them exactly."""
        wrong = [
            f"{one.name} is {one.given!r}, and must be {one.wanted!r}"
            for one in trust.differences(found)
        ]
        name = found.get("name")
        return (
            f"the federated credential {name!r} is for this identity, but Entra compares exactly:"
            f" {'; '.join(wrong)}. If nobody uses it, delete it (`az ad app federated-credential"
            f" delete --id {self._target.app_id} --federated-credential-id {name}`), and run the"
            " command again"
        )

    def _addition(self, object_id: str, trust: Trust, found: list[JsonObject]) -> Change:
        body: JsonObject = {
            "name": _free_name({str(each.get("name") or "").lower() for each in found}),
            "issuer": trust.issuer,
            "subject": trust.subject,
            "audiences": [trust.audience],
        }
        return Change(
            method="POST",
            url=self._graph.url(f"/applications/{object_id}/federatedIdentityCredentials"),
            body=body,
            summary=f"Add the federated credential {body['name']} to the app registration, which"
            f" then accepts the tokens of the identity {trust.subject}",
            az=(
                # Not quoted, so that a variable in it is replaced; no value has a $ of its own.
                f"cat > {FILE} <<JSON",
                json.dumps(body, indent=2),
                "JSON",
                az(
                    "ad app federated-credential create",
                    {"--id": self._target.app_id, "--parameters": f"@{FILE}"},
                ),
            ),
            service="graph",
            # Of a credential with this issuer and subject that the list did not show yet.
            done_codes=frozenset({"InvalidFederatedIdentityCredentialValue"}),
        )

    def _other_tenant(self, tenant: str) -> Finding | None:
        resource_id = self._identity.resource_id()
        found = self._target.azure.arm.find(resource_id)
        actual = str((found or {}).get("properties", {}).get("tenantId") or "")
        if not actual or actual.lower() == tenant.lower():
            return None
        name = resource_id.rsplit("/", 1)[-1]
        return Finding(
            f"the identity {name} is in the tenant {actual}",
            refusal=f"the app registration is in the tenant {tenant}, and the identity {name} in"
            f" {actual}: an app registration trusts identities of its own tenant only. Deploy the"
            " Function App in a subscription of the registration's tenant, or use a certificate"
            f" ({self._target.options.command_line('certificate')} --vault NAME)",
        )


def _free_name(taken: set[str]) -> str:
    """A name that no other credential has: it cannot be changed later."""
    names = [FIRST_NAME, *(f"{FIRST_NAME}-{number}" for number in range(2, MAX_CREDENTIALS + 2))]
    return next(name for name in names if name not in taken)
