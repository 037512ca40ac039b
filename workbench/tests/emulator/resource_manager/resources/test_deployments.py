"""The record of template deployments of each scope."""

from typing import Any

import pytest

from tests.emulator.resource_manager.arm_thread import ArmThread

VERSION = "2021-04-01"
DEPLOYMENTS = "providers/Microsoft.Resources/deployments"
VALUES = {"turns": "Queued", "alwaysReady": 1, "directLine": True, "tags": {}}


def sent(**values: object) -> dict[str, Any]:
    """The body of a deployment with these parameters."""
    parameters = {name: {"value": value} for name, value in values.items()}
    return {
        "location": "westeurope",
        "tags": {"azd-env-name": "bot"},
        "properties": {"mode": "Incremental", "template": {}, "parameters": parameters},
    }


def test_a_deployment_keeps_its_parameters(azure: ArmThread) -> None:
    """With their types, the state, the time and the tags, and without the template."""
    path = f"/subscriptions/{azure.arm.subscription_id}/{DEPLOYMENTS}/bot-1"
    azure.arm.put(path, sent(**VALUES))
    found = azure.call("GET", path, version=VERSION).json()
    types = {"turns": "String", "alwaysReady": "Int", "directLine": "Bool", "tags": "Object"}
    assert found["properties"]["parameters"] == {
        name: {"type": types[name], "value": value} for name, value in VALUES.items()
    }
    assert found["properties"]["provisioningState"] == "Succeeded"
    assert found["properties"]["timestamp"].endswith("Z")
    assert found["tags"] == {"azd-env-name": "bot"}
    assert "template" not in found["properties"]


@pytest.mark.parametrize("scope", ["subscription", "group"])
def test_each_scope_lists_its_own(azure: ArmThread, scope: str) -> None:
    """A deployment of a group, such as each module's, is none of the subscription's."""
    paths = {
        "subscription": f"/subscriptions/{azure.arm.subscription_id}/{DEPLOYMENTS}",
        "group": f"{azure.group_id}/{DEPLOYMENTS}",
    }
    for name, path in paths.items():
        azure.arm.put(f"{path}/of-{name}", sent())
    listed = azure.call("GET", paths[scope], version=VERSION).json()["value"]
    assert [each["name"] for each in listed] == [f"of-{scope}"]
