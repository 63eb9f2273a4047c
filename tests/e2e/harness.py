"""The tools of the end-to-end tests: the real programs with folders of their own, and tmux as the terminal around them."""
import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("GANGER_BUILD") or ROOT / "build")
PROGRAM = BUILD / "ganger"
FAKE = BUILD / "ganger-fake"
MARK = "GANGER_TEST_MARK"
# What the tests wait for comes within a fraction of this; the deadline is for busy machines.
SECONDS = float(os.environ.get("GANGER_TEST_SECONDS", "20"))


def until(condition, what, seconds=SECONDS, pause=0.02):
    """Waits until `condition()` is true and returns what it returned; `what` may be text or a function that says more."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


def read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def alive(pid):
    """True unless the process is gone or a zombie."""
    status = read(f"/proc/{pid}/stat")
    return bool(status) and status.rpartition(b") ")[2][:1] not in (b"Z", b"X")


class Ganger:
    """The program with runtime, state and configuration folders of its own in a new short folder `root`."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="gg-", dir="/tmp"))
        self.mark = uuid.uuid4().hex
        self.sessions = set()  # GANGER_SESSION=UUID of those that were seen
        self.runtime, self.state, self.config, self.home, self.work = (self.root / n for n in ("r", "s", "c", "h", "w"))
        for folder in (self.config, self.home, self.work):
            folder.mkdir()
        self.runtime.mkdir(mode=0o700)
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.home), "LANG": "C.UTF-8", "SHELL": "/bin/sh",
            "TERM": "xterm-256color", "COLORTERM": "truecolor", "GANGER_RUNTIME_DIR": str(self.runtime),
            "GANGER_STATE_DIR": str(self.state), "GANGER_CONFIG_DIR": str(self.config), MARK: self.mark,
        }

    # ---- commands ----
    def run(self, *arguments, code=0, env=None, **options):
        """Runs `ganger ARGUMENTS`; the exit code must be `code` unless it is None. Returns the completed process (text)."""
        options = {"stdin": subprocess.DEVNULL, "cwd": self.work, "timeout": 60, "text": True, **options}
        if "input" in options:
            options.pop("stdin")
        environment = {k: v for k, v in {**self.env, **(env or {})}.items() if v is not None}
        made = subprocess.run([str(PROGRAM), *map(str, arguments)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        assert code is None or made.returncode == code, \
            f"ganger {arguments}: exit code {made.returncode}, not {code}\n{made.stdout}\n{made.stderr}"
        return made

    def fails(self, *arguments, code=1, says=(), **options):
        """Runs a command that must fail with one clear line on stderr, in which each word of `says` occurs;
        bad usage (2) may be followed by the usage."""
        made = self.run(*arguments, code=code, **options)
        lines = made.stderr.splitlines()
        assert lines and lines[0].startswith("ganger: "), made.stderr
        assert len(lines) <= (3 if made.returncode == 2 else 1), made.stderr
        for word in [says] if isinstance(says, str) else says:
            assert word in made.stderr, f"{word!r} is not in: {made.stderr}"
        return made.stderr

    def json(self, *arguments, **options):
        return json.loads(self.run(*arguments, "--json", **options).stdout)

    def start(self, name, *command, options=(), **keywords):
        """A detached session of a command; returns its object."""
        session = json.loads(self.run("run", "-d", "--json", "-n", name, *options, "--", *command, **keywords).stdout)
        self.sessions.add(f"GANGER_SESSION={session['id']}".encode())
        return session

    def fake(self, name, *arguments, **keywords):
        return self.start(name, FAKE, *arguments, **keywords)

    def session(self, name):
        return json.loads(self.run("show", name, "--json").stdout)

    def screen(self, name):
        return self.run("snapshot", name).stdout

    def screen_shows(self, name, text, seconds=SECONDS):
        until(lambda: text in self.screen(name), lambda: f"{text!r} on the screen of {name}:\n{self.screen(name)}", seconds)

    def phase_is(self, name, *phases, seconds=SECONDS):
        return until(lambda: (s := self.session(name))["phase"] in phases and s,
                     lambda: f"{name} to be {phases}: {json.dumps(self.session(name), indent=1)}", seconds)

    def events(self, name, *types):
        lines = self.run("events", name).stdout.splitlines()
        return [e for e in map(json.loads, lines) if not types or e["type"] in types]

    def configure(self, **keys):
        (self.config / "config.json").write_text(json.dumps(keys))

    # ---- the protocol ----
    def socket_path(self, name):
        return self.runtime / (self.session(name)["id"] + ".sock")

    def connect(self, name, hello=True):
        return Connection(self.socket_path(name), hello)

    # ---- processes ----
    def processes(self):
        """What this test started, directly or not: {pid: command line}. Known by the mark or a session's UUID in the
        environment, or by an open file or a working folder below `root`."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid() or not alive(entry):
                continue
            variables = read(f"/proc/{entry}/environ").split(b"\0")
            if f"{MARK}={self.mark}".encode() in variables or self.sessions.intersection(variables) or self.holds(entry):
                found[int(entry)] = read(f"/proc/{entry}/cmdline").replace(b"\0", b" ").decode(errors="replace")
        return found

    def holds(self, pid):
        links = [f"/proc/{pid}/cwd"]
        with contextlib.suppress(OSError):
            links += [f"/proc/{pid}/fd/{number}" for number in os.listdir(f"/proc/{pid}/fd")]
        for link in links:
            with contextlib.suppress(OSError):
                if os.readlink(link).startswith(str(self.root) + "/"):
                    return True
        return False

    def keeper_of(self, name):
        """The keeper's pid: the parent of the agent."""
        stat = read(f"/proc/{self.session(name)['pid']}/stat")
        return int(stat.rpartition(b") ")[2].split()[1])

    def nothing_left(self, seconds=SECONDS):
        until(lambda: not self.processes(), lambda: f"processes left over: {self.processes()}", seconds)

    def end_sessions(self):
        """Ends and removes all sessions; returns the processes that ganger did not end."""
        folder = self.state / "sessions"
        sessions = [p.name for p in folder.iterdir()] if folder.is_dir() and os.access(folder, os.R_OK) else []
        if sessions:
            self.run("kill", *sessions, code=None)
            self.run("rm", *sessions, code=None)
        left = {}
        try:
            self.nothing_left(15)
        except AssertionError:
            left = self.processes()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left

    def end(self):
        """The same, and removes the folders."""
        left = self.end_sessions()
        subprocess.run(["chmod", "-R", "u+rwX", self.root], check=False)
        shutil.rmtree(self.root, ignore_errors=True)
        return left


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", folder], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


class Connection:
    """A client of a session's socket, line by line."""

    def __init__(self, path, hello=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(path))
        self.buffer = b""
        self.number = 0
        if hello:
            self.hello = self.call("hello", {"protocol": 1})

    def send(self, raw):
        self.socket.sendall(raw)

    def line(self):
        """The next message, or None at the end."""
        while b"\n" not in self.buffer:
            part = self.socket.recv(65536)
            if not part:
                return None
            self.buffer += part
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def call(self, method, params=None):
        """The whole reply; notifications before it are passed over."""
        self.number += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params or {}}).encode() + b"\n")
        while True:
            message = self.line()
            if message is None or message.get("id") == self.number:
                return message

    def notification(self, method, wanted=lambda params: True):
        """The params of the next notification of that method which is `wanted`; what comes before it is passed over."""
        while (message := self.line()) is not None:
            if message.get("method") == method and wanted(message["params"]):
                return message["params"]
        raise AssertionError(f"the connection ended before {method}")

    def event(self, kind, **members):
        """The next event of that type with these members; the connection must have subscribed."""
        return self.notification("event", lambda e: e["type"] == kind and all(e.get(k) == v for k, v in members.items()))

    def quiet(self, seconds):
        """True when nothing comes for that long."""
        return not self.buffer and not select.select([self.socket], [], [], seconds)[0]

    def close(self):
        self.socket.close()


