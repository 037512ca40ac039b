"""The sample in a browser, which only `make test ALL=1` runs."""

from tests.support.extended import pytest_ignore_collect, pytest_itemcollected  # noqa: F401
