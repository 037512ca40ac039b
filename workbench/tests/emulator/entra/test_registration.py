"""Registration: Entra knows a certificate some time after its upload, and until it is withdrawn."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.certificates import self_signed
from bot_workbench.emulator.entra.credentials import EXCHANGE_AUDIENCE, TrustedSubject
from bot_workbench.emulator.entra.registration import Registration
from tests.emulator.registered_bot import APP_ID, TENANT
from tests.support.timing.clock import Clock


@pytest.fixture(scope="module")
def first(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("first", key)


@pytest.fixture(scope="module")
def second(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("second", key)


@pytest.fixture(scope="module")
def third(key: rsa.RSAPrivateKey) -> x509.Certificate:
    return self_signed("third", key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registration(clock: Clock) -> Registration:
    return Registration(APP_ID, TENANT, "SingleTenant", clock=clock)


def test_a_certificate_is_known_at_once(
    registration: Registration, first: x509.Certificate
) -> None:
    """Without a lag Entra knows a certificate as soon as it is uploaded."""
    registration.register(first)
    assert registration.certificates == [first]
    assert registration.known_certificates() == [first]


def test_a_certificate_is_known_after_its_lag(
    registration: Registration, clock: Clock, first: x509.Certificate, second: x509.Certificate
) -> None:
    """Until the lag is over Entra knows the older certificates only."""
    registration.register(first)
    registration.register(second, after=10.0)
    assert registration.certificates == [first, second]
    clock.advance(9.9)
    assert registration.known_certificates() == [first]
    clock.advance(0.2)
    assert registration.known_certificates() == [first, second]


def test_a_certificate_may_be_known_to_some_servers(
    registration: Registration, clock: Clock, first: x509.Certificate
) -> None:
    """While it spreads, it is accepted and then refused again, until its lag is over."""
    registration.intermittent = True
    registration.register(first, after=10.0)
    found = [registration.known_certificates() for _ in range(4)]
    assert found == [[], [first], [], [first]]
    clock.advance(10.0)
    assert registration.known_certificates() == registration.known_certificates() == [first]


def test_a_second_upload_changes_the_lag_only(
    registration: Registration, first: x509.Certificate
) -> None:
    """A certificate that is uploaded again is on the registration once, with the new lag."""
    registration.register(first, after=10.0)
    registration.register(first)
    assert registration.certificates == [first]
    assert registration.known_certificates() == [first]


def test_a_withdrawn_certificate_is_forgotten(
    registration: Registration, first: x509.Certificate, second: x509.Certificate
) -> None:
    """Entra refuses a removed certificate at once, whatever its lag, and accepts the others."""
    registration.register(first, after=10.0)
    registration.register(second)
    registration.withdraw(first)
    assert registration.known_certificates() == [second]
    registration.certificates.append(first)
    assert registration.known_certificates() == [second, first]


def test_what_is_not_uploaded_cannot_be_withdrawn(
    registration: Registration, first: x509.Certificate
) -> None:
    """Removing an unknown certificate raises ValueError."""
    with pytest.raises(ValueError, match="not in list"):
        registration.withdraw(first)


def test_the_newest_certificate_stays(
    registration: Registration,
    first: x509.Certificate,
    second: x509.Certificate,
    third: x509.Certificate,
) -> None:
    """All certificates but the newest are removed; an empty list is no error."""
    registration.withdraw_old()
    for certificate in (second, third, first):
        registration.register(certificate)
    registration.withdraw_old()
    assert registration.known_certificates() == [first]


def test_the_list_can_be_changed_itself(
    registration: Registration, first: x509.Certificate, second: x509.Certificate
) -> None:
    """A certificate added to the list is known at once, a removed one unknown."""
    registration.certificates.append(first)
    registration.register(second)
    registration.certificates[:] = [second]
    assert registration.known_certificates() == [second]
    registration.certificates.clear()
    assert registration.known_certificates() == []


def test_a_federated_credential_is_for_the_public_cloud() -> None:
    """Without an audience a federated credential has that of the public cloud."""
    assert TrustedSubject("https://issuer", "subject").audience == EXCHANGE_AUDIENCE
    assert EXCHANGE_AUDIENCE == "api://AzureADTokenExchange"
