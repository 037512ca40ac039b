"""The errors of the Functions host."""


class HostError(Exception):
    """The host cannot serve the app as it is; the text names the place and the cure."""


class IndexingError(Exception):
    """The app cannot be indexed; the text is the reason, with the app's own traceback."""


class InvocationError(Exception):
    """The function raised, or its result cannot be sent; the text is the function's traceback."""


class FunctionError(Exception):
    """One function cannot run as it is, the app's others can; the text is the reason."""


class ConnectionMissingError(FunctionError):
    """No setting says where the storage is; the text names the settings that can."""


class StorageError(Exception):
    """The app's storage is unavailable, or refuses a request; the text says which, in one line."""


class StorageConflictError(StorageError):
    """The resource to create exists already, or its name is not free yet."""


class StorageNotFoundError(StorageError):
    """The queue, the message or the blob does not exist."""


class StaleReceiptError(StorageNotFoundError):
    """Someone else has dequeued, updated or deleted the message since."""


class StorageRefusedError(StorageError):
    """The storage refuses connections: nothing listens there."""


class StorageForbiddenError(StorageError):
    """The app may not do this in its storage."""
