"""What survives what: hosts, keepers and agents that are killed."""
import os
import signal
import time

from harness import FAKE, SECONDS, alive, until

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


def test_hosts_killed_under_output_lose_no_line(ganger):
    count = 60000
    ganger.start("lines", FAKE, "lines", str(count), "30000")
    for _ in range(4):
        host = ganger.session("lines")["host_pid"]
        time.sleep(0.15)  # somewhere in the middle
        os.kill(host, signal.SIGKILL)
        new_host(ganger, "lines", host)
    ganger.screen_shows("lines", "end of lines")
    until(lambda: "end of lines" in ganger.run("logs", "lines", "--raw").stdout, "the last line in the recording")
    raw = ganger.run("logs", "lines", "--raw").stdout.replace("\r\n", "\n")
    assert numbers(raw) == list(range(1, count + 1))
    assert numbers(ganger.run("logs", "lines").stdout)[-30:] == list(range(count - 29, count + 1))


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
    ended = ganger.phase_is("lost", "failed")
    assert "keeper" in str(ended["last_error"]) + str(ended["exit"]), ended
    until(lambda: not alive(session["pid"]), "the agent's end")
    ganger.run("rm", "lost")
    ganger.nothing_left()


def test_keeper_and_host_killed(ganger):
    session = ganger.fake("gone", "daemonise")
    ganger.screen_shows("gone", "daemon pid")
    keeper = ganger.keeper_of("gone")
    os.kill(session["host_pid"], signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    os.kill(session["host_pid"], signal.SIGKILL)
    until(lambda: ganger.json("ls")[0]["phase"] == "lost", lambda: f"lost: {ganger.json('ls')}")
    ganger.run("rm", "gone")
    ganger.nothing_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_host_told_to_end_is_replaced(ganger, number):
    session = ganger.fake("echo", "echo")
    os.kill(session["host_pid"], number)
    time.sleep(0.2)
    until(lambda: alive(ganger.session("echo")["host_pid"]), "a host")
    assert alive(session["pid"])
    ganger.run("send", "echo", "hello", "--wait")
    ganger.screen_shows("echo", "You said: hello")
