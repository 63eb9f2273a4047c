"""Events that ganger finds by itself: files that change, progress; and who follows them."""
import json
import os
import signal
import subprocess
import time
from datetime import datetime

import pytest

from harness import PROGRAM, SECONDS, until

# An agent that does what it is told, one line of shell a turn. It says that it works, and when it is done.
SHELL = r"""
status() { printf '\033]7501;state=%s\033\\' "$1"; }
status idle
while IFS= read -r line; do status working; sleep 0.4; eval "$line"; status idle; done
"""


@pytest.fixture
def shell(ganger):
    """A session of that agent, idle."""
    ganger.start("shell", "sh", "-c", SHELL)
    ganger.phase_is("shell", "idle")
    return ganger


def turn(ganger, line):
    """One turn of it; the events that came with it."""
    before = ganger.events("shell")[-1]["seq"]
    ganger.run("send", "shell", line, "--wait", "--timeout", SECONDS)
    return [e for e in ganger.events("shell") if e["seq"] > before]


def files(events):
    return [(e["path"], e["change"]) for e in events if e["type"] == "file_changed"]


def later(ganger, wanted):
    """Waits until the events are as `wanted`."""
    return until(lambda: wanted(events := ganger.events("shell")) and events,
                 lambda: "events:\n" + "\n".join(map(json.dumps, ganger.events("shell"))))


def moment(event):
    return datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


# ---- files that change ----
def test_files_that_a_turn_changes(shell):
    (shell.work / "old").write_text("1")
    (shell.work / "replaced").write_text("1")
    (shell.work / "gone").write_text("1")
    events = turn(shell, "echo 2 >old; mkdir -p a/b; echo 1 >a/b/new; rm gone; echo 2 >r.tmp; mv r.tmp replaced; echo 1 >t; rm t")
    changed = [e for e in events if e["type"] == "file_changed"]
    assert sorted(files(events)) == [("a/b/new", "created"), ("gone", "deleted"), ("old", "modified"), ("replaced", "modified")]
    number = next(e["turn"] for e in events if e["type"] == "turn_started")
    assert {(e["turn"], e["source"]) for e in changed} == {(number, "watch")}
    kinds = [e["type"] for e in events]
    assert kinds.index("turn_started") < kinds.index("file_changed") and \
        len(kinds) - 1 - kinds[::-1].index("file_changed") < kinds.index("turn_ended"), "they belong to the turn"


def test_files_that_a_person_changes_between_turns(shell):
    (shell.work / "early").write_text("nobody looks before the first turn")
    turn(shell, "true")
    (shell.work / "mine").write_text("1")
    events = later(shell, lambda events: files(events))
    assert files(events) == [("mine", "created")]
    assert next(e for e in events if e["type"] == "file_changed")["turn"] is None


def test_what_git_ignores_is_not_told(shell):
    work = shell.work
    subprocess.run(["git", "init", "-q", work], check=True)
    (work / ".gitignore").write_text("*.log\nbuild/\n/top\n!keep.log\ndoc/**/*.html\n*~\n")
    (work / "sub/deep").mkdir(parents=True)
    (work / "sub/.gitignore").write_text("!*.log\ndeep/secret\n[ab].txt\n")
    with open(work / ".git/info/exclude", "a") as exclude:
        exclude.write("local-*\n")
    names = ["x.log", "keep.log", "build/x", "top", "sub/top", "sub/x.log", "sub/deep/secret", "sub/deep/open", "sub/a.txt", "a.txt",
             "sub/c.txt", "doc/x.html", "doc/y/z.html", "doc/y.txt", "local-1", "sub/local-2", "x~", "sub/build/y", "node_modules/x/y", "ü"]
    for folder in ("build", "doc/y", "sub/build", "node_modules/x"):
        (work / folder).mkdir(parents=True)
    events = turn(shell, "; ".join(f"echo 1 >{name}" for name in names) + "; git init -q inner; git status >/dev/null")
    ignored = subprocess.run(["git", "-C", work, "check-ignore", "-z", "--stdin"], input="\0".join(names), text=True,
                             stdout=subprocess.PIPE, check=True).stdout.split("\0")
    wanted = {name for name in names if name not in ignored} - {"node_modules/x/y"}
    assert {"keep.log", "sub/x.log", "doc/y.txt"} <= wanted and "doc/y/z.html" not in wanted
    assert {path for path, _ in files(events)} == wanted


