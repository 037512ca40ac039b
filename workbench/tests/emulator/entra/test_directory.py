"""Directory: one tenant's applications, service principals and sign-ins."""

import datetime

import pytest
from cryptography import x509

from bot_workbench.emulator.entra.credentials import CLIENT_SECRET, KeyCredential, UsedCredential
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from tests.emulator.registered_bot import (
    APP_ID,
    BOT_FRAMEWORK,
    MANAGED_IDENTITY,
    PRINCIPAL,
    TENANT,
    UNKNOWN,
)
from tests.support.timing.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(clock: Clock) -> Directory:
    directory = Directory(TENANT)
    directory.clock = clock
    return directory


def test_an_application_is_found_by_its_id(directory: Directory) -> None:
    """In any case, and with the tenant and the type of its audience."""
    made = directory.add_application("contoso-bot")
    assert directory.find(made.app_id.upper()) is made
    assert (made.tenant_id, made.app_type, made.audience) == (
        TENANT,
        "SingleTenant",
        "AzureADMyOrg",
    )
    multi = directory.add_application("contoso-bot", audience="AzureADMultipleOrgs")
    assert (multi.app_type, multi.audience) == ("MultiTenant", "AzureADMultipleOrgs")
    assert directory.find(UNKNOWN) is None


def test_service_principals_are_those_of_applications_and_identities(
    directory: Directory,
) -> None:
    """A bot's managed identity is no application; an application may have none."""
    made = directory.add_application("contoso-bot")
    directory.add_application("without").service_principal_id = ""
    directory.add(Registration(MANAGED_IDENTITY, TENANT, "UserAssignedMSI"))
    directory.add_identity(PRINCIPAL, MANAGED_IDENTITY)
    found = {each.object_id: each.kind for each in directory.service_principals()}
    assert found == {made.service_principal_id: "Application", PRINCIPAL: "ManagedIdentity"}
    principal = directory.service_principal(PRINCIPAL)
    assert principal
    assert principal.app_id == MANAGED_IDENTITY
    assert directory.service_principal(UNKNOWN) is None


def test_a_secret_has_dates(directory: Directory, clock: Clock) -> None:
    """It starts now and ends after so many days; an expired one has ended before now."""
    made = directory.add_application("contoso-bot")
    value = directory.add_secret(made, name="portal", ends_in_days=30)
    directory.add_secret(made, ends_in_days=-1)
    first, expired = made.secrets
    assert first.has(value)
    assert not expired.has(value)
    assert first.display_name == "portal"
    assert first.start.timestamp() == clock.now
    assert first.end - first.start == datetime.timedelta(days=30)
    assert expired.end < directory.now()


def test_a_new_clock_is_also_the_applications(directory: Directory) -> None:
    """Applications that were registered before the clock was replaced keep no older one."""
    made = directory.add_application("contoso-bot")
    directory.clock = Clock(86400.0)
    assert made.clock() == 86400.0


def test_a_sign_in_is_dated(directory: Directory, clock: Clock) -> None:
    """By the directory's clock."""
    used = UsedCredential(CLIENT_SECRET, "key id")
    directory.record_sign_in(APP_ID, used, BOT_FRAMEWORK)
    (sign_in,) = directory.sign_ins
    assert (sign_in.when, sign_in.credential) == (clock.now, used)


def test_a_certificate_keeps_its_details(certificate: x509.Certificate) -> None:
    """Its key id stays, details that a client chose are kept, and a removed one starts anew."""
    made = Registration(APP_ID, TENANT, "SingleTenant")
    made.register(certificate)
    first = made.key_credential(certificate)
    assert made.key_credentials() == [first]
    assert first.end == certificate.not_valid_after_utc
    chosen = KeyCredential(certificate, first.start, first.end, display_name="CN=chosen")
    made.add_key(chosen)
    assert made.key_credentials() == [chosen]
    made.withdraw(certificate)
    made.register(certificate)
    assert made.key_credential(certificate).key_id not in (first.key_id, chosen.key_id)
