"""Callers: the claims of who sent an activity, and what the base has checked of them."""

import base64
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bot_workbench.emulator.recorder.recording import (
    Facts,
    RecordedTurn,
    Recording,
    Watching,
    current_turn,
)

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

TOKEN, ISSUER, EXPIRY, KEY = "token", "issuer", "expiry", "key"
SIGNATURE, AUDIENCE, CALLERS = "signature", "audience", "allowed callers"
OF_TOKEN = (TOKEN, ISSUER, EXPIRY, KEY, SIGNATURE, AUDIENCE, CALLERS)
"""The checks that need no activity, in their order."""

SERVICE_URL, ENDORSEMENT, HOST = "service URL", "endorsement", "channel host"
TENANT = "tenant"
OF_ACTIVITY = (SERVICE_URL, ENDORSEMENT, HOST, TENANT)
"""The checks that compare the token with the activity, in their order."""

REFUSALS = (
    ("the Authorization header is too long", TOKEN),
    ("there is no bearer token", TOKEN),
    ("not a JWT", TOKEN),
    ("the algorithm is not", TOKEN),
    ("the header asks for an extension", TOKEN),
    ("the header names no key", TOKEN),
    ("the issuer is not", ISSUER),
    ("exp or nbf is missing", EXPIRY),
    ("the token has expired", EXPIRY),
    ("the token is not valid yet", EXPIRY),
    ("the issuer has no signing key", KEY),
    ("the signature is wrong", SIGNATURE),
    ("the token is for another bot", AUDIENCE),
    ("the token is for another service URL", SERVICE_URL),
    ("the key does not endorse", ENDORSEMENT),
    ("the user's tenant", TENANT),
)
"""The beginnings of refusals' texts, and the check that has failed then."""

BY_ERROR = {"KeysUnavailable": KEY, "ServiceUrlRefused": HOST}
"""The check that has failed, by the class of the error."""

UNCHECKED = "DANGEROUSLY_ALLOW_UNAUTHENTICATED is set"


def authentication(recording: Recording, call: Facts) -> Watching:
    """The check of a caller's token: `BotAuthentication.authenticate`."""
    authorization, owner = call["authorization"], call["self"]
    was_known = authorization in owner._caller_check._tokens._verified
    outcome = yield
    turn = current_turn()
    if turn is None:
        return
    if outcome.error is None and outcome.result is None:
        _report(recording, turn, dict.fromkeys(OF_TOKEN, (SKIPPED, UNCHECKED)))
        return
    header, claims = _decoded(authorization)
    _report_claims(recording, turn, header, claims, is_verified=outcome.error is None)
    check = owner._caller_check
    details = _token_details(header, claims, check, was_known=was_known)
    if outcome.error is None and not check._bots.sent(outcome.result.claims):
        details[CALLERS] = (SKIPPED, "the caller is the channel")
    _report(recording, turn, _up_to(OF_TOKEN, details, outcome.error, CALLERS))


def authorization(recording: Recording, call: Facts) -> Watching:
    """The comparison of the token with the activity: `BotAuthentication.authorize`."""
    token, activity, check = call["token"], call["activity"], call["self"]._caller_check
    outcome = yield
    turn = current_turn()
    if turn is None or AUTHORIZED in turn.notes:  # a turn that runs again is authorized again
        return
    turn.notes.add(AUTHORIZED)
    details = _activity_details(activity, check)
    if token is None:
        details |= dict.fromkeys((SERVICE_URL, ENDORSEMENT), (SKIPPED, UNCHECKED))
    elif check._bots.sent(token.claims):
        reason = (SKIPPED, "another bot's token covers every activity")
        details |= dict.fromkeys((SERVICE_URL, ENDORSEMENT), reason)
    else:
        allowed = ", ".join(sorted(token.endorsements))
        details[ENDORSEMENT] = (PASSED, f"the key signs for {allowed}")
    _report(recording, turn, _up_to(OF_ACTIVITY, details, outcome.error, HOST))


