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


# ---- what payloads become; the agent is a program that does nothing ----

class Agent(Session):
    """A session of the agent `kind` whose program is `cat`."""

    def __init__(self, ganger, kind):
        ganger.configure(agents={kind: {"command": ["sh", "-c", "exec cat", kind]}})
        self.ganger, self.name, self.kind = ganger, kind, kind
        self.object = json.loads(ganger.run("run", "-d", "--json", "-a", kind, "-n", kind).stdout)
        self.id = self.object["id"]
        ganger.sessions.add(f"GANGER_SESSION={self.id}".encode())
        self.token = token(ganger, self.id)
        self.path = ganger.runtime / f"{self.id}.hook"
        self.env = {"GANGER_SESSION": self.id, "GANGER_TOKEN": self.token}

    def say(self, event, **members):
        """The agent's hook runs."""
        hook(self.ganger, json.dumps({"session_id": "main", "prompt_id": "p", "hook_event_name": event, **members}), self.kind, self.env)


def test_claude_reports_its_work(ganger):
    claude = Agent(ganger, "claude")
    claude.say("SessionStart", source="startup", model="claude-opus-5-5")
    until(lambda: ganger.session("claude")["model"] == "claude-opus-5-5", "the model")
    assert ganger.session("claude")["agent_session_id"] == "main"
    claude.say("UserPromptSubmit", prompt="do it")
    ganger.phase_is("claude", "connecting")
    claude.say("PreToolUse", tool_name="Bash", tool_use_id="t1", tool_input={"command": "make"})
    ganger.phase_is("claude", "tool")
    claude.say("SessionStart", source="startup", model="another", session_id="inner")
    claude.say("Stop", session_id="inner")
    claude.say("PostToolUse", tool_name="Bash", tool_use_id="t1", tool_response={"stdout": "made"})
    claude.say("Stop", last_assistant_message="It is made.")
    session = ganger.phase_is("claude", "idle")
    assert (session["model"], session["agent_session_id"]) == ("claude-opus-5-5", "main")
    assert [(e["tool"], e["summary"]) for e in ganger.events("claude", "tool_call")] == [("Bash", "make")]
    assert [e["output"] for e in ganger.events("claude", "tool_result")] == ["made"]
    assert [e["text"] for e in ganger.events("claude", "text")] == ["It is made."]
    assert [e["outcome"] for e in ganger.events("claude", "turn_ended")] == ["completed"]


def test_claude_asks_and_fails(ganger):
    claude = Agent(ganger, "claude")
    claude.say("UserPromptSubmit", prompt="do it")
    claude.say("PreToolUse", tool_name="Write", tool_use_id="t1", tool_input={"file_path": "/x/y", "content": "one\ntwo\n"})
    claude.say("PermissionRequest", tool_name="Write", tool_input={"file_path": "/x/y", "content": "one\ntwo\n"})
    ganger.phase_is("claude", "approval")
    asked = until(lambda: ganger.session("claude")["pending_approvals"], "what is asked")[0]
    assert (asked["kind"], asked["tool"]) == ("permission", "Write")
    assert "/x/y" in asked["input"] and "+two" in asked["input"]
    claude.say("PermissionDenied", tool_name="Write", tool_use_id="t1")
    until(lambda: ganger.session("claude")["pending_approvals"] == [], "nothing asked")
    claude.say("StopFailure", error="billing_error", last_assistant_message="Credit balance is too low")
    error = ganger.phase_is("claude", "idle")["last_error"]
    assert (error["class"], error["code"], error["message"]) == ("billing", "billing_error", "Credit balance is too low")
    assert [e["outcome"] for e in ganger.events("claude", "turn_ended")] == ["failed"]


def row(number, text, tokens, **members):
    """Of Claude's transcript."""
    return json.dumps({"type": "assistant", "requestId": f"r{number}", **members, "message": {
        "id": f"m{number}", "model": "claude-x", "stop_reason": "tool_use", "content": [{"type": "text", "text": text}],
        "usage": {"input_tokens": tokens, "output_tokens": 10, "cache_read_input_tokens": 20000}}}) + "\n"


def test_claude_usage_comes_from_its_transcript(ganger):
    claude = Agent(ganger, "claude")
    path = ganger.root / "session.jsonl"
    path.write_text("".join(row(i, "before", 100) for i in range(2000)))  # several pieces
    claude.say("SessionStart", source="resume", transcript_path=str(path))
    until(lambda: (ganger.session("claude")["usage"] or {}).get("output_tokens") == 20000, "the usage of the past")
    with path.open("a") as file:
        file.write(row(5000, "after", 20000) * 3 + "{broken\n" + row(5001, "inside", 5, isSidechain=True))
    claude.say("PreToolUse", tool_name="Bash", tool_use_id="t", transcript_path=str(path))
    until(lambda: (ganger.session("claude")["usage"] or {}).get("output_tokens") == 20020, "the usage of one message more")
    session = ganger.session("claude")
    assert session["context_pct"] == 20.0 and session["model"] == "claude-x"
    assert "".join(e["text"] for e in ganger.events("claude", "text")).startswith("after")
    assert "before" not in json.dumps(ganger.events("claude", "text"))


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "text", "relative"])
def test_other_files_are_not_read_as_transcripts(ganger, kind):
    claude = Agent(ganger, "claude")
    path = ganger.root / ("x.txt" if kind == "text" else "x.jsonl")
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        (ganger.root / "real.jsonl").write_text(row(1, "x", 1))
        path.symlink_to(ganger.root / "real.jsonl")
    else:
        path.write_text(row(1, "x", 1))
    claude.say("Stop", transcript_path=os.path.relpath(path, "/") if kind == "relative" else str(path), last_assistant_message="done")
    until(lambda: ganger.events("claude", "text"), "the text")
    assert ganger.session("claude")["usage"] is None


def test_gemini_reports_its_work(ganger):
    gemini = Agent(ganger, "gemini")
    gemini.say("SessionStart", source="startup")
    gemini.say("BeforeAgent", prompt="do it")
    ganger.phase_is("gemini", "connecting")
    gemini.say("BeforeTool", tool_name="run_shell_command", tool_input={"command": "make"})
    gemini.say("Notification", notification_type="ToolPermission", message="?", details={"type": "exec", "command": "make", "title": "Shell"})
    ganger.phase_is("gemini", "approval")
    asked = until(lambda: ganger.session("gemini")["pending_approvals"], "what is asked")[0]
    assert asked["tool"] == "run_shell_command" and asked["input"].startswith("make")
    gemini.say("AfterTool", tool_name="run_shell_command", tool_input={"command": "make"}, tool_response={"llmContent": "made"})
    gemini.say("AfterAgent", prompt_response="done")
    ganger.phase_is("gemini", "idle")
    assert [e["output"] for e in ganger.events("gemini", "tool_result")] == ["made"]
    assert [e["outcome"] for e in ganger.events("gemini", "turn_ended")] == ["completed"]
