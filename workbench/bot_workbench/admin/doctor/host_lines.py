"""HOST_LINES: what the Functions host logs of itself when it could not run the bot."""

from dataclasses import dataclass

from bot_workbench.admin.doctor.codes import TurnsCode


@dataclass(frozen=True)
class HostLine:
    """A line of the host's, which docs/troubleshooting.md explains.

    Attributes:
        code: of the finding.
        column: of the query for the last day: how many there were.
        says: the part of the line that is always the same.
        problem: what it means, in a sentence.
        needs_restart: whether the app stays as it is until somebody restarts it.
    """

    code: TurnsCode
    column: str
    says: str
    problem: str
    needs_restart: bool = False


HOST_LINES = (
    HostLine(
        "host-recycled",
        "Recycled",
        "Exceeded language worker restart retry count",
        "the Functions host ended itself, because its worker process had died three times",
    ),
    HostLine(
        "function-in-error",
        "InError",
        "function is in error",
        "the Functions host could not load a function, so nothing triggers it, even if the app"
        " reports healthy; the text after 'is in error:' says whether a restart helps",
        needs_restart=True,
    ),
    HostLine(
        "worker-missing",
        "WithoutWorker",
        "Did not find any initialized language workers",
        "calls failed, because the Functions host had no worker process for them",
    ),
    HostLine(
        "host-shut-down",
        "ShutDown",
        "An unhandled exception has occurred. Host is shutting down",
        "the Functions host ended itself, as it does if storage refuses connections or answers 403",
    ),
)
"""Source: azure-functions-host, RpcFunctionInvocationDispatcher, ScriptHost (which logs as
Host.Startup), RpcFunctionInvocationDispatcherLoadBalancer and WebScriptHostExceptionHandler."""
