"""The commands behind make: the bot on this machine, set-up and packaging."""
