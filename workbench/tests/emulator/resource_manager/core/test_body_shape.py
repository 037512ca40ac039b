"""The shape of bodies: wrong types are refused, whatever the resource type."""

from typing import Any

import pytest

from bot_workbench.emulator.resource_manager.body_shape import EACH, SHAPES, check_shape
from bot_workbench.emulator.resource_manager.errors import ArmError
from tests.emulator.resource_manager.arm_thread import ArmThread, refusal

OTHERS: dict[type, Any] = {str: {"a": 1}, dict: "text", list: {"a": 1}, int: "text"}
"""A value of another type."""


def nested(path: str, value: Any) -> Any:
    """A body with a value at a path."""
    for name in reversed(path.split(".")):
        is_item = name == EACH and not path.startswith(("tags", "identity"))
        value = [value] if is_item else {name: value}
    return value


@pytest.mark.parametrize("path", SHAPES)
def test_a_value_of_another_type_is_refused(path: str) -> None:
    """The refusal names the member; a null is none, unless it is an item of a list."""
    with pytest.raises(ArmError) as caught:
        check_shape(nested(path, OTHERS[SHAPES[path]]))
    assert caught.value.code == "InvalidRequestContent"
    assert path.partition(".")[0] in str(caught.value)


@pytest.mark.parametrize("path", [each for each in SHAPES if not each.endswith(EACH)])
def test_a_null_fits(path: str) -> None:
    """Clients write members that they leave out as null."""
    check_shape(nested(path, None))


def test_a_null_in_a_list_does_not_fit() -> None:
    """It would be an item without members."""
    with pytest.raises(ArmError):
        check_shape({"properties": {"permissions": [None]}})
    check_shape({"identity": {"userAssignedIdentities": {"/subscriptions/S": None}}})


def test_a_faulty_body_changes_nothing(azure: ArmThread) -> None:
    """It is 400 before a resource provider sees it."""
    path = "providers/Microsoft.ManagedIdentity/userAssignedIdentities/bot"
    assert refusal(azure.call("PUT", path, {"location": "westeurope", "tags": []})) == (
        400,
        "InvalidRequestContent",
    )
    assert azure.call("GET", path).status_code == 404
    refused = azure.call("GET", f"/subscriptions/{azure.arm.subscription_id}/resources?$top=x")
    assert refusal(refused) == (400, "InvalidQueryParameter")
