"""FunctionsWorker: indexes a function app and invokes its functions as the cloud's worker does.

The work is done by azure-functions-runtime, the library of the cloud's own Python worker. The cloud
drives it over gRPC (FunctionRpc.proto of azure-functions-language-worker-protobuf); here the same
four requests are made in-process, with plain records in place of the generated messages.

A trigger is a translator: what came in becomes a `TypedData` for `FunctionsWorker.invoke`, what
`invoke` returns becomes the answer. The HTTP trigger is in `functions_host`; another kind of
trigger is another file.
"""

import asyncio
import json
import logging
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.logging import SDK_LOG_PREFIX

from emulator.functions.workers.invocation_task import mark_tasks, running


class IndexingError(Exception):
    """The app cannot be indexed; the text is the reason, with the app's own traceback."""


class InvocationError(Exception):
    """The function raised, or its result cannot be sent; the text is the function's traceback."""


@dataclass(frozen=True)
class Function:
    """One indexed function.

    Attributes:
        id: GUID, derived from the name.
        name: the function's name in the app.
        bindings: the function.json form of each binding (`type`, `direction`, `name`, ...).
    """

    id: str
    name: str
    bindings: tuple[dict[str, Any], ...]

    @cached_property
    def trigger(self) -> dict[str, Any]:
        """The binding that starts the function; its `type` is httpTrigger, queueTrigger, ..."""
        return next(each for each in self.bindings if each["type"].endswith("Trigger"))


class Message(SimpleNamespace):
    """A protocol message without rules of its own: the fields it was made with."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 # protobuf's name
        """The only field's name, None when there is none: true for each message it is asked of."""
        return next(iter(vars(self)), None)


class TypedData(Message):
    """One value by its kind: `http`, `string`, `bytes` or `json`; made with none, it is absent."""


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


# What the library makes of the generated module. Messages for response cookies are not among them:
# a function that sets a cookie fails here, and says so in the log.
PROTOCOL = SimpleNamespace(
    BindingInfo=BindingInfo,
    FunctionEnvironmentReloadResponse=Message,
    FunctionLoadResponse=Message,
    FunctionMetadataResponse=Message,
    InvocationResponse=Message,
    ParameterBinding=ParameterBinding,
    RpcException=Message,
    RpcFunctionMetadata=Message,
    RpcHttp=Message,
    RpcRetryOptions=Message,
    StatusResult=StatusResult,
    TypedData=TypedData,
    WorkerInitResponse=Message,
    WorkerMetadata=Message,
)
PROPERTIES = {"protos": PROTOCOL, "host": "127.0.0.1"}
FIRST_TRY = Message(retry_count=0, max_retry_count=0, exception=None)
PLACEHOLDER_NAMES = ("PATH", "HOME", "TMPDIR")
"""The environment variables that a placeholder takes over from this process."""


