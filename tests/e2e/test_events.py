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
while IFS= read -r line; do status working; eval "$line"; status idle; done
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
    ganger.run("send", "shell", line, "--wait")
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
