"""Requests from pages of other sites are recognized."""

import pytest

from bot_workbench.emulator.cross_origin import has_loopback_host, is_cross_origin

LOCAL = ["localhost:3979", "127.0.0.1:3979", "[::1]:3979", "localhost"]

NOT_LOCAL = [
    "",
    "rebound.example",
    "rebound.example:3979",
    "localhost.example:3979",
    "localhost:3979.example",
    "127.0.0.1.example",
    "127.0.0.2:3979",
    "user@localhost:3979",
    "localhost:3979,localhost:3979",
]

OTHER_ORIGINS = [
    ("http", ""),
    ("http", "null"),
    ("http", "https://elsewhere.example"),
    ("http", "http://localhost:1"),
    ("http", "http://localhost"),
    ("http", "https://localhost:3979"),
    ("https", "http://localhost:3979"),
    ("http", "http://127.0.0.1:3979"),
    ("http", "http://localhost:3979, http://x.example"),
]


@pytest.mark.parametrize("host", LOCAL)
def test_names_of_this_machine(host: str) -> None:
    """Names of this machine are accepted with or without a port."""
    assert has_loopback_host({"host": host})


@pytest.mark.parametrize("host", NOT_LOCAL)
def test_other_names(host: str) -> None:
    """Any other name is refused, however similar."""
    assert not has_loopback_host({"host": host})


def test_no_name() -> None:
    """A request without a Host header, which HTTP/1.0 allows, is not local."""
    assert not has_loopback_host({})


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_programs_and_own_pages(scheme: str) -> None:
    """A program sends no Origin, and a page of the same server sends the server's."""
    assert not is_cross_origin({"host": "localhost:3979"}, scheme)
    own = {"host": "localhost:3979", "origin": f"{scheme}://localhost:3979"}
    assert not is_cross_origin(own, scheme)


@pytest.mark.parametrize(("scheme", "origin"), OTHER_ORIGINS)
def test_pages_of_other_sites(scheme: str, origin: str) -> None:
    """An Origin with another host, port or scheme is cross-origin."""
    assert is_cross_origin({"host": "localhost:3979", "origin": origin}, scheme)
