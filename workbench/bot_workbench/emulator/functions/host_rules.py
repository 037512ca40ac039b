"""HostRules: what the Functions host does when processes die, and how long it takes.

Source: azure-functions-host 4.1037 (RpcFunctionInvocationDispatcher, WorkerProcess,
WorkerProcessCountOptions, WorkerConstants, WorkerFunctionInvoker, WebScriptHostExceptionHandler,
WebJobsScriptHostService, ScriptConstants) and TimeoutAttribute of the WebJobs SDK; what is not in
them was seen in that host, and says so.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class HostRules:
    """The host's numbers; all times are in seconds. Only a host with worker processes obeys them.

    Attributes:
        start: how long a request waits for a host that starts; then it is answered 503.
        initialization: a worker's time to get ready. A call waits for a worker so often this time
            as the host would start a worker for it, and once more; then the host ends.
        restart_interval: after a worker has been restarted, until the next one is.
        deaths: how many deaths, for each worker process of the host, end the host.
        death_interval: a death counts with the one before if no more time lies between them.
        timeout_grace: after functionTimeout, until the function's worker is killed.
        http_grace: how long HTTP functions may go on when the host ends (seen; ASP.NET Core's
            default).
        queue_grace: how long other functions may go on after that.
        message_visibility: how long a dequeued message is hidden from others; while it runs, that
            is renewed at half time. Source: QueueListener of the Storage Queues extension.
        refused_storage: how long storage may refuse connections until the host ends (seen).
    """

    start: float = 30.0
    initialization: float = 10.0
    restart_interval: float = 10.0
    deaths: int = 3
    death_interval: float = 30 * 60.0
    timeout_grace: float = 2.0
    http_grace: float = 30.0
    queue_grace: float = 10.0
    message_visibility: int = 600
    refused_storage: float = 23.0


RULES = HostRules()
