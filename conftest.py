"""Gives every test in the repository the fixtures of the test kit, and those of tests.support."""

pytest_plugins = ["bot_testing.plugin", "tests.support.plugin"]
