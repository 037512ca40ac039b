"""The Agents SDK's models, enums and channel ids: state holds them as what they are."""

import enum
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from types import ModuleType
from typing import Any

import microsoft_agents.activity
import pytest
from hypothesis import given
from hypothesis import strategies as st
from microsoft_agents.activity import (
    Activity,
    ActivityTypes,
    Attachment,
    ChannelAccount,
    ChannelId,
    ConversationReference,
    Entity,
    HeroCard,
    TokenResponse,
)
from microsoft_agents.hosting.core import CardFactory, MessageFactory
from microsoft_agents.hosting.dialogs.prompts import PromptOptions
from pydantic import BaseModel

from cloud_adapter.errors import UnreadableState
from cloud_adapter.state.objects.bot_classes import bot_classes
from cloud_adapter.state.stored_state import from_text, to_text
from tests.support.project import ROOT


def reread(value: Any) -> Any:
    """A property, stored and read."""
    return from_text(to_text({"a": value}))["a"]


def modules() -> list[ModuleType]:
    """Every module of the package that defines the models."""
    package = microsoft_agents.activity
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(each.name) for each in found]


CLASSES = [
    kind
    for module in modules()
    for kind in vars(module).values()
    if isinstance(kind, type)
    and kind.__module__ == module.__name__
    and issubclass(kind, BaseModel | enum.Enum)
    and not inspect.isabstract(kind)
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: str(kind.__name__))
def test_models_and_enums(kind: Any) -> None:
    """Each: an enum's members; a model without values, with all of them, and with a value unset."""
    if issubclass(kind, enum.Enum):
        assert [reread(member) for member in kind] == [*kind]
        assert all(reread(member) is member for member in kind)
        return
    names = kind.model_fields
    full = {name: {"~type": [name], "none": None} for name in names}
    some = set(list(names)[:1])
    for values, is_set in (({}, None), (full, None), (full, some), (dict.fromkeys(names), some)):
        value = kind.model_construct(_fields_set=is_set, **values)
        read = reread(value)
        assert type(read) is kind
        assert (read, vars(read)) == (value, vars(value))
        assert read.model_fields_set == value.model_fields_set
        assert to_text({"a": read}) == to_text({"a": value})


def test_an_activity() -> None:
    """A message with everything that dialogs keep of one goes on as if it had never been stored."""
    activity = MessageFactory.attachment(CardFactory.hero_card(HeroCard(title="x")), "text")
    activity.channel_id = ChannelId("msteams:copilot")
    activity.from_property = ChannelAccount.model_validate({"id": "29:1", "unknownName": "x"})
    activity.entities = [Entity.model_validate({"type": "x", "some": {"deep": [1]}})]
    activity.value = TokenResponse(token="t", expiration="2026")
    read = reread(activity)
    assert read == activity
    assert type(read.channel_id) is ChannelId
    assert (read.channel_id.channel, read.channel_id.sub_channel) == ("msteams", "copilot")
    assert type(read.attachments[0]) is Attachment
    for options in ({"exclude_unset": True}, {"by_alias": True, "mode": "json"}):
        assert read.model_dump(**options) == activity.model_dump(**options)
    assert [*read] == [*activity]  # their code copies models field by field
    written = read.model_dump(by_alias=True, exclude_unset=True)
    assert Activity.model_validate(written).text == "text"


def test_the_tag_is_of_the_package_that_exports_the_class() -> None:
    """A release may move a class to another file; only some classes have no other name."""
    written = {
        "microsoft_agents.activity:ChannelId": ChannelId("webchat"),
        "microsoft_agents.activity:ActivityTypes": ActivityTypes.message,
        "microsoft_agents.activity:ConversationReference": ConversationReference.model_construct(),
    }
    for tag, value in written.items():
        assert json.loads(to_text({"a": value}))[1]["a"]["~type"] == tag
    from microsoft_agents.activity.teams.batch_failed_entry import BatchFailedEntry

    text = to_text({"a": BatchFailedEntry.model_construct()})
    assert '"microsoft_agents.activity.teams.batch_failed_entry:BatchFailedEntry"' in text


