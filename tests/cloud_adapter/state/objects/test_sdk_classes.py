"""The bot SDK's classes: what dialogs, prompts, skills and middleware put into state."""

import enum
import importlib
import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import botbuilder.schema
import pytest
from botbuilder.core import CardFactory, ConversationState, MessageFactory
from botbuilder.core.inspection.inspection_sessions_by_status import InspectionSessionsByStatus
from botbuilder.core.skills import BotFrameworkSkill, SkillConversationReference
from botbuilder.schema import Activity, ActivityTypes, ConversationReference, HeroCard, Mention

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.objects.allow_list import STATE_CLASSES
from cloud_adapter.state.objects.bot_classes import bot_classes
from cloud_adapter.state.stored_state import from_text, to_text
from cloud_adapter.storage.blobs import MemoryContainer
from tests.support.model_json import CLASSES, MODELS, UNREADABLE


def reread(value: Any) -> Any:
    """A property, stored and read."""
    return from_text(to_text({"a": value}))["a"]


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param(tag, marks=[pytest.mark.extended] * tag.startswith("microsoft_agents"))
        for tag in sorted(STATE_CLASSES)
    ],
)
def test_the_list_of_classes(tag: str) -> None:
    """Each is a class of the SDK's, defined where its tag says, and is read by its tag."""
    module, _, name = tag.partition(":")
    kind = getattr(importlib.import_module(module), name)
    assert (kind.__module__, kind.__qualname__) == (module, name)
    if not issubclass(kind, enum.Enum | tuple):
        value = object.__new__(kind)
        vars(value).update(one=1, two=[Decimal(2)])
        read = reread(value)
        assert type(read) is kind
        assert vars(read) | vars(value) == vars(read)  # a dataclass's fields have their defaults


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS if model not in UNREADABLE],
    ids=lambda model: str(model.__name__),
)
def test_models(model: Any) -> None:
    """Every model that can be created: empty, without defaults, and with unknown properties."""
    empty, cleared, full = model(), model(), model()
    for name in vars(full):
        setattr(cleared, name, None)
        setattr(full, name, [name, {"~type": "os:system"}, datetime(2026, 1, 1, tzinfo=UTC)])
    full.additional_properties = {"unknown": (1, None)}
    full.unknown = Decimal(1)
    for value in (empty, cleared, full):
        assert type(reread(value)) is model
        assert vars(reread(value)) == vars(value)
        assert to_text(reread(value)) == to_text(value)


@pytest.mark.parametrize(
    "kind",
    [found for found in CLASSES.values() if issubclass(found, enum.Enum)],
    ids=lambda kind: str(kind.__name__),
)
def test_enums(kind: type[enum.Enum]) -> None:
    """Every enum of the schema is read as itself, not as its text."""
    for member in kind:
        assert reread(member) is member


def test_an_activity() -> None:
    """What the wire form loses is kept: a card's class, an offset, enums, unknown properties."""
    activity = MessageFactory.attachment(CardFactory.hero_card(HeroCard(title="x")), "text")
    activity.timestamp = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    activity.entities = [Mention(text="<at>Ada</at>")]
    activity.entities[0].additional_properties = {"x": {"y": 1}}
    activity.value = {"when": datetime(2026, 1, 1), "score": Decimal("0.5")}  # noqa: DTZ001
    read = reread(activity)
    assert read == activity
    assert type(read.attachments[0].content) is HeroCard
    assert read.type is ActivityTypes.message
    assert read.timestamp.isoformat() == "2026-01-01T00:00:00+02:00"
    assert read.entities[0].additional_properties == {"x": {"y": 1}}


def test_properties_without_a_value_are_not_stored() -> None:
    """An activity has forty of them."""
    written = json.loads(to_text({"a": Activity(type="message", text="")}))[1]["a"]
    assert written == {"~type": "botbuilder.schema:Activity", "type": "message", "text": ""}


def test_what_skills_and_the_inspector_store() -> None:
    """Plain objects with models in them."""
    reference = ConversationReference(channel_id="msteams", service_url="https://smba")
    stored = SkillConversationReference(reference, "https://api.botframework.com")
    assert vars(reread(stored)) == vars(stored)
    sessions = InspectionSessionsByStatus({"~1": reference}, {"a": reference})
    assert vars(reread(sessions)) == vars(sessions)
    assert reread(BotFrameworkSkill("a", "b", "c")).skill_endpoint == "c"


def test_classes_that_state_does_not_hold() -> None:
    """The SDK's other classes are refused in both directions."""
    with pytest.raises(TypeError, match=r"^state\.a is a ConversationState, which state cannot"):
        to_text({"a": ConversationState(BlobStorage(ConversationLocks(MemoryContainer())))})
    for tag in (
        "botbuilder.core.conversation_state:ConversationState",
        "botbuilder.schema:ErrorResponseException",
        "botbuilder.schema:HttpOperationError",
        "botbuilder.schema:Model",
        "botbuilder.schema:Enum",
        "botbuilder.schema.teams:Activity",
        "botbuilder.schema._models_py3:Activity",
        "botbuilder.schema:Activity.validate",
        "botbuilder.schema:os",
        "botbuilder.dialogs:DialogState",
        "botbuilder.dialogs.dialog_state:List",
    ):
        with pytest.raises(UnreadableState, match=r"^state\.a is an object of '.*not a class"):
            from_text(json.dumps(["~typed", {"a": {"~type": tag}}]))


def test_what_the_schema_imports_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the schema's, though it has a name in it."""
    monkeypatch.setattr(botbuilder.schema, "HTTPStatus", HTTPStatus, raising=False)
    with pytest.raises(UnreadableState, match=r"^state\.a is an object of '.*not a class"):
        from_text('["~typed",{"a":{"~type":"botbuilder.schema:HTTPStatus","~value":"OK"}}]')


def test_a_package_that_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported, as a bot that does not use dialogs has none in state."""
    module = "botbuilder.dialogs.dialog_state"
    monkeypatch.delitem(sys.modules, module)
    bot_classes.use(None)  # what was found before is forgotten
    with pytest.raises(UnreadableState, match=r"is in botbuilder\.dialogs, which is not imported"):
        from_text(json.dumps(["~typed", {"a": {"~type": f"{module}:DialogState"}}]))
    assert module not in sys.modules
