"""Commands that people run from their machine: `bot`. Never deployed."""
