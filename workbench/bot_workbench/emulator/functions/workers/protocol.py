"""The messages between host and worker, as plain records.

Azure's host and worker exchange generated ones (FunctionRpc.proto of
azure-functions-language-worker-protobuf).
"""

from datetime import timedelta
from types import SimpleNamespace

from bot_workbench.emulator.loopback import LOOPBACK


class Message(SimpleNamespace):
    """A protocol message: the fields it was made with."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 # protobuf's name
        """The name of the only field, or None: no message that is asked has more."""
        return next(iter(vars(self)), None)


class TypedData(Message):
    """One value by its kind: `http`, `string`, `bytes` or `json`; without a field there is none."""


class ParameterBinding(Message):
    """A value (`data`) for the parameter `name`."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 # protobuf's name
        """`data`: nothing is passed in shared memory here."""
        return "data"


class BindingInfo(Message):
    """A binding's direction and data type, with the numbers of FunctionRpc.proto."""

    undefined = 0
    out = 1
    inout = 2


class RpcRetryOptions(Message):
    """The policy by which a function is tried again.

    Raises:
        ValueError: FunctionRpc.proto has no such value.
    """

    def __init__(
        self,
        max_retry_count: int,
        retry_strategy: str,
        delay_interval: timedelta | None = None,
        minimum_interval: timedelta | None = None,
        maximum_interval: timedelta | None = None,
    ) -> None:
        if retry_strategy not in ("exponential_backoff", "fixed_delay"):
            raise ValueError(f"there is no retry strategy {retry_strategy}")
        if not -(2**31) <= max_retry_count < 2**31:
            raise ValueError(f"{max_retry_count} is out of range for a number of retries")
        super().__init__(
            max_retry_count=max_retry_count,
            retry_strategy=retry_strategy,
            delay_interval=delay_interval,
            minimum_interval=minimum_interval,
            maximum_interval=maximum_interval,
        )


class StatusResult(Message):
    """The outcome of a request, with the numbers of FunctionRpc.proto."""

    Failure = 0
    Success = 1


class RpcHttpCookie(Message):
    """A cookie of a response; SameSite's values are those of the Set-Cookie header."""

    SameSite = SimpleNamespace(
        **{"None": "", "Lax": "lax", "Strict": "strict", "ExplicitNone": "none"}
    )


# What the library uses of the generated module.
PROTOCOL = SimpleNamespace(
    BindingInfo=BindingInfo,
    FunctionEnvironmentReloadResponse=Message,
    FunctionLoadResponse=Message,
    FunctionMetadataResponse=Message,
    InvocationResponse=Message,
    NullableBool=Message,
    NullableDouble=Message,
    NullableString=Message,
    NullableTimestamp=Message,
    ParameterBinding=ParameterBinding,
    RpcException=Message,
    RpcFunctionMetadata=Message,
    RpcHttp=Message,
    RpcHttpCookie=RpcHttpCookie,
    RpcRetryOptions=RpcRetryOptions,
    StatusResult=StatusResult,
    Timestamp=Message,
    TypedData=TypedData,
    WorkerInitResponse=Message,
    WorkerMetadata=Message,
)
PROPERTIES = {"protos": PROTOCOL, "host": LOOPBACK}
