"""host.json's section for queue triggers, as the host reads it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot_workbench.emulator.functions.errors import HostError
from bot_workbench.emulator.functions.queues.settings import QueueSettings

ROOT = Path(__file__).parents[5]


def settings(**section: Any) -> QueueSettings:
    """The settings of a host.json with this section."""
    return QueueSettings.of({"extensions": {"queues": section}})


def test_defaults_are_the_hosts() -> None:
    """Without the section everything has the host's default."""
    expected = QueueSettings(16, 8, 5, 0.0, 60.0, base64=True)
    assert QueueSettings.of({}) == expected
    assert settings() == expected


def test_new_batch_threshold_follows_the_batch_size() -> None:
    """Half of the batch size, rounded down, until it is set."""
    assert settings(batchSize=5).new_batch_threshold == 2
    assert settings(batchSize=1).new_batch_threshold == 0
    assert settings(batchSize=5, newBatchThreshold=0).new_batch_threshold == 0


def test_time_spans_are_seconds() -> None:
    """Hours, minutes, seconds and their fraction add up."""
    read = settings(visibilityTimeout="01:02:03.5", maxPollingInterval="00:00:00.500")
    assert read.visibility_timeout == 3723.5
    assert read.max_polling_interval == 0.5


def test_encoding_is_read_in_any_case() -> None:
    """`none` means that messages are texts as they are."""
    assert not settings(messageEncoding="None").base64


FAULTS = [
    ("batchSize", 0),
    ("batchSize", 33),
    ("batchSize", "16"),
    ("batchSize", True),
    ("newBatchThreshold", -1),
    ("maxDequeueCount", 0),
    ("visibilityTimeout", 5),
    ("visibilityTimeout", "5"),
    ("visibilityTimeout", "00:60:00"),
    ("maxPollingInterval", "00:00:00.099"),
    ("messageEncoding", "utf-8"),
    ("batchsize", 16),
]


@pytest.mark.parametrize(("name", "value"), FAULTS)
def test_invalid_value_is_named(name: str, value: object) -> None:
    """What Azure's host would refuse or ignore is refused with its name."""
    with pytest.raises(HostError, match=rf"host\.json, extensions\.queues: {name} is "):
        settings(**{name: value})


def test_every_fault_is_named_at_once() -> None:
    """Two faults make one error with both."""
    with pytest.raises(HostError, match=r"batchSize is 0.*; messageEncoding is 'x'"):
        settings(batchSize=0, messageEncoding="x")


def test_the_projects_own_section() -> None:
    """The project's host.json tries a failed message a thousand times, 15 seconds apart."""
    read = QueueSettings.of(json.loads((ROOT / "host.json").read_text()))
    assert read == QueueSettings(16, 8, 1000, 15.0, 0.5, base64=True)
