"""Apologies: what the bot says last in a turn that fails, marked in the chat with that turn."""

from weakref import WeakKeyDictionary

from bot_workbench.emulator.channel.errors import ChannelError
from bot_workbench.emulator.inspector.turns.turn import Turn
from bot_workbench.emulator.inspector.turns.turn_details import JsonObject
from bot_workbench.emulator.inspector.turns.turn_progress import FAILED
from bot_workbench.emulator.teams.directory.teams_directory import TeamsDirectory


class Apologies:
    """Listens to the log of turns.

    Args:
        directory: has the conversations, whose pages show the mark.
    """

    def __init__(self, directory: TeamsDirectory) -> None:
        self._directory = directory
        self._marked: WeakKeyDictionary[Turn, str] = WeakKeyDictionary()

    def turn_changed(self, turn: Turn) -> None:
        """See TurnListener."""
        marked = self._marked.get(turn, "")
        last = turn.last_reply if turn.outcome == FAILED else ""
        if last == marked:
            return
        self._marked[turn] = last
        # The bot may say more, and a queued turn runs again: then this is no apology.
        self._publish(turn, marked, "delivered")
        self._publish(turn, last, "apology")

    def _publish(self, turn: Turn, activity_id: str, state: str) -> None:
        try:
            chat = self._directory.conversation(turn.conversation_id)
        except ChannelError:
            return  # another channel's
        if chat.has(activity_id):
            mark = {"type": "delivery", "activityId": activity_id, "turn": turn.id}
            chat.publish_delivery({**mark, "state": state})

    def logged(self, line: JsonObject) -> None:
        """See TurnListener: no turn has failed by a line."""

    def cleared(self) -> None:
        """See TurnListener: the link then says that the turn is no longer kept."""
