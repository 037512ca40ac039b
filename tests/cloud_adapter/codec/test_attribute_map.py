"""What the classes of the SDK's models declare, and what of that the codec cannot handle."""

from typing import Any

from botbuilder.core import IntentScore, RecognizerResult
from botbuilder.schema import Activity, ChannelAccount, Entity, Error, TokenExchangeState
from botframework.connector.token_api import models as token_api

from cloud_adapter.codec import (
    attributes,
    is_sdk_model,
    named_classes,
    unsupported_feature,
)
from tests.support.model_json import MODELS


class OwnModel(Activity):  # type: ignore[misc]  # untyped SDK base
    """A model of a bot's own that is based on the SDK's."""


def test_attributes() -> None:
    """The attribute, the JSON key and the type, in the map's order."""
    assert attributes(Entity) == [("type", "type", "str")]
    assert ("from_property", "from", "ChannelAccount") in attributes(Activity)


def test_the_one_unsupported_model_of_the_sdk() -> None:
    """The codec compiles all others; this fails when a new version of the SDK has another one."""
    features = {model: unsupported_feature(model) for model in MODELS}
    assert {model: found for model, found in features.items() if found} == {
        TokenExchangeState: "two attributes with one key"
    }


def test_named_classes() -> None:
    """The class's own module takes precedence over the SDK's."""
    assert named_classes(token_api.ErrorResponse)["Error"] is token_api.Error
    assert named_classes(Activity)["Error"] is Error
    assert named_classes(RecognizerResult)["IntentScore"] is IntentScore
    own: dict[str, Any] = named_classes(OwnModel)
    assert (own["OwnModel"], own["ChannelAccount"]) == (OwnModel, ChannelAccount)


def test_models_of_the_sdk() -> None:
    """The SDK's models are; a bot's own are not, even if they derive from them."""
    assert all(is_sdk_model(model) for model in MODELS)
    assert not is_sdk_model(OwnModel)
    assert not is_sdk_model(RecognizerResult)
