"""Pages in headless Chromium, driven through its DevTools pipe (descriptors 3 and 4), without modules from outside.

with Browser() as browser, browser.page(path, "#t=12") as page:
    page.wait("document.documentElement?.dataset.state === 'ready'")
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEADLINE = 60


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="ganger-page-")
        self.rest = b""
        self.number = 0
        to_browser, self.to = os.pipe()
        self.out, from_browser = os.pipe()
        self.process = subprocess.Popen(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            start_new_session=True, preexec_fn=lambda: self._descriptors(to_browser, from_browser))
        os.close(to_browser)
        os.close(from_browser)

    @staticmethod
    def _descriptors(to_browser, from_browser):
        read, write = os.dup(to_browser), os.dup(from_browser)
        os.dup2(read, 3)
        os.dup2(write, 4)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, EOFError, RuntimeError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.out)
        shutil.rmtree(self.profile, ignore_errors=True)

    def page(self, path, fragment="", **options):
        return Page(self, path, fragment, **options)

    # ---- the protocol: JSON messages, each ended by a NUL byte ----

    def _message(self, deadline):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.out], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser does not answer")
            got = os.read(self.out, 1 << 20)
            if not got:
                raise EOFError("the browser went away")
            self.rest += got
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, note=lambda message: None, **params):
        """Events that come meanwhile are noted."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        left = json.dumps(message).encode() + b"\0"
        while left:
            left = left[os.write(self.to, left):]
        deadline = time.monotonic() + DEADLINE
        while True:
            answer = self._message(deadline)
            if answer.get("id") != self.number:
                note(answer)
                continue
            if "error" in answer:
                raise RuntimeError(answer["error"]["message"])
            return answer["result"]


class Page:
    """A page that shares nothing with the browser's other ones."""

    def __init__(self, browser, path, fragment="", dark=False, width=1280, height=900):
        self.browser = browser
        self.said = []  # messages of the page's console
        self.requests = []  # addresses that were asked for
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url="file://" + str(path) + fragment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

    def _note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if message.get("sessionId") != self.session:
            return
        if method == "Log.entryAdded":
            self.said.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.said.append(json.dumps(params["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def call(self, method, **params):
        return self.browser.call(method, session=self.session, note=self._note, **params)

    # ---- what tests use ----

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def wait(self, condition, seconds=DEADLINE):
        """Until the JavaScript expression is true; returns its value."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.evaluate(condition)
            if value:
                return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"{condition} is {value!r}; the page says {self.text()!r}, the console {self.said}")
            select.select([], [], [], 0.05)

    def ready(self):
        self.wait("document.documentElement?.dataset.state === 'ready'")

    def text(self):
        return self.evaluate("document.body.innerText")

    def screen(self):
        """The text that the player shows, as lines without the blanks at their ends."""
        text = self.evaluate("[...document.querySelectorAll('.ap-term-text .ap-line')].map(l => l.textContent).join('\\n')")
        return [line.rstrip() for line in text.replace("\u00a0", " ").split("\n")]

    def click(self, selector):
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
