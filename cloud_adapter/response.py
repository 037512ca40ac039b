"""TurnResponse: the HTTP response to a channel, independent of the host."""

from dataclasses import dataclass

from botbuilder.core import InvokeResponse

from cloud_adapter.codec.writer import json_bytes, write_value


@dataclass(frozen=True)
class TurnResponse:
    """The response to a channel's POST.

    Attributes:
        status: the HTTP status.
        body: the body: JSON, or empty.
    """

    status: int
    body: bytes = b""

    @classmethod
    def of(cls, result: InvokeResponse | None) -> "TurnResponse":
        """The response for a turn's result; for no result, status 200 and an empty body.

        Raises:
            TypeError, ValueError: the body has no JSON form, or the status is not a number.
        """
        if result is None:
            return cls(200)
        status = int(result.status)
        if result.body is None:
            return cls(status)
        return cls(status, json_bytes(write_value(result.body)))
