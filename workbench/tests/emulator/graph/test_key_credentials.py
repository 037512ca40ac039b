"""Graph's rules for certificates on an application: PATCH, addKey, removeKey."""

import base64
import time
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding

from bot_workbench.emulator.certificates import self_signed
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.graph.graph import Graph
from tests.emulator.graph.graph_caller import GraphCaller, app_token
from tests.emulator.registered_bot import PRINCIPAL, UNKNOWN

JsonObject = dict[str, Any]

AAD_GRAPH = "00000002-0000-0000-c000-000000000000"


def der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def entry(certificate: x509.Certificate, **changes: object) -> JsonObject:
    """A new key credential as `az` sends it."""
    return {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": der(certificate),
        "displayName": None,
        **changes,
    }


@pytest.fixture
def path(bot: Registration) -> str:
    return f"/applications/{bot.object_id}"


@pytest.fixture
def uploaded(bot: Registration, certificate: x509.Certificate) -> x509.Certificate:
    """The certificate that the application has already."""
    bot.register(certificate)
    return certificate


async def shown(call: GraphCaller, path: str) -> list[JsonObject]:
    _, read = await call("GET", path)
    keys: list[JsonObject] = read["keyCredentials"]
    return keys


async def test_a_certificate_is_added_beside_the_old_one(
    call: GraphCaller,
    path: str,
    bot: Registration,
    uploaded: x509.Certificate,
    second: x509.Certificate,
) -> None:
    """The old entry, sent back as it was read, stays; the new one gets an id and a thumbprint."""
    (old,) = await shown(call, path)
    body = {"keyCredentials": [old, entry(second, displayName="CN=new")]}
    assert await call("PATCH", path, body) == (204, {})
    assert bot.certificates == [uploaded, second]
    kept, new = await shown(call, path)
    assert kept == old
    thumbprint = second.fingerprint(SHA1()).hex().upper()  # noqa: S303  # by definition
    assert new["customKeyIdentifier"] == thumbprint
    assert new["displayName"] == "CN=new"
    assert new["keyId"] not in ("", old["keyId"])


@pytest.mark.parametrize("keep", ["null", "absent", "the same"])
async def test_an_old_key_need_not_be_sent_again(
    call: GraphCaller, path: str, bot: Registration, uploaded: x509.Certificate, keep: str
) -> None:
    """An old entry's `key` may be null, absent or the same."""
    (old,) = await shown(call, path)
    if keep == "absent":
        del old["key"]
    if keep == "the same":
        old["key"] = der(uploaded)
    assert (await call("PATCH", path, {"keyCredentials": [old]}))[0] == 204
    assert bot.certificates == [uploaded]


async def test_a_key_is_shown_only_where_it_is_asked_for(
    call: GraphCaller, path: str, uploaded: x509.Certificate
) -> None:
    """`key` comes with `$select` on one object, not with a list or a plain request."""
    _, selected = await call("GET", path, select="keyCredentials")
    assert selected["keyCredentials"][0]["key"] == der(uploaded)
    _, listed = await call("GET", "/applications", select="keyCredentials")
    assert listed["value"][0]["keyCredentials"][0]["key"] is None
    assert (await shown(call, path))[0]["key"] is None


