"""The state part of the comparison: counter bots, and what a turn's storage costs them."""
