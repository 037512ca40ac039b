"""The errors of storage, turns and models. auth/errors.py has the base and its HTTP branches.

    BotError
    ├── Unavailable                 503  try again later, with Retry-After
    │   ├── StorageUnavailable           Azure Storage does not answer, or refuses access
    │   │   ├── UnknownFormat            stored data has another format or version
    │   │   └── UnreadableState          stored state holds what the bot's code cannot read
    │   ├── StartTimedOut                a turn could not start, or be stored, in time
    │   ├── StateConflict                another turn changed the same property of the state
    │   └── ConversationBusy             another turn of the conversation is running
    ├── TurnRepeated                     the activity has been processed already
    ├── TurnKilled                       the process died in the last attempt at a queued turn
    ├── BotFailed                        the bot's code ended a turn, but raised no error
    │   ├── BotExited                    it called sys.exit
    │   ├── BotCancelled                 it waited for a task that was cancelled
    │   ├── BotTimedOut                  it took too long, and was cancelled
    │   ├── CallWithdrawn                its event loop waits for the thread that calls
    │   └── NoToken                      it asked for a token that is not available
    ├── UnreadableActivity               a stored activity cannot be read
    ├── NothingToRequeue                 a dead letter has no activity
    ├── BlobChanged                      a conditional write met another version of the blob
    ├── BlobLeased                       somebody else has the blob's lease
    ├── OutOfTime                        a notification's next attempt is left to a later run
    ├── BadNotification                  a message is not a notification
    ├── MessageTooLarge                  the channel does not take a message of this size
    ├── MalformedModel                   JSON does not have the shape that its model needs
    └── NotRedactable                    a text for the log is replaced as a whole

The texts are for the log. They quote nothing that users sent.
"""

from auth.errors import BotError, Unavailable


class StorageUnavailable(Unavailable):
    """Azure Storage does not answer, or refuses access, or there is no token for it.

    The text says what to fix.
    """


class UnknownFormat(StorageUnavailable):
    """Stored data does not have the format, or the format version, that this code reads.

    It stays as it is. The text says what it is.
    """


class UnreadableState(StorageUnavailable):
    """Stored state holds an object that cannot be read, such as one of a class that is not allowed.

    The turn fails, and the stored state is not changed. The text names the property and the cure.
    """


class StartTimedOut(Unavailable):
    """A turn could not start, or be stored, in time; the text says what it has waited for."""


class StateConflict(Unavailable, KeyError):
    """Another turn changed the same property of the state, or the same item, in the meantime.

    It is also a KeyError, which the SDK's MemoryStorage raises in this case.
    """

    __str__ = Exception.__str__  # KeyError would quote the text


class ConversationBusy(Unavailable):
    """Another turn of the same conversation is running."""


class TurnRepeated(BotError):
    """The activity has been processed, and its replies sent: its id is in the saved state."""


class TurnKilled(BotError):
    """The process died in the last attempt at the queued turn."""


class BotFailed(BotError):
    """The bot's code has failed as if it had raised an error: its error handler gets this one."""


class BotExited(BotFailed):
    """The bot's code called `sys.exit`. `__cause__` is the SystemExit, whose traceback says where.

    Args:
        code: the SystemExit's; a text is not quoted.
    """

    def __init__(self, code: object) -> None:
        shown = "" if code is None else code if isinstance(code, int) else "..."
        super().__init__(f"the bot's code called sys.exit({shown})")


class BotCancelled(BotFailed):
    """The bot's code waited for a task that was cancelled. `__cause__` says where."""

    def __init__(self) -> None:
        super().__init__("the bot's code waited for a task that was cancelled")


class BotTimedOut(BotFailed):
    """The bot's code was cancelled, because it took too long. `__cause__` says where it was.

    Args:
        seconds: that it was allowed to take.
    """

    def __init__(self, seconds: float | None) -> None:
        super().__init__(f"the bot's code took longer than {seconds:g} s, and was cancelled")


class CallWithdrawn(BotFailed):
    """The bot's event loop did not begin a call from another one. It will never be made.

    Args:
        seconds: that the call waited.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the bot's event loop did not begin this call within {seconds:g} s, so the call was"
            " withdrawn, and nothing was sent. Mostly, the loop waits for this very thread, with"
            " `thread.join()`, `future.result()` or `time.sleep()`: run the thread's function with"
            " `await asyncio.to_thread(...)` instead"
        )


class NoToken(BotFailed):
    """The bot's code asked for a token for another service, and none is available.

    Unlike a SignInError, it is handled as any error of the bot's code is. The text is that of
    `__cause__`, the SignInError.
    """


class ActivityUnread(BotFailed):
    """The models of the bot's SDK refuse an activity.

    Args:
        place: the property, such as `attachments.0.name`; never its value.
    """

    def __init__(self, place: str) -> None:
        super().__init__(f"the bot's SDK refuses the activity's {place}")


class UnreadableActivity(BotError):
    """The stored data is not an activity, or is nested too deeply to be read."""


class NothingToRequeue(BotError):
    """The dead letter has no activity to run a turn for."""


class BlobChanged(BotError):
    """The blob is not the version that the writer expects: it was created, changed or deleted.

    The text does not name the blob, because blob names contain users' ids.
    """


class BlobLeased(BotError):
    """Somebody else has the blob's lease. The text does not name the blob."""


class OutOfTime(BotError):
    """The next attempt would start after the end of this run. Nothing was sent."""


class BadNotification(BotError, ValueError):
    """The message is not a notification; the text says why, and quotes nothing of it."""


class MalformedModel(BotError, ValueError):
    """The JSON does not have the shape that the model needs."""


class MessageTooLarge(BotError):
    """The channel does not take a message of this size."""


class NotRedactable(BotError):
    """A text for the log is replaced as a whole.

    To redact it would take too long, or the activity holds an object whose text is not known.
    """
