"""FunctionsWorker: indexes a function app and invokes its functions as Azure's worker does.

The work is done by azure-functions-runtime, the library of Azure's own Python worker. Azure's host
drives it over gRPC; here the same requests are made in-process.

A trigger is a translator: what it receives becomes a `TypedData` for `FunctionsWorker.invoke`, and
what `invoke` returns becomes the answer. `server` translates HTTP triggers, and `queues` messages.
"""

import asyncio
import json
import logging
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime import handle_event
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.logging import SDK_LOG_PREFIX

from bot_workbench.emulator.functions.errors import HostError, IndexingError, InvocationError
from bot_workbench.emulator.functions.route import Route
from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.invocation_task import mark_tasks, running
from bot_workbench.emulator.functions.workers.protocol import (
    PROPERTIES,
    Message,
    ParameterBinding,
    StatusResult,
    TypedData,
)
from bot_workbench.emulator.functions.workers.validation import valid_functions
from bot_workbench.emulator.recorder.recorder import Recorder

FIRST_ATTEMPT = Message(retry_count=0, max_retry_count=0, exception=None)
PLACEHOLDER_NAMES = ("PATH", "HOME", "TMPDIR")
"""The environment variables of this process that a placeholder has too."""


def prepare_indexing() -> None:
    """Bring the library into the state in which the worker imports an app: it can index functions.

    For programs that import the app without a host.
    """
    handle_event.protos = PROPERTIES["protos"]
    load_binding_registry()


class FunctionsWorker:
    """One function app, indexed once and invoked on the running event loop.

    The library keeps its registry in module globals: one worker per process.

    Args:
        app_folder: the folder of function_app.py.
        route_prefix: host.json's extensions.http.routePrefix.
        recorder: reports to the local cloud; None: there is none.
    """

    def __init__(
        self, app_folder: Path, route_prefix: str = "api", recorder: Recorder | None = None
    ) -> None:
        self._app_folder = app_folder
        self.route_prefix = route_prefix
        self._recorder = recorder
        self.functions: Sequence[Function] = ()
        """The app's functions, without those in error, by name; empty until `load` succeeds."""
        self.is_loaded = False
        """Whether `load` has succeeded, with or without functions that are not in error."""

    async def load(self) -> None:
        """Import function_app.py, once per process, and index its functions.

        Raises:
            IndexingError: the import or the indexing failed, there are no functions, or the
                template of a route is invalid.
        """
        self.prepare()
        await _initialize(self._app_folder.resolve())
        await self._index()

    def prepare(self) -> None:
        """Make this process a worker's, as far as that is possible without the app's code."""
        _prepare(self._app_folder.resolve())

    async def specialize(self) -> None:
        """Load the app as a placeholder does when Azure specializes it.

        On Flex Consumption a worker starts before it has an app: in an empty folder, without the
        app's settings. The library's reload request then sets the environment, imports
        function_app.py, and only after that changes the working directory to the app's folder.

        Raises:
            IndexingError: see `load`.
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
        if self._recorder is not None:
            self._recorder.app_imported()
        found = await runtime.functions_metadata_request(_request())
        indexed = [_function(each) for each in found.function_metadata_results or ()]
        if not indexed:
            raise IndexingError(
                f"No functions found in {self._app_folder}: it needs a function_app.py with an "
                "azure.functions.FunctionApp and at least one decorated function."
            )
        functions = valid_functions(indexed)
        self._check_routes(functions)
        for function in functions:
            load = Message(function_id=function.id)
            _succeeded(await runtime.function_load_request(_request(function_load_request=load)))
        self.functions, self.is_loaded = functions, True

    def _check_routes(self, functions: Sequence[Function]) -> None:
        """Check the templates of routes (azure-functions-host, ScriptHost.OnHostInitialized).

        Raises:
            IndexingError: one is invalid: Azure's host does not start.
        """
        try:
            for function in functions:
                if function.is_http:
                    Route(function, self.route_prefix)
        except HostError as error:
            raise IndexingError(str(error)) from error

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
            metadata: what else the trigger type provides (for queues Id, DequeueCount, ...).
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
            retry_context=FIRST_ATTEMPT,
        )
        run = runtime.invocation_request(_request(invocation_request=invocation))
        if self._recorder is not None:
            run = self._recorder.invoke(function.name, data, trace_parent, run)
        with running(invocation.invocation_id):
            done = await run
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
    """Packages, worker, app, as in Azure: an installed module hides the app's of the same name."""
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
