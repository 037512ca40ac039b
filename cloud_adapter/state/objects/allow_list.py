"""The allow list: the classes whose objects state may hold, each with its shape.

They are the bot's own, and those of the two bot SDKs: the schema's models, and what dialogs,
prompts, skills and middleware put into state. Of the Agents SDK, nothing is imported: its classes
are found in what the bot has imported.
"""

import sys
from enum import Enum

from msrest.serialization import Model

from cloud_adapter.codec import SDK_MODULES, is_sdk_model
from cloud_adapter.state.objects.bot_classes import PREFIX, bot_classes, warn_once
from cloud_adapter.state.objects.introspection import (
    is_class,
    module_dict,
    module_name,
    qualified_name,
)
from cloud_adapter.state.objects.pydantic_models import PydanticShape, is_pydantic_model
from cloud_adapter.state.objects.shapes import (
    EnumShape,
    ModelShape,
    ObjectShape,
    Shape,
    StandInShape,
)

STATE_CLASSES = frozenset(
    {
        "botbuilder.core.inspection.inspection_sessions_by_status:InspectionSessionsByStatus",
        "botbuilder.core.intent_score:IntentScore",
        "botbuilder.core.recognizer_result:RecognizerResult",
        "botbuilder.core.recognizer_result:TopIntent",
        "botbuilder.core.skills.bot_framework_skill:BotFrameworkSkill",
        "botbuilder.core.skills.skill_conversation_id_factory_options"
        ":SkillConversationIdFactoryOptions",
        "botbuilder.core.skills.skill_conversation_reference:SkillConversationReference",
        "botbuilder.core.storage:StoreItem",
        "botbuilder.core.teams.teams_sso_token_exchange_middleware:_TokenStoreItem",
        "botbuilder.dialogs.choices.choice:Choice",
        "botbuilder.dialogs.choices.choice_factory_options:ChoiceFactoryOptions",
        "botbuilder.dialogs.choices.found_choice:FoundChoice",
        "botbuilder.dialogs.choices.list_style:ListStyle",
        "botbuilder.dialogs.dialog_event:DialogEvent",
        "botbuilder.dialogs.dialog_instance:DialogInstance",
        "botbuilder.dialogs.dialog_reason:DialogReason",
        "botbuilder.dialogs.dialog_state:DialogState",
        "botbuilder.dialogs.dialog_turn_result:DialogTurnResult",
        "botbuilder.dialogs.dialog_turn_status:DialogTurnStatus",
        "botbuilder.dialogs.persisted_state:PersistedState",
        "botbuilder.dialogs.persisted_state_keys:PersistedStateKeys",
        "botbuilder.dialogs.prompts.datetime_resolution:DateTimeResolution",
        "botbuilder.dialogs.prompts.oauth_prompt:CallerInfo",
        "botbuilder.dialogs.prompts.prompt_options:PromptOptions",
        "botbuilder.dialogs.prompts.prompt_recognizer_result:PromptRecognizerResult",
        "botbuilder.dialogs.skills.begin_skill_dialog_options:BeginSkillDialogOptions",
        "microsoft_agents.hosting.dialogs.choices.models.choice:Choice",
        "microsoft_agents.hosting.dialogs.choices.models.choice_factory_options"
        ":ChoiceFactoryOptions",
        "microsoft_agents.hosting.dialogs.choices.models.found_choice:FoundChoice",
        "microsoft_agents.hosting.dialogs.choices.models.list_style:ListStyle",
        "microsoft_agents.hosting.dialogs.dialog_state:DialogState",
        "microsoft_agents.hosting.dialogs.models.dialog_event:DialogEvent",
        "microsoft_agents.hosting.dialogs.models.dialog_instance:DialogInstance",
        "microsoft_agents.hosting.dialogs.models.dialog_reason:DialogReason",
        "microsoft_agents.hosting.dialogs.models.dialog_turn_result:DialogTurnResult",
        "microsoft_agents.hosting.dialogs.models.dialog_turn_status:DialogTurnStatus",
        "microsoft_agents.hosting.dialogs.persisted_state:PersistedState",
        "microsoft_agents.hosting.dialogs.persisted_state_keys:PersistedStateKeys",
        "microsoft_agents.hosting.dialogs.prompts.datetime_resolution:DateTimeResolution",
        "microsoft_agents.hosting.dialogs.prompts.oauth_prompt:CallerInfo",
        "microsoft_agents.hosting.dialogs.prompts.prompt_options:PromptOptions",
        "microsoft_agents.hosting.dialogs.prompts.prompt_recognizer_result:PromptRecognizerResult",
    }
)
"""The classes that are not models, as `module:name`. Their objects have attributes only."""