def test_many_files_are_a_number(shell):
    events = turn(shell, "i=0; while [ $i -lt 400 ]; do echo 1 >f$i; i=$((i+1)); done")
    changed = [e for e in events if e["type"] == "file_changed"]
    one_by_one = [e for e in changed if "count" not in e]
    rest = [e for e in changed if "count" in e]
    assert rest and all(len(e["paths"]) <= 20 and e["path"] is None for e in rest)
    assert len(one_by_one) + sum(e["count"] for e in rest) == 400
    started = {int(moment(e)) for e in one_by_one}
    assert len(one_by_one) <= 100 * (len(started) + 1)


def test_a_burst_on_one_file_is_told_now_and_then(shell):
    events = turn(shell, "i=0; while [ $i -lt 25 ]; do echo $i >>log; sleep 0.1; i=$((i+1)); done")
    assert set(files(events[1:])) == {("log", "created"), ("log", "modified")}
    assert 2 <= len(files(events)) <= 5


def test_watching_can_be_turned_off(ganger):
    ganger.configure(limits={"watch_files": False})
    ganger.start("shell", "sh", "-c", SHELL)
    ganger.phase_is("shell", "idle")
    assert files(turn(ganger, "echo 1 >x")) == []


def test_idle_sessions_watch_nothing(shell):
    def watches():
        folder = f"/proc/{shell.session('shell')['host_pid']}/fd"
        return sum(os.readlink(f"{folder}/{name}") == "anon_inode:inotify" for name in os.listdir(folder))
    before = watches()
    turn(shell, "true")
    assert watches() == before + 1


def test_a_new_host_goes_on_watching(shell):
    turn(shell, "echo 1 >x")
    host = shell.session("shell")["host_pid"]
    os.kill(host, signal.SIGKILL)
    until(lambda: shell.session("shell")["host_pid"] not in (None, host), "a host")
    assert files(turn(shell, "echo 2 >x")) == [("x", "modified")]


def test_more_folders_than_are_watched(shell):
    for number in range(4010):
        (shell.work / f"d{number}").mkdir()
    turn(shell, "true")
    events = later(shell, lambda events: any(e["type"] == "warning" for e in events))
    (shell.work / "x").write_text("1")
    events = later(shell, lambda events: files(events))
    assert [e["code"] for e in events if e["type"] == "warning"] == ["watch_limited"]


def test_its_own_files_are_left_out(ganger):
    """Otherwise each event would cause another."""
    ganger.start("shell", "sh", "-c", SHELL, options=("-C", ganger.root))
    ganger.phase_is("shell", "idle")
    turn(ganger, "echo 1 >mark")
    assert ("mark", "created") in files(later(ganger, lambda events: files(events)))
    # Only a while shows that nothing goes round.
    turn(ganger, "sleep 1.5")
    assert all(not path.startswith(("s/", "r/")) for path, _ in files(ganger.events("shell")))


# ---- progress ----
def test_progress_while_it_works(shell):
    host = shell.session("shell")["host_pid"]
    events = turn(shell, "sleep 5.5; echo some output; sleep 5.2")
    told = [e for e in events if e["type"] == "progress"]
    assert len(told) == 2
    number = next(e["turn"] for e in events if e["type"] == "turn_started")
    for count, event in enumerate(told, 1):
        assert event["turn"] == number and event["phase"] in ("connecting", "thinking", "streaming", "tool")
        assert 5 * count - 0.5 < event["elapsed_s"] < 5 * count + 2
        assert event["tools"] == 0 and event["tokens"] is None
    assert told[1]["output_bytes"] >= told[0]["output_bytes"] + len("some output")
    assert shell.session("shell")["host_pid"] == host


