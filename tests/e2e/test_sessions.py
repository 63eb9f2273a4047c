"""What scripts rely on: the shapes of what is printed, ends, transcripts, many sessions at once, full disks."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from harness import FAKE, PROGRAM, SECONDS, alive, read, small_disk, until

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
PHASES = {"initializing", "idle", "connecting", "thinking", "streaming", "tool", "approval", "limited", "retrying", "unknown",
          "completed", "failed", "timeout", "cancelled", "killed", "lost"}


# ---- the session object ----
def is_time(value):
    return isinstance(value, str) and bool(TIME.match(value))


def is_text(value):
    return isinstance(value, str)


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def optional(check):
    return lambda value: value is None or check(value)


def an_object(**members):
    return lambda value: isinstance(value, dict) and set(value) >= set(members) and all(check(value[k]) for k, check in members.items())


def a_list(check):
    return lambda value: isinstance(value, list) and all(map(check, value))


SESSION = {
    "id": lambda v: bool(UUID.match(v)), "name": is_text, "agent": is_text, "mode": lambda v: v in ("tui", "stream"),
    "account": optional(is_text), "runner": is_text, "cwd": lambda v: v.startswith("/"), "worktree": optional(is_text), "machine": is_text,
    "connection": lambda v: v in ("ok", "disconnected"), "host_pid": optional(is_number), "pid": optional(is_number), "attempt": is_number,
    "phase": lambda v: v in PHASES, "phase_since": is_time, "phase_until": optional(is_time),
    "evidence": optional(an_object(source=is_text, rank=lambda v: v in (1, 2, 3, 4, 5), detail=optional(is_text), at=is_time)),
    "title": optional(is_text), "agent_session_id": optional(is_text), "agent_session_ids": a_list(is_text),
    "cols": is_number, "rows": is_number, "model": optional(is_text), "context_pct": optional(is_number),
    "usage": optional(lambda v: isinstance(v, dict)), "resources": optional(lambda v: isinstance(v, dict)),
    "pending_approvals": a_list(lambda v: {"id", "kind", "tool", "input", "choices", "since"} <= set(v)),
    "queue": a_list(an_object(id=is_text, text=is_text, priority=lambda v: v in ("now", "next", "later"))),
    "last_error": optional(an_object(**{"class": is_text, "code": is_text, "message": optional(is_text), "hint": optional(is_text)})),
    "exit": optional(an_object(state=lambda v: v in PHASES, code=optional(is_number), signal=optional(is_number), at=is_time)),
    "created_at": is_time, "recording": an_object(path=optional(is_text), bytes=is_number), "progress_pct": optional(is_number),
}


def check_object(session):
    wrong = {key: session.get(key, "is missing") for key, check in SESSION.items() if key not in session or not check(session[key])}
    assert not wrong, wrong


def test_every_member_of_a_session_at_every_time(ganger):
    check_object(ganger.fake("echo", "echo"))
    check_object(ganger.phase_is("echo", "idle"))
    ganger.run("send", "echo", "slow")
    ganger.run("send", "echo", "queued")
    check_object(ganger.phase_is("echo", "thinking"))
    ganger.fake("asker", "--speed", "10", "approve")
    ganger.fake("short", "exit", "3")
    asking = ganger.phase_is("asker", "approval")
    assert asking["evidence"]["rank"] == 2
    ended = ganger.phase_is("short", "failed")
    assert (ended["exit"]["code"], ended["exit"]["signal"], ended["pid"]) == (3, None, None)
    ganger.run("kill", "echo")
    for session in ganger.json("ls") + [asking, ended, ganger.session("echo")]:
        check_object(session)
        assert (session["exit"] is None) == (session["phase"] not in ("failed", "killed"))


def test_an_ended_session_is_the_same_without_its_host(ganger):
    ganger.fake("short", "exit", "3", "the output")
    with_host = ganger.phase_is("short", "failed")
    screen = ganger.screen("short")
    os.kill(with_host["host_pid"], signal.SIGTERM)
    until(lambda: not alive(with_host["host_pid"]), "the host's end")
    without = ganger.session("short")
    check_object(without)
    changing = ("host_pid", "connection", "recording", "alive")
    assert {k: v for k, v in without.items() if k not in changing} == {k: v for k, v in with_host.items() if k not in changing}
    assert ganger.screen("short") == screen and "the output" in screen


def test_the_order_of_ls(ganger):
    names = ["first", "second", "third"]
    for name in names:
        ganger.fake(name, "echo")
    assert [s["name"] for s in ganger.json("ls")] == names
    lines = ganger.run("ls").stdout.splitlines()
    assert lines[0].split() == ["NAME", "AGENT", "ACCOUNT", "PHASE", "FOR", "TITLE"] and len(lines) == 4
    ganger.fake("asker", "--speed", "10", "approve")
    ganger.phase_is("asker", "approval")
    assert ganger.run("ls").stdout.splitlines()[1].startswith("asker "), "who needs a person comes first"


def test_json_of_every_command(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    sent = ganger.json("send", "echo", "hello", "--wait")
    assert set(sent) >= {"id", "seq", "state"} and sent["state"] in ("queued", "sending", "sent") and is_number(sent["seq"])
    screen = ganger.json("snapshot", "echo")
    assert {"attempt", "cols", "rows", "cursor", "title", "styles", "lines"} <= set(screen)
    assert ganger.json("cancel", "echo") in ({"session": "echo", "state": "nothing to cancel"}, [{"session": "echo", "state": "nothing to cancel"}])
    assert ganger.json("retry", "echo") in ({"session": "echo", "attempt": 2}, [{"session": "echo", "attempt": 2}])
    assert isinstance(json.loads(ganger.run("config", "show").stdout), dict)
    assert json.loads(ganger.run("config", "schema").stdout)["type"] == "object"


# ---- prompts and turns ----
def test_send_wait_gives_up_in_time(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    started = time.monotonic()
    ganger.run("send", "echo", "slow", "--id", "s", "--wait", "--timeout", "0.5", code=124)
    assert time.monotonic() - started < 5
    ganger.run("wait", "echo", "--prompt", "s", "--timeout", "0.3", code=124)
    ganger.run("cancel", "echo")
    ganger.run("wait", "echo", "--prompt", "s", "--timeout", "10", code=None)
    ganger.phase_is("echo", "idle")


def test_wait_for_a_phase_that_cannot_come_any_more(ganger):
    ganger.fake("short", "exit", "3")
    ganger.phase_is("short", "failed")
    ganger.run("wait", "short", "--for", "idle,completed", "--timeout", "10", code=1)
    ganger.fails("wait", "short", "--for", "no-such-phase", code=2, says="no-such-phase")


def test_cancelling_a_turn_sends_no_signal(ganger):
    script = ("trap 'echo got INT' INT; trap 'echo got TERM' TERM; trap 'echo got HUP' HUP; trap 'echo got QUIT' QUIT;"
              r" stty raw -echo; printf '\033]7501;state=working:app=script\033\\ready\r\n';"
              " while :; do dd bs=1 count=1 2>/dev/null | od -An -tx1 | tr -d '\\n'; printf '\\r\\n'; done")
    ganger.start("deaf", "sh", "-c", script)
    ganger.screen_shows("deaf", "ready")
    session = ganger.session("deaf")
    ganger.run("cancel", "deaf")
    ganger.screen_shows("deaf", "03")
    assert "got" not in ganger.screen("deaf") and ganger.session("deaf")["pid"] == session["pid"]


@pytest.mark.parametrize("program", ["ignore-signals", "daemonise"])
@pytest.mark.parametrize("end", [("kill",), ("cancel", "--session")], ids=["kill", "cancel"])
def test_no_end_leaves_a_process(ganger, program, end):
    ganger.configure(timeouts={"cancel_grace_s": 0.2})
    session = ganger.fake("stubborn", program)
    ganger.screen_shows("stubborn", "daemon pid" if program == "daemonise" else " ")
    started = time.monotonic()
    ganger.run(*end, "stubborn")
    assert time.monotonic() - started < 5
    mark = f"GANGER_SESSION={session['id']}".encode()
    ganger.phase_is("stubborn", "killed" if end == ("kill",) else "cancelled", seconds=5)
    until(lambda: not [pid for pid in os.listdir("/proc") if pid.isdigit() and alive(pid) and mark in read(f"/proc/{pid}/environ")],
          "the end of what the agent left", 3)


# ---- transcripts ----
def numbers(text):
    return [int(found) for found in re.findall(r"^line (\d{8}) of the sequence$", text, re.MULTILINE)]


def test_logs_of_a_running_session_have_every_line_once(ganger):
    ganger.start("lines", "sh", "-c", f"{FAKE} lines 1234; exec sleep 1000")
    ganger.screen_shows("lines", "end of lines")
    text = ganger.run("logs", "lines").stdout
    assert numbers(text) == list(range(1, 1235)) and text.count("end of lines") == 1
    ganger.run("kill", "lines")
    text = ganger.run("logs", "lines").stdout
    assert numbers(text) == list(range(1, 1235)) and text.count("end of lines") == 1


def test_logs_while_lines_come_are_without_a_hole(ganger):
    ganger.start("lines", FAKE, "lines", "20000", "10000")
    ganger.screen_shows("lines", "line 0000")
    last = 0
    while last < 20000:
        got = numbers(ganger.run("logs", "lines").stdout)
        assert got == list(range(1, len(got) + 1)) and len(got) >= last
        last = len(got)


def test_logs_follow_to_the_end(ganger):
    ganger.start("lines", "sh", "-c", f"{FAKE} lines 3000 3000 </dev/null")
    follower = subprocess.Popen([PROGRAM, "logs", "lines", "-f"], env=ganger.env, stdout=subprocess.PIPE, text=True)
    ganger.phase_is("lines", "completed")
    text = follower.communicate(timeout=SECONDS)[0]
    assert numbers(text) == list(range(1, 3001)) and follower.returncode == 0


def test_logs_of_two_attempts(ganger):
    ganger.fake("again", "exit", "1", "the output")
    ganger.phase_is("again", "failed")
    ganger.run("retry", "again")
    until(lambda: len(ganger.events("again", "session_ended")) == 2, "the second end")
    assert ganger.run("logs", "again").stdout.count("the output") == 2
    assert ganger.run("logs", "again", "--raw").stdout.count("the output") == 2


def test_a_long_line_is_one_line_of_the_transcript(ganger):
    ganger.start("long", "sh", "-c", "i=0; while [ $i -lt 300 ]; do printf '0123456789'; i=$((i+1)); done; echo; "
                                     "i=0; while [ $i -lt 60 ]; do echo; i=$((i+1)); done; echo done; exec sleep 1000")
    ganger.screen_shows("long", "done")
    assert "0123456789" * 300 in ganger.run("logs", "long").stdout.splitlines()


# ---- many ----
def test_twenty_sessions_started_at_once(ganger):
    names = [f"s{i:02d}" for i in range(20)]
    started = time.monotonic()
    starts = [subprocess.Popen([PROGRAM, "run", "-d", "-n", name, "--", FAKE, "echo"], env=ganger.env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE) for name in names]
    assert [(p.communicate(timeout=60)[1], p.returncode) for p in starts] == [(b"", 0)] * 20
    assert time.monotonic() - started < 15
    started = time.monotonic()
    assert sorted(s["name"] for s in ganger.json("ls")) == names
    assert time.monotonic() - started < 1.5
    ganger.run("wait", *names, "--for", "idle", "--timeout", "20")
    ganger.run("kill", *names)
    assert {s["phase"] for s in ganger.json("ls")} == {"killed"}


# ---- places ----
def test_without_a_terminal_attach_says_what_it_needs(ganger):
    ganger.fake("echo", "echo")
    for arguments in ([], ["attach"], ["attach", "echo"], ["attach", "echo", "--raw"]):
        ganger.fails(*arguments, says="terminal")
    ganger.fails("run", "--", "true", code=2, says=("terminal", "-d"))
    assert [s["name"] for s in ganger.json("ls")] == ["echo"]
    ganger.fails("attach", "nobody", says="nobody")
    ganger.fails("attach", "--raw", code=2, says="session")
    ganger.fails("attach", "echo", "--raw", "--read-only", "extra", code=2)


@pytest.mark.parametrize("term", ["dumb", None, "no-such-terminal"])
@pytest.mark.parametrize("command", ["", "attach echo", "attach echo --raw"])
def test_a_terminal_that_cannot_be_driven(ganger, terminal, term, command):
    ganger.fake("echo", "echo")
    outer = terminal().start("sh", "-c", f"{PROGRAM} {command} 2>&1; echo code $?; exec sleep 1000", term="tmux-256color", cols=200,
                             env={"TERM": term, "COLORTERM": None})
    if command.endswith("--raw"):
        until(lambda: "code 1" in outer.screen() or "ganger-fake" in outer.screen(), outer.screen)
        return
    shown = outer.shows("code 1")
    assert "ganger: " in shown and "TERM" in shown and "\x1b" not in shown
    assert len([line for line in shown.splitlines() if line.strip()]) == 2, shown


@pytest.fixture
def full(ganger):
    """A ganger whose state is on a disk of 4 MB."""
    with small_disk(ganger.root / "disk", "4m") as folder:
        ganger.state = folder / "s"
        ganger.env["GANGER_STATE_DIR"] = str(ganger.state)
        yield ganger
        (folder / "filler").unlink(missing_ok=True)
        left = ganger.end_sessions()
        assert not left, f"processes left over: {left}"


def fill(ganger):
    """Takes all that is free."""
    with open(ganger.state.parent / "filler", "ab", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"\0" * 65536)
    with open(ganger.state.parent / "filler", "ab", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"\0" * 512)


def test_a_full_disk_stops_nothing_but_the_recording(full):
    full.start("lines", "sh", "-c", f"read go; {FAKE} lines 60000; exec cat")
    full.start("echo", FAKE, "echo")
    full.phase_is("echo", "idle")
    fill(full)
    full.run("keys", "lines", "Enter")
    full.screen_shows("lines", "end of lines")
    connection = full.connect("echo")
    assert "result" in connection.call("session.input", {"data": "aGVsbG8gdGhlcmUN"})
    full.screen_shows("echo", "You said: hello there")
    message = full.fails("run", "-d", "-n", "x", "--", "true", says=("free some space",))
    assert str(full.state) in message
    assert sorted(s["name"] for s in full.json("ls")) == ["echo", "lines"]
    assert alive(full.session("lines")["pid"])
    (full.state.parent / "filler").unlink()
    full.run("keys", "lines", *"after", "Enter")
    full.screen_shows("lines", "after")
    until(lambda: "after" in full.run("logs", "lines", "--raw").stdout, "the recording to go on")
    until(lambda: full.events("lines", "gap"), "the gap to be told")
    told = [(e["type"], e.get("code")) for e in full.events("lines") if e["type"] in ("warning", "gap")]
    assert told == [("warning", "disk"), ("warning", "disk_mended"), ("gap", None)]
    recording = next((full.state / "sessions" / full.session("lines")["id"]).glob("attempt-1.cast")).read_text()
    assert 0 < recording.index('"gap: ') < recording.index("after")
    host = full.session("lines")["host_pid"]
    screen = full.screen("lines")
    os.kill(host, signal.SIGKILL)
    until(lambda: full.session("lines")["host_pid"] not in (None, host), "a host")
    assert full.screen("lines") == screen
    full.run("kill", "lines", "echo")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_state_folder_of_another_user(ganger):
    """As a user who may not write it."""
    state = ganger.root / "foreign"
    state.mkdir(mode=0o755)
    runtime = ganger.root / "nobody"
    runtime.mkdir(mode=0o700)
    os.chown(runtime, 65534, 65534)
    ganger.root.chmod(0o755)
    made = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "run", "-d", "--", "true"],
                          env={**ganger.env, "GANGER_STATE_DIR": str(state), "GANGER_RUNTIME_DIR": str(runtime)}, cwd="/",
                          capture_output=True, text=True, timeout=30, check=False)
    assert made.returncode == 1 and made.stderr.count("\n") == 1, made.stderr
    assert made.stderr.startswith("ganger: ") and str(state) in made.stderr and "GANGER_STATE_DIR" in made.stderr, made.stderr


@pytest.mark.parametrize("text, line, key", [
    ('{\n "timeouts": {\n  "cancel_grace_s": -1\n }\n}', 3, "timeouts.cancel_grace_s"),
    ('{\n\n "themes": "dark"\n}', 3, "themes"),
    ('{"agents": {"claude": {"args": "x"}}}', 1, "agents.claude.args"),
    ('{"agents": {\n"claude": {"args": [1]}}}', 2, "agents.claude.args"),
    ('{"accounts": {"work": {"label": "no agent"}}}', 1, "accounts.work"),
    ('{"agents": {"command": {"env": {"GANGER_SESSION": "x"}}}}', 1, "GANGER_SESSION"),
    ('{"theme": "dark",\n"theme": "light"}', 2, "theme"),
    ('{"theme": "dark"', 1, "config.json"),
    ('[]', 1, "config.json"),
])
def test_a_wrong_configuration_names_file_line_and_key(ganger, text, line, key):
    path = ganger.config / "config.json"
    path.write_text(text)
    for command in (["config", "check"], ["run", "-d", "--", "true"]):
        message = ganger.fails(*command, says=key)
        assert f"{path}:{line}" in message, message
    assert ganger.json("ls") == []


def test_a_configuration_that_became_wrong_stops_no_session(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    (ganger.config / "config.json").write_text("{wrong")
    host = ganger.session("echo")["host_pid"]
    os.kill(host, signal.SIGKILL)
    until(lambda: ganger.session("echo")["host_pid"] not in (None, host), "a host")
    ganger.run("send", "echo", "hello", "--wait")
    ganger.screen_shows("echo", "You said: hello")
    assert any("config.json" in str(e) for e in ganger.events("echo", "warning"))
    ganger.run("kill", "echo")


def test_what_an_agent_gets_and_what_it_does_not(ganger):
    out = ganger.root / "environment"
    script = f"import json, os, sys; json.dump([dict(os.environ), os.getcwd(), sorted(os.listdir('/proc/self/fd')), os.umask(0)], open({str(out)!r}, 'w'))"
    session = ganger.start("env", sys.executable, "-c", script, env={"MINE": "ü x", "EMPTY": ""})
    ganger.phase_is("env", "completed")
    environment, cwd, descriptors, mask = json.loads(out.read_text())
    assert environment["MINE"] == "ü x" and environment["EMPTY"] == "" and environment["GANGER_SESSION"] == session["id"]
    assert environment["PWD"] == cwd == str(ganger.work) and environment["TERM"]
    assert descriptors[:3] == ["0", "1", "2"] and len(descriptors) <= 4, descriptors
    for path in (ganger.state / "sessions" / session["id"]).iterdir():
        if path.suffix == ".tmp":
            continue  # half of one that is being written
        assert path.stat().st_mode & 0o077 == 0, path
    assert isinstance(mask, int)


def test_odd_uses_are_bad_usage(ganger):
    for arguments in (["run", "-d"], ["send"], ["send", "x"], ["keys", "x"], ["kill"], ["rm"], ["wait", "x"], ["rpc", "x"], ["snapshot"],
                      ["run", "-d", "--size", "--", "true"], ["run", "-m", "holo", "--", "true"], ["run", "-d", "--json", "--size=axb", "--", "true"],
                      ["ls", "extra"], ["wait", "x", "--for", "idle", "--timeout", "soon"], ["events", "--since", "-1"],
                      ["send", "x", "y", "--priority", "soon"], ["config", "frob"]):
        made = ganger.run(*arguments, code=None, env={"PATH": "/usr/bin:/bin"})
        assert made.returncode in (1, 2) and made.stderr.startswith("ganger: "), (arguments, made.returncode, made.stderr)
    assert ganger.json("ls") == []
