"""What keeps a run from starting, or ends it."""


class StartError(Exception):
    """The run cannot start; the text says what to do."""
