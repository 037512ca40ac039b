"""A boat rental's bot: a waterfall with each kind of prompt, which fills a class in user state."""

import sys
import traceback

from bots import RentalBot
from botbuilder.core import TurnContext
from dialogs import RentalDialog


def create_bot(services):
    """In place of app.py."""

    async def on_error(context: TurnContext, error: Exception):
        print(f"[on_turn_error] {error}", file=sys.stderr)
        traceback.print_exc()
        await context.send_activity("Our bot has sprung a leak.")
        await services.conversation_state.delete(context)

    services.adapter.on_turn_error = on_error
    dialog = RentalDialog(services.user_state)
    return RentalBot(services.conversation_state, services.user_state, dialog)
