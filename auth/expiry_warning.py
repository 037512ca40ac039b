"""ExpiryWarning: tells, while there is time, that a certificate is going to expire."""

import logging
from collections.abc import Callable

from auth.certificate import Certificate

DAY = 24 * 3600.0
"""Seconds."""

WARN_BEFORE = 30 * DAY
"""Seconds before the expiry from which it is warned of."""

log = logging.getLogger(__name__)


class ExpiryWarning:
    """Warns once a day, however often it is asked to.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = 0.0

    def text(self, certificate: Certificate) -> str:
        """The warning; empty while there is none to give."""
        left = certificate.expires_on - self._clock()
        if left >= WARN_BEFORE:
            return ""
        return (
            f"The certificate {certificate} expires soon (days left: {max(0, int(left // DAY))}):"
            " make a new version, and upload its public key to the app registration"
        )

    def log(self, certificate: Certificate) -> None:
        """Put the warning into the log, if there is one to give today."""
        now, text = self._clock(), self.text(certificate)
        if text and now >= self._next:
            self._next = now + DAY
            log.warning("%s", text)
