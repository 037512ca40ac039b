"""Stored objects of the Agents SDK, and of pydantic, which `make test` may lack."""

from tests.support.extended import pytest_ignore_collect, pytest_itemcollected  # noqa: F401
