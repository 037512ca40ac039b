"""ResourceId: what a path says."""

import pytest

from bot_workbench.emulator.resource_manager.resource import ResourceId

SITE = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Web/sites/app"
PATHS: dict[str, tuple[str, str, bool, str]] = {
    SITE: ("Microsoft.Web/sites", "app", False, "/subscriptions/S/resourceGroups/G"),
    f"{SITE}/config/web": (
        "Microsoft.Web/sites/config",
        "app/web",
        False,
        "/subscriptions/S/resourceGroups/G",
    ),
    f"{SITE}/restart": (
        "Microsoft.Web/sites/restart",
        "app",
        True,
        "/subscriptions/S/resourceGroups/G",
    ),
    f"{SITE}/providers/Microsoft.Authorization/roleAssignments/R": (
        "Microsoft.Authorization/roleAssignments",
        "R",
        False,
        SITE,
    ),
    "/providers/Microsoft.BotService/checkNameAvailability": (
        "Microsoft.BotService/checkNameAvailability",
        "",
        True,
        "",
    ),
    "/subscriptions/S/resourceGroups/G": (
        "Microsoft.Resources/resourceGroups",
        "G",
        False,
        "/subscriptions/S/resourceGroups/G",
    ),
    "/subscriptions/S": ("Microsoft.Resources/subscriptions", "S", False, "/subscriptions/S"),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_has_type_name_and_scope(path: str) -> None:
    """Also those of children, actions, extension resources, groups and subscriptions."""
    found = ResourceId(path)
    assert (found.type, found.full_name, found.is_collection, found.scope) == PATHS[path]


def test_groups_and_subscriptions_are_found_in_any_case() -> None:
    """As the resource providers write them differently."""
    found = ResourceId(SITE.lower())
    assert (found.subscription_id, found.group_name) == ("s", "g")
    assert found.group_id == "/subscriptions/s/resourcegroups/g"
    assert ResourceId("/providers/Microsoft.Web/geoRegions").group_id == ""


def test_parents() -> None:
    """A child's is the resource above it, an action's the resource that it is for."""
    assert ResourceId(f"{SITE}/config/web").parent.text == SITE
    assert ResourceId(f"{SITE}/restart").parent.text == SITE
    assert ResourceId(f"{SITE}/config/web").is_child
    assert not ResourceId(SITE).is_child
