"""What agents say beside their screen in tui mode: the plugin of opencode, the hooks and the record of Codex, and Claude's
session file. The real CLIs with the stand-in model of tests/agents."""
import contextlib
import datetime
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from harness import until
from test_agents import SLOW, agents, crew, installed, model, start  # noqa: F401

real = [pytest.mark.agents, pytest.mark.xdist_group("agents"), pytest.mark.timeout(300)]


def marked(test):
    for mark in real:
        test = mark(test)
    return test


def events(ganger, name, *types):
    return ganger.events(name, *types)


def phases(ganger, name):
    return [event["phase"] for event in events(ganger, name, "phase")]


def in_order(wanted, seen):
    """Is `wanted` found in `seen`, others between?"""
    rest = iter(seen)
    return all(item in rest for item in wanted)


def pending(ganger, name):
    return ganger.session(name)["pending_approvals"]


def asked(ganger, name):
    until(lambda: pending(ganger, name), lambda: f"a request: {ganger.events(name)}\n{ganger.screen(name)}", SLOW)
    ganger.phase_is(name, "approval")
    return pending(ganger, name)[0]


DONE = "The command has run."


def confirm(ganger, name):
    """Enter, until it counts: a dialog that was only now drawn may not take keys yet."""
    until(lambda: DONE in ganger.screen(name) or ganger.run("keys", name, "Enter") is None, lambda: ganger.screen(name), SLOW, pause=1)


def idle(ganger, name):
    ganger.run("wait", name, "--for", "idle", "--timeout", str(SLOW), timeout=SLOW + 5)


@marked
def test_opencode_tells_phases_tools_and_what_it_asks(ganger, model, crew):  # noqa: F811
    crew("opencode")
    start(ganger, "opencode", "do it [model:tool]")
    request = asked(ganger, "opencode")
    assert request["kind"] == "permission" and request["tool"] == "bash"
    assert "touch ./made-by-agent" in request["input"]
    assert request["choices"] == ["Allow once", "Allow always", "Reject"]
    assert ganger.session("opencode")["evidence"]["source"] == "hook"
    confirm(ganger, "opencode")
    idle(ganger, "opencode")
    assert in_order(["connecting", "approval", "idle"], phases(ganger, "opencode"))
    calls, results = events(ganger, "opencode", "tool_call"), events(ganger, "opencode", "tool_result")
    assert [call["tool"] for call in calls] == ["bash"] and len(results) == 1
    assert results[0]["tool_id"] == calls[0]["tool_id"] and "made-it" in results[0]["output"]
    session = ganger.session("opencode")
    assert session["agent_session_id"].startswith("ses_") and session["model"] == "model"
    assert session["usage"]["input_tokens"] == 2400 and session["context_pct"] == pytest.approx(0.615, abs=0.01)
    assert "".join(e["text"] for e in events(ganger, "opencode", "text")).endswith(DONE)
    assert [e["outcome"] for e in events(ganger, "opencode", "turn_ended")] == ["completed"]
    assert pending(ganger, "opencode") == []


@marked
def test_opencode_tells_when_it_retries_and_why_it_failed(ganger, model, crew):  # noqa: F811
    crew("opencode")
    start(ganger, "opencode", "do it [model:limited]")
    session = ganger.phase_is("opencode", "retrying", seconds=SLOW)
    assert session["phase_until"] is not None and session["evidence"]["source"] == "hook"
    retry = ganger.events("opencode", "retry_scheduled")[0]
    assert retry["by"] == "agent" and retry["number"] == 1 and retry["class"] == "rate_limit" and "try again in 2s" in retry["message"]
    until(lambda: len(ganger.events("opencode", "retry_scheduled")) > 1, "the next retry", SLOW)
    ganger.run("cancel", "opencode")
    idle(ganger, "opencode")
    ganger.run("send", "opencode", "do it [model:refused]")
    until(lambda: ganger.events("opencode", "error"), lambda: ganger.screen("opencode"), SLOW)
    error = ganger.session("opencode")["last_error"]
    assert (error["class"], error["code"]) == ("authentication", "401") and "Incorrect API key" in error["message"]
    until(lambda: [e["outcome"] for e in ganger.events("opencode", "turn_ended")] == ["cancelled", "failed"],
          lambda: ganger.events("opencode", "turn_ended"))


