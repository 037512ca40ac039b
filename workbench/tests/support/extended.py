"""What `make test` leaves out: folders, by two hooks for their conftest.py, and credentials.

pytest calls the hooks of a conftest.py for what is in its folder only. Imported there, these mark
all tests in it, and let a run that does not want them import none of its files.
"""

import pytest

from bot_workbench.credential_kinds import KINDS, MANAGED_IDENTITY


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test of the folder the mark."""
    item.add_marker(pytest.mark.extended)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Skip the folder's files in a run without its tests, which may lack the packages for them."""
    return "not extended" in config.getoption("markexpr").split(" and ") or None


def credentials(*covered_by: str) -> list[object]:
    """Parameters: each credential, of which `make test` runs the managed identity alone.

    Args:
        covered_by: the files that show the same of the others.
    """
    mark = pytest.mark.extended(covered_by=[*covered_by])
    others = (each for each in KINDS if each != MANAGED_IDENTITY)
    return [MANAGED_IDENTITY, *(pytest.param(each, marks=mark) for each in others)]
