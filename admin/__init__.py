"""Commands that people run from their machine: `python -m admin`. Never deployed."""