@pytest.mark.usefixtures("uploaded")
async def test_what_is_left_out_is_removed(
    call: GraphCaller, path: str, bot: Registration, second: x509.Certificate
) -> None:
    """PATCH replaces the whole collection: this is how a certificate is lost by accident."""
    assert (await call("PATCH", path, {"keyCredentials": [entry(second)]}))[0] == 204
    assert bot.known_certificates() == [second]
    assert (await call("PATCH", path, {"keyCredentials": []}))[0] == 204
    assert bot.known_certificates() == []


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": "renamed"},
        {"endDateTime": "2099-01-01T00:00:00Z"},
        {"startDateTime": "2020-01-01T00:00:00Z"},
        {"customKeyIdentifier": "00"},
        {"key": "AAAA"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.usefixtures("uploaded")
async def test_an_old_entry_cannot_be_edited(
    call: GraphCaller, path: str, second: x509.Certificate, change: JsonObject
) -> None:
    """A changed old entry is refused by its id, and nothing else of the request is done."""
    (old,) = await shown(call, path)
    body = {"keyCredentials": [{**old, **change}, entry(second)]}
    status, answer = await call("PATCH", path, body)
    assert (status, answer["error"]["code"]) == (400, "Request_BadRequest")
    words = f"Update to existing credential with KeyId '{old['keyId']}' is not allowed."
    assert answer["error"]["message"] == words
    assert await shown(call, path) == [old]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": None}, "KeyCredentialsInvalidValue"),
        ({"key": None, "keyId": UNKNOWN}, "KeyCredentialsInvalidValue"),
        ({"key": "not a certificate"}, "KeyCredentialsInvalidValue"),
        ({"key": base64.b64encode(b"not a certificate").decode()}, "KeyCredentialsInvalidValue"),
        ({"type": "Symmetric"}, "Request_BadRequest"),
        ({"type": None}, "Request_BadRequest"),
        ({"usage": "Sign"}, "Request_BadRequest"),
        ({"usage": "Encrypt"}, "Request_BadRequest"),
        ({"displayName": "x" * 91}, "Request_BadRequest"),
        ({"endDateTime": "2099-01-01T00:00:00Z"}, "KeyCredentialsInvalidEndDate"),
        ({"endDateTime": "2020-01-01T00:00:00Z"}, "KeyCredentialsInvalidEndDate"),
        ({"startDateTime": "2020-01-01T00:00:00Z"}, "KeyCredentialsInvalidStartDate"),
        ({"startDateTime": "soon"}, "Request_BadRequest"),
    ],
)
async def test_a_new_entry_is_checked(
    call: GraphCaller,
    path: str,
    bot: Registration,
    second: x509.Certificate,
    change: JsonObject,
    code: str,
) -> None:
    """A new entry needs a certificate, its type and usage, a short name, and dates within it."""
    body = {"keyCredentials": [entry(second, **change)]}
    status, answer = await call("PATCH", path, body)
    assert (status, answer["error"]["code"]) == (400, code)
    assert bot.certificates == []


async def test_a_certificate_that_ends_too_late_is_refused_in_graphs_words(
    call: GraphCaller, path: str, second: x509.Certificate
) -> None:
    """The refusal of an end date is the one that people search for."""
    body = {"keyCredentials": [entry(second, endDateTime="2099-01-01T00:00:00Z")]}
    _, answer = await call("PATCH", path, body)
    assert answer["error"]["message"] == "Key credential end date is invalid."


async def test_a_missing_usage_is_refused_in_graphs_words(
    call: GraphCaller, path: str, second: x509.Certificate
) -> None:
    """An entry without its usage is refused, old or new."""
    _, answer = await call("PATCH", path, {"keyCredentials": [entry(second, usage=None)]})
    assert answer["error"]["message"] == (
        'The value for the property "usage" in one of your credentials is invalid. '
        "Acceptable values are Sign, Verify."
    )


async def test_line_breaks_in_a_key_are_ignored(
    call: GraphCaller, path: str, bot: Registration, second: x509.Certificate
) -> None:
    """`az` sends base64 with the line breaks of the PEM file, and an earlier end."""
    raw = der(second)
    lines = "\n".join(raw[start : start + 64] for start in range(0, len(raw), 64))
    end = second.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S.123456Z")
    body = {"keyCredentials": [entry(second, key=lines, endDateTime=end)]}
    assert (await call("PATCH", path, body))[0] == 204
    assert bot.certificates == [second]