def test_properties_that_nobody_sent_are_not_stored() -> None:
    """Most accounts have only those that the model names."""
    assert json.loads(to_text({"a": ChannelAccount(id="1")}))[1]["a"] == {
        "~type": "microsoft_agents.activity:ChannelAccount",
        "__pydantic_fields_set__": {"~type": "set", "~value": ["id"]},
        "id": "1",
    }


PROPERTIES = st.dictionaries(
    st.text(min_size=1, max_size=5) | st.sampled_from(["~type", "~", "__class__", "model_dump"]),
    st.none() | st.integers() | st.lists(st.text(max_size=3), max_size=2),
    max_size=3,
)


@given(PROPERTIES)
def test_properties_of_any_name(properties: dict[str, Any]) -> None:
    """What a channel adds to an account is neither a tag nor an attribute."""
    account = ChannelAccount.model_validate({**properties, "id": "1"})
    read = reread(account)
    assert (read, read.model_extra) == (account, account.model_extra)
    assert read.model_fields_set == account.model_fields_set
    assert to_text({"a": read}) == to_text({"a": account})


@pytest.mark.parametrize(
    "tag",
    [
        "microsoft_agents.activity:Evil",
        "microsoft_agents.activity:ContentTypes",
        "microsoft_agents.activity:ErrorMessage",
        "microsoft_agents.activity.activity_types:Enum",
        "microsoft_agents.activity.agents_model:BaseModel",
        "microsoft_agents.activity.evil:Evil",
        "microsoft_agents.hosting.core:TurnContext",
        "microsoft_agents.hosting.core.message_factory:Activity",
        "microsoft_agents.hosting.dialogs:DialogState",
        "microsoft_agents.x:Evil",
        "pydantic.main:BaseModel",
    ],
)
def test_classes_that_state_does_not_hold(tag: str) -> None:
    """All others of the SDK's and of pydantic's are refused, however the text got there."""
    with pytest.raises(UnreadableState, match=r"^state\.a is an object of '.*not a class that"):
        from_text(json.dumps(["~typed", {"a": {"~type": tag}}]))


@pytest.mark.parametrize(
    ("tag", "package"),
    [
        ("microsoft_agents.activity:Activity", "microsoft_agents.activity"),
        (
            "microsoft_agents.hosting.dialogs.dialog_state:DialogState",
            "microsoft_agents.hosting.dialogs",
        ),
    ],
)
def test_packages_that_are_not_imported(
    tag: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is imported: a bot that has moved back to botbuilder gets an error that names it."""
    module = tag.partition(":")[0]
    monkeypatch.delitem(sys.modules, module)
    bot_classes.use(None)  # what was found before is forgotten
    with pytest.raises(UnreadableState, match=f" is in {package}, which is not imported: import"):
        from_text(json.dumps(["~typed", {"a": {"~type": tag}}]))
    assert module not in sys.modules


def test_nothing_is_imported_for_bots_of_botbuilder() -> None:
    """Neither the SDK nor pydantic, although objects are written and read."""
    code = (
        "import sys\n"
        "from botbuilder.schema import Activity\n"
        "from cloud_adapter.state.stored_state import from_text, to_text\n"
        "from_text(to_text({'a': Activity(type='message')}))\n"
        "print([name for name in sys.modules if name.startswith(('pydantic', 'microsoft_'))])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_an_option_with_models() -> None:
    """Plain objects of the SDK's with models in them, as prompts keep them."""
    prompt = MessageFactory.text("?")
    read = reread(PromptOptions(prompt=prompt, retry_prompt=prompt, validations=(1, prompt)))
    assert vars(read) == vars(PromptOptions(prompt, prompt, validations=(1, prompt)))
