"""Stream mode: the agent's JSON over pipes, drawn by ganger. Most tests use a double of Claude (claude_double.py) that speaks as
it does; the last ones the real CLI."""
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from harness import alive, until
from test_agents import NAMES, SLOW, crew, flat, installed, model  # noqa: F401

DOUBLE = Path(__file__).resolve().parent / "claude_double.py"


@pytest.fixture
def claude(ganger):
    """claude(name, prompt…, options=…): starts a session of the double in stream mode."""
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)]}})

    def start(name, *prompt, options=()):
        ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", name, *options, *prompt)
        return name
    return start


def host_dies(ganger, name):
    """Kills the session's host and waits for the next one."""
    host = ganger.session(name)["host_pid"]
    os.kill(host, signal.SIGKILL)
    until(lambda: ganger.session(name)["host_pid"] not in (None, host), "a new host")


def history(ganger, name):
    """The whole transcript, as words."""
    return flat(ganger.run("logs", name).stdout)


def test_prompts_are_sent_and_answers_drawn(ganger, claude):
    claude("one", "say:hello **you**")
    ganger.screen_shows("one", "hello you")
    ganger.phase_is("one", "idle")
    assert "❯ say:hello **you**" in ganger.screen("one")
    session = ganger.session("one")
    assert session["mode"] == "stream" and session["model"] == "double-1"
    assert session["usage"]["input_tokens"] == 100 and session["usage"]["cost_usd"] == 0.01
    ganger.run("send", "one", "say:again", "--wait")
    assert ganger.screen("one").count("❯") == 2
    assert "100 tokens in" in ganger.screen("one")
    types = [e["type"] for e in ganger.events("one")]
    for wanted in ("turn_started", "prompt_sent", "text", "usage", "turn_ended"):
        assert wanted in types, types
    assert [e["outcome"] for e in ganger.events("one", "turn_ended")] == ["completed", "completed"]
    said = "".join(e["text"] for e in ganger.events("one", "text"))
    assert said == "hello **you**again"


def test_a_prompt_waits_for_the_end_of_the_turn(ganger, claude):
    claude("one", "say:" + "".join(f"w{i} " for i in range(2000)))
    for word in ("first", "second"):
        ganger.run("send", "one", f"say:{word}")
    ganger.run("send", "one", "say:third", "--wait")
    assert [e["outcome"] for e in ganger.events("one", "turn_ended")] == ["completed"] * 4
    kinds = [e["type"] for e in ganger.events("one", "turn_started", "turn_ended")]
    assert kinds == ["turn_started", "turn_ended"] * 4, kinds


def test_what_is_typed_into_the_pane_goes_nowhere(ganger, claude):
    claude("one", "say:ready")
    ganger.phase_is("one", "idle")
    ganger.run("keys", "one", "x", "y", "Enter")
    ganger.run("send", "one", "say:then", "--wait")
    assert "xy" not in ganger.screen("one")


def test_a_long_prompt_arrives_whole(ganger, claude):
    claude("one")
    text = "a\"\\" * 33000
    ganger.run("send", "one", "-", "--wait", input=text)
    ganger.screen_shows("one", f"{len(text)} characters")


def test_a_turn_is_interrupted(ganger, claude):
    claude("one", "count:1000")
    ganger.screen_shows("one", "n3")
    ganger.phase_is("one", "streaming")
    ganger.run("cancel", "one")
    ganger.phase_is("one", "idle")
    ganger.screen_shows("one", "interrupted")
    assert ganger.events("one", "turn_ended")[-1]["outcome"] == "cancelled"
    assert not ganger.events("one", "error")
    ganger.run("send", "one", "say:on it goes", "--wait")
    ganger.screen_shows("one", "on it goes")


def test_escape_in_the_pane_interrupts(ganger, claude):
    claude("one", "count:1000")
    ganger.screen_shows("one", "n2")
    ganger.run("keys", "one", "Escape")
    ganger.screen_shows("one", "interrupted")


