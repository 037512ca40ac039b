"""The app in the test's process."""
