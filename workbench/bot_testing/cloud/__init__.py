"""The local cloud of the tests."""
