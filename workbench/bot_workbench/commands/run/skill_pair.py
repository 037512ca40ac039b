"""The settings by which a bot and its skill know each other in a local run."""

from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.loopback import LOCALHOST


def pair_settings(cloud: Cloud, port: int, skill_port: int) -> tuple[dict[str, str], ...]:
    """The settings by which a bot and its skill know each other, and the skill knows the cloud.

    Returns:
        Additional settings for the bot, and all settings for the skill.
    """
    skill = cloud.add_bot()
    of_bot = {
        "AllowedCallers": skill.app_id,
        "SkillAppId": skill.app_id,
        "SkillEndpoint": f"http://{LOCALHOST}:{skill_port}/api/messages",
        "SkillHostEndpoint": f"http://{LOCALHOST}:{port}/api/skills",
    }
    return of_bot, cloud.settings(skill) | {"AllowedCallers": cloud.registration.app_id}