@pytest.mark.parametrize("decision, words", [("approve", "ran touch it"), ("deny", "refused: no thanks")])
def test_a_permission_is_asked_and_answered(ganger, claude, decision, words):
    claude("one", "tool")
    session = ganger.phase_is("one", "approval")
    request = session["pending_approvals"][0]
    assert request["tool"] == "Bash" and request["choices"] == ["Yes", "No"]
    assert "? Bash  touch it" in ganger.screen("one")
    params = {"id": request["id"], "decision": decision, **({"text": "no thanks"} if decision == "deny" else {})}
    ganger.run("rpc", "one", "session.approve", json.dumps(params))
    ganger.screen_shows("one", words)
    ganger.phase_is("one", "idle")
    assert ganger.session("one")["pending_approvals"] == []
    assert len(ganger.events("one", "approval_requested")) == len(ganger.events("one", "approval_resolved")) == 1
    assert "❯ no thanks" not in ganger.screen("one"), "said with the answer, not as a prompt"


def test_lines_that_are_no_messages(ganger, claude):
    claude("one", "junk")
    ganger.phase_is("one", "idle")
    screen = ganger.screen("one")
    assert "this is not json" in screen and "[1, 2]" in screen and "bad " in screen and "byte" in screen and "done" in screen
    codes = [e["code"] for e in ganger.events("one", "warning")]
    assert codes.count("stream_not_json") == 1, codes


def test_a_line_too_long_and_more_text_than_a_ring(ganger, claude):
    claude("one", "big")
    ganger.screen_shows("one", "end-of-it")
    ganger.phase_is("one", "idle")
    warnings = [e for e in ganger.events("one", "warning") if e["code"] == "stream_line_dropped"]
    assert len(warnings) == 1 and "17825" in warnings[0]["message"]
    assert history(ganger, "one").count("word") > 90000


def test_changed_files_are_drawn_as_diffs(ganger, claude):
    claude("one", "file")
    ganger.phase_is("one", "idle")
    screen = ganger.screen("one")
    assert "modified a.txt  +1 −1" in screen and "-before" in screen and "+after" in screen
    assert re.search(r"38;5;2m\+after", ganger.run("snapshot", "one", "--ansi").stdout)


@pytest.mark.parametrize("code, phase", [(0, "completed"), (3, "failed")])
def test_the_end_is_drawn_whole_and_told(ganger, claude, code, phase):
    claude("one", f"exit:{code}")
    session = ganger.phase_is("one", phase)
    assert session["exit"]["code"] == code
    ganger.screen_shows("one", "last words")
    assert "bye" in ganger.screen("one")
    assert [e["text"] for e in ganger.events("one", "stderr")] == ["last words"]


def test_a_session_is_retried_with_its_conversation(ganger, claude):
    claude("one", "exit:1")
    ganger.phase_is("one", "failed")
    first = ganger.session("one")
    ganger.run("retry", "one")
    until(lambda: ganger.session("one")["attempt"] == 2, "a second attempt")
    ganger.phase_is("one", "failed")
    assert "❯ exit:1" in ganger.screen("one")
    assert ganger.session("one")["agent_session_id"] == first["agent_session_id"]


def test_no_word_is_lost_or_doubled_when_hosts_die(ganger, claude):
    claude("one", "count:60")
    for at in (5, 20, 40):
        ganger.screen_shows("one", f"n{at} ")
        host_dies(ganger, "one")
    ganger.phase_is("one", "idle")
    words = re.findall(r"\bn(\d+)\b", history(ganger, "one"))
    assert words == [str(i) for i in range(60)], words
    assert ganger.screen("one").count("❯") == 1
    said = "".join(e["text"] for e in ganger.events("one", "text"))
    assert said == "".join(f"n{i} " for i in range(60)), said
    ganger.run("send", "one", "say:afterwards", "--wait")
    ganger.screen_shows("one", "afterwards")
    assert [e["outcome"] for e in ganger.events("one", "turn_ended")] == ["completed", "completed"]
    assert "initializing" not in [e["phase"] for e in ganger.events("one", "phase")]


