"""Hosts that give way to the program that is installed, while their agents run."""
import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

import harness
from harness import BUILD, FAKE, alive, until
from test_survival import lose, numbers

DOUBLE = Path(__file__).resolve().parent / "claude_double.py"
VERSION = None


class Installation:
    """The programs in a folder of their own, where one can be replaced as a package manager does."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        for name in ("ganger", "ganger-host", "ganger-keeper"):
            shutil.copy2(BUILD / name, folder / name)
        self.version = harness.subprocess.run([folder / "ganger", "--version"], stdout=harness.subprocess.PIPE, text=True,
                                              check=True).stdout.split()[1].encode()

    def replace(self, content):
        path = self.folder / "ganger-host.new"
        path.write_bytes(content)
        path.chmod(0o755)
        path.replace(self.folder / "ganger-host")

    def newer(self, digit=b"9"):
        """Another build with another version, of the same length."""
        version = self.version[:-1] + digit
        self.replace((BUILD / "ganger-host").read_bytes().replace(self.version, version))
        return version.decode()


@pytest.fixture
def installed(ganger, monkeypatch):
    installation = Installation(ganger.root / "bin")
    monkeypatch.setattr(harness, "PROGRAM", installation.folder / "ganger")
    return installation


def upgraded(ganger, *names, code=0):
    lines = ganger.run("upgrade", *names, "--json", code=code).stdout.splitlines()
    return {line["session"]: line for line in map(json.loads, lines)}


def test_a_host_moves_to_the_installed_version(ganger, installed):
    before = ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    ganger.run("send", "echo", "one", "--wait")
    assert "already current" in ganger.run("upgrade", "echo").stdout
    version = installed.newer()
    assert "ganger upgrade" in ganger.run("ls").stdout
    told = upgraded(ganger)["echo"]
    assert (told["state"], told["from"], told["to"]) == ("upgraded", installed.version.decode(), version)
    assert told["ms"] < 3000
    after = ganger.session("echo")
    assert after["pid"] == before["pid"] and after["host_pid"] != before["host_pid"]
    assert ganger.screen("echo").count("You said: one") == 1
    ganger.run("send", "echo", "two", "--wait")
    ganger.screen_shows("echo", "You said: two")
    assert upgraded(ganger, "echo")["echo"]["state"] == "current"
    assert "ganger upgrade" not in ganger.run("ls").stdout
    events = ganger.events("echo")
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    log = (ganger.state / "sessions" / after["id"] / "host.log").read_text()
    assert "ended, status" not in log, "a hand-over is no crash"


def test_no_line_is_lost_or_doubled_at_full_speed(ganger, installed):
    count = 60000
    ganger.start("lines", FAKE, "lines", str(count), "30000")
    blind = []
    for digit in (b"7", b"8", b"9"):
        seen = ganger.screen("lines")
        until(lambda: ganger.screen("lines") != seen, "more output")
        installed.newer(digit)
        told = upgraded(ganger, "lines")["lines"]
        assert told["state"] == "upgraded", told
        blind.append(told["ms"])
    ganger.screen_shows("lines", "end of lines")
    until(lambda: "end of lines" in ganger.run("logs", "lines", "--raw").stdout, "the last line in the recording")
    raw = ganger.run("logs", "lines", "--raw").stdout.replace("\r\n", "\n")
    assert numbers(raw) == list(range(1, count + 1))
    assert numbers(ganger.run("logs", "lines").stdout) == list(range(1, count + 1))
    print("without a host for", blind, "ms")


@pytest.mark.parametrize("content", [b"#!/bin/sh\nexit 3\n", b"#!/bin/sh\nexit 0\n", b"#!/bin/sh\nkill -9 $$\n", b"\x7fELF nothing", b"hello\n"],
                         ids=["fails", "leaves", "crashes", "broken", "no-program"])
def test_a_program_that_does_not_start_changes_nothing(ganger, installed, content):
    before = ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    installed.replace(content)
    told = upgraded(ganger, code=1)["echo"]
    assert told["state"] == "failed" and "does not start" in told["message"], told
    host = installed.folder / "ganger-host"
    checks = json.loads(ganger.run("doctor", "--json", code=None).stdout)["checks"]
    bad = [c["message"] for c in checks if c["check"] == "ganger" and c["status"] == "bad"]
    assert bad and str(host.resolve()) in bad[0], checks
    assert ganger.session("echo")["pid"] == before["pid"] and alive(before["pid"])
    ganger.run("send", "echo", "still here", "--wait")
    ganger.screen_shows("echo", "You said: still here")
    # And the next one may be good.
    installed.newer()
    assert upgraded(ganger)["echo"]["state"] == "upgraded"


def test_a_keeper_of_another_installation_is_told_apart(ganger, installed, monkeypatch):
    ganger.fake("echo", "echo")
    monkeypatch.setattr(harness, "PROGRAM", BUILD / "ganger")
    told = upgraded(ganger, "echo", code=1)["echo"]
    assert told["state"] == "failed" and "another installation" in told["message"]
    # It is not theirs to move, unless they name it.
    assert upgraded(ganger)["echo"]["state"] == "other"


def test_an_ended_session_is_left_to_its_end(ganger, installed):
    ganger.start("done", "true")
    ganger.phase_is("done", "completed")
    installed.newer()
    host = ganger.session("done")["host_pid"]
    if alive(host):
        assert upgraded(ganger, "done")["done"]["state"] == "ended"
    until(lambda: not alive(host), "the host's end")
    assert ganger.session("done")["phase"] == "completed"


def claude(ganger, name, *prompt):
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)]}}, retry={"rate_limit": {"jitter_s": [0, 0.2], "stagger_s": 0.1}})
    ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", name, *prompt)


def test_a_turn_and_queued_prompts_go_on(ganger, installed):
    claude(ganger, "busy", "count:20")
    ganger.screen_shows("busy", "n1 ")
    ganger.run("send", "busy", "say:after it", "--id", "next")
    installed.newer()
    assert upgraded(ganger)["busy"]["state"] == "upgraded"
    assert ganger.session("busy")["phase"] not in ("idle", "unknown")
    ganger.run("wait", "busy", "--prompt", "next", "--timeout", "20")
    text = ganger.run("logs", "busy").stdout
    text = ganger.run("logs", "busy").stdout
    assert [text.split().count(f"n{i}") for i in range(20)] == [1] * 20, text
    assert [e["outcome"] for e in ganger.events("busy", "turn_ended")] == ["completed", "completed"]
    assert len(ganger.events("busy", "prompt_sent")) == 2


def test_who_waits_for_a_turn_goes_on_waiting(ganger, installed):
    claude(ganger, "one", "say:hello")
    ganger.phase_is("one", "idle")
    sender = harness.subprocess.Popen([harness.PROGRAM, "send", "one", "slow:1", "--wait", "--timeout", "20"], env=ganger.env)
    until(lambda: len(ganger.events("one", "turn_started")) == 2, "the turn")
    installed.newer()
    assert upgraded(ganger)["one"]["state"] == "upgraded"
    assert sender.wait(20) == 0
    ganger.screen_shows("one", "at last")


def test_an_approval_stays_pending(ganger, installed):
    claude(ganger, "asks", "tool")
    asked = ganger.phase_is("asks", "approval")["pending_approvals"]
    installed.newer()
    assert upgraded(ganger)["asks"]["state"] == "upgraded"
    session = ganger.session("asks")
    assert session["phase"] == "approval" and len(session["pending_approvals"]) == len(asked) == 1
    ganger.run("approve", "asks")
    ganger.phase_is("asks", "idle")
    assert "done" in ganger.screen("asks")


def test_a_limit_is_waited_for(ganger, installed):
    state = ganger.root / "double"
    state.mkdir()
    ganger.env["DOUBLE_STATE"] = str(state)
    claude(ganger, "limited", "limit:3:job")
    session = ganger.phase_is("limited", "limited")
    installed.newer()
    assert upgraded(ganger)["limited"]["state"] == "upgraded"
    after = ganger.session("limited")
    assert after["phase"] == "limited" and after["waiting"]["until"] == session["waiting"]["until"]
    ganger.phase_is("limited", "idle")
    assert len((state / "accepted").read_text().splitlines()) == 1


def test_killed_in_the_middle_of_it(ganger, installed):
    """The host is killed while it hands over, the next one while it takes over."""
    before = ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    for pause in (0, 0.01, 0.05):
        installed.newer(b"7" if pause else b"8")
        old = ganger.session("echo")["host_pid"]
        thread = threading.Thread(target=lambda: ganger.run("upgrade", "echo", code=None))
        thread.start()
        time.sleep(pause)
        for pid in (old, ganger.session("echo")["host_pid"]):
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, TypeError):
                pass
        thread.join()
        until(lambda: ganger.session("echo")["connection"] == "ok", "a host")
    assert ganger.session("echo")["pid"] == before["pid"]
    ganger.run("send", "echo", "hello", "--wait")
    assert ganger.screen("echo").count("You said: hello") == 1


def test_the_keeper_killed_meanwhile(ganger, installed):
    session = ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    installed.newer()
    lose(ganger, "echo", session)
    ganger.fails("upgrade", "echo", says="ended")
    assert ganger.session("echo")["phase"] == "lost"
