"""The turn's and the storage's branches of the error tree (auth/errors.py has its base)."""

from auth.errors import BotError, Unavailable


class StorageUnavailable(Unavailable):
    """Azure Storage cannot be reached, or refuses: the text names the cure."""


class StateConflict(Unavailable):
    """Another turn has changed the same property of the state meanwhile."""


class ConversationBusy(Unavailable):
    """Another turn of the same conversation goes on."""


class TurnRepeated(BotError):
    """The state knows the activity: its turn was made before, with all its replies."""


class TurnFailed(Exception):
    """The bot's code raised, and the turn will be tried again. The log has the traceback."""


class TurnKilled(Exception):
    """Each try of the turn has taken its process with it."""


class BlobChanged(BotError):
    """The blob is not as the writer expects: it exists already, was changed, or is gone.

    The text does not name the blob, because names contain users' ids.
    """


class UnreadableActivity(BotError):
    """What is stored is no activity, or nests more deeply than can be read where its turn runs."""


class MalformedModel(BotError):
    """The JSON does not fit the model."""


class RedactionTooCostly(BotError):
    """A text for the log would take too long to redact. It is replaced as a whole."""


class BadNotification(ValueError):
    """The message is no notification; the text says why, and quotes nothing of it."""


class OutOfTime(BotError):
    """The next attempt would be after the run's end. Nothing was sent."""


class NothingToRequeue(Exception):
    """The message names no activity that a turn could be run for."""
