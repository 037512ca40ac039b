"""The guards that ask whether another usable credential remains on the app registration."""

import datetime

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.app_registration import (
    KeyCredentials,
    ends,
)
from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.evidence.proof import moment
from bot_workbench.admin.migrate.delete_secret.guards.answering_app import proof_of
from bot_workbench.admin.migrate.delete_secret.guards.obstacle import Guard, Obstacle
from bot_workbench.admin.migrate.federated import Difference, Trust
from bot_workbench.credential_kinds import FEDERATED, WITH_CERTIFICATE

MIN_VALID_DAYS = 7
"""A certificate that ends sooner is no credential to rely on alone."""


def registration_is_unknown(evidence: Evidence) -> Obstacle | None:
    """The registration cannot be read, so nothing of it can be checked."""
    if evidence.registration is not None:
        return None
    return Obstacle(
        f"the directory of your account has no app registration {evidence.app_id}",
        "Sign in to the registration's own tenant: `az login --tenant TENANT`",
    )


def certificate_is_unknown(evidence: Evidence) -> Obstacle | None:
    """The proof does not say which certificate the app signs in with."""
    proof = proof_of(evidence)
    if proof.kind not in WITH_CERTIFICATE or proof.thumbprint:
        return None
    return Obstacle(
        "the app signs in with a certificate, but does not say which (certificateThumbprint)",
        "Deploy this version of the project",
    )


def certificate_is_not_registered(evidence: Evidence) -> Obstacle | None:
    """The app works only until Entra notices, or with another key than the one that was checked."""
    proof = proof_of(evidence)
    if proof.kind not in WITH_CERTIFICATE or _keys(evidence):
        return None
    return Obstacle(
        f"the certificate {proof.thumbprint}, with which the app signs in, is not on the app"
        " registration",
        "Add it with the command certificate",
    )


def registered_key_has_ended(evidence: Evidence) -> Obstacle | None:
    """Entra refuses the certificate from its key's end on, whatever its own end is."""
    if proof_of(evidence).kind not in WITH_CERTIFICATE:
        return None
    end = max(ends(key) for key in _keys(evidence))
    if end > _soon(evidence):
        return None
    return Obstacle(
        f"the app registration accepts the certificate until {end:%Y-%m-%d} only",
        "Renew it with the command certificate rotate",
    )


def registered_key_has_not_started(evidence: Evidence) -> Obstacle | None:
    """Entra does not accept the certificate yet."""
    if proof_of(evidence).kind not in WITH_CERTIFICATE:
        return None
    starts = [moment(key.get("startDateTime")) for key in _keys(evidence)]
    if any(start is None or start <= evidence.now for start in starts):
        return None
    return Obstacle(
        "the app registration does not accept the certificate yet",
        "Wait until the start of its validity, which the command status shows",
    )


def certificate_has_expired(evidence: Evidence) -> Obstacle | None:
    """The certificate itself ends."""
    proof = proof_of(evidence)
    end = proof.certificate_expires_on
    if proof.kind not in WITH_CERTIFICATE or (end is not None and end > _soon(evidence)):
        return None
    when = f"{end:%Y-%m-%d}" if end else "an unknown day"
    return Obstacle(
        f"the certificate with which the app signs in expires on {when}, and it would be the bot's"
        " only credential",
        "Renew it with the command certificate rotate",
    )


def identity_is_not_assigned(evidence: Evidence) -> Obstacle | None:
    """The app has no identity that the registration could trust."""
    if proof_of(evidence).kind != FEDERATED or evidence.identity:
        return None
    return Obstacle(
        f"no identity of the app has the client id {evidence.identity_client_id or '(none)'} of its"
        " setting AZURE_CLIENT_ID",
        "Run the command federated, which assigns it",
    )


def federated_credential_is_missing(evidence: Evidence) -> Obstacle | None:
    """The registration trusts no managed identity."""
    if proof_of(evidence).kind != FEDERATED or evidence.federated:
        return None
    return Obstacle(
        "the app registration has no federated credential", "Add it with the command federated"
    )


def federated_credential_differs(evidence: Evidence) -> Obstacle | None:
    """Entra compares issuer, subject and audience letter by letter; a wrong one looks like a right
    one."""
    if proof_of(evidence).kind != FEDERATED:
        return None
    identity = evidence.identity or {}
    trust = Trust.of(
        evidence.live.azure.cloud, str(identity.get("tenantId")), str(identity.get("principalId"))
    )
    nearest = min((trust.differences(each) for each in evidence.federated), key=_unlikeness)
    if not nearest:
        return None
    wrong = nearest[0]
    return Obstacle(
        f"no federated credential is the app's identity: {wrong.name} is {wrong.given!r}, and must"
        f" be {wrong.wanted!r}, letter by letter",
        "Correct it with the command federated",
    )


REMAINING_CREDENTIAL: tuple[Guard, ...] = (
    registration_is_unknown,
    certificate_is_unknown,
    certificate_is_not_registered,
    registered_key_has_ended,
    registered_key_has_not_started,
    certificate_has_expired,
    identity_is_not_assigned,
    federated_credential_is_missing,
    federated_credential_differs,
)
"""Whether the bot can still sign in without the secret; in this order."""


def _soon(evidence: Evidence) -> datetime.datetime:
    return evidence.now + datetime.timedelta(days=MIN_VALID_DAYS)


def _keys(evidence: Evidence) -> tuple[JsonObject, ...]:
    entries = tuple((evidence.registration or {}).get("keyCredentials") or ())
    found = KeyCredentials(entries).of(proof_of(evidence).thumbprint)
    return tuple(key for key in found if key.get("usage", "Verify") == "Verify")


def _unlikeness(differences: list[Difference]) -> int:
    """The degree to which a credential differs; in upper and lower case only counts less."""
    return sum(1 + (str(one.given).lower() != str(one.wanted).lower()) for one in differences)
