"""HostTimeout: how long turns may take, by what the host has read."""

from pathlib import Path

import pytest

from cloud_adapter.deadlines import DEFAULT_HOST_SECONDS, HostTimeout

ROOT = Path(__file__).parents[2]
FIVE = '{"functionTimeout": "00:05:00"}'


def read(folder: Path, host_json: str | None, **settings: str) -> HostTimeout:
    """The timeout of an app with this host.json and these settings."""
    if host_json is not None:
        (folder / "host.json").write_text(host_json, "utf-8")
    return HostTimeout.read(folder, settings)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:10:00", 600.0),
        ("00:05:00", 300.0),
        ("0:4", 240.0),
        ("1.02:03:04", 93784.0),
        ("00:00:01.5", 1.5),
        (" -1 ", None),
    ],
)
def test_values(tmp_path: Path, text: str, seconds: float | None) -> None:
    """A TimeSpan of .NET, or -1, which means no limit; in host.json or in the app's settings."""
    assert read(tmp_path, f'{{"functionTimeout": "{text}"}}').seconds == seconds
    name = "azurefunctionsjobhost__FunctionTimeout"
    assert read(tmp_path, FIVE, **{name: text}).seconds == seconds


@pytest.mark.parametrize("host_json", [None, "{}", '\ufeff{"functionTimeout": null}'])
def test_none(tmp_path: Path, host_json: str | None) -> None:
    """Without a value, the host has its own."""
    assert read(tmp_path, host_json).seconds == DEFAULT_HOST_SECONDS


@pytest.mark.parametrize(
    "host_json", ["{", "[]", '{"functionTimeout": "soon"}', '{"functionTimeout": "00:00:00"}']
)
def test_values_with_which_the_host_does_not_start(tmp_path: Path, host_json: str) -> None:
    """Whatever they mean, turns are short."""
    assert read(tmp_path, host_json).seconds == 300


def test_as_we_ship_it() -> None:
    """A turn has eight minutes of ten, also the one that a drain starts last."""
    timeout = HostTimeout.read(ROOT, {})
    assert (timeout.drain_seconds, timeout.turn_seconds) == (60, 480)
    assert (timeout.handler_seconds, timeout.apology_seconds) == (30, 15)


@pytest.mark.parametrize("seconds", [1.0, 120.0, 240.0, 300.0, 600.0, 86400.0])
def test_what_is_whose(seconds: float) -> None:
    """All together end before the host ends the process."""
    timeout = HostTimeout(seconds)
    parts = (
        timeout.drain_seconds,
        timeout.turn_seconds or 0,
        timeout.handler_seconds or 0,
        timeout.apology_seconds or 0,
    )
    assert min(parts) > 0
    assert sum(parts) < seconds


def test_no_limit() -> None:
    """Turns take any time; a drain ends all the same, for others to have their turn."""
    timeout = HostTimeout(None)
    assert (timeout.turn_seconds, timeout.handler_seconds, timeout.apology_seconds) == (None,) * 3
    assert timeout.drain_seconds == 60
