"""What builds, runs, moves and examines a bot: the command `bot`, and a cloud on this machine."""
