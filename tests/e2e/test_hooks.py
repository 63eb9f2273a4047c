"""The hook socket and `ganger hook`: what reaches a session, what is refused, and that a hook never holds an agent up."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from harness import PROGRAM, Connection, until


def token(ganger, uuid):
    """Of the session's attempt, once the host has written it."""
    path = ganger.state / "sessions" / uuid / "session.json"
    return until(lambda: json.loads(path.read_text())["start"].get("host", {}).get("hook_token"), "the token")


class Session:
    """A session whose agent does nothing, with what its hooks are given."""

    def __init__(self, ganger, name="s"):
        self.ganger, self.name = ganger, name
        self.object = ganger.start(name, "cat")
        self.id = self.object["id"]
        self.token = token(ganger, self.id)
        self.path = ganger.runtime / f"{self.id}.hook"
        self.env = {"GANGER_SESSION": self.id, "GANGER_TOKEN": self.token}

    def connect(self):
        return Connection(self.path, hello=False)

    def message(self, payload, **params):
        return {"jsonrpc": "2.0", "id": 1, "method": "hook",
                "params": {"token": self.token, "agent": "command", "payload": payload, **params}}

    def ask(self, line):
        """Sends a line; the reply, and whether the connection was closed after it."""
        connection = self.connect()
        connection.send(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        reply = connection.line()
        if "error" in reply:
            assert connection.line() is None, "the connection is closed after a refusal"
        connection.close()
        return reply

    def refusals(self):
        return [e for e in self.ganger.events(self.name, "warning") if e["code"] == "hook_refused"]


@pytest.fixture
def session(ganger):
    return Session(ganger)


def hook(ganger, payload, agent="command", env=None):
    """Runs `ganger hook`; returns the seconds that it took."""
    began = time.monotonic()
    made = ganger.run("hook", agent, input=payload.decode("latin-1") if isinstance(payload, bytes) else payload, env=env,
                      **({"encoding": "latin-1"} if isinstance(payload, bytes) else {}))
    assert made.stdout == "" and made.stderr == ""
    return time.monotonic() - began


def test_the_agent_has_the_token_and_nobody_sees_it(ganger):
    ganger.start("s", "sh", "-c", "echo =$GANGER_TOKEN= $GANGER_SESSION; exec cat")
    session = ganger.session("s")
    known = token(ganger, session["id"])
    assert len(known) == 32
    ganger.screen_shows("s", f"={known}=")
    for shown in (json.dumps(session), ganger.run("ls", "--json").stdout, ganger.run("rpc", "s", "session.get").stdout):
        assert known not in shown
    assert (ganger.runtime / f"{session['id']}.hook").stat().st_mode & 0o777 == 0o600


def test_a_message_is_taken_and_wrong_ones_are_refused(session):
    good = session.message({"hook_event_name": "X"})
    assert session.ask(good)["result"] == {}
    assert session.refusals() == []
    wrong = [
        (b"{nonsense\n", -32700),
        (b"[1, 2]\n", -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "session.kill", "params": good["params"]}, -32601),
        (session.message({}, token="0" * 32), 3),
        (session.message({}, token=session.token[:31]), 3),
        (session.message({}, token=None), 3),
        (session.message({}, agent="claude"), 3),
        (session.message("text"), -32602),
        (session.message([]), -32602),
        (b'{"a":' * 10000 + b"1" + b"}" * 10000 + b"\n", -32700),
        (b"x" * (1024 * 1024 + 10) + b"\n", 8),
    ]
    for line, code in wrong:
        assert session.ask(line)["error"]["code"] == code, line[:100] if isinstance(line, bytes) else line
    assert len(session.refusals()) == 1, "told once"
    assert session.ask(good)["result"] == {}


def test_bytes_that_are_not_utf8_and_half_characters_are_taken(session):
    line = json.dumps(session.message({"text": "PLACE"})).encode() + b"\n"
    for bad in (b"\xff\xfe", rb"\ud83d", rb"\udc00 \ud83d\ude00", b"\xe2\x82", rb"\u0000"):
        assert session.ask(line.replace(b"PLACE", bad))["result"] == {}
    assert session.refusals() == []


