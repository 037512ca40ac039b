"""Which access restrictions keep the channels from an app."""

import pytest

from admin.azure.json_object import JsonObject
from admin.migrate.switch.access_restrictions import admits_channels
from emulator.resource_manager.web.sites import CONFIG
from tests.admin.migrate.migration import APP, BOT, NEW_ENDPOINT, OLD_ENDPOINT, Migration

ANY = {"ipAddress": "Any", "action": "Allow", "priority": 2147483647, "name": "Allow all"}
NOBODY = {"ipAddress": "Any", "action": "Deny", "priority": 2147483647, "name": "Deny all"}
BOT_SERVICE = {"ipAddress": "AzureBotService", "tag": "ServiceTag", "action": "Allow"}
TEAMS = {"ipAddress": "203.0.113.9/32,52.112.0.0/14", "action": "Allow", "priority": 300}
MINE = {"ipAddress": "203.0.113.7/32", "action": "Allow", "priority": 100}
FRONT_DOOR = {
    **BOT_SERVICE,
    "ipAddress": "AzureFrontDoor.Backend",
    "headers": {"x-azure-fdid": ["00000000-0000-4000-8000-000000000001"]},
}
SUBNET = {"vnetSubnetResourceId": "/subscriptions/1/x/subnets/y", "action": "Allow", "priority": 9}


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [ANY],
        [MINE, ANY],
        [MINE, BOT_SERVICE, NOBODY],
        [{**BOT_SERVICE, "ipAddress": "AzureCloud.westeurope"}],
        [MINE, TEAMS, NOBODY],
        [{"ipAddress": "52.112.0.0", "subnetMask": "255.252.0.0", "action": "Allow"}],
        [{"ipAddress": "0.0.0.0/0", "action": "Allow", "priority": 1}],
    ],
)
def test_rules_that_a_channel_may_pass(rules: list[JsonObject]) -> None:
    """Nothing is refused that may be meant for the channels."""
    assert admits_channels({"ipSecurityRestrictions": rules})


@pytest.mark.parametrize(
    "rules",
    [
        [MINE],
        [MINE, NOBODY],
        [{**MINE, "ipAddress": "203.0.113.7", "subnetMask": "255.255.255.255"}],
        [{**MINE, "ipAddress": "10.0.0.0/8"}],
        [FRONT_DOOR],
        [SUBNET],
        [{**NOBODY, "priority": 1}, ANY, BOT_SERVICE],
    ],
)
def test_rules_that_no_channel_passes(rules: list[JsonObject]) -> None:
    """One address, a virtual network and a gateway are no channel."""
    assert not admits_channels({"ipSecurityRestrictions": rules})


def test_what_no_rule_is_about() -> None:
    """The default action decides, and public access may be off altogether."""
    allow = {"ipSecurityRestrictionsDefaultAction": "Allow"}
    deny = {"ipSecurityRestrictionsDefaultAction": "Deny"}
    assert admits_channels({**allow, "ipSecurityRestrictions": [MINE]})
    assert not admits_channels(deny)
    assert not admits_channels({**allow, "publicNetworkAccess": "Disabled"})


def test_switch_refuses_an_app_that_admits_its_caller_only(migration: Migration) -> None:
    """This machine reaches the app, and the channels would not."""
    migration.let_new_app_sign_in()
    configuration = migration.new.site.hidden.setdefault(CONFIG, {})
    configuration["ipSecurityRestrictions"] = [MINE, NOBODY]
    words = ("switch", "--bot", BOT, "--app", APP)
    ended = migration.run(*words, "--json")
    assert ended.json["result"] == "refused", ended.output
    assert "AzureBotService" in ended.json["reason"]
    assert migration.endpoint == OLD_ENDPOINT
    configuration["ipSecurityRestrictions"] = [MINE, BOT_SERVICE, NOBODY]
    assert migration.run(*words).status == 0
    assert migration.endpoint == NEW_ENDPOINT
