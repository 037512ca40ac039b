"""ShoppingBot: keeps a shopping list."""

from botbuilder.core import ActivityHandler, TurnContext, UserState

from .shopping_list import Item, Priority, ShoppingList


class ShoppingBot(ActivityHandler):
    """Adds each message to the list; `list` shows the list. A final `!` marks an urgent item.

    Args:
        user_state: remembers the list.
    """

    def __init__(self, user_state: UserState) -> None:
        super().__init__()
        self._shopping_list = user_state.create_property("shopping list")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Show the list, or add to it. Changes are saved when the turn ends."""
        shopping: ShoppingList = await self._shopping_list.get(turn_context, ShoppingList)
        text = (turn_context.activity.text or "").strip()
        if text.lower() == "list":
            await turn_context.send_activity(str(shopping))
            return
        priority = Priority.URGENT if text.endswith("!") else Priority.NORMAL
        shopping.items.append(Item(text.rstrip("!"), priority))
        await turn_context.send_activity(f"Added. That makes {len(shopping.items)}.")