def test_hosts_that_die_while_much_is_drawn(ganger, claude):
    claude("one", "big")
    for _ in range(5):
        time.sleep(0.1)
        host_dies(ganger, "one")
    ganger.screen_shows("one", "end-of-it")
    assert history(ganger, "one").count("word") == 100000


def test_a_request_outlives_the_host(ganger, claude):
    claude("one", "tool")
    before = ganger.phase_is("one", "approval")["pending_approvals"]
    host_dies(ganger, "one")
    session = ganger.phase_is("one", "approval")
    assert [r["tool"] for r in session["pending_approvals"]] == ["Bash"], session["pending_approvals"]
    assert len(before) == 1
    ganger.run("rpc", "one", "session.approve", json.dumps({"id": session["pending_approvals"][0]["id"], "decision": "approve"}))
    ganger.screen_shows("one", "It ran.")
    ganger.phase_is("one", "idle")
    host_dies(ganger, "one")
    assert ganger.phase_is("one", "idle")["pending_approvals"] == []


def test_a_command_is_drawn_as_it_is(ganger):
    ganger.run("run", "-d", "-m", "stream", "-n", "cmd", "--", "sh", "-c",
               "printf 'one\\n\\033[31mred\\033[0m part'; echo wrong >&2; sleep 0.3; echo; tty; exit 4")
    ganger.phase_is("cmd", "failed")
    screen = ganger.screen("cmd")
    assert "one\n" in screen and "red part" in screen and "not a tty" in screen and "wrong" in screen
    assert re.search(r"38;5;1mred", ganger.run("snapshot", "cmd", "--ansi").stdout)


def test_a_session_is_killed(ganger, claude):
    claude("one", "count:1000")
    ganger.screen_shows("one", "n1")
    pid = ganger.session("one")["pid"]
    ganger.run("kill", "one")
    ganger.phase_is("one", "killed")
    assert not alive(pid)


def test_it_fits_the_pane(ganger, claude, dashboard):
    claude("one", "say:" + "some words of a sentence that is rather long " * 5)
    ganger.phase_is("one", "idle")
    screen = dashboard("attach", "one", cols=80, rows=24)
    screen.shows("some words of a sentence")
    ganger.run("send", "one", "say:" + "other words of a sentence that is rather long " * 5, "--wait")
    screen.shows("other words of a sentence")
    assert "❯" in screen.screen()


def test_the_dialog_starts_it(ganger, dashboard):
    ganger.configure(agents={"claude": {"command": [str(DOUBLE)]}})
    screen = dashboard(cols=110, rows=34)
    screen.shows("no session")
    screen.type("n")
    screen.shows(re.compile("● Claude.*its own interface →"))
    screen.keys("Right")
    screen.shows("← stream: drawn by ganger")
    screen.keys("Tab", "Tab", "Tab")
    screen.type("say:from the dialog")
    screen.keys("Enter")
    session = until(lambda: ganger.json("ls"), "a session")[0]
    ganger.screen_shows(session["name"], "❯ say:from the dialog")
    ganger.screen_shows(session["name"], "\nfrom the dialog")
    assert session["mode"] == "stream" and session["agent"] == "claude"


# ---- the real ones ----

@pytest.fixture
def agent(ganger, crew):  # noqa: F811
    """agent(name, prompt…): starts a real CLI in stream mode; the session has its name."""
    def start(name, *prompt):
        crew(name)
        ganger.run("run", "-d", "-m", "stream", "-a", name, "-n", name, *prompt)
    return start


