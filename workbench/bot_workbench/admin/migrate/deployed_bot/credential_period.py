"""When the credentials of an app registration can be used, as Graph returns these."""

import datetime

from bot_workbench.admin.azure.json_object import JsonObject

VALID, EXPIRED, NOT_YET = "valid", "expired", "not yet valid"
SOON_DAYS = 30


def state_of(credential: JsonObject) -> str:
    """VALID, EXPIRED or NOT_YET, of a secret or a certificate."""
    now = datetime.datetime.now(datetime.UTC)
    start, end = _time(credential, "startDateTime"), _time(credential, "endDateTime")
    if end is not None and end <= now:
        return EXPIRED
    return NOT_YET if start is not None and start > now else VALID


def ends_soon(credential: JsonObject) -> bool:
    """Whether it ends within SOON_DAYS, or has ended."""
    end = _time(credential, "endDateTime")
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=SOON_DAYS)
    return end is not None and end <= soon


def last_day(credential: JsonObject) -> str:
    """The day (ISO 8601) on which it ends; empty: it has no end."""
    return str(credential.get("endDateTime") or "")[:10]


def has_usable_secret(application: JsonObject) -> bool:
    """Whether an app registration has a secret that has not expired."""
    secrets = application.get("passwordCredentials") or ()
    return any(state_of(each) == VALID for each in secrets)


def _time(credential: JsonObject, name: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(str(credential.get(name)))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
