# ruff: noqa
"""Former import paths."""