@pytest.mark.agents
@pytest.mark.xdist_group("agents-stream")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
class TestRealAgents:
    def test_a_prompt_at_the_start_and_one_by_send(self, ganger, model, agent, name):  # noqa: F811
        agent(name, "hello [word:first]")
        ganger.screen_shows(name, "answer to first", SLOW)
        ganger.run("send", name, "hello [word:second]", "--wait", "--timeout", str(SLOW), timeout=SLOW + 10)
        ganger.screen_shows(name, "answer to second", SLOW)
        assert ganger.screen(name).count("❯ hello") == 2
        assert len(model.prompts("[word:second]")) == 1
        session = ganger.session(name)
        assert session["agent_session_id"] and session["usage"]["output_tokens"] > 0
        ganger.run("kill", name)
        ganger.run("rm", name)
        ganger.nothing_left()

    @pytest.mark.parametrize("decision", ["approve", "deny"])
    def test_a_tool_is_asked_for_before_a_host_dies_and_answered_after(self, ganger, model, agent, name, decision):  # noqa: F811
        agent(name, "make it [model:tool]")
        request = ganger.phase_is(name, "approval", seconds=SLOW)["pending_approvals"][0]
        assert "touch ./made-by-agent" in request["input"] and len(request["choices"]) > 1
        host_dies(ganger, name)
        request = ganger.phase_is(name, "approval")["pending_approvals"][0]
        ganger.run("rpc", name, "session.approve", json.dumps({"id": request["id"], "decision": decision}))
        ganger.phase_is(name, "idle", seconds=SLOW)
        assert (ganger.work / "made-by-agent").exists() == (decision == "approve")
        assert ganger.session(name)["pending_approvals"] == []

    def test_a_turn_is_interrupted(self, ganger, model, agent, name):  # noqa: F811
        agent(name, "count [model:slow]")
        ganger.screen_shows(name, "slowly3", SLOW)
        ganger.run("cancel", name)
        until(lambda: model.prompts("[model:slow]")[-1]["left"], "the CLI to hang up", SLOW)
        ganger.phase_is(name, "idle", seconds=SLOW)
        assert ganger.events(name, "turn_ended")[-1]["outcome"] == "cancelled"
        assert not ganger.events(name, "error")
        ganger.run("send", name, "hello [word:afterwards]", "--wait", "--timeout", str(SLOW), timeout=SLOW + 10)
        ganger.screen_shows(name, "answer to afterwards", SLOW)

    def test_a_retry_goes_on_with_the_conversation(self, ganger, model, agent, name):  # noqa: F811
        if name == "gemini":
            pytest.skip("Gemini CLI 0.61.0 empties a conversation that it loads within the minute of its beginning: the files have one name")
        agent(name, "hello [word:before]")
        ganger.screen_shows(name, "answer to before", SLOW)
        ganger.run("send", name, "hello [word:after]", "--wait", "--timeout", str(SLOW), timeout=SLOW + 10)
        first = ganger.session(name)["agent_session_id"]
        ganger.run("cancel", "--session", name)
        ganger.phase_is(name, "cancelled", seconds=SLOW)
        ganger.run("retry", name)
        until(lambda: len(model.prompts("[word:after]")) > 1, lambda: f"the prompt again:\n{ganger.screen(name)}", SLOW)
        assert "[word:before]" in model.prompts("[word:after]")[-1]["asked"], "the conversation goes on"
        ganger.screen_shows(name, "answer to after", SLOW)
        assert ganger.session(name)["agent_session_id"] == first and ganger.session(name)["agent_session_ids"] == []


@pytest.mark.agents
@pytest.mark.xdist_group("agents-stream")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["claude", "gemini"])
def test_the_host_dies_in_the_middle(ganger, model, agent, name):  # noqa: F811
    agent(name, "count [model:slow]")
    ganger.screen_shows(name, "slowly3", SLOW)
    pid = ganger.session(name)["pid"]
    host_dies(ganger, name)
    until(lambda: "slowly59." in history(ganger, name), lambda: ganger.screen(name), SLOW)
    ganger.phase_is(name, "idle")
    numbers = [str(i) for i in range(60)]
    assert re.findall(r"slowly(\d+)", history(ganger, name)) == numbers
    assert re.findall(r"slowly(\d+)", "".join(e["text"] for e in ganger.events(name, "text"))) == numbers
    assert ganger.session(name)["pid"] == pid
