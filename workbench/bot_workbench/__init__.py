"""The tools that build, run, move and examine a bot: the command `bot`, and a cloud on this
machine."""
