"""How long turns and sessions may take. The agent is a double of Claude in stream mode."""
import json
import os
import signal
import sys
import time

import pytest

from harness import alive, until
from test_stream import DOUBLE, host_dies


@pytest.fixture
def agent(ganger):
    """agent(prompt, **timeouts): starts the session `one` of the double."""
    def start(prompt, options=(), tries=False, **timeouts):
        ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)]}}, timeouts=timeouts,
                         retry={"transient": {"initial_s": 0.1} if tries else {"max_elapsed_s": 0}})
        ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", "one", *options, prompt)
    return start


def outcomes(ganger):
    return [e["outcome"] for e in ganger.events("one", "turn_ended")]


def first_outcome(ganger):
    return until(lambda: outcomes(ganger), "the end of the turn")[0]


def test_no_answer_in_time_ends_the_turn(ganger, agent):
    agent("mute", connect_s=0.5)
    assert first_outcome(ganger) == "failed"
    error = ganger.events("one", "error")[0]
    assert error["class"] == error["code"] == "connect_timeout" and "connect_s" in error["message"]
    assert ganger.session("one")["last_error"]["class"] == "connect_timeout"
    assert not ganger.events("one", "cancelled")
    ganger.run("send", "one", "say:on it goes", "--wait")
    assert outcomes(ganger)[-1] == "completed"


def test_a_prompt_without_an_answer_is_tried_again(ganger, agent):
    agent("mute", tries=True, connect_s=0.5)
    until(lambda: len(outcomes(ganger)) == 2, "the second turn")
    assert outcomes(ganger) == ["failed", "completed"]
    assert ganger.events("one", "retry_scheduled")[0]["class"] == "connect_timeout"


def test_an_answer_in_time_stops_the_connect_timeout(ganger, agent):
    agent("slow:0.3", connect_s=2)
    ganger.screen_shows("one", "at last")
    ganger.run("send", "one", "count:30")
    until(lambda: len(outcomes(ganger)) == 2, "the second turn's end")
    assert outcomes(ganger) == ["completed", "completed"] and not ganger.events("one", "error")


def test_a_long_turn_is_warned_of_and_ended(ganger, agent):
    agent("count:1000", warn_s=[1, 0.5], hard_s=1.5)
    assert first_outcome(ganger) == "timeout"
    warnings = [e for e in ganger.events("one", "warning") if e["code"] == "turn_long"]
    assert [round(e["age_s"], 1) for e in warnings] == [0.5, 1.0] and warnings[0]["turn"] == 1
    assert ganger.session("one")["last_error"]["class"] == "timeout"
    assert ganger.phase_is("one", "idle")
    ganger.screen_shows("one", "interrupted")
    ganger.run("send", "one", "say:on it goes", "--wait")
    assert outcomes(ganger) == ["timeout", "completed"] and not ganger.events("one", "retry_scheduled")


def test_zero_switches_them_off(ganger, agent):
    agent("slow:1.5", connect_s=0, warn_s=[0], hard_s=0)
    assert first_outcome(ganger) == "completed"
    assert not ganger.events("one", "error", "warning")


def test_time_in_which_a_person_is_asked_does_not_count(ganger, agent):
    agent("tool", hard_s=1.5, connect_s=1, warn_s=[])
    session = ganger.phase_is("one", "approval")
    asked = time.monotonic()
    until(lambda: time.monotonic() > asked + 2.5, "more time than the turn may take")
    assert not ganger.events("one", "error") and not outcomes(ganger)
    ganger.run("approve", "one", "--id", session["pending_approvals"][0]["id"])
    assert first_outcome(ganger) == "completed"


def test_an_agent_that_takes_no_interrupt_is_ended(ganger, agent):
    agent("deaf", hard_s=0.5, warn_s=[])
    pid = ganger.session("one")["pid"]
    session = ganger.phase_is("one", "timeout", seconds=30)
    assert session["exit"]["state"] == "timeout" and not alive(pid)
    assert outcomes(ganger) == ["timeout"]
    assert session["last_error"]["class"] == "timeout"