def skill_authentication(recording: Recording, call: Facts) -> Watching:
    """The check of a skill that replies: `BotAuthentication.authenticate_channel_request`."""
    outcome = yield
    turn = current_turn()
    if turn is None:
        return
    header, claims = _decoded(call["auth_header"])
    _report_claims(recording, turn, header, claims, is_verified=outcome.error is None)
    details = _token_details(header, claims, call["self"]._caller_check, was_known=False)
    _report(recording, turn, _up_to(OF_TOKEN, details, outcome.error, CALLERS))


AUTHORIZED = "authorized"
"""Noted of a turn whose activity has been compared with the token."""

Result = tuple[str, str]
"""A check's outcome, and its detail."""


def _token_details(
    header: Mapping[str, Any], claims: Mapping[str, Any], check: Any, *, was_known: bool
) -> dict[str, Result]:
    """The results of a token's checks if they pass."""
    app_id = claims.get("appid") or claims.get("azp") or ""
    verified = "verified before, with the same key" if was_known else "verified with this key"
    return {
        TOKEN: (PASSED, f"a JWT, {header.get('alg')}"),
        ISSUER: (PASSED, str(claims.get("iss"))),
        EXPIRY: (PASSED, f"valid until {_time(claims.get('exp'))}"),
        KEY: (PASSED, str(header.get("kid"))),
        SIGNATURE: (PASSED, verified),
        AUDIENCE: (PASSED, f"{check._app_id}, this bot"),
        CALLERS: (PASSED, f"AllowedCallers has {app_id}"),
    }


def _activity_details(activity: Any, check: Any) -> dict[str, Result]:
    tenants = sys.modules["cloud_adapter.activities"].tenant_ids(activity)
    named = ", ".join(sorted(tenants)) or "none"
    return {
        SERVICE_URL: (PASSED, f"{activity.service_url} is the token's"),
        ENDORSEMENT: (PASSED, f"the key signs for {activity.channel_id}"),
        HOST: (PASSED, f"the bot may send replies to {activity.service_url}"),
        TENANT: (PASSED, f"AllowedTenants has {named}")
        if check._allowed_tenants
        else (SKIPPED, "AllowedTenants is not set"),
    }


def _up_to(
    names: Sequence[str],
    details: Mapping[str, Result],
    error: BaseException | None,
    otherwise: str,
) -> dict[str, Result]:
    """The checks' results: those before the failed one have passed, those after it did not run.

    Args:
        names: the checks in their order.
        details: of each, if it passes.
        error: the refusal; None: all have passed.
        otherwise: the check that has failed if the error does not say which one.
    """
    if error is None:
        return {name: details[name] for name in names}
    failed = names.index(_failed_check(error, otherwise))
    results = {name: details[name] for name in names[:failed]}
    results[names[failed]] = (FAILED, str(error))
    return results | dict.fromkeys(names[failed + 1 :], (SKIPPED, "not reached"))


def _failed_check(error: BaseException, otherwise: str) -> str:
    if (found := BY_ERROR.get(type(error).__name__)) is not None:
        return found
    text = str(error)
    return next((name for start, name in REFUSALS if text.startswith(start)), otherwise)


def _report(recording: Recording, turn: RecordedTurn, results: Mapping[str, Result]) -> None:
    for name, (outcome, detail) in results.items():
        recording.report("check", turn, name=name, outcome=outcome, detail=detail)


def _report_claims(
    recording: Recording,
    turn: RecordedTurn,
    header: Mapping[str, Any],
    claims: Mapping[str, Any],
    *,
    is_verified: bool,
) -> None:
    if claims or header:
        recording.report("claims", turn, claims=claims, header=header, verified=is_verified)


def _decoded(header_value: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a bearer token, which may be anything; never its signature."""
    parts = header_value.partition(" ")[2].split(".")
    header, claims = (_json(part) for part in [*parts, "", ""][:2])
    return {name: header[name] for name in ("alg", "kid", "typ") if name in header}, claims


def _json(part: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _time(seconds: object) -> str:
    """A claim's time; what is no time is shown as it is."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return f"{seconds!r:.80}"
