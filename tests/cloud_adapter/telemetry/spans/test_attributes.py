"""What spans say of activities and of the host's trace context."""

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace

from cloud_adapter.telemetry.observer import activity_attributes, hashed
from cloud_adapter.telemetry.spans import (
    current_trace_parent,
    entry_kind,
    host_trace,
    stored_parent,
)
from tests.support.telemetry.exported_spans import HOST, HOST_SPAN_ID, TRACE_ID

APP_ID = "0f4a1f2e-7d5b-4a63-9a57-0a0c6c8f1d11"


def activity(**given: Any) -> Any:
    """An activity with these properties."""
    known = {"type": "message", "channel_id": "msteams", "delivery_mode": None}
    return SimpleNamespace(**{**known, "conversation": None, **given})


def test_well_known_values() -> None:
    """They are exported as they are."""
    assert activity_attributes(activity(delivery_mode="expectReplies"), APP_ID) == {
        "activity.channel_id": "msteams",
        "activity.type": "message",
        "activity.delivery_mode": "expectReplies",
    }


@pytest.mark.parametrize("value", ["sesame", "Message", "", 5, ["x"], {"a": 1}])
def test_other_values(value: Any) -> None:
    """A client may write anything there, so it is exported as `other`, or not at all."""
    given = activity(type=value, channel_id=value, delivery_mode=value)
    assert set(activity_attributes(given, APP_ID).values()) == {"other"}


@pytest.mark.parametrize("own_id", ["19:abc@thread.tacv2;messageid=1", "\ud800", "é"])
def test_hashed_ids(own_id: str) -> None:
    """An id is hashed with the bot's app id, as docs/telemetry.md says."""
    text = f"{APP_ID}|{own_id}".encode(errors="surrogatepass")
    expected = hashlib.sha256(text).hexdigest()[:16]
    conversation = SimpleNamespace(id=own_id)
    found = activity_attributes(activity(conversation=conversation), APP_ID)
    assert found["activity.conversation.id"] == hashed(own_id, APP_ID) == expected
    assert hashed(own_id, "another bot") != expected


@pytest.mark.parametrize("header", ["", "x", "00-0-0-00", f"ff-{TRACE_ID}-{HOST_SPAN_ID}-00"])
def test_a_host_without_a_trace(header: str) -> None:
    """There is no parent then."""
    with host_trace(header):
        assert not trace.get_current_span().get_span_context().is_valid
        assert current_trace_parent() == ""
        assert entry_kind() is trace.SpanKind.SERVER


def test_a_worker_that_has_set_the_trace() -> None:
    """With PYTHON_ENABLE_OPENTELEMETRY the worker does so, and its context stays."""
    with host_trace(HOST):
        with host_trace(f"00-{'1' * 32}-{'2' * 16}-01"):
            assert current_trace_parent() == HOST
            assert entry_kind() is trace.SpanKind.INTERNAL
        assert current_trace_parent() == HOST
    assert current_trace_parent() == ""


def test_a_stored_parent() -> None:
    """The current span is linked; without a stored one, it is the parent itself."""
    stored = f"00-{'1' * 32}-{'2' * 16}-01"
    with host_trace(HOST):
        parent, [link] = stored_parent(stored)
        assert trace.get_current_span(parent).get_span_context().trace_id == int("1" * 32, 16)
        assert link.context.span_id == int(HOST_SPAN_ID, 16)
        assert stored_parent("") == (None, ())
    assert list(stored_parent(stored)[1]) == []
