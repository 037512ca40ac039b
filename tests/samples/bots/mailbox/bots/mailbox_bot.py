from botbuilder.core import TurnContext

from .dialog_bot import DialogBot


class MailboxBot(DialogBot):
    async def on_token_response_event(self, turn_context: TurnContext):
        await self.run(turn_context)

    async def on_teams_signin_verify_state(self, turn_context: TurnContext):
        await self.run(turn_context)
