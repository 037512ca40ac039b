"""DebugClient: a debugger of the Debug Adapter Protocol, as VS Code is one."""

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from bot_workbench.emulator.loopback import LOOPBACK
from tests.support.timing.condition import until

TIMEOUT_SECONDS = 60.0

Message = dict[str, Any]


class SessionEndedError(Exception):
    """The debugger was detached, or the process has ended."""


class DebugClient:
    """Attaches to a process and, as VS Code's debugger does, to each process that this one starts.

    Args:
        port: where the debug adapter listens.
        breakpoints: line numbers by file.
    """

    def __init__(self, port: int, breakpoints: Mapping[Path, Sequence[int]]) -> None:
        self._port = port
        self._breakpoints = breakpoints
        self._sessions: list[DebugSession] = []
        self._threads: list[threading.Thread] = []
        self._detached = False
        self._changing = threading.Lock()
        self.attached = 0
        """The number of processes that it has attached to, with its breakpoints set."""
        self.stops: queue.Queue[Stop] = queue.Queue()
        """Where a process is held, one after the other."""

    def __enter__(self) -> Self:
        self.attach({"connect": {"host": LOOPBACK, "port": self._port}})
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def detach(self) -> None:
        """Leave the processes alone: they go on."""
        with self._changing:
            self._detached = True
        while self._sessions:
            self._sessions.pop().close()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)

    def attach(self, configuration: Mapping[str, Any]) -> None:
        """Attach to a process; returns once its breakpoints are set.

        Raises:
            SessionEndedError: the process has ended, or the debugger was detached.
        """
        session = DebugSession(self._port, self)
        with self._changing:
            is_late = self._detached
            if not is_late:
                self._sessions.append(session)
        if is_late:
            session.close()
            raise SessionEndedError
        session.attach(configuration, self._breakpoints)
        with self._changing:
            self.attached += 1

    def run(self, work: Callable[[], None]) -> None:
        """Run in a thread what waits for a session's answers; it ends when the session does."""

        def works() -> None:
            with contextlib.suppress(SessionEndedError):
                work()

        thread = threading.Thread(target=works, daemon=True)
        self._threads.append(thread)
        thread.start()

    def next_stop(self) -> "Stop":
        """Wait until a process is held."""
        return self.stops.get(timeout=TIMEOUT_SECONDS)


class Stop:
    """A process that is held at a breakpoint.

    Attributes:
        file: of the code.
        line: of the breakpoint.
    """

    def __init__(self, session: "DebugSession", thread: int) -> None:
        self._session = session
        self._thread = thread
        top = session.call("stackTrace", threadId=thread)["stackFrames"][0]
        self.file = Path(top["source"]["path"])
        self.line: int = top["line"]

    def go_on(self) -> None:
        """Let the process continue."""
        self._session.call("continue", threadId=self._thread)


class DebugSession:
    """A connection to a debug adapter, for one process.

    Args:
        port: the adapter's.
        client: whose connection it is.
    """

    def __init__(self, port: int, client: DebugClient) -> None:
        self._client = client
        self._socket = _connected(port)
        self._stream = self._socket.makefile("rb")
        self._last = 0
        self._sending = threading.Lock()
        self._answers: dict[int, queue.Queue[Message | None]] = {}
        self._initialized = threading.Event()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def attach(
        self, configuration: Mapping[str, Any], breakpoints: Mapping[Path, Sequence[int]]
    ) -> None:
        """Attach to the process, set its breakpoints and let it run.

        Raises:
            SessionEndedError: the session ended before the process ran on.
        """
        self.call("initialize", adapterID="tests", pathFormat="path", linesStartAt1=True)
        attached = self._send("attach", configuration)
        assert self._initialized.wait(TIMEOUT_SECONDS)
        for file, lines in breakpoints.items():
            wanted = [{"line": line} for line in lines]
            self.call("setBreakpoints", source={"path": str(file)}, breakpoints=wanted)
        self.call("configurationDone")
        self._answer(attached)

    def call(self, command: str, **arguments: Any) -> Message:
        """Send a request, and return the body of its answer.

        Raises:
            SessionEndedError: the session ended before the answer came.
        """
        return self._answer(self._send(command, arguments))

    def close(self) -> None:
        """Detach."""
        with contextlib.suppress(OSError):  # the adapter may have closed it
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(TIMEOUT_SECONDS)
        self._stream.close()
        self._socket.close()

    def _send(self, command: str, arguments: Mapping[str, Any]) -> int:
        with self._sending:
            self._last += 1
            number = self._last
            self._answers[number] = queue.Queue()
            if self._ended:
                raise SessionEndedError
            request = {"seq": number, "type": "request", "command": command, "arguments": arguments}
            body = json.dumps(request).encode()
            try:
                self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            except OSError as error:
                raise SessionEndedError from error
        return number

    def _answer(self, number: int) -> Message:
        answer = self._answers[number].get(timeout=TIMEOUT_SECONDS)
        if answer is None:
            raise SessionEndedError
        assert answer["success"], answer
        body: Message = answer.get("body") or {}
        return body

    def _read(self) -> None:
        while (message := self._message()) is not None:
            if message["type"] == "response":
                self._answers[message["request_seq"]].put(message)
            elif message["type"] == "event":
                self._handle(message["event"], message.get("body") or {})
        self._end()

    def _end(self) -> None:
        """Wake those who wait for answers."""
        self._ended = True
        self._initialized.set()
        for waiting in list(self._answers.values()):
            waiting.put(None)

    def _message(self) -> Message | None:
        length = 0
        try:
            while line := self._stream.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            message: Message | None = json.loads(self._stream.read(length)) if length else None
        except (OSError, ValueError):  # ValueError: it ended within a message
            return None
        return message

    def _handle(self, event: str, body: Message) -> None:
        client = self._client
        # In threads: they wait for answers, which this one reads.
        if event == "initialized":
            self._initialized.set()
        elif event == "debugpyAttach":
            client.run(lambda: client.attach(body))
        elif event == "stopped":
            client.run(lambda: client.stops.put(Stop(self, body["threadId"])))


def _connected(port: int) -> socket.socket:
    """A connection to an adapter, which may not listen yet."""
    connections: list[socket.socket] = []

    def connects() -> bool:
        with contextlib.suppress(ConnectionRefusedError):
            connections.append(socket.create_connection((LOOPBACK, port)))
        return bool(connections)

    until(connects)
    return connections[0]