# ---- who follows ----
class Follower:
    """`ganger events -f`, whose lines are read as they come."""

    def __init__(self, ganger, *arguments):
        self.process = subprocess.Popen([PROGRAM, "events", "-f", *map(str, arguments)], env=ganger.env, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text, self.ended = b"", False

    def events(self, session=None):
        while chunk := self.process.stdout.read():
            self.text += chunk
        lines = self.text[:self.text.rfind(b"\n") + 1].splitlines()
        return [e for e in map(json.loads, lines) if session in (None, e["session"])]

    def shows(self, wanted):
        """Waits until an event is as `wanted`; returns it."""
        return until(lambda: next((e for e in self.events() if wanted(e)), None),
                     lambda: "events:\n" + self.text.decode())

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        errors = self.process.stderr.read()
        self.process.stderr.close()
        self.process.wait(SECONDS)
        return errors


@pytest.fixture
def follow(ganger):
    """follow(argument…): a follower; none may have complained at the end."""
    made = []

    def start(*arguments):
        made.append(Follower(ganger, *arguments))
        return made[-1]
    yield start
    errors = [it.stop() for it in made]
    assert not any(errors), errors


def test_who_follows_all_sees_sessions_that_come(ganger, follow):
    ganger.fake("one", "echo")
    everything, phases = follow(), follow("--types", "phase")
    ganger.phase_is("one", "idle")
    everything.shows(lambda e: e["session"] == "one" and e["type"] == "phase" and e["phase"] == "idle")
    ganger.fake("two", "echo")
    ganger.phase_is("two", "idle")
    ganger.run("send", "two", "hello", "--wait")
    everything.shows(lambda e: e["session"] == "two" and e["type"] == "turn_ended")
    ganger.start("short", "true")
    everything.shows(lambda e: e["session"] == "short" and e["type"] == "session_ended")
    for name in ("one", "two", "short"):
        until(lambda: everything.events(name) == ganger.events(name), f"all events of {name}")
    until(lambda: [e["phase"] for e in phases.events("two")] == [e["phase"] for e in ganger.events("two", "phase")], "all phases of two")
    assert {e["type"] for e in phases.events()} == {"phase"}


@pytest.mark.parametrize("wait", [False, True], ids=["same-host", "new-host"])
def test_who_follows_all_sees_a_session_that_is_retried(ganger, follow, wait):
    ganger.fake("one", "exit", "3")
    everything = follow()
    everything.shows(lambda e: e["type"] == "session_ended")
    if wait:
        # A host stays for 10 s without clients; nobody may keep it from leaving.
        until(lambda: not any("ganger-" in command for command in ganger.processes().values()), "its host to leave", 30)
    ganger.run("retry", "one")
    everything.shows(lambda e: e["type"] == "session_ended" and e["attempt"] == 2)
    until(lambda: [e["seq"] for e in everything.events()] == [e["seq"] for e in ganger.events("one")], "all events")


def test_who_follows_goes_on_when_hosts_are_killed(ganger, follow):
    """None twice, none missing, also with a filter, and without waiting for one session while another speaks."""
    for name in ("one", "two"):
        ganger.fake(name, "--speed", "5", "echo")
        ganger.phase_is(name, "idle")
    since = ganger.events("one")[-1]["seq"]
    everything, phases, late = follow(), follow("one", "--types", "phase,turn_ended"), follow("one", "--since", since)
    for number in range(3):
        host = ganger.session("one")["host_pid"]
        ganger.run("send", "one", f"prompt {number}", "--id", f"p{number}")
        os.kill(host, signal.SIGKILL)
        until(lambda: ganger.session("one")["host_pid"] not in (None, host), "a host")
    ganger.run("send", "two", "hello", "--wait")
    everything.shows(lambda e: e["session"] == "two" and e["type"] == "turn_ended")
    ganger.phase_is("one", "idle")
    ganger.run("kill", "one")
    told = ganger.events("one")
    assert sum(e["type"] == "host_restarted" for e in told) == 3
    until(lambda: everything.events("one") == told, "all events")
    assert late.process.wait(SECONDS) == 0 and phases.process.wait(SECONDS) == 0, "a session that was named has ended"
    assert late.events() == [e for e in told if e["seq"] > since]
    assert phases.events() == [e for e in told if e["type"] in ("phase", "turn_ended")]


def test_a_stopped_host_holds_up_nobody_else(ganger, follow):
    for name in ("one", "two"):
        ganger.fake(name, "echo")
        ganger.phase_is(name, "idle")
    host = ganger.session("one")["host_pid"]
    os.kill(host, signal.SIGSTOP)
    try:
        everything = follow()
        ganger.run("send", "two", "hello", "--wait")
        everything.shows(lambda e: e["session"] == "two" and e["type"] == "turn_ended")
    finally:
        os.kill(host, signal.SIGCONT)
    ganger.run("send", "one", "hello", "--wait")
    everything.shows(lambda e: e["session"] == "one" and e["type"] == "turn_ended")


def test_nobody_reads_what_is_followed(ganger):
    ganger.fake("one", "idle")
    process = subprocess.Popen([PROGRAM, "events", "-f"], env=ganger.env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(SECONDS) is not None


def test_more_events_than_memory_holds_come_from_disk(ganger):
    """A client that asks for events that the host has forgotten."""
    ganger.start("shell", "sh", "-c", r"i=0; while [ $i -lt 12000 ]; do printf '\033]9;note %s\007' $i; i=$((i+1)); done; sleep 1000")
    until(lambda: len(ganger.events("shell")) > 11000, "many events", pause=0.5)
    client = ganger.connect("shell")
    reply = client.call("session.subscribe", {"since": 0})
    got = []
    while len(got) < reply["result"]["seq"]:
        got.append(client.notification("event"))
    assert len(got) > 11000 and [e["seq"] for e in got] == list(range(1, len(got) + 1))
    assert "gap" not in {e["type"] for e in got}
