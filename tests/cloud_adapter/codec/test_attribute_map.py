"""The attribute maps of the SDK's models, and what of a class the codec does not know."""

from typing import Any

from botbuilder.core import IntentScore, RecognizerResult
from botbuilder.schema import Activity, ChannelAccount, Entity, Error, TokenExchangeState
from botframework.connector.token_api import models as token_api

from cloud_adapter.codec.attribute_map import attributes, is_sdk_model, named_classes, oddity
from tests.support.model_json import MODELS


class Mine(Activity):  # type: ignore[misc]  # untyped SDK base
    """A model of a bot's own that is based on the SDK's."""


def test_attributes() -> None:
    """The attribute, the JSON key and the type, in the map's order."""
    assert attributes(Entity) == [("type", "type", "str")]
    assert ("from_property", "from", "ChannelAccount") in attributes(Activity)


def test_the_one_odd_model_of_the_sdk() -> None:
    """All others are compiled: a new version of the SDK that has another is noticed here."""
    odd = {model: oddity(model) for model in MODELS if oddity(model)}
    assert odd == {TokenExchangeState: "two attributes with one key"}


def test_classes_of_a_class_are_its_module_s_then_the_sdk_s() -> None:
    """Names that several modules have mean the nearest class."""
    assert named_classes(token_api.ErrorResponse)["Error"] is token_api.Error
    assert named_classes(Activity)["Error"] is Error
    assert named_classes(RecognizerResult)["IntentScore"] is IntentScore
    mine: dict[str, Any] = named_classes(Mine)
    assert (mine["Mine"], mine["ChannelAccount"]) == (Mine, ChannelAccount)


def test_models_of_the_sdk() -> None:
    """Those that go over the wire; not a bot's own, whatever they are based on."""
    assert all(is_sdk_model(model) for model in MODELS)
    assert not is_sdk_model(Mine)
    assert not is_sdk_model(RecognizerResult)
