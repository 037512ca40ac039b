"""The messages between host and worker, as plain records.

Azure's host and worker exchange generated ones (FunctionRpc.proto of
azure-functions-language-worker-protobuf).
"""

from types import SimpleNamespace

from emulator.loopback import LOOPBACK


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


class StatusResult(Message):
    """How a request went, with the numbers of FunctionRpc.proto."""

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
    RpcRetryOptions=Message,
    StatusResult=StatusResult,
    Timestamp=Message,
    TypedData=TypedData,
    WorkerInitResponse=Message,
    WorkerMetadata=Message,
)
PROPERTIES = {"protos": PROTOCOL, "host": LOOPBACK}
