"""Federated credentials of managed identities, through azure-mgmt-msi."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.emulator.resource_manager.arm_thread import ArmThread, Client, raised, refusal

IDENTITY = "providers/Microsoft.ManagedIdentity/userAssignedIdentities/bot"
PATH = f"{IDENTITY}/federatedIdentityCredentials"


def credential(subject: str = "repo:contoso/bot:ref:refs/heads/main") -> Any:
    """A body."""
    return {
        "properties": {
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": subject,
            "audiences": ["api://AzureADTokenExchange"],
        }
    }


@pytest.fixture
def credentials(azure: ArmThread, client: Client) -> Any:
    """The client of an identity's credentials."""
    azure.call("PUT", IDENTITY, {"location": "westeurope"})
    return client("identities").federated_identity_credentials


def test_one_is_created_read_listed_and_deleted(credentials: Any) -> None:
    """A second PUT changes it; its id has the identity's way of writing."""
    made = credentials.create_or_update("bot-group", "bot", "github", credential())
    assert "/resourcegroups/bot-group/" in made.id
    credentials.create_or_update("bot-group", "bot", "github", credential("other"))
    assert credentials.get("bot-group", "bot", "GITHUB").subject == "other"
    assert [each.name for each in credentials.list("bot-group", "bot")] == ["github"]
    credentials.delete("bot-group", "bot", "github")
    assert list(credentials.list("bot-group", "bot")) == []


@pytest.mark.usefixtures("credentials")
def test_they_go_with_the_identity(azure: ArmThread) -> None:
    """Afterwards there is neither; a new identity of the name has none."""
    azure.call("PUT", f"{PATH}/github", credential())
    azure.call("DELETE", IDENTITY)
    assert refusal(azure.call("GET", f"{PATH}/github"))[0] == 404
    azure.call("PUT", IDENTITY, {"location": "westeurope"})
    assert azure.call("GET", PATH).json()["value"] == []


@pytest.mark.usefixtures("credentials")
def test_the_cli_sends_a_version_of_its_own(azure: ArmThread) -> None:
    """That of `az identity federated-credential` is another than that of `az identity`."""
    version = "2025-01-31-preview"
    made = azure.call("PUT", f"{PATH}/github", credential(), version=version)
    assert made.status_code == 201
    assert azure.call("GET", PATH, version=version).status_code == 200


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("xy", {}),
        ("a name", {}),
        ("github", {"issuer": None}),
        ("github", {"subject": ""}),
        ("github", {"audiences": None}),
        ("github", {"audiences": []}),
        ("github", {"audiences": ["a", "b"]}),
    ],
)
def test_an_incomplete_one_is_refused(credentials: Any, name: str, changed: dict[str, Any]) -> None:
    """Each has a name of three letters at least, an issuer, a subject and one audience."""
    body = credential()
    body["properties"].update(changed)
    with pytest.raises(HttpResponseError) as caught:
        credentials.create_or_update("bot-group", "bot", name, body)
    assert raised(caught.value)[:2] == (400, "BadRequest")


def test_a_subject_is_trusted_once(credentials: Any) -> None:
    """Of the same issuer; and there are at most twenty in all."""
    for number in range(20):
        credentials.create_or_update("bot-group", "bot", f"c-{number}", credential(f"s-{number}"))
    for name, subject in (("c-19", "s-0"), ("c-20", "s-20")):
        with pytest.raises(HttpResponseError) as caught:
            credentials.create_or_update("bot-group", "bot", name, credential(subject))
        assert raised(caught.value)[:2] == (400, "BadRequest")
