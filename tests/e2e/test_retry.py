"""What follows a refused turn: waiting for the reset, other delays, other accounts, nothing twice. With a double of Claude whose
vendor refuses when the prompt says so (claude_double.py); its log of requests is what counts."""
import json
import os
import random
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from harness import alive, until

DOUBLE = Path(__file__).resolve().parent / "claude_double.py"
QUICK = {"rate_limit": {"delays_s": [0.3, 0.3, 0.3], "jitter_s": [0, 0.2], "stagger_s": 0.2},
         "transient": {"initial_s": 0.2, "max_s": 0.5, "max_elapsed_s": 20}}


class Vendor:
    def __init__(self, folder):
        self.folder = folder

    def log(self, name):
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def accepted(self):
        return self.log("accepted")

    def times(self, prompt):
        """How often the prompt was answered."""
        return sum(request["prompts"].count(prompt) for request in self.accepted())


@pytest.fixture
def vendor(ganger, tmp_path):
    """vendor(**keys of the configuration): Claude's double and what its vendor remembers."""
    folder = tmp_path / "vendor"
    folder.mkdir()

    def configure(retry=None, accounts=(), **keys):
        ganger.configure(
            agents={"claude": {"command": [sys.executable, str(DOUBLE)], "env": {"DOUBLE_STATE": str(folder)}}},
            accounts={name: {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": str(account(name))}} for name in accounts},
            retry={**QUICK, **(retry or {})}, **keys)
        return Vendor(folder)

    def account(name):
        made = tmp_path / name
        made.mkdir(exist_ok=True)
        return made
    return configure


def start(ganger, name, *words):
    ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", name, *words)


def ended(ganger, name):
    return [event["outcome"] for event in ganger.events(name, "turn_ended")]


def answered(ganger, name, vendor, prompt, seconds=30):
    until(lambda: vendor.times(prompt) and ended(ganger, name)[-1:] == ["completed"],
          lambda: f"an answer: {vendor.log('requests')} {ganger.events(name)}", seconds)
    assert vendor.times(prompt) == 1, vendor.accepted()


def held(ganger, name, what):
    until(lambda: (ganger.session(name)["waiting"] or {}).get("for") == what, lambda: f"{what}: {ganger.session(name)}")


def living_host(ganger, name):
    """What session.json says of a host may be older than the host's end."""
    return until(lambda: (pid := ganger.session(name)["host_pid"]) and alive(pid) and pid, "a host")


def test_a_limit_with_a_reset_is_waited_for(ganger, vendor):
    api = vendor()
    start(ganger, "one", "limit:3:hello")
    held(ganger, "one", "limit")
    session = ganger.session("one")
    assert session["phase"] == "limited" and session["waiting"]["for"] == "limit" and session["phase_until"] == session["waiting"]["until"]
    assert "goes on in " in ganger.run("ls").stdout and "the account is at its limit" in ganger.run("ls").stdout
    assert re.search(r"^goes on +in \d+s \(\d\d:\d\d\)$", ganger.run("show", session["name"]).stdout, re.M)
    assert [p["text"] for p in session["queue"]] == ["continue"]
    assert session["last_error"]["class"] == "rate_limit" and "ganger" in session["last_error"]["hint"]
    answered(ganger, "one", api, "limit:3:hello")
    assert ended(ganger, "one") == ["failed", "completed"]
    assert len(api.log("requests")) == 2, "nothing was tried before the reset"
    scheduled = ganger.events("one", "retry_scheduled")
    assert [(e["by"], e["class"]) for e in scheduled] == [("ganger", "rate_limit")] and scheduled[0]["until"]
    assert ganger.session("one")["waiting"] is None and ganger.session("one")["attempt"] == 1


def test_other_sessions_of_the_account_wait_and_go_one_after_another(ganger, vendor):
    api = vendor(retry={"rate_limit": {**QUICK["rate_limit"], "stagger_s": 0.5, "probe_s": 20}})
    names = [f"s{i}" for i in range(5)]
    start(ganger, "first", "limit:4:one")
    ganger.phase_is("first", "limited")
    for name in names:
        start(ganger, name, f"say:{name}")
    for name in names:
        ganger.phase_is(name, "limited")
    assert len(api.log("requests")) == 1, "who is started at a limit asks nothing"
    for name in names:
        answered(ganger, name, api, f"say:{name}")
    answered(ganger, "first", api, "limit:4:one")
    at = sorted(request["at"] for request in api.accepted())
    assert all(b - a >= 0.4 for a, b in zip(at, at[1:])), at


@pytest.mark.parametrize("prompt", ["busy:2:x", "over:2:x", "auth:1:x", "fall:2:x"])
def test_what_passes_is_tried_again(ganger, vendor, prompt):
    api = vendor(accounts=["work"])
    start(ganger, "one", "-A", "work", prompt)
    answered(ganger, "one", api, prompt)
    assert ended(ganger, "one")[-1] == "completed"
    session = ganger.session("one")
    assert session["attempt"] == (3 if prompt.startswith("fall") else 1)
    assert [e for e in ganger.events("one", "session_ended")] == []


def test_what_does_not_pass_is_left_to_a_person(ganger, vendor):
    api = vendor()
    start(ganger, "one", "credit:x")
    until(lambda: ganger.events("one", "warning"), "the end of it")
    warning = ganger.events("one", "warning")[0]
    assert (warning["code"], warning["class"]) == ("retry_stopped", "billing") and "ganger" in warning["hint"]
    ganger.phase_is("one", "idle")
    assert ganger.session("one")["last_error"]["class"] == "billing" and ganger.session("one")["queue"] == []
    assert len(api.log("requests")) == 1


def test_without_a_reset_three_attempts(ganger, vendor):
    api = vendor()
    start(ganger, "one", "busy:9:x")
    until(lambda: any(e["code"] == "retry_stopped" for e in ganger.events("one", "warning")), "the end of it")
    assert len(api.log("requests")) in (3, 4), api.log("requests")
    ganger.phase_is("one", "idle")
    cast = ganger.state / "sessions" / ganger.session("one")["id"] / "attempt-1.cast"
    marks = [row[2] for row in map(json.loads, cast.read_text().splitlines()[1:]) if row[1] == "m"]
    assert [mark for mark in marks if mark.startswith("limit: ")], marks


def test_another_account_takes_over(ganger, vendor):
    api = vendor(retry={"rotate": "auto"}, accounts=["a", "b"])
    start(ganger, "one", "-A", "a", "limit:600:hello")
    answered(ganger, "one", api, "limit:600:hello")
    assert [r["account"] for r in api.log("requests")] == ["a", "b"]
    switched = ganger.events("one", "account_switched")
    assert [(e["from"], e["to"], e["carried"]) for e in switched] == [("a", "b", True)]
    session = ganger.session("one")
    assert session["account"] == "b" and session["attempt"] == 2


def test_another_account_is_offered(ganger, vendor):
    api = vendor(retry={"rotate": "ask"}, accounts=["a", "b"])
    start(ganger, "one", "-A", "a", "limit:600:hello")
    held(ganger, "one", "account")
    ganger.run("retry", "one", "-A", "b")
    until(lambda: [r["account"] for r in api.accepted()] == ["b"], lambda: f"the answer: {api.log('requests')}")


def test_nothing_is_lost_or_doubled_when_hosts_die(ganger, vendor):
    api = vendor()
    start(ganger, "one", "limit:6:hello")
    held(ganger, "one", "limit")
    for _ in range(8):
        host = living_host(ganger, "one")
        os.kill(host, signal.SIGKILL)
        until(lambda: not alive(host), "its end")
    answered(ganger, "one", api, "limit:6:hello")
    assert ended(ganger, "one") == ["failed", "completed"]


def test_each_prompt_arrives_once_when_hosts_die_at_any_moment(ganger, vendor):
    api = vendor()
    start(ganger, "one", "busy:2:0")
    prompts = ["busy:2:0"]
    for i in range(1, 13):
        host = living_host(ganger, "one")
        prompts.append(f"say:{i}")
        sent = threading.Thread(target=lambda text: ganger.run("send", "one", text, code=None), args=[prompts[-1]])
        sent.start()
        moment = time.monotonic() + random.random() / 5
        until(lambda: time.monotonic() > moment, "a moment")
        os.kill(host, signal.SIGKILL)
        sent.join()
        until(lambda: not alive(host), "its end")
    until(lambda: not ganger.session("one")["queue"] and ganger.session("one")["phase"] == "idle",
          lambda: f"rest: {ganger.session('one')}", 60)
    # Some were not taken: the host died before it answered. Those that were are known by their events.
    taken = {event["text"] for event in ganger.events("one", "prompt_queued")} - {"continue"} | {"busy:2:0"}
    said = [prompt for request in api.accepted() for prompt in request["prompts"] if prompt != "continue"]
    assert sorted(said) == sorted(set(said)) and set(said) <= set(prompts) and taken <= set(said), (said, taken)
    assert not [e for e in ganger.events("one", "warning") if e["code"] == "prompt_uncertain"]


def test_a_person_goes_on_otherwise(ganger, vendor):
    api = vendor()
    start(ganger, "one", "limit:600:hello")
    held(ganger, "one", "limit")
    ganger.run("cancel", "one")
    until(lambda: ganger.session("one")["waiting"] is None, "the end of waiting")
    assert ganger.session("one")["queue"] == []
    assert [e["scope"] for e in ganger.events("one", "cancelled")] == ["retry"]
    assert len(api.log("requests")) == 1


def test_the_turn_that_goes_on_can_be_cancelled(ganger, vendor):
    vendor()
    start(ganger, "one", "busy:1:x")
    until(lambda: ended(ganger, "one") == ["failed", "completed"], "the answer")
    ganger.run("send", "one", "busy:2:x")
    until(lambda: "retrying" in [e["phase"] for e in ganger.events("one", "phase")], "a retry")
    until(lambda: ended(ganger, "one")[-1] == "completed", "the answer")
    ganger.run("send", "one", "count:300")
    ganger.phase_is("one", "streaming")
    ganger.run("cancel", "one")
    until(lambda: ended(ganger, "one")[-1] == "cancelled", "the end of the turn")


def test_a_cap_holds(ganger, vendor):
    vendor(limits={"turns_per_account": 2})
    for i in range(5):
        start(ganger, f"s{i}", "count:15")
    until(lambda: all(ended(ganger, f"s{i}") == ["completed"] for i in range(5)), "all turns")
    steps = sorted((event["time"], 1 if event["type"] == "turn_started" else -1)
                   for i in range(5) for event in ganger.events(f"s{i}", "turn_started", "turn_ended"))
    running = [sum(step for _, step in steps[:i + 1]) for i in range(len(steps))]
    assert max(running) == 2, running


@pytest.mark.parametrize("budget", [{"session": {"tokens": 1000}}, {"day": {"usd": 0.001}}])
def test_a_spent_budget_begins_no_turn(ganger, vendor, budget, tmp_path):
    vendor(accounts=["work"], budgets=budget)
    start(ganger, "one", "-A", "work", "say:first")
    until(lambda: ended(ganger, "one") == ["completed"], "the first")
    # What the agent's own file says counts.
    chat = next((tmp_path / "work/projects").rglob("*.jsonl"))
    with chat.open("a") as file:
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        print(json.dumps({"type": "assistant", "timestamp": now, "sessionId": ganger.session("one")["agent_session_id"],
                          "requestId": "r1", "message": {"id": "m1", "model": "claude-opus-4-5",
                                                         "usage": {"input_tokens": 5000, "output_tokens": 900}}}), file=file)
    ganger.run("send", "one", "say:second", "--wait")
    ganger.run("send", "one", "say:third")
    held(ganger, "one", "budget")
    assert any(e["code"] == "budget" for e in ganger.events("one", "warning"))
    assert ended(ganger, "one") == ["completed"] * 2 and ganger.session("one")["phase"] == "idle"


def test_a_sessions_budget_counts_what_the_agent_tells(ganger, vendor):
    vendor(budgets={"session": {"usd": 0.01}})
    start(ganger, "one", "say:first")
    until(lambda: ended(ganger, "one") == ["completed"], "the first")
    ganger.run("send", "one", "say:second")
    held(ganger, "one", "budget")
    assert ended(ganger, "one") == ["completed"]
