"""Change: what is printed of a call, and whether it can be sent."""

import pytest

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.plan.step import ALL_VALUES, HIDDEN, Change


def change(body: JsonObject, hidden: frozenset[str] = frozenset(), url: str = "u") -> Change:
    """A change with this body."""
    return Change("PUT", url, body, "Change it", (), hidden=hidden)


def test_hidden_values_are_not_printed() -> None:
    """App settings and a private key are sent, and never shown."""
    body: JsonObject = {
        "properties": {"MicrosoftAppPassword": "s3cret", "MicrosoftAppId": "1"},
        "value": "pfx",
    }
    hidden = frozenset({"MicrosoftAppPassword", "value"})
    shown = change(body, hidden).printable_body
    assert shown == {
        "properties": {"MicrosoftAppPassword": HIDDEN, "MicrosoftAppId": "1"},
        "value": HIDDEN,
    }
    assert body["value"] == "pfx"


def test_all_settings_can_be_hidden() -> None:
    """Whoever cannot say which settings are secret hides all."""
    assert change({"properties": {"A": "1"}, "x": 2}, ALL_VALUES).printable_body == {
        "properties": {"A": HIDDEN},
        "x": 2,
    }


@pytest.mark.parametrize(
    ("url", "body", "names"),
    [
        ("https://x/$IDENTITY_PRINCIPAL_ID", {}, {"IDENTITY_PRINCIPAL_ID"}),
        ("https://x/y?$filter=a", {"a": "$lower"}, set()),
        ("u", {"a": [{"b": "x $IDENTITY_CLIENT_ID"}]}, {"IDENTITY_CLIENT_ID"}),
        ("u", {"identity": {"/x/$THUMBPRINT": {}}}, {"THUMBPRINT"}),
        ("u", {"tags": {"stage": "$PROD"}}, set()),
        ("u", {"keyCredentials": [{"displayName": "$THUMBPRINTS ${SINCE}"}]}, set()),
        ("u", {"properties": {"Password": "a$SINCE"}}, set()),
    ],
)
def test_unknown_values_are_found(url: str, body: JsonObject, names: set[str]) -> None:
    """Our shell variables anywhere in a call stop it from being sent; a secret that looks like one,
    and a text of the user that has another name after a dollar, do not."""
    assert change(body, frozenset({"Password"}), url).unresolved == names
