"""Two hooks for the conftest.py of a folder that `make test` leaves out.

pytest calls the hooks of a conftest.py for what is in its folder only. Imported there, these mark
all tests in it, and let a run that does not want them import none of its files.
"""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test of the folder the mark."""
    item.add_marker(pytest.mark.extended)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Skip the folder's files in a run without its tests, which may lack the packages for them."""
    return "not extended" in config.getoption("markexpr").split(" and ") or None
