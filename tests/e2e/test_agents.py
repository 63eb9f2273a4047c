"""The real agent CLIs in one crew, with the stand-in model of tests/agents. Skipped by name when npm cannot be reached."""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import harness
from harness import PROGRAM, alive, until
from test_survival import lose
from test_upgrade import Installation

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "agents"))
import agents  # noqa: E402
from model import Model  # noqa: E402

pytestmark = [pytest.mark.agents, pytest.mark.xdist_group("agents"), pytest.mark.timeout(600)]

# Their busiest start on a loaded machine, all four at once.
SLOW = 60
READY = {"claude": "? for shortcuts", "codex": "? for shortcuts", "gemini": "Type your message", "opencode": "ctrl+p commands"}
NAMES = list(agents.PACKAGES)
# opencode takes longest to start: what is tried in test_live.py and test_stream.py too is tried without it.
QUICK = [name for name in NAMES if name != "opencode"]


@pytest.fixture(scope="module")
def installed():
    """Installs an agent, once; skips the test when it cannot be had."""
    reasons = {}

    def need(*names):
        for name in ("node", *names):
            if name not in reasons:
                try:
                    agents.install(name)
                    reasons[name] = None
                except agents.Unavailable as reason:
                    reasons[name] = str(reason)
            if reasons[name]:
                pytest.skip(f"{name}: {reasons[name]}")
    return need


@pytest.fixture
def model():
    with Model() as it:
        yield it


@pytest.fixture
def crew(ganger, model, installed):
    """crew(name…, keys…): configures agents so that `ganger run -a NAME` starts the real CLI with a home of its own; further
    keys of the configuration as they are."""
    def configure(*names, **keys):
        installed(*names)
        subprocess.run(["git", "init", "-q", str(ganger.work)], check=True)
        ganger.configure(agents={name: {
            "command": [str(agents.program(name))],
            "env": agents.make_home(name, ganger.root / f"home-{name}", model.url, ganger.work)} for name in names}, **keys)
        return names
    return configure


def start(ganger, name, *arguments):
    ganger.run("run", "-d", "-a", name, "-n", name, *arguments)


def answer(word):
    return f"Here is the answer to {word}"


def flat(screen):
    """Text of a screen without line breaks, for answers that wrap."""
    return re.sub(r"\s+", " ", screen)


def answered(ganger, name, word):
    until(lambda: answer(word) in flat(ganger.screen(name)), lambda: f"the answer to {word}:\n{ganger.screen(name)}", SLOW)


def focus(screen, name):
    """Goes to a session by the number that the panel shows."""
    number = re.search(rf"(\d) \S {name}\b", screen.screen())
    assert number, screen.screen()
    screen.type(number[1])


def send_from_dashboard(screen, name, text):
    focus(screen, name)
    screen.type("p")
    screen.shows(f"─ prompt for {name}")
    screen.paste(text)
    screen.shows(text)
    screen.keys("Enter")
    screen.hides("─ prompt for")


@pytest.mark.parametrize("name", QUICK)
def test_a_prompt_at_the_start_and_one_by_send(ganger, model, crew, name):
    crew(name)
    start(ganger, name, "hello [word:first]")
    answered(ganger, name, "first")
    ganger.run("send", name, "hello [word:second]", "--wait", "--timeout", str(SLOW), timeout=SLOW + 10)
    answered(ganger, name, "second")
    assert len(model.prompts("[word:second]")) == 1, "the prompt reached the model once"
    ganger.run("kill", name)
    ganger.run("rm", name)
    ganger.nothing_left()


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_a_prompt_sent_before_the_agent_is_ready_arrives_once(ganger, model, crew, name):
    crew(name)
    start(ganger, name)
    ganger.run("send", name, "hello [word:early]")
    answered(ganger, name, "early")
    assert len(model.prompts("[word:early]")) == 1


@pytest.mark.parametrize("name", QUICK)
def test_cancel_then_retry_in_the_same_conversation(ganger, model, crew, name):
    crew(name)
    start(ganger, name)
    ganger.screen_shows(name, READY[name], SLOW)
    ganger.run("send", name, "count [model:slow]")
    ganger.screen_shows(name, "slowly3", SLOW)
    pid = ganger.session(name)["pid"]
    ganger.run("cancel", name)
    until(lambda: model.prompts("[model:slow]")[-1]["left"], lambda: f"the CLI to hang up:\n{ganger.screen(name)}", SLOW)
    assert alive(pid) and ganger.session(name)["exit"] is None
    ganger.run("send", name, "hello [word:afterwards]")
    answered(ganger, name, "afterwards")
    before = len(model.prompts("[word:afterwards]"))
    ganger.run("retry", name)
    until(lambda: len(model.prompts("[word:afterwards]")) > before, lambda: f"the prompt again:\n{ganger.screen(name)}", SLOW)
    asked = model.prompts("[word:afterwards]")[-1]["asked"]
    assert asked.count("[word:afterwards]") == 2, "the conversation goes on: " + asked
    answered(ganger, name, "afterwards")


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_a_question_for_permission(ganger, model, crew, name):
    crew(name)
    start(ganger, name)
    ganger.screen_shows(name, READY[name], SLOW)
    ganger.run("send", name, "make it [model:tool]")
    ganger.screen_shows(name, "touch", SLOW)
    if name != "opencode":  # it reports nothing about itself on the terminal
        ganger.phase_is(name, "approval", seconds=SLOW)

    def confirmed():
        ganger.run("keys", name, "Enter")  # a dialog that has just been drawn ignores keys
        return (ganger.work / "made-by-agent").exists()
    until(confirmed, lambda: f"the command to run:\n{ganger.screen(name)}", SLOW, pause=1)
    until(lambda: "The command has run." in flat(ganger.screen(name)), lambda: ganger.screen(name), SLOW)