async def test_a_new_certificate_is_known_to_entra_later(
    call: GraphCaller,
    path: str,
    directory: Directory,
    bot: Registration,
    uploaded: x509.Certificate,
    second: x509.Certificate,
) -> None:
    """With a delay for certificates, Entra accepts the old one only."""
    directory.propagation.certificate = 60.0
    (old,) = await shown(call, path)
    assert (await call("PATCH", path, {"keyCredentials": [old, entry(second)]}))[0] == 204
    assert bot.known_certificates() == [uploaded]


def proof(bot: Registration, key: rsa.RSAPrivateKey, **changes: object) -> str:
    """That the caller has the private key of one of the application's certificates."""
    now = int(time.time())
    claims = {
        "aud": AAD_GRAPH,
        "iss": bot.object_id,
        "nbf": now,
        "exp": now + 600,
        **changes,
    }
    return jwt.encode(claims, key, algorithm="RS256")


@pytest.mark.usefixtures("uploaded")
async def test_an_application_rolls_its_own_keys(
    entra: Entra,
    graph: Graph,
    call: GraphCaller,
    path: str,
    bot: Registration,
    key: rsa.RSAPrivateKey,
    second: x509.Certificate,
) -> None:
    """Without any permission, an application adds and removes certificates with a proof."""
    own = GraphCaller(graph, call.http, app_token(entra, bot.service_principal_id))
    body = {"keyCredential": entry(second), "passwordCredential": None, "proof": proof(bot, key)}
    status, made = await own("POST", f"{path}/addKey", body)
    assert status == 200
    assert [each["keyId"] for each in await shown(call, path)][1] == made["keyId"]
    removal = {"keyId": made["keyId"], "proof": proof(bot, key)}
    unproven = {**removal, "proof": proof(bot, key, iss=UNKNOWN)}
    assert (await own("POST", f"{path}/removeKey", unproven))[0] == 401
    assert (await own("POST", f"{path}/removeKey", removal))[0] == 204
    assert len(bot.certificates) == 1
    status, _ = await own("POST", f"{path}/removeKey", removal)
    assert status == 400


@pytest.mark.usefixtures("uploaded")
@pytest.mark.parametrize(
    "changes",
    [{"aud": UNKNOWN}, {"iss": UNKNOWN}, {"exp": int(time.time()) + 7200}, {"exp": 1}],
    ids=["audience", "issuer", "too long", "expired"],
)
async def test_a_wrong_proof_is_refused(
    call: GraphCaller,
    path: str,
    bot: Registration,
    key: rsa.RSAPrivateKey,
    second: x509.Certificate,
    changes: JsonObject,
) -> None:
    """A proof must be for Graph, by this application, and at most ten minutes long."""
    body = {"keyCredential": entry(second), "proof": proof(bot, key, **changes)}
    status, answer = await call("POST", f"{path}/addKey", body)
    assert (status, answer["error"]["code"]) == (401, "Authentication_MissingOrMalformed")
    assert second not in bot.certificates


@pytest.mark.parametrize("days", [None, -1.0], ids=["none", "expired"])
async def test_add_key_needs_a_valid_certificate(
    call: GraphCaller,
    path: str,
    bot: Registration,
    key: rsa.RSAPrivateKey,
    second: x509.Certificate,
    days: float | None,
) -> None:
    """An application without a valid certificate cannot prove anything."""
    if days is not None:
        bot.register(self_signed("old", key, starts_in_days=-30, ends_in_days=days))
    body = {"keyCredential": entry(second), "proof": proof(bot, key)}
    assert (await call("POST", f"{path}/addKey", body))[0] == 401


async def test_a_stranger_cannot_add_a_key(
    graph: Graph, call: GraphCaller, path: str, second: x509.Certificate
) -> None:
    """Another principal needs the permission to change applications."""
    graph.app_roles[PRINCIPAL] = set()
    status, answer = await call("POST", f"{path}/addKey", {"keyCredential": entry(second)})
    assert (status, answer["error"]["code"]) == (403, "Authorization_RequestDenied")
