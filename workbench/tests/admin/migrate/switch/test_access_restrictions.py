"""Which access restrictions keep the channels from an app."""

import pytest

from bot_workbench.admin.azure.cloud import PUBLIC, US_GOVERNMENT
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.access_restrictions import (
    CHANNELS,
    TEAMS,
    admits,
    callers_of,
)
from bot_workbench.emulator.resource_manager.sites import CONFIG
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Migration

ANY = {"ipAddress": "Any", "action": "Allow", "priority": 2147483647, "name": "Allow all"}
NOBODY = {"ipAddress": "Any", "action": "Deny", "priority": 2147483647, "name": "Deny all"}
BOT_SERVICE = {"ipAddress": "AzureBotService", "tag": "ServiceTag", "action": "Allow"}
TEAMS_RANGES = {"ipAddress": "203.0.113.9/32,52.112.0.0/14", "action": "Allow", "priority": 300}
MINE = {"ipAddress": "203.0.113.7/32", "action": "Allow", "priority": 100}
FRONT_DOOR = {
    **BOT_SERVICE,
    "ipAddress": "AzureFrontDoor.Backend",
    "headers": {"x-azure-fdid": ["00000000-0000-4000-8000-000000000001"]},
}
SUBNET = {"vnetSubnetResourceId": "/subscriptions/1/x/subnets/y", "action": "Allow", "priority": 9}

SWITCH = ("switch", "--bot", BOT, "--app", APP)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [ANY],
        [MINE, ANY],
        [MINE, BOT_SERVICE, NOBODY],
        [{**BOT_SERVICE, "ipAddress": "AzureCloud.westeurope"}],
        [MINE, TEAMS_RANGES, NOBODY],
        [{"ipAddress": "52.112.0.0", "subnetMask": "255.252.0.0", "action": "Allow"}],
        [{"ipAddress": "0.0.0.0/0", "action": "Allow", "priority": 1}],
    ],
)
def test_rules_that_a_channel_may_pass(rules: list[JsonObject]) -> None:
    """Nothing is refused that may be meant for the channels."""
    assert admits({"ipSecurityRestrictions": rules}, CHANNELS)


@pytest.mark.parametrize(
    "rules",
    [
        [MINE],
        [MINE, NOBODY],
        [{**MINE, "ipAddress": "203.0.113.7", "subnetMask": "255.255.255.255"}],
        [{**MINE, "ipAddress": "10.0.0.0/8"}],
        [FRONT_DOOR],
        [SUBNET],
        [{**MINE, "ipAddress": "AnyVnets"}],
        [{**NOBODY, "priority": 1}, ANY, BOT_SERVICE],
    ],
)
def test_rules_that_no_channel_passes(rules: list[JsonObject]) -> None:
    """One address, a virtual network and a gateway are no channel."""
    assert not admits({"ipSecurityRestrictions": rules}, CHANNELS)


@pytest.mark.parametrize(
    "rules",
    [
        [ANY],
        [MINE, TEAMS_RANGES, NOBODY],
        [{**BOT_SERVICE, "ipAddress": "AzureCloud.westeurope"}],
        [{**MINE, "ipAddress": "52.0.0.0/8"}],
        [{**NOBODY, "ipAddress": "52.112.0.0/14", "priority": 1}, ANY],
    ],
)
def test_rules_that_teams_may_pass(rules: list[JsonObject]) -> None:
    """A rule that has only some of its addresses is left to its author."""
    assert admits({"ipSecurityRestrictions": rules}, TEAMS)


@pytest.mark.parametrize(
    "rules",
    [
        [MINE, BOT_SERVICE, NOBODY],
        [{**MINE, "ipAddress": "203.0.113.0/24"}, {**MINE, "ipAddress": "8.8.8.0/24"}],
        [{**NOBODY, "ipAddress": "52.112.0.0/14,52.122.0.0/15", "priority": 1}, ANY],
        [{**NOBODY, "ipAddress": "52.0.0.0/8", "priority": 1}, ANY],
    ],
)
def test_rules_that_teams_does_not_pass(rules: list[JsonObject]) -> None:
    """The service tag of Bot Service, and the ranges of others, leave Teams out."""
    assert not admits({"ipSecurityRestrictions": rules}, TEAMS)


def test_teams_of_a_government_cloud_has_other_ranges() -> None:
    """There, the rules of the public cloud are not asked for."""
    names = ("DirectLineChannel", "MsTeamsChannel")
    assert callers_of(PUBLIC, names) == (CHANNELS, TEAMS)
    assert callers_of(US_GOVERNMENT, names) == callers_of(PUBLIC, names[:1]) == (CHANNELS,)


def test_what_no_rule_is_about() -> None:
    """The default action decides."""
    allow = {"ipSecurityRestrictionsDefaultAction": "Allow"}
    deny = {"ipSecurityRestrictionsDefaultAction": "Deny"}
    for callers in (CHANNELS, TEAMS):
        assert admits({**allow, "ipSecurityRestrictions": [MINE]}, callers)
        assert not admits(deny, callers)


def test_switch_refuses_an_app_that_leaves_teams_out(migration: Migration) -> None:
    """This machine and Bot Service reach the app, and Teams would not."""
    migration.let_new_app_sign_in()
    configuration = migration.new.site.hidden.setdefault(CONFIG, {})
    for rules, missing in (
        (
            [MINE, NOBODY],
            "AzureBotService, and the addresses of Teams (in the public cloud 52.112.0.0/14",
        ),
        (
            [MINE, BOT_SERVICE, NOBODY],
            "admit the addresses of Teams, 52.112.0.0/14 and 52.122.0.0/15",
        ),
    ):
        configuration["ipSecurityRestrictions"] = rules
        ended = migration.run(*SWITCH, "--json")
        assert ended.json["result"] == "refused", ended.output
        assert missing in ended.json["reason"]
        assert migration.endpoint == OLD_ENDPOINT
    configuration["ipSecurityRestrictions"] = [MINE, BOT_SERVICE, TEAMS_RANGES, NOBODY]
    assert migration.run(*SWITCH).status == 0
    assert migration.endpoint == NEW_ENDPOINT


def test_a_bot_without_teams_does_not_need_its_addresses(migration: Migration) -> None:
    """The service tag is enough for the other channels."""
    migration.let_new_app_sign_in()
    resources = migration.thread.azure.resource_manager.resources
    migration.thread.call(resources.remove, f"{migration.old.bot.id}/channels/MsTeamsChannel")
    configuration = migration.new.site.hidden.setdefault(CONFIG, {})
    configuration["ipSecurityRestrictions"] = [BOT_SERVICE, NOBODY]
    assert migration.run(*SWITCH).status == 0
    assert migration.endpoint == NEW_ENDPOINT


@pytest.mark.parametrize("place", ["", "/config/web"])
def test_switch_refuses_an_app_without_public_network_access(
    migration: Migration, place: str
) -> None:
    """No rule has an effect there: the cure is another."""
    migration.let_new_app_sign_in()
    site = migration.new.site
    properties = site.hidden.setdefault(CONFIG, {}) if place else site.properties
    migration.thread.call(properties.update, {"publicNetworkAccess": "Disabled"})
    ended = migration.run(*SWITCH, "--json")
    assert ended.json["result"] == "refused", ended.output
    cure = f"--ids {site.id}{place} --set properties.publicNetworkAccess=Enabled"
    assert cure in ended.json["reason"]
    assert "access-restriction" not in ended.json["reason"]
    assert migration.endpoint == OLD_ENDPOINT
