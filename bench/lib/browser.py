"""A headless Chromium over its DevTools pipe: no other package is needed."""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe")


class BrowserFailed(Exception):
    """Chromium ended, or refused a command."""


class Tab:
    """One page. Commands are of https://chromedevtools.github.io/devtools-protocol."""

    def __init__(self, process, to_browser, from_browser):
        self.pid = process.pid
        self._to, self._from, self._buffer, self._next, self._session = to_browser, from_browser, b"", 0, None
        self.seen = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **parameters):
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise BrowserFailed(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.seen.append(answer)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserFailed(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression, timeout=30):
        end = time.monotonic() + timeout
        while not self.evaluate(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise BrowserFailed(f"not so within {timeout} s: {expression}\n{self.evaluate('document.body.innerText')}")
            time.sleep(0.1)

    def show_as(self, width, height, dark=False, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _read(self):
        while b"\0" not in self._buffer:
            piece = os.read(self._from, 1 << 16)
            if not piece:
                raise BrowserFailed("Chromium has ended")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def _pipe():
    """With descriptors above those that Chromium reads and writes, 3 and 4, which the shell makes of them."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high


@contextlib.contextmanager
def opened(space):
    """A tab of a browser in the network namespace."""
    profile = tempfile.mkdtemp(prefix="cs-browser-")
    its_in, to_browser = _pipe()
    from_browser, its_out = _pipe()
    command = space.command("bash", "-c", f'exec "$@" 3<&{its_in} 4>&{its_out}', "bash", "chromium", *OPTIONS, f"--user-data-dir={profile}")
    process = subprocess.Popen(command, pass_fds=(its_in, its_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    os.close(its_in)
    os.close(its_out)
    try:
        yield Tab(process, to_browser, from_browser)
    finally:
        os.close(to_browser)  # it ends when the pipe does
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_browser)
        shutil.rmtree(profile, ignore_errors=True)