@marked
def test_codex_tells_its_conversation_and_what_it_asks(ganger, model, crew):  # noqa: F811
    crew("codex")
    start(ganger, "codex", "do it [model:tool]")
    request = asked(ganger, "codex")
    assert request["kind"] == "permission" and "touch ./made-by-agent" in request["input"]
    until(lambda: ganger.session("codex")["agent_session_id"], "the conversation's id", SLOW)
    confirm(ganger, "codex")
    idle(ganger, "codex")
    session = ganger.session("codex")
    assert len(session["agent_session_id"]) == 36 and session["model"] == "gpt-5.5-codex"
    until(lambda: (ganger.session("codex")["usage"] or {}).get("input_tokens") == 2400, "the tokens of both requests", 5)
    calls, results = events(ganger, "codex", "tool_call"), events(ganger, "codex", "tool_result")
    assert [call["tool"] for call in calls] == ["exec_command"] and len(results) == 1
    assert results[0]["tool_id"] == calls[0]["tool_id"] and "made-it" in results[0]["output"]
    assert in_order(["approval", "idle"], phases(ganger, "codex"))
    assert [e["outcome"] for e in events(ganger, "codex", "turn_ended")] == ["completed"]


# ---- the plugin alone ----

DRIVE = """
import { createInterface } from "node:readline"
const hooks = await (await import(process.argv[2])).Ganger({})
console.log(Object.keys(hooks).join(" "))
for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line)
  if (event.fill) event.properties = { error: { name: "x".repeat(40000), data: { message: "\\0\\ud800" } } }
  await hooks.event({ event })
}
"""


class Plugin:
    """opencode's plugin within node, and the socket to which it talks."""

    def __init__(self, folder, installed, **variables):
        installed()
        self.folder = folder
        (folder / "drive.mjs").write_text(DRIVE)
        plugin = Path(__file__).resolve().parents[2] / "src/agent/opencode_plugin.js"
        (folder / "plugin.mjs").write_text(plugin.read_text())
        env = {"GANGER_TOKEN": "t", "GANGER_RUNTIME_DIR": str(folder), "GANGER_SESSION": "s", **variables}
        self.node = subprocess.Popen([str(agents.program("node")), str(folder / "drive.mjs"), str(folder / "plugin.mjs")],
                                     env={k: v for k, v in env.items() if v}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def says(self, kind, **properties):
        self.node.stdin.write(json.dumps({"type": kind, "properties": properties}) + "\n")
        self.node.stdin.flush()

    def listen(self):
        listener = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "s.hook").unlink()
        listener.bind(str(self.folder / "s.hook"))
        listener.listen()
        listener.settimeout(20)
        return listener

    def end(self):
        self.node.stdin.close()
        assert self.node.wait(10) == 0


def told(lines, count):
    """Types of that many events that came over a connection."""
    messages = [json.loads(next(lines)) for _ in range(count)]
    assert all(m["method"] == "hook" and m["params"]["token"] == "t" and m["params"]["agent"] == "opencode" for m in messages)
    return [m["params"]["payload"]["type"] for m in messages]


@marked
def test_the_plugin_says_again_what_holds_to_a_host_that_comes_late(tmp_path, installed):  # noqa: F811
    plugin = Plugin(tmp_path, installed)
    assert plugin.node.stdout.readline() == "event chat.params\n"
    plugin.says("session.status", sessionID="a", status={"type": "busy"})
    with plugin.listen() as listener:
        plugin.says("permission.asked", id="p", sessionID="a")
        plugin.says("plugin.added")
        connection, _ = listener.accept()
        lines = connection.makefile()
        first = told(lines, 2)
        while first[-1] != "permission.asked":
            first += told(lines, 1)
        assert "session.status" in first and "plugin.added" not in first
        lines.close()
        connection.close()
        connection, _ = listener.accept()
        lines = connection.makefile()
        assert told(lines, 3) == ["ganger.again", "session.status", "permission.asked"]
        plugin.says("permission.replied", requestID="p")
        plugin.node.stdin.write(json.dumps({"type": "session.error", "fill": True}) + "\n")
        plugin.says("session.idle", sessionID="a")
        assert told(lines, 1) == ["permission.replied"]
        line = next(lines)
        assert len(line) < 20000
        error = json.loads(line)["params"]["payload"]["properties"]["error"]
        assert len(error["name"]) == 16384 and error["data"]["message"] == "\ufffd\ufffd"
        assert told(lines, 1) == ["session.idle"]
        lines.close()
        connection.close()
        connection, _ = listener.accept()
        assert told(connection.makefile(), 1) == ["ganger.again"]
    plugin.end()


