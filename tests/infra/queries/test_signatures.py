"""The query on signatures: who is shown, and for what; and its section of docs/operations.md."""

import json
import re

import pytest

from tests.support.kusto.rows import columns
from tests.support.project import ROOT

QUERY = (ROOT / "infra" / "queries" / "signatures.kql").read_text("utf-8")
OID, APP = "d9da5048-2737-4770-bd64-f2e9a3c9b3cc", "00001111-aaaa-2222-bbbb-3333cccc4444"
IDENTITIES = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssigned"
CLAIMS = "http://schemas.microsoft.com/identity/claims"
XML_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


def shown(operation: str, **claims: str) -> dict[str, str] | None:
    """The columns of a row, or None if the query leaves it out.

    The column `Identity` has the claims of the caller's token. Source: Azure Key Vault docs, "Azure
    Key Vault logging".
    """
    row = columns(QUERY, "", OperationName=operation, Claims=json.dumps({"claim": claims}))
    return row and {name: row[name] for name in ("Name", "ObjectId", "AppId")}


@pytest.mark.parametrize(
    ("operation", "is_shown"),
    [
        ("KeySign", True),
        ("SecretGet", True),
        ("KeyBackup", True),
        ("SecretBackup", True),
        ("CertificateBackup", True),
        ("CertificateGet", False),
        ("CertificateListVersions", False),
        ("VaultGet", False),
    ],
)
def test_what_makes_somebody_the_bot(operation: str, *, is_shown: bool) -> None:
    """Signing, reading the private key, and taking a copy of it; reading what is public is not."""
    assert (shown(operation, oid=OID) is not None) is is_shown


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"oid": OID, "xms_mirid": f"{IDENTITIES}Identities/id-contoso"}, "id-contoso"),
        (
            {f"{CLAIMS}/objectidentifier": OID, f"{XML_CLAIMS}/upn": "ada@contoso.com"},
            "ada@contoso.com",
        ),
        ({"oid": OID, "upn": "live.com#ada@outlook.com"}, "live.com#ada@outlook.com"),
        ({"oid": OID}, ""),
    ],
)
def test_a_caller_has_a_name(claims: dict[str, str], name: str) -> None:
    """A managed identity its resource's, a person theirs, an application none but its ids."""
    found = shown("KeySign", appid=APP, **claims)
    assert found == {"Name": name, "ObjectId": OID, "AppId": APP}


def test_the_page_speaks_of_what_is_shown() -> None:
    """The names in the first column of its table are the query's."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    [section] = re.findall(r"^## Who signs as the bot\?\n(.*?)(?=^## )", page, re.M | re.S)
    assert QUERY in section
    rows = re.findall(r"^\| ([^|]+) \|", section, re.M)
    texts = re.findall(r"`([^`]+)`", "\n".join(rows))
    assert len(texts) > 4
    assert [each for each in texts if each not in QUERY] == []
