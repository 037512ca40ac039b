"""SigningKeys: which keys of which documents are used."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from auth.errors import KeysUnavailable
from auth.inbound.bearer_token import SigningKeys
from bot_workbench.emulator.entra.token_issuer import IssuerKey
from http_client.pool import MAX_RESPONSE_BYTES, HttpPool
from tests.support.timing.clock import Clock
from tests.support.wire.key_publisher import KEYS_URL, METADATA_URL, KeyPublisher
from tests.support.wire.scripted_service import Reply, ScriptedService

DAY = 24 * 3600.0

BROKEN: dict[str, tuple[str, bytes]] = {
    "metadata empty": (METADATA_URL, b""),
    "metadata a page": (METADATA_URL, b"<html></html>"),
    "metadata not UTF-8": (METADATA_URL, b'{"jwks_uri": "\xff"}'),
    "metadata a list": (METADATA_URL, b"[]"),
    "metadata a string": (METADATA_URL, b'"jwks_uri"'),
    "metadata null": (METADATA_URL, b"null"),
    "no jwks_uri": (METADATA_URL, b"{}"),
    "jwks_uri elsewhere": (METADATA_URL, b'{"jwks_uri": "https://login.example/other"}'),
    "jwks_uri null": (METADATA_URL, b'{"jwks_uri": null}'),
    "jwks_uri a list": (METADATA_URL, b'{"jwks_uri": []}'),
    "metadata deep": (METADATA_URL, b"[" * 100_000),
    "keys empty": (KEYS_URL, b""),
    "keys a page": (KEYS_URL, b"<html></html>"),
    "keys a list": (KEYS_URL, b"[]"),
    "keys a string": (KEYS_URL, b'"keys"'),
    "keys null": (KEYS_URL, b"null"),
    "no keys": (KEYS_URL, b"{}"),
    "keys in null": (KEYS_URL, b'{"keys": null}'),
    "keys in a string": (KEYS_URL, b'{"keys": "old"}'),
    "keys in an object": (KEYS_URL, b'{"keys": {"old": {}}}'),
    "an empty list": (KEYS_URL, b'{"keys": []}'),
    "a list of nothing": (KEYS_URL, b'{"keys": [null, 1, "old", [], {}]}'),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_documents(
    name: str, keys: SigningKeys, publisher: KeyPublisher, clock: Clock
) -> None:
    """A document that holds no key is a failed fetch: cold it is an outage, warm it is nothing."""
    url, body = BROKEN[name]
    whole = dict(publisher.documents)
    publisher.documents[url] = body
    with pytest.raises(KeysUnavailable):
        await keys.find("old")
    publisher.documents.update(whole)
    assert await keys.find("old")
    publisher.documents[url] = body
    clock.advance(DAY)
    assert await keys.find("old")


def elliptic() -> dict[str, Any]:
    """An EC key (RFC 7518, 6.2)."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "kid": "other", "x": str(numbers.x), "y": str(numbers.y)}


def small() -> dict[str, Any]:
    """An RSA key that RFC 7518 forbids."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # what must be refused
    return IssuerKey("other", key, ("webchat",)).jwk()


UNUSABLE: dict[str, dict[str, Any]] = {
    "EC": elliptic(),
    "1024 bits": small(),
    "no modulus": {"n": None},
    "modulus not base64": {"n": "é"},
    "modulus cut off": {"n": "A"},
    "exponent even": {"e": "AAAA"},
    "exponent a number": {"e": 65537},
    "for encryption": {"use": "enc"},
    "use null": {"use": None},
    "for another algorithm": {"alg": "PS256"},
    "for RSA encryption": {"alg": "RSA-OAEP"},
    "of another type": {"kty": "oct"},
    "type in lower case": {"kty": "rsa"},
    "no type": {"kty": None},
    "endorsements null": {"endorsements": None},
    "endorsements a number": {"endorsements": 1},
}
"""Whole keys, or what makes a good one unusable."""


@pytest.mark.parametrize("name", UNUSABLE)
async def test_a_broken_key_beside_a_good_one(
    name: str, keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any], new: dict[str, Any]
) -> None:
    """A key that cannot be used is skipped; the others of the set are used."""
    flaw = UNUSABLE[name]
    publisher.publish(flaw if "kid" in flaw else {**new, "kid": "other", **flaw}, old)
    assert await keys.find("old")
    assert await keys.find("other") is None


@pytest.mark.parametrize("name", ["use", "alg"])
async def test_a_key_that_does_not_say_what_it_is_for(
    name: str, keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any]
) -> None:
    """Both are optional: without them, the key is used for RS256 signatures."""
    publisher.publish({each: value for each, value in old.items() if each != name})
    assert await keys.find("old")
    publisher.publish({**old, "kid": "signs", "use": "sig", "alg": "RS256"})
    assert await keys.find("signs")


async def test_a_key_without_an_id(
    keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any], new: dict[str, Any]
) -> None:
    """So is a key without an id."""
    publisher.publish({name: value for name, value in new.items() if name != "kid"}, old)
    assert await keys.find("old")
    assert await keys.find("") is None


async def test_no_endorsements(
    keys: SigningKeys, publisher: KeyPublisher, old: dict[str, Any]
) -> None:
    """A key without endorsements is known, and endorses no channel."""
    publisher.publish({name: value for name, value in old.items() if name != "endorsements"})
    found = await keys.find("old")
    assert found is not None
    assert found.endorsements == frozenset()


async def test_the_largest_documents(pool: HttpPool, old: dict[str, Any]) -> None:
    """A document of MAX_RESPONSE_BYTES is read; a larger one is a failed fetch."""
    async with ScriptedService() as service:
        document: dict[str, Any] = {"jwks_uri": service.url, "keys": [old], "x": ""}
        document["x"] = "x" * (MAX_RESPONSE_BYTES - len(json.dumps(document)))
        service.otherwise = Reply(json=document)
        assert await SigningKeys(service.url, pool.get_document).find("old")
        document["x"] += "x"
        with pytest.raises(KeysUnavailable):
            await SigningKeys(service.url, pool.get_document).find("old")
