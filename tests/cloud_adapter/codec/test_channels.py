"""Which channels vouch for their users, and which tenants an activity names."""

from typing import Any

import pytest
from botbuilder.schema import Activity

from cloud_adapter.activities import CHANNELS, tenant_ids, vouches_for_users
from cloud_adapter.codec import read_model

TEAMS_MESSAGE: dict[str, Any] = {
    "channelId": "msteams",
    "conversation": {"id": "c", "tenantId": "AAAA"},
    "channelData": {"tenant": {"id": "bbbb"}},
}


def test_teams_alone_vouches() -> None:
    """Closed by default: an unknown channel vouches for nobody."""
    assert CHANNELS[0] == "msteams"
    assert [each for each in (*CHANNELS, "new", "MSTeams", "") if vouches_for_users(each)] == [
        "msteams"
    ]


@pytest.mark.parametrize(
    ("changes", "tenants"),
    [
        ({}, {"aaaa", "bbbb"}),
        ({"channelData": None}, {"aaaa"}),
        ({"channelData": {"tenant": None}}, {"aaaa"}),
        ({"channelData": "x"}, {"aaaa"}),
        ({"channelData": {"tenant": "x"}}, {"aaaa"}),
        ({"conversation": {"id": "c", "tenantID": "cccc"}}, {"bbbb", "cccc"}),
        ({"conversation": {"id": "c"}, "channelData": None}, set()),
        ({"channelId": "webchat"}, set()),
        ({"channelId": "directline"}, set()),
    ],
)
def test_the_tenants_of_an_activity(changes: dict[str, Any], tenants: set[str]) -> None:
    """Both places in lower case, on channels that vouch for them; malformed ones are ignored."""
    activity = read_model(Activity, {**TEAMS_MESSAGE, **changes})
    assert tenant_ids(activity) == tenants
