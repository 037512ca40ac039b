"""Echo, as an application of the Microsoft 365 Agents SDK: greets users, and repeats them."""

from microsoft_agents.hosting.core import AgentApplication, TurnContext, TurnState

from cloud_adapter.bot.services import BotServices


def create_bot(services: BotServices) -> AgentApplication[TurnState]:
    """The application, which gets its storage and its connections from the base."""
    app = AgentApplication[TurnState](**services.agent_options)

    @app.members_added()
    async def greet(context: TurnContext, state: TurnState) -> None:
        """Greet the users, not the bot itself."""
        bot = context.activity.recipient
        if bot and any(each.id != bot.id for each in context.activity.members_added):
            await context.send_activity("Hello! I echo what you say.")

    @app.message()
    async def echo(context: TurnContext, state: TurnState) -> None:
        """Echo a message."""
        await context.send_activity(f"You said: {context.activity.text}")

    return app
