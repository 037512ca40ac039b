"""SkillPair: a parent bot and its skill, each in a process of its own."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot_workbench.emulator.channel.conversations import Conversation
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.loopback import free_port
from tests.support.bots.app_folder import app_with
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.wire.http_post import Caller

PARENT = '''
from botbuilder.core import ActivityHandler
from botbuilder.core.skills import BotFrameworkSkill


class Parent(ActivityHandler):
    """Forwards messages to the skill from "skill" on, until the skill ends the conversation."""

    def __init__(self, services):
        self._services = services
        self._active = services.conversation_state.create_property("active")
        settings = services.settings
        self._skill = BotFrameworkSkill("echo", settings["SkillAppId"], settings["SkillEndpoint"])
        self._host = settings["SkillHostEndpoint"]

    async def on_turn(self, turn_context):
        says = turn_context.activity.type == "message"
        if says and await self._active.get(turn_context):
            await self._forward(turn_context)
        else:
            await super().on_turn(turn_context)

    async def on_message_activity(self, turn_context):
        if turn_context.activity.text != "skill":
            await turn_context.send_activity("Say skill")
            return
        await self._active.set(turn_context, True)
        await self._forward(turn_context)

    async def on_end_of_conversation_activity(self, turn_context):
        await self._active.delete(turn_context)
        # The user's next message does not wait for this turn.
        await self._services.conversation_state.save_changes(turn_context, force=True)
        activity = turn_context.activity
        await turn_context.send_activity(f"Back: {activity.code} {activity.value}")

    async def on_event_activity(self, turn_context):
        if turn_context.activity.name == "fail":
            raise ValueError("the parent fails")
        await turn_context.send_activity(f"Event: {turn_context.activity.name}")

    async def _forward(self, turn_context):
        state = self._services.conversation_state
        await state.save_changes(turn_context, force=True)
        answer = await self._services.skill_client.post_activity_to_skill(
            self._services.app_id, self._skill, self._host, turn_context.activity
        )
        if answer.status >= 300:
            await turn_context.send_activity(f"The skill answered {answer.status}")


def create_bot(services):
    return Parent(services)
'''

SKILL = '''
from botbuilder.core import ActivityHandler, BotAdapter
from botbuilder.schema import Activity
from botframework.connector.auth import SkillValidation


class Skill(ActivityHandler):
    """Echoes, and counts in a state of its own."""

    def __init__(self, services):
        self._count = services.user_state.create_property("count")

    async def on_message_activity(self, turn_context):
        count = await self._count.get(turn_context, int) + 1
        await self._count.set(turn_context, count)
        text = turn_context.activity.text
        if text == "end":
            await turn_context.send_activity(
                Activity(type="endOfConversation", code="completedSuccessfully", value={"n": count})
            )
        elif text in ("event", "fail"):
            await turn_context.send_activity(Activity(type="event", name=text))
        elif text == "update":
            sent = await turn_context.send_activity("First")
            await turn_context.update_activity(Activity(type="message", id=sent.id, text="Second"))
        elif text == "delete":
            sent = await turn_context.send_activity("Gone")
            await turn_context.delete_activity(sent.id)
            await turn_context.send_activity("Deleted")
        elif text == "who":
            identity = turn_context.turn_state[BotAdapter.BOT_IDENTITY_KEY]
            is_skill = SkillValidation.is_skill_claim(identity.claims)
            await turn_context.send_activity(f"{turn_context.activity.caller_id} {is_skill}")
        elif text == "members":
            client = turn_context.turn_state[BotAdapter.BOT_CONNECTOR_CLIENT_KEY].conversations
            found = await client.get_conversation_members(turn_context.activity.conversation.id)
            await turn_context.send_activity(", ".join(each.name for each in found))
        else:
            await turn_context.send_activity(f"Echo {count}: {text}")


def create_bot(services):
    return Skill(services)
'''


@dataclass(frozen=True)
class SkillPair:
    """The two bots.

    Attributes:
        cloud: of both.
        parent: is called by the channel.
        skill: is called by the parent.
        skill_id: the skill's app id (GUID).
        user: talks to the parent.
    """

    cloud: Cloud
    parent: BotProcess
    skill: BotProcess
    skill_id: str
    user: User

    @property
    def conversation(self) -> Conversation:
        """The user's with the parent."""
        return self.user.conversation

    def texts(self) -> list[str]:
        """The texts that the user has got so far."""
        return [each["text"] for each in self.conversation.activities if each["type"] == "message"]


@contextlib.contextmanager
def running_pair(
    cloud: Cloud,
    folder: Path,
    settings: Mapping[str, str],
    skill_settings: Mapping[str, str] | None = None,
    bots: tuple[str, str] = (PARENT, SKILL),
    token_version: int = 1,
    folders: tuple[Path, Path] | None = None,
) -> Iterator[SkillPair]:
    """Start both bots.

    Args:
        cloud: where they are registered; the parent is its first bot.
        folder: for the apps and their logs.
        settings: of both, beside the cloud's.
        skill_settings: of the skill alone.
        bots: the parent's and the skill's `__init__.py`.
        token_version: of the tokens for the skill.
        folders: the parent's and the skill's, in place of `bots`.
    """
    other = cloud.add_bot(token_version)
    parent_id, port = cloud.registration.app_id, free_port()
    names = ("parent", "skill")
    if folders is None:
        own = [{"bot_logic/__init__.py": text} for text in bots]
        apps = [app_with(folder / name, files) for name, files in zip(names, own, strict=True)]
    else:
        apps = [app_with(folder / name, {}, bot) for name, bot in zip(names, folders, strict=True)]
    of_skill = {**cloud.settings(other), **settings, "AllowedCallers": parent_id}
    of_skill |= skill_settings or {}
    with BotProcess(of_skill, folder / "skill.log", apps[1]) as skill:
        of_parent = {
            **cloud.settings(),
            **settings,
            "AllowedCallers": other.app_id,
            "SkillAppId": other.app_id,
            "SkillEndpoint": skill.messages,
            "SkillHostEndpoint": f"http://localhost:{port}/api/skills",
        }
        options = ("--port", str(port))
        with BotProcess(of_parent, folder / "parent.log", apps[0], options) as parent:
            caller = Caller(parent.url)
            with contextlib.closing(caller):
                yield SkillPair(cloud, parent, skill, other.app_id, User(cloud, caller))
