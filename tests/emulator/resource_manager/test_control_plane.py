"""Resource Manager's core: tokens, versions, subscriptions, groups, lists, limits."""

from tests.emulator.resource_manager.arm_thread import Client


def test_the_sdk_creates_a_group_and_finds_it(client: Client) -> None:
    """A group that was created is listed with its location and tags."""
    resources = client("resources")
    made = resources.resource_groups.create_or_update(
        "another", {"location": "West Europe", "tags": {"for": "a bot"}}
    )
    assert made.location == "westeurope"
    assert {each.name for each in resources.resource_groups.list()} == {"bot-group", "another"}
    assert resources.resource_groups.check_existence("another")
