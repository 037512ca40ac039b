"""spoken_text: what a long text with many mentions costs."""

from botbuilder.schema import Activity

from bot_logic.spoken_text import spoken_text
from tests.support.load.call_count import steps_counted


def test_many_mentions_in_a_long_text() -> None:
    """The text is not searched once for each of them."""
    bot, text = {"id": "28:bot", "name": "Bot"}, "x" * 700_000
    mentions = [
        {"type": "mention", "text": f"<at>{number}</at>", "mentioned": bot}
        for number in range(3000)
    ]
    content = {"type": "message", "text": text, "entities": mentions, "recipient": bot}
    activity = Activity.deserialize(content)
    with steps_counted() as steps:
        assert spoken_text(activity) == text
    assert 0 < steps["str.replace"] < 20
