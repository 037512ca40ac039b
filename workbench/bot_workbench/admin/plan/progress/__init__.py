"""How a running command is shown: lines for people, JSON for pipelines, a script to paste."""
