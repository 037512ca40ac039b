"""What make runs: the bot on this machine, set-up and packaging."""
