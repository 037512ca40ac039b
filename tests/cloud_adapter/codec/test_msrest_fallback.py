"""A class with features that the codec does not support is left to msrest, with a warning."""

import copy
import logging
import traceback
from typing import Any

import pytest
from botbuilder.core import IntentScore, RecognizerResult
from botbuilder.schema import Activity, ChannelAccount, Entity
from msrest.serialization import Model

from cloud_adapter.codec import read_model, write_value
from cloud_adapter.errors import MalformedModel
from tests.support.model_json import msrest_read, msrest_written


def own_model(**changes: Any) -> Any:
    """A new model class of a bot's own.

    Args:
        changes: attributes of the class; `_attribute_map` is merged with that of `kind`.
    """

    def construct(self: Any, **given: Any) -> None:
        Model.__init__(self)  # type: ignore[no-untyped-call]  # msrest has no types
        for name in self._attribute_map:
            setattr(self, name, given.get(name))

    map_ = {"kind": {"key": "type", "type": "str"}, **changes.pop("_attribute_map", {})}
    return type("OwnModel", (Model,), {"__init__": construct, "_attribute_map": map_, **changes})


class OwnReply(Activity):  # type: ignore[misc]  # untyped SDK base
    """An activity with another property, whose class has the name of one of the SDK's."""

    _attribute_map: dict[str, Any] = {  # noqa: RUF012  # msrest's shape
        **Activity._attribute_map,
        "fault": {"key": "fault", "type": "Error"},
    }

    def __init__(self, *, fault: Any = None, **given: Any) -> None:
        super().__init__(**given)
        self.fault = fault


