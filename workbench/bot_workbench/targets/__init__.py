"""The commands of `run.py` and make: their variables, what they need and what they run."""