def test_the_token_of_another_session_is_refused(ganger, session):
    other = Session(ganger, "other")
    assert session.ask(session.message({}, token=other.token))["error"]["code"] == 3
    assert len(session.refusals()) == 1 and other.refusals() == []


def test_a_silent_connection_is_closed_and_64_are_served(session):
    silent = [session.connect() for _ in range(64)]
    began = time.monotonic()
    assert session.ask(session.message({}))["result"] == {}, "served once there is room"
    assert time.monotonic() - began > 1
    assert all(c.line() is None for c in silent)


def test_hook_reports_and_is_silent(ganger, session):
    hook(ganger, json.dumps({"hook_event_name": "X", "text": "line\nbreak"}, indent=2), env=session.env)
    hook(ganger, b'{"text": "\xff\xfe"}', env=session.env)
    hook(ganger, json.dumps({"hook_event_name": "Write", "tool_input": {"content": "x\n" * 2_000_000}}), env=session.env)
    hook(ganger, json.dumps({"hook_event_name": "Write", "many": ["y" * 400] * 20_000}), env=session.env)
    session.ask(session.message({}))
    assert session.refusals() == []
    hook(ganger, "{}", env={**session.env, "GANGER_TOKEN": "1" * 32})
    until(lambda: len(session.refusals()) == 1, "the refusal")


@pytest.mark.parametrize("payload", ["", "no json", "[]", '{"a":' * 10000, "{" * 3_000_000], ids=["empty", "text", "list", "deep", "open"])
def test_hook_takes_any_payload(ganger, session, payload):
    hook(ganger, payload, env=session.env)
    assert session.ask(session.message({}))["result"] == {}


def test_hook_outside_of_a_session_does_nothing(ganger):
    hook(ganger, "{}", env={"GANGER_SESSION": None, "GANGER_TOKEN": None})
    hook(ganger, "{}", env={"GANGER_SESSION": "../../x", "GANGER_TOKEN": "x"})
    assert ganger.run("hook").stdout == ""
    assert "usage: ganger hook" in ganger.run("hook", "--help").stdout


def quickest(run, times=7):
    return min(run() for _ in range(times))


def test_hook_gives_up_at_once_without_a_host(ganger, session):
    gone = {"GANGER_SESSION": "00000000-0000-4000-8000-000000000000", "GANGER_TOKEN": session.token}
    assert quickest(lambda: hook(ganger, "{}", env=gone)) < 0.05
    os.kill(session.object["host_pid"], signal.SIGSTOP)
    try:
        assert quickest(lambda: hook(ganger, "{}", env=session.env)) < 0.05
        assert quickest(lambda: hook(ganger, '{"x": "' + "y" * 1_000_000 + '"}', env=session.env)) < 0.15
        for _ in range(70):  # the listener's queue is full
            hook(ganger, "{}", env=session.env)
        assert quickest(lambda: hook(ganger, "{}", env=session.env)) < 0.05
    finally:
        os.kill(session.object["host_pid"], signal.SIGCONT)


def test_hook_does_not_wait_for_ever_for_its_payload(ganger, session):
    reader, writer = os.pipe()
    process = subprocess.Popen([str(PROGRAM), "hook", "command"], stdin=reader, env={**ganger.env, **session.env})
    os.close(reader)
    assert process.wait(10) == 0
    os.close(writer)


def test_a_new_host_knows_the_token_and_a_new_attempt_has_another(ganger, session):
    os.kill(session.object["host_pid"], signal.SIGKILL)
    until(lambda: ganger.session("s")["host_pid"] != session.object["host_pid"], "another host")

    def taken():
        try:
            return session.ask(session.message({}))["result"] == {}
        except (ConnectionError, socket.timeout):
            return False
    until(taken, "the message to be taken")
    ganger.run("kill", "s")
    ganger.run("retry", "s")
    ganger.phase_is("s", "unknown", "initializing", "idle")
    assert session.ask(session.message({}))["error"]["code"] == 3
    ganger.run("kill", "s")
    ganger.run("rm", "s")
    assert not session.path.exists()
