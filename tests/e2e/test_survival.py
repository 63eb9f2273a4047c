"""What survives what: hosts, keepers and agents that are killed."""
import json
import os
import signal
import subprocess
import time

from harness import FAKE, PROGRAM, SECONDS, alive, until

import pytest


def new_host(ganger, name, old, seconds=SECONDS):
    return until(lambda: (s := ganger.session(name))["host_pid"] not in (None, old) and alive(s["host_pid"]) and s["connection"] == "ok" and s,
                 f"a new host for {name}", seconds)


def numbers(text):
    return [int(line.split()[1]) for line in text.splitlines() if line.startswith("line ") and line.endswith("of the sequence")]


def test_a_killed_host_is_back_with_the_same_screen(ganger):
    ganger.start("shell", "sh", "-c", r"printf '\033[2J\033[5;7H\033[1;44mhere\033[m and 漢字\033[10;3r\033[?1h\033]0;a title\007'; exec sleep 1000")
    ganger.screen_shows("shell", "here and 漢字")
    before, ansi = ganger.session("shell"), ganger.run("snapshot", "shell", "--ansi").stdout
    started = time.monotonic()
    os.kill(before["host_pid"], signal.SIGKILL)
    after = new_host(ganger, "shell", before["host_pid"])
    took = time.monotonic() - started
    assert ganger.run("snapshot", "shell", "--ansi").stdout == ansi
    assert after["pid"] == before["pid"] and alive(before["pid"])
    assert after["title"] == before["title"] == "a title"
    assert took < 3, f"the new host took {took:.2f} s"
    assert any(e["type"] == "host_restarted" for e in ganger.events("shell"))


def test_a_command_that_prints_nothing_runs_on(ganger):
    ganger.start("mute", "sleep", "1000")
    ganger.phase_is("mute", "unknown")
    before = ganger.session("mute")
    assert before["evidence"]["source"] == "process", before
    os.kill(before["host_pid"], signal.SIGKILL)
    new_host(ganger, "mute", before["host_pid"])
    ganger.phase_is("mute", "unknown")
    after = ganger.session("mute")
    assert after["phase_since"] == before["phase_since"], (before, after)
    assert [e["type"] for e in ganger.events("mute", "phase", "host_restarted")][-1] == "host_restarted"


def test_a_phase_goes_on_under_another_host(ganger):
    ganger.fake("one", "echo")
    ganger.phase_is("one", "idle")
    before = ganger.session("one")
    os.kill(before["host_pid"], signal.SIGKILL)
    new_host(ganger, "one", before["host_pid"])
    after = ganger.session("one")
    assert (after["phase"], after["phase_since"]) == ("idle", before["phase_since"]), after
    assert [e["type"] for e in ganger.events("one", "phase", "host_restarted")][-1] == "host_restarted"


def test_hosts_killed_under_output_lose_no_line(ganger):
    count = 60000
    ganger.start("lines", FAKE, "lines", str(count), "30000")
    for _ in range(4):
        host, seen = ganger.session("lines")["host_pid"], ganger.screen("lines")
        until(lambda: ganger.screen("lines") != seen, "more output")
        os.kill(host, signal.SIGKILL)
        new_host(ganger, "lines", host)
    ganger.screen_shows("lines", "end of lines")
    until(lambda: "end of lines" in ganger.run("logs", "lines", "--raw").stdout, "the last line in the recording")
    raw = ganger.run("logs", "lines", "--raw").stdout.replace("\r\n", "\n")
    assert numbers(raw) == list(range(1, count + 1))
    transcript = numbers(ganger.run("logs", "lines").stdout)
    assert transcript == list(range(1, count + 1)), f"{len(transcript)} lines in the transcript"


