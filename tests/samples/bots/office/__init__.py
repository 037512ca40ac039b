"""An office's bot: its dialog hands over to the dialogs of a skill, the archive."""

from bots import OfficeBot
from config import DefaultConfig, SkillConfiguration
from dialogs import MainDialog
from middleware import LoggerMiddleware


def create_bot(services):
    """In place of app.py."""
    services.adapter.use(LoggerMiddleware())
    dialog = MainDialog(
        services.conversation_state,
        services.skill_conversations,
        services.skill_client,
        SkillConfiguration(),
        DefaultConfig(),
    )
    return OfficeBot(services.conversation_state, dialog)