class FunctionsWorker:
    """One function app, indexed once and invoked on the running event loop.

    The library keeps its registry in module globals: one worker per process.

    Args:
        app_folder: the folder of function_app.py.
    """

    def __init__(self, app_folder: Path) -> None:
        self._app_folder = app_folder
        self.functions: Sequence[Function] = ()
        """The app's functions in their order of definition; empty until `load` succeeds."""

    async def load(self) -> None:
        """Import function_app.py, once per process, and index its functions.

        Raises:
            IndexingError: the import or the indexing failed, or there are no functions.
        """
        folder = self._app_folder.resolve()
        _prepare(folder)
        await _initialize(folder)
        await self._index()

    async def specialise(self) -> None:
        """Load the app as a placeholder does when Azure specialises it.

        On Flex Consumption a worker starts before it has an app: in an empty folder, without the
        app's settings. The library's reload request then sets the environment, imports
        function_app.py, and only after that changes the working directory to the app's folder.

        Raises:
            IndexingError: the import or the indexing failed, or there are no functions.
        """
        folder = self._app_folder.resolve()
        settings = {**os.environ, "WEBSITE_PLACEHOLDER_MODE": "0"}
        placeholder = {name: settings[name] for name in PLACEHOLDER_NAMES if name in settings}
        with TemporaryDirectory() as empty:
            os.chdir(empty)
            os.environ.clear()
            os.environ.update(placeholder, WEBSITE_PLACEHOLDER_MODE="1")
            _prepare(folder)
            await _initialize(Path(empty))
            reload = Message(function_app_directory=str(folder), environment_variables=settings)
            message = _request(function_environment_reload_request=reload)
            _succeeded(await runtime.function_environment_reload_request(message))
        await self._index()

    async def _index(self) -> None:
        found = await runtime.functions_metadata_request(_request())
        functions = [_function(each) for each in found.function_metadata_results or ()]
        if not functions:
            raise IndexingError(
                f"No functions found in {self._app_folder}: it needs a function_app.py with an "
                "azure.functions.FunctionApp and at least one decorated function."
            )
        for function in functions:
            load = Message(function_id=function.id)
            _succeeded(await runtime.function_load_request(_request(function_load_request=load)))
        self.functions = functions

    async def invoke(
        self,
        function: Function,
        data: TypedData,
        metadata: Mapping[str, TypedData] | None = None,
        trace_parent: str = "",
    ) -> Mapping[str, TypedData]:
        """Run the function on what its trigger received.

        Args:
            function: one of `functions`.
            data: what the trigger received, of the kind that its type calls for.
            metadata: what else the trigger type tells (for queues Id, DequeueCount, ...).
            trace_parent: the caller's `traceparent` (W3C Trace Context), if any.

        Returns:
            The outputs by binding name; the return value's is `$return`.

        Raises:
            InvocationError: the function raised or returned what its binding cannot send.
        """
        invocation = Message(
            invocation_id=str(uuid.uuid4()),
            function_id=function.id,
            input_data=(ParameterBinding(name=function.trigger["name"], data=data),),
            trigger_metadata=metadata,
            trace_context=Message(trace_parent=trace_parent, trace_state="", attributes={}),
            retry_context=FIRST_TRY,
        )
        with running(invocation.invocation_id):
            done = await runtime.invocation_request(_request(invocation_request=invocation))
        if done.result.status != StatusResult.Success:
            raise InvocationError(done.result.exception.stack_trace)
        outputs = {output.name: output.data for output in done.output_data}
        if done.return_value is not None:
            outputs["$return"] = done.return_value
        return outputs


def _prepare(folder: Path) -> None:
    # The library logs every call at INFO.
    logging.getLogger(SDK_LOG_PREFIX).setLevel(logging.WARNING)
    mark_tasks(asyncio.get_running_loop())
    _order_path(folder)
    runtime.start_threadpool_executor()


def _order_path(folder: Path) -> None:
    """Packages, worker, app, as in Azure: installed modules shadow the app's of the same name."""
    packages = folder / ".python_packages" / "lib" / "site-packages"
    others = [entry for entry in sys.path if Path(entry).resolve() not in (folder, packages)]
    sys.path[:] = [*([str(packages)] if packages.is_dir() else ()), *others, str(folder)]


async def _initialize(folder: Path) -> None:
    init = Message(capabilities={}, function_app_directory=str(folder))
    _succeeded(await runtime.worker_init_request(_request(worker_init_request=init)))


def _request(**message: Message) -> Message:
    return Message(request=Message(**message), properties=PROPERTIES)


def _succeeded(response: Any) -> None:
    """Raises: IndexingError: the library answered a request with a failure."""
    if response.result.status != StatusResult.Success:
        fault = response.result.exception
        raise IndexingError(f"{fault.message}\n{fault.stack_trace}")


def _function(found: Any) -> Function:
    bindings = tuple(json.loads(binding) for binding in found.raw_bindings)
    return Function(found.function_id, found.name, bindings)