def test_a_crew_of_four(ganger, model, crew, terminal):
    names = crew(*NAMES)
    for name in names:
        start(ganger, name)
    screen = terminal().start(PROGRAM, cols=200, rows=60, cwd=str(ganger.work))
    screen.shows("4 sessions")
    for name in names:
        ganger.screen_shows(name, READY[name], SLOW)

    # a prompt from the dashboard, one from the command line; the answers on the dashboard's screen
    for name in names:
        send_from_dashboard(screen, name, f"hello [word:board{name}]")
    for name in names:
        screen.shows(re.compile(f"answer to board{name}"), SLOW)
        ganger.run("send", name, f"hello [word:line{name}]")
    for name in names:
        screen.shows(re.compile(f"answer to line{name}"), SLOW)
        assert len(model.prompts(f"[word:line{name}]")) == 1

    # a slow turn is cancelled with one key; only that one
    for name in ("claude", "codex"):
        send_from_dashboard(screen, name, "count [model:slow]")
        ganger.screen_shows(name, "slowly2", SLOW)
    focus(screen, "claude")
    screen.type("c")
    slow = model.prompts("[model:slow]")
    until(lambda: [n for n in slow if n["kind"] == "anthropic"][-1]["left"], lambda: "the turn's end:\n" + screen.screen(), SLOW)
    assert not [n for n in slow if n["kind"] == "responses"][-1]["left"], "codex goes on"
    ganger.run("cancel", "codex")
    until(lambda: [n for n in slow if n["kind"] == "responses"][-1]["left"], "codex to hang up", SLOW)

    # the cancelled prompt runs again, in the agent's own conversation
    first = ganger.session("claude")
    ganger.run("retry", "claude")
    until(lambda: len([n for n in model.prompts("[model:slow]") if n["kind"] == "anthropic"]) > len([n for n in slow if n["kind"] == "anthropic"]),
          lambda: "the retry:\n" + ganger.screen("claude"), SLOW)
    again = ganger.session("claude")
    assert again["attempt"] == 2 and again["id"] == first["id"]
    assert "board" in model.prompts("[model:slow]")[-1]["asked"], "the conversation went on"
    ganger.run("cancel", "claude")

    # detach; a host dies; attach: the answers are still there
    screen.type("q")
    assert screen.ended() == 0
    pids = {name: ganger.session(name)["pid"] for name in names}
    host = ganger.session("codex")["host_pid"]
    os.kill(host, signal.SIGKILL)
    until(lambda: ganger.session("codex")["host_pid"] not in (None, host), "a new host")
    screen = terminal().start(PROGRAM, "attach", "codex", cols=200, rows=60, cwd=str(ganger.work))
    screen.shows(re.compile("answer to linecodex"), SLOW)
    assert {name: ganger.session(name)["pid"] for name in names} == pids
    ganger.run("send", "codex", "hello [word:survivor]")
    screen.shows(re.compile("answer to survivor"), SLOW)

    # end all: nothing is left
    ganger.run("kill", *names)
    assert not [pid for pid in pids.values() if alive(pid)]
    screen.keys("C-a")
    screen.type("q")
    screen.ended()
    ganger.run("rm", *names)
    ganger.nothing_left()


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_a_turn_goes_on_over_an_upgrade_and_not_over_a_loss(ganger, model, crew, name, monkeypatch):
    """Another host takes over in the turn. When keeper and host are lost, the turn is not run again, and the conversation is the one of
    before."""
    installation = Installation(ganger.root / "bin")
    monkeypatch.setattr(harness, "PROGRAM", installation.folder / "ganger")
    crew(name)
    start(ganger, name, "hello [word:before]")
    answered(ganger, name, "before")
    ganger.phase_is(name, "idle", seconds=SLOW)
    ganger.run("send", name, "count [model:slow]")
    ganger.screen_shows(name, "slowly3", SLOW)
    ganger.run("send", name, "hello [word:queued]", "--id", "queued")
    asked = len(model.prompts("[model:slow]"))
    installation.newer()
    assert "upgraded" in ganger.run("upgrade").stdout
    ganger.screen_shows(name, "slowly8", SLOW)
    assert ganger.screen(name).count("slowly3") == 1 and ganger.session(name)["queue"]
    lose(ganger, name, ganger.session(name))
    said = ganger.run("resume", name, timeout=SLOW).stdout
    assert "in its conversation" in said and "count [model:slow]" in said, said
    answered(ganger, name, "queued")
    conversation = model.prompts("[word:queued]")[-1]["asked"]
    assert "[word:before]" in conversation, "the conversation goes on: " + conversation
    assert len(model.prompts("[word:queued]")) == conversation.count("[word:before]") == conversation.count("[model:slow]") == 1
    assert [e["prompt_id"] for e in ganger.events(name, "prompt_sent")].count("queued") == 1
    assert len([p for p in model.prompts("[model:slow]") if "[word:queued]" not in p["asked"]]) == asked, "the turn was run again"