@marked
def test_the_plugin_does_nothing_outside_of_a_session(tmp_path, installed):  # noqa: F811
    plugin = Plugin(tmp_path, installed, GANGER_TOKEN="")
    assert plugin.node.stdout.readline() == "\n"
    plugin.end()


# ---- files that a stand-in for the agent writes ----

SILENT = ["sh", "-c", "exec cat"]


class Record:
    """A conversation as Codex keeps it, in $CODEX_HOME/sessions/YYYY/MM/DD."""

    def __init__(self, home, cwd, begun=None):
        begun = begun or time.time()
        digits = f"{int(begun * 1000):012x}7{uuid.uuid4().hex[13:]}"
        self.id = str(uuid.UUID(digits))
        day = datetime.datetime.fromtimestamp(begun)
        self.path = home / day.strftime("sessions/%Y/%m/%d") / f"rollout-{day:%Y-%m-%dT%H-%M-%S}-{self.id}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.add("session_meta", at=begun, id=self.id, cwd=str(cwd), cli_version="0.169.0", source="cli")
        self.add("turn_context", at=begun, model="gpt-x")

    def add(self, kind, at=None, **payload):
        stamp = datetime.datetime.utcfromtimestamp(at or time.time()).isoformat(timespec="milliseconds") + "Z"
        with self.path.open("a") as file:
            file.write(json.dumps({"timestamp": stamp, "type": kind, "payload": payload}) + "\n")

    def event(self, kind, at=None, **payload):
        self.add("event_msg", at, type=kind, **payload)

    def says(self, text, at=None):
        self.add("response_item", at, type="message", role="assistant", content=[{"type": "output_text", "text": text}])

    def used(self, tokens, at=None):
        counts = {"input_tokens": tokens, "cached_input_tokens": 0, "output_tokens": 1}
        self.event("token_count", at, info={"total_token_usage": counts, "last_token_usage": {"total_tokens": 50}, "model_context_window": 100})


@pytest.fixture
def codex_home(ganger):
    home = ganger.root / "codex-home"
    ganger.configure(agents={"codex": {"command": SILENT, "env": {"CODEX_HOME": str(home)}}})
    return home


def said(ganger, name):
    return [event["text"] for event in ganger.events(name, "text")]


def test_a_record_is_found_by_its_day_and_folder(ganger, codex_home):
    Record(codex_home, ganger.work, time.time() - 3600).says("before")
    start(ganger, "codex")
    Record(codex_home, "/elsewhere").says("elsewhere")
    record = Record(codex_home, ganger.work)
    record.event("task_started")
    record.says("one")
    until(lambda: said(ganger, "codex") == ["one"], lambda: ganger.events("codex"))
    session = ganger.session("codex")
    assert session["agent_session_id"] == record.id and session["model"] == "gpt-x"
    assert session["phase"] == "streaming" and session["evidence"]["source"] == "server"
    record.add("response_item", type="function_call", call_id="c", name="shell", arguments='{"command": "ls"}')
    ganger.phase_is("codex", "tool")
    record.used(1000)
    record.add("response_item", type="function_call_output", call_id="c", output="listed")
    until(lambda: ganger.events("codex", "tool_result"), "the result of the tool")
    assert ganger.session("codex")["usage"]["input_tokens"] == 1000 and ganger.session("codex")["context_pct"] == 50
    with record.path.open("a") as file:
        file.write("no JSON\n" + "[" * 10000 + "\n" + "x" * 3000000 + "\n")
    record.event("task_complete")
    ganger.phase_is("codex", "idle")
    assert [e["outcome"] for e in ganger.events("codex", "turn_ended")] == ["completed"]
    record.path.unlink()
    ganger.run("kill", "codex")
    ganger.phase_is("codex", "killed")
    assert said(ganger, "codex") == ["one"]