def test_events_go_on_with_the_next_number(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    ganger.run("send", "echo", "first", "--wait")
    host = ganger.session("echo")["host_pid"]
    os.kill(host, signal.SIGKILL)
    new_host(ganger, "echo", host)
    ganger.run("send", "echo", "second", "--wait")
    events = ganger.events("echo")
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert len([e for e in events if e["type"] == "prompt_sent"]) == 2
    assert ganger.screen("echo").count("You said: first") == 1


def test_many_kills_while_events_come(ganger):
    """Every event is stored once, whoever follows sees each once, and each prompt is answered once."""
    ganger.fake("echo", "--speed", "5", "echo")
    ganger.phase_is("echo", "idle")
    follower = subprocess.Popen([PROGRAM, "events", "echo", "-f"], env=ganger.env, stdout=subprocess.PIPE, text=True)
    for number in range(6):
        host = ganger.session("echo")["host_pid"]
        ganger.run("send", "echo", f"prompt number {number}", "--id", f"p{number}")
        os.kill(host, signal.SIGKILL)
        new_host(ganger, "echo", host)
    for number in range(6):
        if ganger.session("echo")["queue"]:
            ganger.run("wait", "echo", "--prompt", f"p{number}", "--timeout", "20", code=None)
    ganger.phase_is("echo", "idle")
    ganger.run("kill", "echo")
    followed = [json.loads(line)["seq"] for line in follower.communicate(timeout=30)[0].splitlines()]
    events = ganger.events("echo")
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert followed == [e["seq"] for e in events]
    assert sum(e["type"] == "host_restarted" for e in events) == 6
    text = ganger.run("logs", "echo").stdout
    sent = [e["prompt_id"] for e in events if e["type"] == "prompt_sent"]
    assert len(sent) == len(set(sent))
    for number in range(6):
        assert text.count(f"You said: prompt number {number}") <= 1, text


def test_the_agent_does_not_notice(ganger):
    ganger.fake("size", "winch")
    ganger.screen_shows("size", "size 120x40")
    host = ganger.session("size")["host_pid"]
    os.kill(host, signal.SIGKILL)
    new_host(ganger, "size", host)
    ganger.run("keys", "size", "x")
    assert ganger.screen("size").count("size ") == 1, "the agent got a WINCH"


def test_keys_reach_the_agent_after_a_restart(ganger):
    ganger.fake("keys", "raw-keys")
    ganger.screen_shows("keys", "ready")
    host = ganger.session("keys")["host_pid"]
    os.kill(host, signal.SIGKILL)
    new_host(ganger, "keys", host)
    ganger.run("keys", "keys", "Up")
    ganger.screen_shows("keys", "1b 5b 41")


def test_a_host_that_always_dies_does_not_take_the_agent_with_it(ganger):
    ganger.fake("echo", "echo")
    pid = ganger.session("echo")["pid"]
    for _ in range(3):
        host = ganger.session("echo")["host_pid"]
        os.kill(host, signal.SIGKILL)
        new_host(ganger, "echo", host)
    assert alive(pid)


def test_a_killed_keeper_ends_the_session(ganger):
    session = ganger.fake("lost", "ignore-signals")
    os.kill(ganger.keeper_of("lost"), signal.SIGKILL)
    phases = []
    until(lambda: phases.append(ganger.session("lost")["phase"]) or phases[-1] not in ("unknown", "idle"), lambda: f"its end: {phases}")
    assert phases[-1] == "failed", "a session whose end is being written is not lost"
    ended = ganger.session("lost")
    assert ended["last_error"]["code"] == "keeper_lost" and "ganger retry" in ended["last_error"]["hint"]
    assert ended["exit"]["state"] == "failed" and ended["pid"] is None
    assert not alive(session["pid"])
    assert [e["type"] for e in ganger.events("lost")][-2:] == ["attempt_ended", "session_ended"]
    ganger.run("rm", "lost")
    ganger.nothing_left()


def lose(ganger, name, session):
    """Kills keeper and host at one moment, as a reboot does."""
    keeper = ganger.keeper_of(name)
    os.kill(session["host_pid"], signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    os.kill(session["host_pid"], signal.SIGKILL)
    until(lambda: not alive(keeper) and not alive(session["host_pid"]), "their ends")


@pytest.mark.parametrize("command", [("ls",), ("show", "gone"), ("run", "-d", "-n", "gone", "--", "true"), ("rm", "gone")])
def test_the_next_command_ends_what_a_lost_session_left(ganger, command):
    session = ganger.fake("gone", "daemonise")
    ganger.screen_shows("gone", "daemon pid")
    until(lambda: ganger.session("gone")["phase"] != "initializing", "its phase")
    daemon = int(ganger.screen("gone").split("daemon pid")[1].split()[0])
    lose(ganger, "gone", session)
    assert alive(daemon)
    ganger.run(*command)
    until(lambda: not alive(daemon), "the end of what was left", 2)
    if command[0] == "rm":
        assert ganger.json("ls") == []
    else:
        lost = ganger.session(session["id"])
        assert lost["phase"] == lost["exit"]["state"] == "lost" and lost["last_error"]["code"] == "lost"


def test_lost_before_it_printed_anything(ganger):
    session = ganger.start("mute", "bash", "-c", "trap '' HUP INT TERM; exec sleep 503")
    lose(ganger, "mute", session)
    assert alive(session["pid"])
    ganger.run("kill", "mute")
    assert not alive(session["pid"])
    lost = ganger.session("mute")
    assert (lost["phase"], lost["resources"], lost["evidence"]["detail"]) == ("lost", None, "its processes are gone")
    began = time.monotonic()
    ganger.run("resume", "--all")
    assert time.monotonic() - began < 1


def test_a_lost_session_is_retried(ganger):
    session = ganger.fake("gone", "echo")
    ganger.phase_is("gone", "idle")
    ganger.run("send", "gone", "the prompt", "--wait")
    lose(ganger, "gone", session)
    ganger.run("wait", "gone", "--for", "lost", "--timeout", "10")
    ganger.run("retry", "gone")
    ganger.phase_is("gone", "idle", "thinking", "streaming", "connecting")
    ganger.screen_shows("gone", "You said: the prompt")
    again = ganger.session("gone")
    assert (again["id"], again["attempt"], again["last_error"], again["exit"]) == (session["id"], 2, None, None)
    events = ganger.events("gone")
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))


def test_a_host_told_to_end_is_replaced(ganger):
    session = ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    os.kill(session["host_pid"], signal.SIGTERM)
    new_host(ganger, "echo", session["host_pid"])
    assert alive(session["pid"])
    ganger.run("send", "echo", "hello", "--wait")
    ganger.screen_shows("echo", "You said: hello")


def test_hangups_end_nothing(ganger):
    """What a closing terminal sends."""
    session = ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    for pid in (session["host_pid"], ganger.keeper_of("echo")):
        os.kill(pid, signal.SIGHUP)
    ganger.run("send", "echo", "hello", "--wait")
    ganger.screen_shows("echo", "You said: hello")
    assert ganger.session("echo")["host_pid"] == session["host_pid"]
