"""The output in a terminal, and the input there."""
