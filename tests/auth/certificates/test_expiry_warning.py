"""ExpiryWarning: from when on, with what text, and how often."""

import logging
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from auth.certificates.certificate import Certificate
from auth.certificates.private_key import LocalKey
from auth.certificates.versions import DAY_SECONDS, WARN_BEFORE_SECONDS, ExpiryWarning
from bot_workbench.emulator.certificates import self_signed
from tests.support.timing.clock import Clock


@pytest.fixture
def certificate(key: rsa.RSAPrivateKey) -> Certificate:
    """It has about a hundred days left."""
    return Certificate(self_signed("bot", key, ends_in_days=100), LocalKey(key))


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def warning(clock: Clock) -> ExpiryWarning:
    return ExpiryWarning(clock)


@pytest.mark.parametrize(
    ("seconds", "days"),
    [
        (30 * DAY_SECONDS - 1, 29),
        (29 * DAY_SECONDS, 29),
        (29 * DAY_SECONDS - 1, 28),
        (DAY_SECONDS, 1),
        (DAY_SECONDS - 1, 0),
        (0, 0),
        (-40 * DAY_SECONDS, 0),
    ],
)
def test_an_expiry_that_is_near(
    seconds: float, days: int, warning: ExpiryWarning, certificate: Certificate, clock: Clock
) -> None:
    """From thirty days before its end on, the text has the certificate, whole days and the cure."""
    clock.now = certificate.expires_on - seconds
    assert warning.text(certificate) == (
        f"The certificate {certificate} expires soon (days left: {days}): make a new version, and"
        " upload its public key to the app registration"
    )


def test_an_expiry_that_is_far(
    warning: ExpiryWarning,
    certificate: Certificate,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until then there is nothing to tell."""
    assert WARN_BEFORE_SECONDS == 30 * DAY_SECONDS
    clock.now = certificate.expires_on - 30 * DAY_SECONDS
    assert warning.text(certificate) == ""
    warning.log(certificate)
    assert caplog.messages == []


def test_once_a_day(
    warning: ExpiryWarning,
    certificate: Certificate,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log gets one warning a day, with the days that are left."""
    clock.now = certificate.expires_on - 10 * DAY_SECONDS
    logged: list[tuple[int, str]] = []
    for hour in range(50):
        warning.log(certificate)
        logged += [(hour, text) for text in caplog.messages]
        caplog.clear()
        clock.advance(3600)
    assert [hour for hour, _ in logged] == [0, 24, 48]
    for days, (_, text) in zip((10, 9, 8), logged, strict=True):
        assert f"days left: {days})" in text


def test_it_is_a_warning(
    warning: ExpiryWarning,
    certificate: Certificate,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is logged is the text, as a warning."""
    clock.now = certificate.expires_on - DAY_SECONDS
    warning.log(certificate)
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, warning.text(certificate))
