import os
from typing import Dict

from botbuilder.core.skills import BotFrameworkSkill


class DefaultConfig:
    """Bot Configuration"""

    APP_ID = os.environ.get("MicrosoftAppId", "")
    APP_PASSWORD = os.environ.get("MicrosoftAppPassword", "")
    SKILL_HOST_ENDPOINT = os.environ.get("SkillHostEndpoint", "")
    SKILLS = [
        {
            "id": "Archive",
            "app_id": os.environ.get("SkillAppId", ""),
            "skill_endpoint": os.environ.get("SkillEndpoint", ""),
        },
    ]


class SkillConfiguration:
    SKILL_HOST_ENDPOINT = DefaultConfig.SKILL_HOST_ENDPOINT
    SKILLS: Dict[str, BotFrameworkSkill] = {
        skill["id"]: BotFrameworkSkill(**skill) for skill in DefaultConfig.SKILLS
    }
