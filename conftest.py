"""Gives every test in the repository the fixtures of the test kit."""

pytest_plugins = ["bot_testing.plugin"]
