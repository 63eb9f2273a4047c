"""What people, deaths of hosts and a ledger that cannot be written do to sessions that wait for a limit, a delay or another attempt."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from harness import PROGRAM, alive, until
from test_retry import DOUBLE, answered, ended, held, living_host, start, vendor  # noqa: F401

SLOW = {"transient": {"initial_s": 600, "max_s": 600, "max_elapsed_s": 10000}}
SOON = {"transient": {"initial_s": 4, "max_s": 4, "max_elapsed_s": 10000}}


def between_attempts(ganger, vendor, retry, prompt="fall:1:x"):
    """The agent fell, and the next attempt waits for its delay."""
    api = vendor(retry=retry)
    start(ganger, "one", prompt)
    held(ganger, "one", "backoff")
    session = ganger.session("one")
    assert session["pid"] is None and session["phase"] == "retrying" and session["attempt"] == 1, session
    return api


def at_a_limit(ganger, vendor):
    api = vendor()
    start(ganger, "one", "limit:600:x")
    held(ganger, "one", "limit")
    return api


WAITS = {"limit": lambda *given: at_a_limit(*given), "attempts": lambda *given: between_attempts(*given, SLOW)}


@pytest.mark.parametrize("where", WAITS)
def test_kill(ganger, vendor, where):
    api = WAITS[where](ganger, vendor)
    ganger.run("kill", "one")
    session = ganger.phase_is("one", "killed")
    assert session["waiting"] is None and session["queue"] == [], session
    if where == "attempts":
        ganger.nothing_left()
    assert len(api.log("requests")) == 1
    assert len(ganger.events("one", "session_ended")) == 1


@pytest.mark.parametrize("where", WAITS)
def test_cancel_of_the_session(ganger, vendor, where):
    api = WAITS[where](ganger, vendor)
    ganger.run("cancel", "--session", "one")
    session = ganger.phase_is("one", "cancelled")
    assert session["waiting"] is None and session["queue"] == [], session
    assert len(api.log("requests")) == 1
    assert len(ganger.events("one", "session_ended")) == 1


@pytest.mark.parametrize("where", WAITS)
def test_rm(ganger, vendor, where):
    api = WAITS[where](ganger, vendor)
    ganger.fails("rm", "one", code=None)
    assert ganger.session("one")["waiting"], "who is refused changes nothing"
    ganger.run("kill", "one")
    ganger.run("rm", "one")
    ganger.nothing_left()
    assert ganger.json("ls") == [] and len(api.log("requests")) == 1


def test_retry_between_attempts_goes_at_once(ganger, vendor):
    api = between_attempts(ganger, vendor, SLOW)
    ganger.run("retry", "one")
    until(lambda: ganger.session("one")["attempt"] == 2, "the next attempt")
    until(lambda: api.times("fall:1:x") == 1, lambda: f"the answer {api.log('requests')} {ganger.session('one')}")


def test_cancel_between_attempts(ganger, vendor):
    api = between_attempts(ganger, vendor, SLOW)
    ganger.run("cancel", "one", code=None)
    session = until(lambda: (s := ganger.session("one"))["waiting"] is None and s, "the end of waiting")
    assert session["queue"] == [] and session["phase"] == "cancelled", session
    assert len(api.log("requests")) == 1


def test_hosts_die_between_attempts(ganger, vendor):
    api = between_attempts(ganger, vendor, SOON)
    for _ in range(3):
        host = living_host(ganger, "one")
        os.kill(host, signal.SIGKILL)
        until(lambda: not alive(host), "its end")
    answered(ganger, "one", api, "fall:1:x")
    assert ganger.session("one")["attempt"] == 2


def test_waiting_ends_for_who_waits_for_it(ganger, vendor):
    at_a_limit(ganger, vendor)
    program = subprocess.Popen([str(PROGRAM), "wait", "one", "--for", "idle"], env=ganger.env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    ganger.run("kill", "one")
    assert program.wait(20) is not None


def slow_login(ganger, vendor, tmp_path):
    """`claude auth status` answers when the file `go` is there."""
    api = vendor(accounts=["work"])
    path = ganger.config / "config.json"
    config = json.loads(path.read_text())
    script = tmp_path / "slow"
    script.write_text(f'#!/bin/sh\nif [ "$1" = auth ]; then touch {tmp_path}/asked\n'
                      f'for i in $(seq 100); do [ -e {tmp_path}/go ] && exit 0; sleep 0.05; done; fi\n'
                      f'exec {sys.executable} {DOUBLE} "$@"\n')
    script.chmod(0o755)
    config["agents"]["claude"]["command"] = [str(script)]
    path.write_text(json.dumps(config))
    return api


def test_cancel_while_the_login_is_asked_for(ganger, vendor, tmp_path):
    api = slow_login(ganger, vendor, tmp_path)
    start(ganger, "one", "-A", "work", "auth:1:x")
    until((tmp_path / "asked").exists, "the question")
    ganger.run("cancel", "one")
    (tmp_path / "go").touch()
    ganger.phase_is("one", "idle")
    ganger.run("send", "one", "--wait", "say:later")
    assert ganger.session("one")["queue"] == []
    assert [r["prompts"] for r in api.log("requests")] == [["auth:1:x"], ["auth:1:x", "say:later"]]


def test_hosts_die_while_the_login_is_asked_for(ganger, vendor, tmp_path):
    api = slow_login(ganger, vendor, tmp_path)
    start(ganger, "one", "-A", "work", "auth:1:x")
    until((tmp_path / "asked").exists, "the question")
    os.kill(living_host(ganger, "one"), signal.SIGKILL)
    (tmp_path / "go").touch()
    answered(ganger, "one", api, "auth:1:x")


def test_an_account_that_vanishes_between_attempts(ganger, vendor, tmp_path):
    vendor(retry=SOON, accounts=["work"])
    start(ganger, "one", "-A", "work", "fall:1:x")
    held(ganger, "one", "backoff")
    agent = ganger.session("one")["pid"]
    shutil.rmtree(tmp_path / "work")
    ganger.phase_is("one", "failed")
    until(lambda: not agent or not alive(agent), "the agent's end")


def ledger_warnings(ganger, name):
    return [e["code"] for e in ganger.events(name, "warning") if e["code"].startswith("ledger")]


def test_sessions_go_on_without_a_ledger(ganger, vendor, tmp_path):
    api = vendor(accounts=["work"])
    ganger.state.mkdir(exist_ok=True, mode=0o700)
    # A folder where the file should be: nobody can write it, not even the superuser.
    (ganger.state / "ledger.db").mkdir()
    start(ganger, "one", "-A", "work", "busy:1:x")
    answered(ganger, "one", api, "busy:1:x")
    chat = next((tmp_path / "work/projects").rglob("*.jsonl"))
    with chat.open("a") as file:
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        print(json.dumps({"type": "assistant", "timestamp": now, "sessionId": ganger.session("one")["agent_session_id"],
                          "requestId": "r1", "message": {"id": "m1", "model": "claude-opus-4-5",
                                                         "usage": {"input_tokens": 5000, "output_tokens": 900}}}), file=file)
    ganger.run("send", "one", "say:second", "--wait")
    until(lambda: ledger_warnings(ganger, "one"), "a warning")
    assert ledger_warnings(ganger, "one") == ["ledger"]
    shutil.rmtree(ganger.state / "ledger.db", ignore_errors=True)
    until(lambda: ledger_warnings(ganger, "one") == ["ledger", "ledger_mended"], lambda: ledger_warnings(ganger, "one"), 30)
    until(lambda: "5" in ganger.run("usage", "--json").stdout and "5900" in ganger.run("usage", "--json").stdout,
          lambda: ganger.run("usage", "--json").stdout, 30)
