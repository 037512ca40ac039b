"""KeyCredentials: what is sent to Graph of the certificates that are there."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.app_registration import (
    KeyCredentials,
    ends,
    entry_thumbprint,
)
from bot_workbench.admin.migrate.certificate.certificates import MAX_DISPLAY_NAME, PublicCertificate
from bot_workbench.emulator.certificates import self_signed
from tests.admin.migrate.route import key_thumbprint

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = PublicCertificate("bot-certificate", self_signed("bot", KEY))


def entry(key_id: str, **values: object) -> JsonObject:
    """An entry as Graph returns it."""
    return {
        "keyId": key_id,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "displayName": f"entry {key_id}",
        "startDateTime": "2026-01-01T00:00:00Z",
        "endDateTime": "2099-01-01T00:00:00.1234567Z",
        "customKeyIdentifier": "AA" * 20,
        "key": None,
        **values,
    }


def test_old_entries_are_sent_as_they_are() -> None:
    """An edited entry is refused, and one that is left out is deleted; `key` must be null."""
    old = [entry("1", key=PUBLIC.der), entry("2", customKeyIdentifier="own", extra=1)]
    assert KeyCredentials(tuple(old)).without() == [{**each, "key": None} for each in old]


def test_the_new_entry_ends_with_its_certificate() -> None:
    """Graph refuses an entry that ends later, and a name of more than 90 characters."""
    public = PublicCertificate("n" * 127, PUBLIC.public)
    made = public.key_credential()
    assert ends(made) == public.ends
    assert len(made["displayName"]) == MAX_DISPLAY_NAME
    assert made["displayName"].endswith(f" {public.thumbprint}")
    assert "keyId" not in made


def test_only_the_given_entries_are_left_out() -> None:
    """All others are sent as they are."""
    entries = (entry("1"), entry("2"), entry("3"))
    assert KeyCredentials(entries).without({"2"}) == [entries[0], entries[2]]


@pytest.mark.parametrize(
    "values",
    [
        {"key": PUBLIC.der},
        {"key": PUBLIC.der, "customKeyIdentifier": "AA" * 20},
        {"customKeyIdentifier": PUBLIC.thumbprint},
        {"customKeyIdentifier": PUBLIC.thumbprint.lower()},
        {"customKeyIdentifier": base64.b64encode(bytes.fromhex(PUBLIC.thumbprint)).decode()},
        {
            "customKeyIdentifier": base64.urlsafe_b64encode(bytes.fromhex(PUBLIC.thumbprint))
            .decode()
            .rstrip("=")
        },
        {"customKeyIdentifier": base64.b64encode(PUBLIC.thumbprint.encode()).decode()},
    ],
)
def test_a_thumbprint_is_read_in_every_spelling(values: JsonObject) -> None:
    """Hex, base64, base64url, or computed from the certificate itself, which decides."""
    assert entry_thumbprint(entry("1", **values)) == key_thumbprint(PUBLIC.public)


@pytest.mark.parametrize("identifier", [None, "", "own name", "AAAA", "ä"])
def test_another_identifier_is_no_thumbprint(identifier: str | None) -> None:
    """Whoever adds an entry may choose its identifier."""
    assert entry_thumbprint(entry("1", customKeyIdentifier=identifier)) == ""


def test_an_ended_entry_is_not_usable() -> None:
    """An entry may end before its certificate; another one may still be valid."""
    ended = entry("1", key=PUBLIC.der, endDateTime="2020-01-01T00:00:00Z")
    valid = entry("2", key=PUBLIC.der)
    assert KeyCredentials((ended,)).usable(PUBLIC.thumbprint) is None
    assert KeyCredentials((ended, valid)).usable(PUBLIC.thumbprint) == valid