_MODELS = {module.__name__: module for module in SDK_MODULES}

_AGENTS_MODELS = "microsoft_agents.activity"
"""The package of the Agents SDK's models, which are pydantic's; its enums; and ChannelId, a str."""


def shape_of(kind: type) -> Shape | None:
    """The shape of a class's objects; None if state cannot hold them.

    Raises:
        TypeError: its objects could not be read again; the text says why.
    """
    found = bot_classes.found
    shape: Shape | None = found.get(kind)
    if shape is None and (tag := sdk_tag(kind) or bot_classes.tag(kind)):
        # If two classes share a tag, objects are read as the class that is written.
        shape = found[kind] = found[tag] = _shape(tag, kind)
    return shape


def shape_for(tag: str) -> Shape:
    """The shape of a stored object.

    Raises:
        ValueError: state cannot hold objects with this tag; the text says why.
    """
    shape: Shape | None = bot_classes.found.get(tag)
    if shape is not None:
        return shape
    kind = bot_classes.find(tag) if tag.startswith(PREFIX) else find_sdk_class(tag)
    if kind is None:
        warn_once(
            "State holds objects of %s, which bot_logic does not have: their attributes can be"
            " read, and are kept. If the class was renamed or moved, also assign it to its old name"
            " in its old module",
            tag,
        )
        return StandInShape(tag)
    try:
        shape = bot_classes.found[tag] = shape_of(kind)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if shape is None:
        raise ValueError("is not a class that state can hold")
    return shape


def _shape(tag: str, kind: type) -> Shape:
    if issubclass(kind, Enum):
        return EnumShape(tag, kind)
    if issubclass(kind, Model) and is_sdk_model(kind):
        return ModelShape(tag, kind)
    if is_pydantic_model(kind):
        return PydanticShape(tag, kind)
    return ObjectShape(tag, kind)


def sdk_tag(kind: type) -> str:
    """The tag of a class; empty if it is not one of the SDKs' for state."""
    module, name = module_name(kind), qualified_name(kind)
    if (tag := f"{module}:{name}") in STATE_CLASSES:
        return tag
    if module.startswith(f"{_AGENTS_MODELS}."):
        return _agents_tag(kind, module, name)
    return next((f"{each}:{name}" for each in _MODELS if _model(each, name) is kind), "")


def find_sdk_class(tag: str) -> type:
    """The class of a tag. Imports nothing.

    Raises:
        ValueError: state cannot hold the class, or the package is not loaded.
    """
    module, _, name = tag.partition(":")
    if (model := _model(module, name) or _agents_model(module, name)) is not None:
        return model
    found = module_dict(sys.modules.get(module)).get(name)
    if tag in STATE_CLASSES and is_class(found):
        return found
    is_agents_model = module == _AGENTS_MODELS and module not in sys.modules
    if tag not in STATE_CLASSES and not is_agents_model:
        raise ValueError("is not a class that state can hold")
    package = ".".join(module.split(".")[: 3 if module.startswith("microsoft_agents.") else 2])
    raise ValueError(f"is in {package}, which is not imported: import it in your bot")


def _model(package: str, name: str) -> type | None:
    """A model or an enum that a package of the schema defines itself, and does not import."""
    found = module_dict(_MODELS.get(package)).get(name)
    if not is_class(found) or not issubclass(found, Model | Enum):
        return None
    return found if module_name(found).startswith(package) else None


def _agents_tag(kind: type, module: str, name: str) -> str:
    """The tag of a model of the Agents SDK: by the outermost package that exports it.

    Which file of the package defines it may change with a release.
    """
    parts = module.split(".")
    packages = (".".join(parts[:length]) for length in range(2, len(parts) + 1))
    return next((f"{each}:{name}" for each in packages if _agents_model(each, name) is kind), "")


def _agents_model(module: str, name: str) -> type | None:
    """A model, an enum or a str in a module of the Agents SDK's that is loaded."""
    if module != _AGENTS_MODELS and not module.startswith(f"{_AGENTS_MODELS}."):
        return None
    found = module_dict(sys.modules.get(module)).get(name)
    if not is_class(found):
        return None
    return found if is_pydantic_model(found) or issubclass(found, Enum | str) else None
