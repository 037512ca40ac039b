"""CertificatePolicy: the two spellings of a policy mean the same."""

import json
import re

import pytest

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.certificates import CertificatePolicy
from bot_workbench.admin.migrate.certificate.commands import extended_pin

NAMES = {
    "issuer": "issuerParameters",
    "key_props": "keyProperties",
    "kty": "keyType",
    "secret_props": "secretProperties",
    "x509_props": "x509CertificateProperties",
    "validity_months": "validityInMonths",
}
"""Where `az` has another word than the REST API."""


def az_words(value: object) -> object:
    """A policy of the REST API in the words of `az`."""
    if isinstance(value, dict):
        return {NAMES.get(name, _camel(name)): az_words(inner) for name, inner in value.items()}
    return [az_words(each) for each in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


@pytest.mark.parametrize("exportable", [True, False])
def test_az_gets_the_same_policy(exportable: bool) -> None:
    """What the command sends is what its dry run prints for `az`."""
    policy = CertificatePolicy(exportable=exportable)
    assert json.loads(policy.az_json()) == az_words(policy.request())
    assert json.loads(policy.import_az_json(4096)) == az_words(policy.import_request(4096))
    assert policy.request()["key_props"]["exportable"] is exportable


def test_a_certificate_that_the_vault_does_not_renew_is_noted() -> None:
    """An imported one ends, unless somebody imports the next."""
    bundle: JsonObject = {"policy": {"key_props": {"exportable": False}}}
    assert "does not renew" in CertificatePolicy(exportable=False).notes(bundle)[0]
    made: JsonObject = {"policy": CertificatePolicy(exportable=False).request()}
    assert CertificatePolicy(exportable=False).notes(made) == ()


@pytest.mark.parametrize(
    ("pin", "extended"),
    [
        ("", None),
        (" ", None),
        ("AA" * 20, f"{'AA' * 20},{'BB' * 20}"),
        ("bb:" * 19 + "bb", "bb:" * 19 + "bb"),
        (f"{'aa' * 20}, {'bb' * 20}", f"{'aa' * 20}, {'bb' * 20}"),
    ],
)
def test_a_pin_is_extended_in_any_spelling(pin: str, extended: str | None) -> None:
    """Without a pin none is made; a thumbprint that is there is not added again."""
    expected = {} if extended is None else {"CertificateThumbprint": extended}
    assert extended_pin({"CertificateThumbprint": pin}, "BB" * 20) == expected
