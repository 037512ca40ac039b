"""Certificate policies: what Key Vault allows in them."""

import copy
from typing import Any

import pytest

from bot_workbench.emulator.key_vault.errors import VaultError
from bot_workbench.emulator.key_vault.policy import checked_policy, default_policy
from tests.emulator.key_vault.certificate_calls import SHORT_POLICY, create, send
from tests.emulator.key_vault.vault_caller import VaultCaller, refusal

FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "no subject": ("subject", {"x509_props": {"subject": ""}}),
    "no name": ("subject", {"x509_props": {"subject": "contoso-bot"}}),
    "key size": ("key_size", {"key_props": {"key_size": 1024}}),
    "key size as text": ("key_size", {"key_props": {"key_size": "2048"}}),
    "kind of key": ("kty", {"key_props": {"kty": "DSA"}}),
    "exportable as text": ("exportable", {"key_props": {"exportable": "false"}}),
    "content type": ("contentType", {"secret_props": {"contentType": "application/json"}}),
    "key usage": ("key_usage", {"x509_props": {"subject": "CN=b", "key_usage": ["sign"]}}),
    "extended key usage": ("ekus", {"x509_props": {"subject": "CN=b", "ekus": ["clientAuth"]}}),
    "no object identifier": ("ekus", {"x509_props": {"subject": "CN=b", "ekus": ["1.99"]}}),
    "name of letters": (
        "dns_names",
        {"x509_props": {"subject": "CN=b", "sans": {"dns_names": ["b\u00fccher.example"]}}},
    ),
    "no validity": ("validity_months", {"x509_props": {"subject": "CN=b", "validity_months": 0}}),
    "a yes": ("validity_months", {"x509_props": {"subject": "CN=b", "validity_months": True}}),
    "issuer": ("issuer", {"issuer": "Self"}),
    "unknown issuer": ("name", {"issuer": {"name": "contoso-ca"}}),
    "action": (
        "action_type",
        {"lifetime_actions": [{"trigger": {"days_before_expiry": 9}, "action": {}}]},
    ),
    "two triggers": (
        "trigger",
        {
            "lifetime_actions": [
                {
                    "trigger": {"days_before_expiry": 9, "lifetime_percentage": 9},
                    "action": {"action_type": "AutoRenew"},
                }
            ]
        },
    ),
    "percentage": (
        "lifetime_percentage",
        {
            "lifetime_actions": [
                {
                    "trigger": {"lifetime_percentage": 100},
                    "action": {"action_type": "AutoRenew"},
                }
            ]
        },
    ),
    "days": (
        "days_before_expiry",
        {
            "lifetime_actions": [
                {
                    "trigger": {"days_before_expiry": 12 * 27 + 1},
                    "action": {"action_type": "EmailContacts"},
                }
            ]
        },
    ),
}


@pytest.mark.parametrize(("named", "change"), FAULTS.values(), ids=FAULTS)
async def test_a_policy_that_is_not_allowed_is_refused(
    call: VaultCaller, named: str, change: dict[str, Any]
) -> None:
    """A value that the REST reference does not allow is 400 BadParameter, which names it."""
    policy = {**copy.deepcopy(SHORT_POLICY), **change}
    answer = await send(call, "POST", "/certificates/bot/create", {"policy": policy})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error == {"code": "BadParameter", "message": f"Property {named} has invalid value"}
    missing = await refusal(call, "certificates", lambda client: client.get_certificate("bot"))
    assert missing[0] == 404


@pytest.mark.parametrize(
    ("action", "name", "value"),
    [
        ("create", "attributes", ["enabled"]),
        ("create", "tags", ["a"]),
        ("create", "tags", {"a": 1}),
        ("import", "attributes", "enabled"),
        ("import", "policy", "a text"),
        ("import", "x509_props", ["subject"]),
        ("import", "pwd", 1),
    ],
)
async def test_a_value_of_another_type_is_refused(
    call: VaultCaller, action: str, name: str, value: object
) -> None:
    """The refusal names the property."""
    sent = {"policy": SHORT_POLICY, "value": "", name: value}
    if name == "x509_props":
        sent["policy"] = {name: value}
    answer = await send(call, "POST", f"/certificates/bot/{action}", sent)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Property {name} has invalid value"


async def test_a_subject_is_checked_with_a_change_of_the_certificate(call: VaultCaller) -> None:
    """A certificate cannot get a policy whose subject is not a distinguished name."""
    await create(call)
    change = {"policy": {"x509_props": {"subject": "contoso"}}}
    answer = await send(call, "PATCH", "/certificates/bot", change)
    assert answer.json()["error"]["message"] == "Property subject has invalid value"


async def test_the_first_version_needs_a_policy(call: VaultCaller) -> None:
    """Without a policy there is nothing to make a certificate by."""
    answer = await send(call, "POST", "/certificates/bot/create", {})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Property policy has invalid value"


def test_at_most_one_action() -> None:
    """Key Vault allows one lifetime action."""
    action = {"trigger": {"days_before_expiry": 9}, "action": {"action_type": "EmailContacts"}}
    with pytest.raises(VaultError, match="At most one action is allowed"):
        checked_policy({**SHORT_POLICY, "lifetime_actions": [action, action]})


def test_only_its_own_certificates_are_renewed() -> None:
    """A certificate that somebody else signs cannot be renewed by itself."""
    action = {"trigger": {"days_before_expiry": 9}, "action": {"action_type": "AutoRenew"}}
    policy = {**SHORT_POLICY, "lifetime_actions": [action]}
    assert checked_policy(policy)["lifetime_actions"] == [action]
    with pytest.raises(VaultError, match="action_type"):
        checked_policy({**policy, "issuer": {"name": "Unknown"}})


def test_defaults() -> None:
    """What a policy does not say has Key Vault's own value; no issuer means another's."""
    policy = checked_policy({"x509_props": {"subject": "CN=bot"}})
    assert policy["issuer"] == {"name": "Unknown"}
    own = default_policy()
    own["x509_props"]["subject"] = "CN=bot"
    assert policy == {**own, "issuer": {"name": "Unknown"}}
    assert checked_policy(policy) == policy


def test_names_without_a_subject() -> None:
    """Alternative names may stand in a subject's place."""
    policy = checked_policy({"x509_props": {"sans": {"dns_names": ["contoso.com"]}}})
    assert policy["x509_props"]["sans"] == {"dns_names": ["contoso.com"]}


async def test_a_policy_is_changed_in_part(call: VaultCaller) -> None:
    """A PATCH changes the members that it names, and checks them with the others."""
    await create(call)
    change = {"x509_props": {"validity_months": 6}, "key_props": {"key_size": 4096}}
    answer = await send(call, "PATCH", "/certificates/bot/policy", change)
    assert answer.status_code == 200
    kept = await call("aio", "certificates", lambda client: client.get_certificate_policy("bot"))
    assert (kept.validity_in_months, kept.key_size) == (6, 4096)
    assert (kept.subject, kept.exportable) == ("CN=contoso-bot", False)
    change = {"x509_props": {"validity_months": 2}}
    answer = await send(call, "PATCH", "/certificates/bot/policy", change)
    assert answer.status_code == 400, "60 days before expiry are more than 2 months of 27 days"


async def test_the_client_s_own_default_policy_is_allowed(call: VaultCaller) -> None:
    """What the client proposes as a policy makes a certificate."""
    from azure.keyvault.certificates import CertificatePolicy as ClientPolicy

    made = await create(call, policy=ClientPolicy.get_default())
    assert made.policy is not None
    assert made.policy.issuer_name == "Self"