class Error(Model):
    """A namesake of the SDK's class."""

    _attribute_map = {"depth": {"key": "depth", "type": "int"}}  # noqa: RUF012  # msrest's shape

    def __init__(self, *, depth: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # msrest has no types
        self.depth = depth


def added(key: str, kind: str, **more: Any) -> dict[str, Any]:
    """An attribute map with another property."""
    return {"_attribute_map": {"more": {"key": key, "type": kind, **more}}}


UNSUPPORTED: list[Any] = [
    pytest.param(added("more", "duration"), {"more": "P1DT2H"}, "duration", id="duration"),
    pytest.param(
        added("more", "rfc-1123"), {"more": "Mon, 05 Jan 2026 10:00:00 GMT"}, "rfc-1123", id="rfc"
    ),
    pytest.param(added("more", "unix-time"), {"more": 1767261600}, "unix-time", id="unix"),
    pytest.param(added("more", "decimal"), {"more": 1.25}, "decimal", id="decimal"),
    pytest.param(added("more", "[time]"), {"more": ["10:00:00"]}, "[time]", id="times"),
    pytest.param(added("more", "{date}"), {"more": {"a": "2026-01-01"}}, "{date}", id="dates"),
    pytest.param(added("more", "base64"), {"more": "_-8"}, "base64", id="base64"),
    pytest.param(added("more", "ActionTypes"), {"more": "imBack"}, "ActionTypes", id="enum"),
    pytest.param(
        added("outer.inner", "str"), {"outer": {"inner": "x"}}, "flattened", id="flattened"
    ),
    pytest.param(added("odata\\.kind", "str"), {"odata.kind": "x"}, "flattened", id="escaped dot"),
    pytest.param(added("type", "str"), {}, "one key", id="two attributes of one key"),
    pytest.param(
        added("more", "str") | {"_validation": {"more": {"readonly": True}}},
        {"more": "x"},
        "read-only",
        id="read-only",
    ),
    pytest.param(added("more", "str") | {"more": "y"}, {}, "its own more", id="class attribute"),
    pytest.param(
        {"_attribute_map": {"additional_properties": {"key": "more", "type": "{str}"}}},
        {"more": {"a": "b"}},
        "its own additional_properties",
        id="additional_properties",
    ),
]
"""Features that the codec does not support, JSON for them, and what the warning says."""


@pytest.mark.parametrize(("features", "more", "says"), UNSUPPORTED)
def test_a_class_with_unsupported_features(
    features: dict[str, Any], more: dict[str, Any], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """msrest reads and writes it, at any level; one warning names the class and the feature."""
    model = own_model(**copy.deepcopy(features))
    data = {"type": "x", **more}
    with caplog.at_level(logging.WARNING, "cloud_adapter.codec"):
        mine = [read_model(model, copy.deepcopy(data)) for _ in range(2)]
        written = [write_value(Activity(value=[each])) for each in mine]
    theirs = msrest_read(model, copy.deepcopy(data))
    assert mine == [theirs, theirs]
    assert written == [{"value": [msrest_written(theirs)]}] * 2
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{__name__}.OwnModel is left to msrest")
    assert says in record.getMessage()


def test_subtypes(caplog: pytest.LogCaptureFixture) -> None:
    """msrest reads the subclass that the discriminator names."""
    base = own_model(_subtype_map={"kind": {"error": "Error"}})
    assert type(read_model(base, {"type": "error", "depth": 1})) is Error
    assert type(read_model(base, {"type": "other"})) is base
    assert "it has subtypes" in caplog.text


def test_xml_has_no_json_form(caplog: pytest.LogCaptureFixture) -> None:
    """A model that msrest writes as XML is refused."""
    model = own_model(_xml_map={"name": "x"})
    with pytest.raises(TypeError, match=r"^Activity\.value: Element has no JSON form$"):
        write_value(Activity(value=model(kind="x")))
    assert "XML properties" in caplog.text


@pytest.mark.parametrize("data", [[], "x", {"more": "not long"}])
def test_msrest_cannot_read_it(data: Any) -> None:
    """msrest's error becomes the codec's own."""
    with pytest.raises(MalformedModel):
        read_model(own_model(**added("more", "duration")), data)


def test_msrest_cannot_write_it() -> None:
    """The text names the class, without the values that msrest's error quotes."""
    model = own_model(**added("more", "duration"))
    with pytest.raises(TypeError, match=r"^Activity.value: OwnModel cannot be written$") as caught:
        write_value(Activity(value=model(kind="x", more="s3cret")))
    trace = "".join(traceback.format_exception(caught.value))
    assert trace.count("s3cret") == 1  # this test's own line


def test_a_bot_s_own_model_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """The codec itself writes a class of a bot's own that has no unsupported feature."""
    mention = read_model(Entity, {"type": "mention", "text": "<at>Bot</at>"})
    reply = OwnReply(type="message", entities=[mention], fault=Error(depth=3))
    assert write_value(reply) == {
        "type": "message",
        "entities": [write_value(mention)],
        "fault": {"depth": 3},
    }
    assert caplog.text == ""


def test_a_bot_s_own_model_is_read_by_msrest(caplog: pytest.LogCaptureFixture) -> None:
    """Its constructor may do anything. Types are looked up beside the class, then in the SDK."""
    reply = read_model(OwnReply, {"type": "message", "from": {"id": "1"}, "fault": {"depth": "3"}})
    assert reply == OwnReply(
        type="message", from_property=ChannelAccount(id="1"), fault=Error(depth=3)
    )
    assert type(reply.fault) is Error
    assert "OwnReply is left to msrest" in caplog.text
    assert "its own constructor" in caplog.text


def test_msrests_switch_for_unknown_properties() -> None:
    """The switch, an entry without a key, changes nothing."""
    model = own_model()
    model.enable_additional_properties_sending()
    data = {"type": "x", "": {"a": 1}, "later": [2]}
    own = read_model(model, data)
    assert (own.kind, own.additional_properties) == ("x", {"": {"a": 1}, "later": [2]})
    assert write_value(own) == data


def test_a_model_of_another_sdk_module_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """Recognizer results, which bots send in traces, are of a class in botbuilder.core."""
    found = RecognizerResult(
        text="book", intents={"Book": IntentScore(score=1)}, entities={"city": [None]}
    )
    assert write_value(Activity(value=found)) == msrest_written(Activity(value=found))
    assert caplog.text == ""
