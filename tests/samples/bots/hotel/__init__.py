"""A hotel's bot: it forwards a conversation to a skill, the porter, until the porter ends it."""

from bots import HotelBot
from config import DefaultConfig, SkillConfiguration
from turn_error import TurnErrorHandler


def create_bot(services):
    """In place of app.py."""
    config, skills = DefaultConfig(), SkillConfiguration()
    state, client = services.conversation_state, services.skill_client
    services.adapter.on_turn_error = TurnErrorHandler(config, state, client, skills).handle
    return HotelBot(state, skills, client, config)
