"""Sign in: OAuthPrompt signs the user in; in Teams, by single sign-on."""

from cloud_adapter.bot.services import BotServices

from .bot import SignInBot


def create_bot(services: BotServices) -> SignInBot:
    """The bot. The app setting OAuthConnectionName names the connection in the Azure Bot."""
    connection = services.settings.get("OAuthConnectionName", "graph")
    return SignInBot(services.conversation_state, connection)
