"""TurnResponse: what a turn answers over HTTP, free of any host."""

from dataclasses import dataclass, field

from botbuilder.core import InvokeResponse

from cloud_adapter.codec.writer import json_bytes, write_value


@dataclass(frozen=True)
class TurnResponse:
    """The answer to a channel's POST.

    Attributes:
        status: the HTTP status.
        body: bytes; JSON, or empty.
        headers: beside Content-Type.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, result: InvokeResponse | None) -> "TurnResponse":
        """The answer for what a turn left: 200 and nothing, or an invoke's status and JSON.

        Raises:
            TypeError, ValueError: the bot's result has no JSON form, or its status is no number.
        """
        if result is None:
            return cls(200)
        status = int(result.status)
        if result.body is None:
            return cls(status)
        return cls(status, json_bytes(write_value(result.body)))
