"""These tests run with `make test ALL=1` only."""

from tests.support.extended import pytest_ignore_collect, pytest_itemcollected  # noqa: F401
