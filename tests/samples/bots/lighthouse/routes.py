"""The functions that app.py has beside its messages."""

import azure.functions as func

from bot_logic import CONVERSATION_REFERENCES


def create_routes(ready):
    """In place of APP.router."""
    blueprint = func.Blueprint()

    @blueprint.route("warn", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
    async def warn(req: func.HttpRequest) -> func.HttpResponse:
        services = await ready()
        for conversation_reference in CONVERSATION_REFERENCES.values():
            await services.adapter.continue_conversation(
                conversation_reference,
                lambda turn_context: turn_context.send_activity("A storm is coming."),
                services.app_id,
            )
        return func.HttpResponse("Everybody is warned.")

    return blueprint
