"""What follows a refusal with the real agent CLIs: what the events say of it, and that the prompt is in the conversation that is
answered in the end exactly once. The stand-in model refuses as each vendor does (tests/agents/refusal.py)."""
import sys
from pathlib import Path

import pytest

from harness import until
from test_agents import SLOW, installed, model  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "agents"))
import agents  # noqa: E402

pytestmark = [pytest.mark.agents, pytest.mark.timeout(300)]

QUICK = {"rate_limit": {"delays_s": [0.5, 1, 2], "jitter_s": [0, 0.2], "stagger_s": 0.1},
         "transient": {"initial_s": 0.3, "max_s": 0.5, "max_elapsed_s": 30}}
WORD = "remember-me"
STREAM, TUI = "stream", "tui"


def case(agent, mode, *rest):
    return pytest.param(agent, mode, *rest, marks=pytest.mark.xdist_group(f"live-{agent}"), id="-".join((agent, mode, *rest)))


class Session:
    def __init__(self, ganger, model, agent, mode):  # noqa: F811
        self.ganger, self.model = ganger, model
        ganger.run("run", "-d", "-a", agent, "-n", "one", "-m", mode)
        ganger.phase_is("one", "idle", seconds=SLOW)

    def send(self, name):
        self.ganger.run("send", "one", f"{WORD} [model:{name}]")

    def events(self, *types):
        return self.ganger.events("one", *types)

    def until(self, condition, what):
        return until(condition, lambda: f"{what}: {self.ganger.run('events', 'one').stdout[-6000:]}\n{self.ganger.screen('one')}", SLOW)

    def answered(self):
        """Waits for the end; the request that was answered holds the prompt once."""
        self.until(lambda: self.model.accepted(WORD) and [e["outcome"] for e in self.events("turn_ended")][-1:] == ["completed"],
                   "an answer")
        assert [request["asked"].count(WORD) for request in self.model.accepted(WORD)] == [1]

    def retries(self, by):
        return [event for event in self.events("retry_scheduled") if event["by"] == by]

    def resets(self):
        return [event["resets_at"] for event in self.events("rate_limit") if event["refused"] and event["resets_at"]]


@pytest.fixture
def start(ganger, model, installed):  # noqa: F811
    """start(agent, mode): the real CLI; Claude with the login of a subscription."""
    def configured(agent, mode):
        installed(agent)
        environment = agents.make_home(agent, ganger.root / "home", model.url, ganger.work)
        if agent == "claude":
            environment.pop("ANTHROPIC_API_KEY")
            environment.update(CLAUDE_CODE_OAUTH_TOKEN="sk-ant-oat01-dummy-000000000000000000", CLAUDE_CODE_MAX_RETRIES="1")
        ganger.configure(agents={agent: {"command": [str(agents.program(agent))], "env": environment}}, retry=QUICK)
        return Session(ganger, model, agent, mode)
    return configured


@pytest.mark.parametrize("agent, mode, name, kind", [
    case("claude", STREAM, "quota2", "rate_limit"), case("claude", STREAM, "over3", "overloaded"), case("claude", TUI, "over3", "overloaded"),
    case("codex", STREAM, "over9", "overloaded"), case("codex", TUI, "busy1", "rate_limit"), case("codex", STREAM, "busy1", "rate_limit"),
    case("gemini", STREAM, "quota1", "rate_limit")])
def test_ganger_goes_on(start, agent, mode, name, kind):
    session = start(agent, mode)
    session.send(name)
    session.answered()
    assert {event["class"] for event in session.retries("ganger")} == {kind}
    assert kind in {event["class"] for event in session.events("error")}
    assert [event["outcome"] for event in session.events("turn_ended")][0] == "failed"


@pytest.mark.parametrize("agent, mode, name", [
    case("claude", STREAM, "busy1"), case("claude", TUI, "auth1"), case("codex", TUI, "auth1"),
    case("opencode", STREAM, "quota2")])
def test_the_agent_tries_again_by_itself(start, agent, mode, name):
    session = start(agent, mode)
    session.send(name)
    session.answered()
    assert session.retries("ganger") == [] and session.events("error") == []


@pytest.mark.parametrize("agent, mode", [
    case("claude", STREAM), case("claude", TUI), case("codex", STREAM), case("codex", TUI), case("gemini", STREAM)])
def test_no_credit_is_left_to_a_person(start, agent, mode):
    session = start(agent, mode)
    session.send("credit")
    session.until(lambda: session.events("warning"), "a warning")
    assert [(w["code"], w["class"]) for w in session.events("warning")] == [("retry_stopped", "billing")]
    assert [event["outcome"] for event in session.events("turn_ended")] == ["failed"]
    assert session.events("rate_limit") == [] and session.retries("ganger") == []


@pytest.mark.parametrize("agent, mode, name", [case("claude", STREAM, "quota900"), case("codex", STREAM, "quota900"), case("codex", TUI, "quota900")])
def test_a_known_reset_is_waited_for(start, ganger, agent, mode, name):
    session = start(agent, mode)
    session.send(name)
    session.until(lambda: (ganger.session("one")["waiting"] or {}).get("for") == "limit", "waiting")
    assert session.resets() and session.retries("ganger")[0]["until"] in session.resets()
    assert ganger.session("one")["phase"] == "limited" and len(session.model.prompts(WORD)) == 1


@pytest.mark.parametrize("agent, mode", [case("claude", TUI)])
def test_who_goes_on_by_itself_after_the_reset_is_left_alone(start, ganger, agent, mode):
    session = start(agent, mode)
    session.send("quota900")
    session.until(lambda: session.retries("agent"), "the agent's own words")
    assert session.retries("agent")[0]["until"] in session.resets()
    session.until(lambda: ganger.session("one")["queue"] == [] and ganger.session("one")["waiting"] is None, "nothing of ganger's")
    ganger.phase_is("one", "limited")
    assert len(session.model.prompts(WORD)) == 1


@pytest.mark.xdist_group("live-claude")
def test_windows_are_told_with_good_answers(start):
    session = start("claude", STREAM)
    session.send("used42")
    session.answered()
    assert {(e["window"], e["percent"]) for e in session.events("rate_limit")} == {("five_hour", 42), ("seven_day", 31.5)}
