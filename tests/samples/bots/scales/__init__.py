"""Kitchen scales' bot: middleware shows its traffic and its state in another conversation."""

from bots import ScalesBot
from botbuilder.core.inspection import InspectionMiddleware, InspectionState


def create_bot(services):
    """In place of app.py."""
    inspection = InspectionMiddleware(
        inspection_state=InspectionState(services.storage),
        user_state=services.user_state,
        conversation_state=services.conversation_state,
    )
    inspection.credentials = services.credentials
    services.adapter.use(inspection)
    return ScalesBot(services.conversation_state, services.user_state)
