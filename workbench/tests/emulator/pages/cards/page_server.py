"""PageServer: pages that a bot shows in dialogs and popups, on an origin of their own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

TEAMS_JS = """<!doctype html><html lang="en"><title>Page</title>
<p id="said"></p><button id="submit">Submit</button>
<script>
  const host = opener ?? parent;
  const answers = new Map();
  let count = 0;
  function ask(func, args) {
    count += 1;
    host.postMessage({ id: count, func, args }, "*");
    return new Promise((resolve) => answers.set(count, resolve));
  }
  addEventListener("message", ({ data }) => answers.get(data.id)?.(data.args));
  const initialized = ask("initialize", ["2.0.0"]);
</script>"""
"""What TeamsJS does for a page."""

SUBMITS = (
    TEAMS_JS
    + """<script>
  initialized.then(async ([frame, client]) => {
    const [{ theme }] = await ask("getContext", []);
    document.getElementById("said").textContent = `${frame} ${client} ${theme}`;
  });
  document.getElementById("submit").addEventListener("click", () => {
    ask("tasks.submitTask", [{ from: "the page" }, []]);
  });
</script>"""
)

SIGNS_IN = (
    TEAMS_JS
    + """<script>
  initialized.then(([frame]) => {
    ask("authentication.authenticate.success", [`123456 of ${frame}`]);
  });
</script>"""
)
"""A sign-in page of the bot's own."""

CANCELS = SIGNS_IN.replace("authenticate.success", "authenticate.failure")

REACHES = """<!doctype html><html lang="en"><title>Page</title>
<script>
  const reaches = [() => parent.document.title, () => (top.location.href = "about:blank")];
  // Before the button, so that no click can come too early.
  function reach() {
    const said = reaches.map((each) => {
      try {
        each();
        return "done";
      } catch {
        return "refused";
      }
    });
    document.getElementById("said").textContent = said.join(", ");
  }
</script>
<p id="said"></p><button onclick="reach()">Reach</button>"""
"""Reaches for the page around it on a click, because browsers refuse more without one."""

PAGES = {"/submits": SUBMITS, "/reaches": REACHES}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path, "").encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class PageServer:
    """Serves the pages on a free port of this machine."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, name: str) -> str:
        """A page's address."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}"
