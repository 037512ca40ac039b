"""Notification: which messages are notifications, and what is wrong with the others."""

import pytest

from cloud_adapter.errors import BadNotification
from cloud_adapter.proactive.notification import Notification


@pytest.mark.parametrize(
    "message",
    [
        '{"to": "all", "text": "hello"}',
        '{"to": ["all"], "channel": "msteams", "text": "hello", "id": "n1"}',
        '{"v": 1, "to": ["29:1", "29:2"], "card": {"type": "AdaptiveCard"}, "fruitless": 3}',
    ],
)
def test_the_message_of_a_notification(message: str) -> None:
    """It says everything that the notification does."""
    notification = Notification.parse(message, "m1")
    assert Notification.parse(notification.message, "m2") == notification


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("sesame", "not JSON"),
        ("[" * 40_000, "not JSON"),
        ('["sesame"]', "not a JSON object"),
        ('{"to": "all", "text": "Gr\udcfc\udcdfe"}', "it is not JSON"),
        ('{"text": "sesame"}', "names no recipient"),
        ('{"to": [], "text": "sesame"}', "names no recipient"),
        ('{"to": [7], "text": "sesame"}', "names no recipient"),
        ('{"to": ["all", "29:1"], "text": "sesame"}', "with other recipients"),
        ('{"to": "all"}', "is empty"),
        ('{"to": "all", "text": " "}', "is empty"),
        ('{"to": "all", "text": 7}', "not a string"),
        ('{"to": "all", "card": {"text": "sesame"}}', "not an adaptive card"),
        ('{"to": "all", "text": "sesame", "cards": []}', "other than to, channel, text, card"),
        ('{"to": "all", "channel": "sesame", "text": "x"}', "channel is not one of console"),
        ('{"to": "all", "channel": ["msteams"], "text": "x"}', "channel is not one of"),
        ('{"to": "29:1", "channel": "msteams", "text": "sesame"}', 'works with "all" only'),
    ],
)
def test_what_is_not_a_notification(message: str, why: str) -> None:
    """The error says what is wrong, and quotes nothing."""
    with pytest.raises(BadNotification) as raised:
        Notification.parse(message, "m1")
    assert why in str(raised.value)
    assert "sesame" not in str(raised.value)