def test_turns_are_counted_on_when_hosts_die(ganger, agent):
    agent("count:1000", hard_s=4, warn_s=[1])
    began = time.monotonic()
    until(lambda: any(e["code"] == "turn_long" for e in ganger.events("one", "warning")), "the warning")
    host_dies(ganger, "one")
    assert first_outcome(ganger) == "timeout"
    assert time.monotonic() - began < 7
    assert len([e for e in ganger.events("one", "warning") if e["code"] == "turn_long"]) == 1


def test_an_interrupted_turn_is_ended_although_the_host_died(ganger, agent):
    agent("deaf", hard_s=0.5, warn_s=[])
    until(lambda: ganger.events("one", "error"), "the end of the time")
    host_dies(ganger, "one")
    assert ganger.phase_is("one", "timeout", seconds=30)["last_error"]["class"] == "timeout"


@pytest.mark.parametrize("mode", ["tui", "stream"])
def test_a_session_ends_when_its_time_is_over(ganger, mode):
    ganger.configure(timeouts={"cancel_grace_s": 0.3})
    ganger.start("one", "sh", "-c", "trap '' INT; echo here; while :; do sleep 0.1; done",
                           options=("-m", mode, "--timeout", "1"))
    began = time.monotonic()
    session = ganger.phase_is("one", "timeout")
    assert time.monotonic() - began < 10 and session["exit"]["state"] == "timeout"
    assert session["last_error"]["class"] == "timeout" and "--timeout" in session["last_error"]["message"]
    assert "here" in ganger.run("logs", "one").stdout
    ganger.run("retry", "one")
    assert ganger.session("one")["phase"] != "timeout"
    until(lambda: len(ganger.events("one", "session_ended")) == 2, "the end of the second attempt")
    assert ganger.session("one")["exit"]["state"] == "timeout"


def test_the_time_of_a_session_goes_on_when_hosts_die(ganger, agent):
    agent("count:1000", options=("--timeout", "3"))
    began = time.monotonic()
    host_dies(ganger, "one")
    session = ganger.phase_is("one", "timeout")
    assert time.monotonic() - began < 6
    assert outcomes(ganger) == ["timeout"]


def test_a_host_that_dies_at_once_leaves_its_prompt_to_the_next(ganger):
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)]}})
    for number in range(6):
        started = ganger.run("run", "-d", "--json", "-m", "stream", "-a", "claude", "-n", f"s{number}", f"say:hello {number}").stdout
        os.kill(json.loads(started)["host_pid"], signal.SIGKILL)
    for number in range(6):
        ganger.screen_shows(f"s{number}", f"hello {number}")
        until(lambda number=number: ganger.events(f"s{number}", "turn_ended"), "the turn")
        assert len(ganger.events(f"s{number}", "turn_started")) == 1


def test_a_session_that_ends_in_time_is_left_alone(ganger):
    ganger.start("one", "true", options=("--timeout", "1"))
    session = ganger.phase_is("one", "completed")
    time_is_over = time.monotonic() + 1.5
    until(lambda: time.monotonic() > time_is_over, "more than the session's time")
    assert all(ganger.session("one")[key] == session[key] for key in ("phase", "exit", "last_error", "attempt"))
    ganger.fails("run", "-d", "--timeout", "0", "--", "true", code=2, says="--timeout 0")


def test_the_time_runs_before_the_start(ganger):
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)], "before_start": [["sleep", "100"]]}})
    ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", "one", "--timeout", "1", code=None)
    session = ganger.phase_is("one", "timeout")
    assert session["exit"]["state"] == "timeout" and session["pid"] is None


@pytest.mark.parametrize("tui", [True, False])
def test_in_tui_mode_turns_end_only_when_asked_for(ganger, tui):
    ganger.configure(timeouts={"tui": tui, "hard_s": 0.5})
    ganger.fake("one", "echo")
    ganger.phase_is("one", "idle")
    ganger.run("send", "one", "slow")
    until(lambda: ganger.events("one", "prompt_sent"), "the prompt to be sent")
    enough = time.monotonic() + 2
    until(lambda: outcomes(ganger) if tui else time.monotonic() > enough, "the end of the turn")
    assert outcomes(ganger) == (["timeout"] if tui else [])
    if tui:
        ganger.screen_shows("one", "Interrupted by user")
        assert ganger.phase_is("one", "idle")["last_error"]["class"] == "timeout"