class Tmux:
    """A terminal of `cols` x `rows`: a tmux server of its own with one window, in which `command` runs."""

    def __init__(self, root, env):
        self.socket = str(Path(root) / f"tmux-{uuid.uuid4().hex[:6]}")
        self.env = {**env, "TERM": "xterm-256color"}
        self.mark = self.env.pop(MARK)  # the terminal itself is no process of ganger's
        self.status = Path(self.socket + ".status")
        self.started = False

    def tmux(self, *arguments, check=True):
        made = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *map(str, arguments)], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=30)
        assert not check or made.returncode == 0, f"tmux {arguments}: {made.stderr}"
        return made.stdout

    def start(self, *command, cols=100, rows=30, cwd="/", term="tmux-256color", env=None):
        """`env` is added to the environment of the command; a value of None removes a variable."""
        changes = {"TERM": term, "COLORTERM": "truecolor", MARK: self.mark, **(env or {})}
        arguments = ["sh", "-c", '"$@"; echo $? >"$0"', self.status, "env", "-u", "TMUX", "-u", "TMUX_PANE"]
        for name, value in changes.items():
            arguments += ["-u", name] if value is None else []
        arguments += [f"{name}={value}" for name, value in changes.items() if value is not None]
        self.tmux("set", "-g", "remain-on-exit", "on", ";", "set", "-s", "escape-time", "0", ";", "set", "-g", "status", "off", ";",
                  "set", "-g", "set-clipboard", "on", ";", "set", "-g", "focus-events", "on", ";",
                  "new-session", "-d", "-s", "t", "-x", cols, "-y", rows, "-c", cwd, *arguments, *command)
        self.started = True
        return self

    def keys(self, *keys):
        """Keys by tmux's names."""
        self.tmux("send-keys", "-t", "t", *keys)

    def type(self, text):
        self.tmux("send-keys", "-t", "t", "-l", "--", text)

    def raw(self, data):
        """Bytes, as the terminal would send them."""
        self.tmux("send-keys", "-t", "t", "-H", *[f"{byte:02x}" for byte in data])

    def paste(self, text):
        subprocess.run(["tmux", "-S", self.socket, "load-buffer", "-b", "p", "-"], input=text.encode(), env=self.env, check=True)
        self.tmux("paste-buffer", "-p", "-b", "p", "-t", "t")

    def screen(self, attributes=False):
        return self.tmux("capture-pane", "-p", "-t", "t", *(["-e"] if attributes else []))

    def format(self, text):
        return self.tmux("display-message", "-p", "-t", "t", text).strip()

    def shows(self, text, seconds=SECONDS):
        """Waits until the screen shows the text (or the compiled pattern); returns the screen."""
        found = (lambda s: text.search(s)) if isinstance(text, re.Pattern) else (lambda s: text in s)
        screen = ""

        def look():
            nonlocal screen
            screen = self.screen()
            return found(screen)
        until(look, lambda: f"{text!r} on the screen:\n{screen}", seconds)
        return screen

    def hides(self, text, seconds=SECONDS):
        until(lambda: text not in self.screen(), lambda: f"{text!r} to leave the screen:\n{self.screen()}", seconds)

    def resize(self, cols, rows):
        self.tmux("resize-window", "-t", "t", "-x", cols, "-y", rows)

    def ended(self, seconds=SECONDS):
        """Waits for the command's end; returns its exit code (128 + N for a signal)."""
        return int(until(lambda: read(self.status).endswith(b"\n") and read(self.status), lambda: "the command to end:\n" + self.screen(),
                         seconds))

    def modes(self):
        """What a program may leave behind in a terminal."""
        return self.format("alternate=#{alternate_on} mouse=#{mouse_any_flag} cursor=#{cursor_flag} keypad=#{keypad_flag} "
                           "cursor_keys=#{keypad_cursor_flag} insert=#{insert_flag}")

    def end(self):
        if self.started:
            self.tmux("kill-server", check=False)
