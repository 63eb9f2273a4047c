"""Crews in a file: ganger up, down and init."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from harness import FAKE, PROGRAM, alive, read, until

IDLE = {"command": [str(FAKE), "idle"]}


def write(ganger, sessions, name="ganger.json", **more):
    path = ganger.work / name
    path.write_text(json.dumps({"sessions": sessions, **more}))
    return path


def states(made):
    return {one["name"]: one["state"] for one in json.loads(made.stdout)}


def up(ganger, *arguments, code=0):
    made = ganger.run("up", "--json", *arguments, code=code)
    for one in json.loads(made.stdout):
        if one["id"]:
            ganger.sessions.add(f"GANGER_SESSION={one['id']}".encode())
    return states(made)


def running(ganger):
    ended = ("completed", "failed", "timeout", "cancelled", "killed", "lost")
    return {s["name"]: s["id"] for s in ganger.json("ls") if s["phase"] not in ended}


def agent(ganger, script, name="claude"):
    """A program on PATH that is taken for an agent."""
    folder = ganger.root / "bin"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    ganger.env["PATH"] = f"{folder}:{ganger.env['PATH']}"


def test_up_starts_what_is_missing_and_down_ends_it(ganger):
    (ganger.work / "sub").mkdir()
    write(ganger, {"one": IDLE, "two": {**IDLE, "cwd": "sub", "size": "90x25"}, "three": {**IDLE, "timeout_s": 500}})
    assert up(ganger, "--check") == {"one": "absent", "two": "absent", "three": "absent"}
    assert ganger.json("ls") == []
    assert up(ganger) == {"one": "started", "two": "started", "three": "started"}
    before = running(ganger)
    two = ganger.session("two")
    assert (two["cwd"], two["cols"], two["rows"]) == (str(ganger.work / "sub"), 90, 25)
    assert ganger.session("one")["cwd"] == str(ganger.work)
    assert up(ganger) == {"one": "running", "two": "running", "three": "running"}
    ganger.run("kill", "two")
    assert up(ganger) == {"one": "running", "two": "started", "three": "running"}
    after = running(ganger)
    assert after["one"] == before["one"] and after["two"] != before["two"]
    # The folder of the ended one is kept.
    assert ganger.session(before["two"])["phase"] == "killed"
    ganger.start("bystander", FAKE, "idle")
    assert ganger.run("down").stdout.count("ended") == 3
    assert list(running(ganger)) == ["bystander"]
    assert "no session of" in ganger.run("down").stdout
    removed = ganger.run("down", "--rm").stdout.splitlines()
    assert removed.count("two (older): removed") == 1 and removed.count("two: removed") == 1 and len(removed) == 4, removed
    assert [s["name"] for s in ganger.json("ls")] == ["bystander"]


def test_a_session_that_cannot_be_started_stops_no_other(ganger):
    write(ganger, {"gone": {**IDLE, "cwd": "missing"}, "none": {"command": ["/nowhere/at/all"]}, "one": IDLE,
                   "work": {"agent": "claude", "account": "nobody"}})
    checked = ganger.run("up", "--check", code=1)
    assert checked.stderr == "ganger: up: 3 of 4 sessions cannot be started\n" and not ganger.json("ls")
    made = ganger.run("up", code=1)
    assert sorted(checked.stdout.replace("absent", "started").splitlines()) == sorted(made.stdout.splitlines())
    lines = {line.split()[0]: line for line in made.stdout.splitlines()}
    assert "failed" in lines["gone"] and "missing" in lines["gone"]
    assert "no such program" in lines["none"] and "started" in lines["one"]
    assert "there is no account nobody" in lines["work"]
    assert made.stderr == "ganger: up: 3 of 4 sessions could not be started\n"
    assert list(running(ganger)) == ["one"]
    # What was wrong is mended: the rest is started, and what runs is left.
    (ganger.work / "missing").mkdir()
    assert up(ganger, code=1) == {"gone": "started", "none": "failed", "one": "running", "work": "failed"}


def test_two_at_once_start_each_session_once(ganger):
    write(ganger, {f"s{i}": IDLE for i in range(6)})
    both = [subprocess.Popen([PROGRAM, "up", "--json"], env=ganger.env, cwd=ganger.work, stdin=subprocess.DEVNULL, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    told = [json.loads(p.communicate(timeout=60)[0]) for p in both]
    assert [p.returncode for p in both] == [0, 0]
    for i in range(6):
        assert sorted(t[i]["state"] for t in told) == ["running", "started"], told
        assert told[0][i]["id"] == told[1][i]["id"]
    assert len(ganger.json("ls")) == 6


def test_up_that_was_killed_is_run_again(ganger):
    write(ganger, {f"s{i}": IDLE for i in range(12)})
    first = subprocess.Popen([PROGRAM, "up"], env=ganger.env, cwd=ganger.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    first.stdout.readline()
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert set(up(ganger).values()) <= {"started", "running"}
    assert len(running(ganger)) == 12
    assert len(ganger.json("ls")) == 12


def test_what_is_done_is_not_done_twice(ganger):
    agent(ganger, 'case "$*" in *hold*) exec sleep 600;; *fail*) exit 3;; esac\nexit 0\n')
    write(ganger, {"done": {"prompt": "do it"}, "silent": {}, "failed": {"prompt": "fail"}})
    up(ganger)
    first = {name: ganger.phase_is(name, "completed", "failed") for name in ("done", "silent", "failed")}
    assert [first[n]["phase"] for n in first] == ["completed", "completed", "failed"]
    assert up(ganger) == {"done": "completed", "silent": "started", "failed": "started"}
    assert up(ganger, "--again")["done"] == "started"
    for name in first:
        ganger.phase_is(name, "completed", "failed")
    # Another prompt is other work.
    write(ganger, {"done": {"prompt": "hold"}})
    assert up(ganger) == {"done": "started"}
    ganger.run("down")


def lose(ganger, name):
    """Keeper, host and agent die together, as at a reboot."""
    session = ganger.phase_is(name, "idle")
    until(lambda: b'"idle"' in read(ganger.state / "sessions" / session["id"] / "session.json"), "session.json to tell the phase")
    pids = [ganger.keeper_of(name), session["host_pid"], session["pid"]]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in pids), "the processes to be gone")


def test_what_was_lost_is_resumed(ganger):
    write(ganger, {"one": IDLE, "two": IDLE})
    up(ganger)
    before = running(ganger)
    lose(ganger, "one")
    assert up(ganger, "--check") == {"one": "lost", "two": "running"}
    assert up(ganger) == {"one": "resumed", "two": "running"}
    assert running(ganger) == before
    assert ganger.session("one")["attempt"] == 2
    lose(ganger, "two")
    assert up(ganger, "--again") == {"one": "running", "two": "started"}
    assert running(ganger)["two"] != before["two"]
    assert ganger.run("down").stdout.count("ended") == 2


def test_names_are_of_one_crew_at_a_time(ganger):
    ganger.fake("mine", "idle")
    write(ganger, {"mine": IDLE, "ours": IDLE})
    other = write(ganger, {"ours": IDLE}, "other.json")
    made = ganger.run("up", code=1)
    assert "taken by a session that is of no crew" in made.stdout
    made = ganger.run("up", "other.json", code=1)
    assert f"taken by a session of the crew {ganger.work}/ganger.json" in made.stdout
    ganger.run("down", other)
    assert sorted(running(ganger)) == ["mine", "ours"]
    # A session that left the file is told, and still the crew's.
    write(ganger, {"further": IDLE})
    assert "not in the file any more" in ganger.run("up").stdout
    (ganger.work / "ganger.json").unlink()
    assert ganger.run("down").stdout.count("ended") == 2
    assert list(running(ganger)) == ["mine"]
    ganger.fails("down", "nothing.json", says="nothing.json")


def test_a_link_is_the_file_that_it_leads_to(ganger):
    (ganger.work / "far").mkdir()
    (ganger.work / "far" / "crew.json").write_text(json.dumps({"sessions": {"one": IDLE}}))
    (ganger.work / "ganger.json").symlink_to("far/crew.json")
    assert up(ganger) == {"one": "started"}
    assert ganger.session("one")["cwd"] == str(ganger.work / "far")
    assert up(ganger, "far/crew.json") == {"one": "running"}
    assert "one: ended" in ganger.run("down", "far/crew.json").stdout


def test_bad_files(ganger):
    ganger.fails("up", says=("ganger.json", "`ganger init`"))
    ganger.fails("up", "no.json", says="no.json")
    ganger.fails("up", ".", says="Is a directory")
    ganger.fails("up", "/dev/full", says="larger than")
    path = ganger.work / "ganger.json"
    path.write_bytes(b"\xff\0{" * 3_500_000)
    ganger.fails("up", says="larger than 1048576 bytes")
    path.write_bytes(b"\x00\xff" * 1000)
    ganger.fails("up", says="not valid JSON")
    path.write_text('{"sessions": {\n "a": {"agent": "claude"},\n "b": {"agnet": "claude"}}}')
    ganger.fails("up", says=(f"{path}:3: sessions.b.agnet: unknown key", "did you mean agent?"))
    path.write_text('{"sessions": {"a": {}, "a": {}}}')
    ganger.fails("up", says="duplicate object key")
    path.write_text(json.dumps({"sessions": {f"s{i}": IDLE for i in range(201)}}))
    ganger.fails("up", says="expected 1 to 200 sessions, not 201")
    write(ganger, {"a": {"agent": "claude", "prompt": {"file": "p.md"}}})
    ganger.fails("up", says=("sessions.a.prompt.file", "p.md"))
    ganger.fails("up", "a", "b", code=2)
    ganger.fails("up", "--force", code=2)
    assert ganger.json("ls") == []


def test_init_writes_a_crew_that_can_be_started(ganger):
    agent(ganger, "exec sleep 600\n", "claude")
    agent(ganger, "exec sleep 600\n", "codex")
    assert "ganger up" in ganger.run("init").stdout
    path = ganger.work / "ganger.json"
    first = path.read_bytes()
    assert {"claude", "codex", "shell"} <= set(json.loads(first)["sessions"])
    assert set(up(ganger, "--check").values()) == {"absent"}
    ganger.fails("init", says=("there already", "--force"))
    assert path.read_bytes() == first
    path.write_text("{}")
    ganger.configure(timeouts={"cancel_grace_s": 0.1})
    ganger.run("init", "--force")
    assert path.read_bytes() == first
    assert {"claude": "started", "codex": "started", "shell": "started"}.items() <= up(ganger, code=None).items()
    ganger.run("down")
    path.unlink()
    path.mkdir()
    ganger.fails("init", "--force", says="is a folder")


def test_init_writes_a_configuration_of_what_is_there(ganger):
    agent(ganger, "exit 0\n", "claude")
    for name in (".claude", ".claude-work", ".claude-bad name", ".codex", "else/.claude-named"):
        (ganger.home / name).mkdir(parents=True)
    (ganger.home / ".claude-same").symlink_to(".claude-work")
    (ganger.home / ".claude-file").write_text("")
    ganger.config.rmdir()
    ganger.run("init", "--config", env={"CLAUDE_CONFIG_DIR": str(ganger.home / "else/.claude-named")})
    ganger.run("config", "check")
    accounts = json.loads((ganger.config / "config.json").read_text())["accounts"]
    assert accounts["claude"] == {"agent": "claude"}
    claude = {name: one.get("env", {}).get("CLAUDE_CONFIG_DIR") for name, one in accounts.items() if one["agent"] == "claude"}
    same = "claude-same" if "claude-same" in claude else "claude-work"
    assert claude == {"claude": None, "claude-named": str(ganger.home / "else/.claude-named"), same: str(ganger.home / f".{same}")}
    ganger.fails("init", "--config", says="there already")
    ganger.run("init", "--config", "--force")


def test_the_dashboard_of_a_crew(ganger, dashboard):
    write(ganger, {"first": IDLE, "second": IDLE})
    terminal = dashboard("up")
    terminal.shows("first")
    terminal.shows("second")
    terminal.shows("3 sessions" if len(running(ganger)) == 3 else "2 sessions")
    terminal.keys("q")
    assert terminal.ended() == 0
    assert sorted(running(ganger)) == ["first", "second"]
    assert ganger.run("down").stdout.count("ended") == 2


def test_many_sessions_start_quickly(ganger):
    write(ganger, {f"s{i}": IDLE for i in range(30)})
    begun = time.monotonic()
    assert set(up(ganger).values()) == {"started"}
    assert time.monotonic() - begun < 20  # some seconds on a busy machine, less than one on an idle one
    assert [s["name"] for s in sorted(ganger.json("ls"), key=lambda s: s["created_at"])] == [f"s{i}" for i in range(30)]
    ganger.run("down", "--rm")
    assert ganger.json("ls") == []


def test_a_crew_without_a_terminal(ganger):
    """`up --record`: all are followed to their end, each with its recording in a file."""
    quick = {"command": ["sh", "-c", "echo hello from it; exit 0"]}
    write(ganger, {"ok": quick, "bad": {"command": ["sh", "-c", "exit 3"]}, "gone": {**IDLE, "cwd": "missing"}})
    made = ganger.run("up", "--record=out", code=1)
    assert "missing" in made.stderr and made.stdout.count("missing") == 2, made.stdout
    assert re.search(r"^ok +completed .*\nbad +failed .*\ngone +failed ", made.stdout, re.M), made.stdout
    assert re.search(r"^bad: the agent exited with status 3$", made.stdout, re.M), made.stdout
    assert (ganger.session("ok")["phase"], ganger.session("bad")["phase"]) == ("completed", "failed")
    assert b"hello from it" in read(ganger.work / "out" / "ok.cast")
    assert sorted(p.name for p in (ganger.work / "out").iterdir()) == ["bad.cast", "ok.cast"]
    ganger.fails("up", "--record=out", says=("the folder out has recordings, as ok.cast", "--force"))
    write(ganger, {"ok": quick})
    made = ganger.run("up", "--record=out", "--force", "--json")
    events = [json.loads(line) for line in made.stdout.splitlines()]
    assert {e["session"] for e in events} == {"ok"} and "session_ended" in {e["type"] for e in events}
    for wrong in (("--record", "-d"), ("--record", "--check"), ("--record", "--force")):
        ganger.fails("up", *wrong, code=2)
    write(ganger, {"ok": IDLE})
    up(ganger)
    ganger.fails("up", "--record", says="ok is running")
    ganger.run("down")


def test_a_headless_crew_ends_with_its_starter(ganger):
    write(ganger, {"one": IDLE, "two": IDLE})
    for number, phase in ((signal.SIGTERM, "cancelled"), (signal.SIGKILL, None)):
        made = subprocess.Popen([PROGRAM, "up", "--record"], env=ganger.env, cwd=ganger.work, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: len(running(ganger)) == 2, "both to run")
        assert made.stdout.readline()
        os.kill(made.pid, number)
        made.communicate(timeout=30)
        until(lambda: not running(ganger), "both to end")
        assert phase is None or {ganger.session(n)["phase"] for n in ("one", "two")} == {phase}
