"""The Retry-After header (RFC 9110, 10.2.3)."""

import contextlib
import datetime
import email.utils


def retry_after(text: str | None) -> float | None:
    """Seconds to wait, from the header's number of seconds or its date; None when it says none."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    with contextlib.suppress(ValueError, OverflowError):  # not a date either
        moment = email.utils.parsedate_to_datetime(text).replace(tzinfo=datetime.UTC)
        return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None
