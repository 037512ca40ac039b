"""The streams part of the comparison: what a part of a streaming reply costs."""
