"""The output of a running command: lines for people, JSON for pipelines, a script to paste."""
