"""Other sites: their pages are told from this machine's programs and pages."""

import pytest

from emulator.other_sites import is_from_another_site

LET_IN: list[tuple[str, dict[str, str]]] = [
    ("http", {"host": "localhost:3979"}),
    ("http", {"host": "127.0.0.1:3979"}),
    ("http", {"host": "[::1]:3979"}),
    ("http", {"host": "localhost"}),
    ("http", {"host": "localhost:3979", "origin": "http://localhost:3979"}),
    ("https", {"host": "localhost:3979", "origin": "https://localhost:3979"}),
    ("https", {"host": "smba.trafficmanager.net"}),
]

REFUSED: list[tuple[str, dict[str, str]]] = [
    ("http", {}),
    ("http", {"host": ""}),
    ("http", {"host": "rebound.example"}),
    ("http", {"host": "rebound.example:3979"}),
    ("http", {"host": "rebound.example:3979", "origin": "http://rebound.example:3979"}),
    ("http", {"host": "localhost.example:3979"}),
    ("http", {"host": "localhost:3979.example"}),
    ("http", {"host": "127.0.0.1.example"}),
    ("http", {"host": "127.0.0.2:3979"}),
    ("http", {"host": "user@localhost:3979"}),
    ("http", {"host": "localhost:3979,localhost:3979"}),
    ("http", {"host": "localhost:3979", "origin": ""}),
    ("http", {"host": "localhost:3979", "origin": "null"}),
    ("http", {"host": "localhost:3979", "origin": "https://elsewhere.example"}),
    ("http", {"host": "localhost:3979", "origin": "http://localhost:1"}),
    ("http", {"host": "localhost:3979", "origin": "http://localhost"}),
    ("http", {"host": "localhost:3979", "origin": "https://localhost:3979"}),
    ("https", {"host": "localhost:3979", "origin": "http://localhost:3979"}),
    ("https", {"host": "smba.trafficmanager.net", "origin": "https://elsewhere.example"}),
    ("http", {"host": "localhost:3979", "origin": "http://127.0.0.1:3979"}),
    ("http", {"host": "localhost:3979", "origin": "http://localhost:3979, http://x.example"}),
]


@pytest.mark.parametrize(("scheme", "headers"), LET_IN)
def test_programs_and_own_pages(scheme: str, headers: dict[str, str]) -> None:
    """They come by a name of this machine, or with https; pages from the server that they call."""
    assert not is_from_another_site(headers, scheme)


@pytest.mark.parametrize(("scheme", "headers"), REFUSED)
def test_pages_of_other_sites(scheme: str, headers: dict[str, str]) -> None:
    """Another name, or another origin, is another site's."""
    assert is_from_another_site(headers, scheme)