def test_what_is_past_is_not_told_again(ganger, codex_home):
    started = time.time() - 100000
    record = Record(codex_home, ganger.work, started)
    record.event("task_started", at=started)
    for number in range(300):
        record.says(f"past {number}" + "." * 1000, at=started)
        record.used(number, at=started)
    record.event("task_complete", at=started)
    ganger.configure(agents={"codex": {"command": ["sh", "-c", f"exec 3<{record.path}; exec cat"]}})
    start(ganger, "codex")
    until(lambda: ganger.session("codex")["agent_session_id"] == record.id, lambda: ganger.session("codex"))
    until(lambda: ganger.session("codex")["usage"], "the tokens")
    assert ganger.session("codex")["usage"]["input_tokens"] == 299
    record.event("task_started")
    record.says("now")
    ganger.phase_is("codex", "streaming")
    os.kill(ganger.session("codex")["host_pid"], signal.SIGKILL)
    until(lambda: ganger.events("codex", "host_restarted"), "another host")
    ganger.phase_is("codex", "streaming")
    record.says("later")
    until(lambda: "later" in said(ganger, "codex"), lambda: ganger.events("codex"))
    assert said(ganger, "codex") == ["now", "later"]


def test_claudes_session_file_is_followed(ganger):
    home = ganger.root / "claude-home"
    (home / "sessions").mkdir(parents=True)
    ganger.configure(agents={"claude": {"command": SILENT, "env": {"CLAUDE_CONFIG_DIR": str(home)}}})
    start(ganger, "claude")
    pid, conversation = ganger.session("claude")["pid"], str(uuid.uuid4())

    def note(**status):
        (home / "sessions" / f"{pid}.json").write_text(json.dumps({"pid": pid, "sessionId": conversation, "version": "2.1.329", **status}))
    note(status="busy")
    ganger.phase_is("claude", "thinking")
    assert ganger.session("claude")["agent_session_id"] == conversation
    note(status="waiting", waitingFor="permission prompt")
    session = ganger.phase_is("claude", "approval")
    assert session["evidence"]["source"] == "server" and "permission prompt" in session["evidence"]["detail"]
    note(status="shell")
    note(status="idle")
    ganger.phase_is("claude", "idle")


LATE_CODEX = r"""
import datetime, json, os, sys, time
def say(state): print(f"\x1b]7501;state={state}:app=codex\x07", end="", flush=True)
def stamp(): return datetime.datetime.utcnow().isoformat(timespec="milliseconds") + "Z"
say("idle"); sys.stdin.readline()
say("working"); began = stamp(); time.sleep(0.4); ended = stamp(); say("idle")
sys.stdin.readline()
folder = os.path.join(os.environ["CODEX_HOME"], "sessions", *stamp()[:10].split("-"))
os.makedirs(folder)
id = "0199a1b2-1111-7222-8333-444455556666"
record = open(os.path.join(folder, f"rollout-{stamp()[:19].replace(':', '-')}-{id}.jsonl"), "a")
for at, type, payload in [(began, "session_meta", {"id": id, "cwd": os.getcwd(), "cli_version": "0.169.0"}),
                          (began, "event_msg", {"type": "task_started", "turn_id": "1"}),
                          (ended, "event_msg", {"type": "task_complete", "turn_id": "1"}),
                          (stamp(), "turn_context", {"model": "late"})]:
    print(json.dumps({"timestamp": at, "type": type, "payload": payload}), file=record, flush=True)
sys.stdin.readline()
"""


def test_a_record_that_comes_late_begins_no_second_turn(ganger, tmp_path):
    script = tmp_path / "codex.py"
    script.write_text(LATE_CODEX)
    ganger.configure(agents={"codex": {"command": ["/usr/bin/python3", str(script)],
                                       "env": {"CODEX_HOME": str(tmp_path / "home")}}})
    ganger.run("run", "-d", "-a", "codex", "-n", "late")
    ganger.phase_is("late", "idle")
    ganger.run("keys", "late", "Enter")
    until(lambda: events(ganger, "late", "turn_ended"), "the end of the turn")
    ganger.run("keys", "late", "Enter")
    until(lambda: ganger.session("late")["model"] == "late", "the record to be read")
    assert len(events(ganger, "late", "turn_started")) == len(events(ganger, "late", "turn_ended")) == 1
