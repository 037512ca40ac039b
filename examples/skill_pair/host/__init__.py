"""The host of the pair: hands the conversation to the skill, and takes it back.

Needs the app settings SkillAppId, SkillEndpoint, SkillHostEndpoint and AllowedCallers:
docs/skills.md says what they are.
"""

from botbuilder.core.skills import BotFrameworkSkill

from cloud_adapter.bot.services import BotServices

from .bot import HostBot


def create_bot(services: BotServices) -> HostBot:
    """The bot, and the one skill that it calls."""
    settings = services.settings
    skill = BotFrameworkSkill("reverse", settings["SkillAppId"], settings["SkillEndpoint"])
    return HostBot(services, skill, settings["SkillHostEndpoint"])
