"""A parent and its skill."""

from collections.abc import Mapping

import pytest

from tests.support.bots.composed_app import ComposedApp
from tests.support.skills.replying_skill import ALLOWED, ReplyingSkill


@pytest.fixture
def app_settings() -> Mapping[str, str]:
    """The parent accepts the skill's calls."""
    return ALLOWED


@pytest.fixture
async def skill(app: ComposedApp) -> ReplyingSkill:
    """The skill, which the parent has called."""
    skill = ReplyingSkill(app)
    await skill.is_called()
    return skill
