"""The recorder: reports what happens in a bot's process."""
