"""Proof: what a deployed bot says at `/api/identity`, read as a proof of its sign-in."""

import datetime
from dataclasses import dataclass

from bot_workbench.admin.azure.json_object import JsonObject


@dataclass(frozen=True)
class Proof:
    """The facts that matter before a secret is deleted.

    Attributes:
        kind: of the credential: Certificate, Federated or ManagedIdentity.
        app_id: as whom the bot signs in (GUID).
        app_type: SingleTenant, MultiTenant or UserAssignedMSI.
        audience: the resource (URL) of the token.
        thumbprint: SHA-1 of the certificate in use, in upper-case hex; empty without one.
        certificate_expires_on: when it expires; None if unknown.
        last_outbound_call: when a call to a channel succeeded last; None: not since the start.
        process_started_on: when the process that answered loaded the app; None: it does
            not say.
    """

    kind: str
    app_id: str
    app_type: str
    audience: str
    thumbprint: str
    certificate_expires_on: datetime.datetime | None
    last_outbound_call: datetime.datetime | None
    process_started_on: datetime.datetime | None

    @classmethod
    def from_facts(cls, facts: JsonObject) -> "Proof":
        """The proof in the answer of `/api/identity`."""
        return cls(
            kind=_text(facts, "kind"),
            app_id=_text(facts, "appId").lower(),
            app_type=_text(facts, "appType"),
            audience=_text(facts, "audience"),
            thumbprint=_text(facts, "certificateThumbprint").upper(),
            certificate_expires_on=moment(facts.get("certificateExpiresOn")),
            last_outbound_call=moment(facts.get("lastOutboundCall")),
            process_started_on=moment(facts.get("processStartedOn")),
        )


def moment(text: object) -> datetime.datetime | None:
    """An ISO 8601 time with its offset (UTC without one); None if it is none."""
    try:
        found = datetime.datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _text(facts: JsonObject, name: str) -> str:
    return str(facts.get(name) or "")
