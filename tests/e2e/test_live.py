"""What each real agent's events say in six situations in its own interface, compared with a golden:
an answer; a tool that is allowed, and one that is denied; an interrupt; too many requests; a wrong key.

What differs from run to run is left out: times, numbers, ids, and at what an agent works (the kinds of work in one stretch are
"working"). GANGER_WRITE_GOLDENS=1 writes the goldens anew. Skipped by name when npm cannot be reached."""
import os
import sys
from pathlib import Path

import pytest

from harness import until
from test_agents import SLOW, crew, installed, model  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "agents"))
import agents  # noqa: E402

GOLDEN = Path(__file__).resolve().parent.parent / "agents/golden"
WORKING = ("connecting", "thinking", "streaming", "tool")
AGENTS = list(agents.PACKAGES)
pytestmark = [pytest.mark.agents, pytest.mark.timeout(600)]


class Session:
    """One session of an agent, and what its events said since the last look."""

    def __init__(self, ganger, name):
        self.ganger, self.name, self.seq = ganger, name, 0
        ganger.run("run", "-d", "-a", name, "-n", name)
        ganger.phase_is(name, "idle", seconds=SLOW)

    def events(self):
        return [e for e in self.ganger.events(self.name) if e["seq"] > self.seq]

    def types(self, name):
        return [e for e in self.events() if e["type"] == name]

    def until(self, condition, what):
        return until(condition, lambda: f"{what}: {[(e['type'], e.get('phase')) for e in self.events()]}\n"
                     + self.ganger.screen(self.name), SLOW)

    def phase(self, *phases):
        return self.until(lambda: self.ganger.session(self.name)["phase"] in phases, f"phase {phases}")

    def asked(self):
        return self.until(lambda: self.ganger.session(self.name)["pending_approvals"], "a request")[0]

    def answer(self, *words):
        """Some agents do not hear a key that comes with their dialog: then the answer is given again, as the message says."""
        request = self.asked()
        made = self.until(lambda: (m := self.ganger.run(*words, self.name, "--id", request["id"], code=None)).returncode == 0 and m
                          or not self.ganger.session(self.name)["pending_approvals"] and m, "the answer")
        self.until(lambda: self.types("approval_resolved"), "the end of the request")
        return made

    def turn(self, prompt, during=lambda: None):
        """Sends a prompt, does something, and waits for the end of its turn. Returns what the events said, as lines."""
        self.seq = max([e["seq"] for e in self.ganger.events(self.name)], default=0)
        self.ganger.run("send", self.name, prompt)
        self.until(lambda: any(e["phase"] in WORKING for e in self.types("phase")), "work")
        during()
        self.until(lambda: self.types("turn_ended"), "the end of the turn")
        self.until(lambda: self.types("phase")[-1]["phase"] == "idle"
                   or [r["kind"] for r in self.ganger.session(self.name)["pending_approvals"]] == ["auth"], "rest")
        return self.lines()

    def phases(self):
        """Each once in a row, kinds of work as "working"; some retry too quickly to be seen each time."""
        said = ["working" if e["phase"] in WORKING + ("retrying",) else e["phase"] for e in self.types("phase")]
        said = [p for i, p in enumerate(said) if i == 0 or said[i - 1] != p]
        # What follows an answer may be too short to be seen.
        return [p for i, p in enumerate(said) if p != "working" or i == 0 or said[i - 1] != "approval"]

    def lines(self):
        yield "phases    " + " ".join(self.phases())
        for event in self.types("approval_requested"):
            yield f"asked     {event['kind']} {event['tool']}"
        for event in self.types("approval_resolved"):
            yield f"resolved  {event['decision']} by {event['by']}"
        for event in self.types("cancelled"):
            if event["scope"] != "retry":
                yield f"cancelled {event['scope']}"
        yield "turn      " + " ".join(e["outcome"] for e in self.types("turn_ended"))
        classes = {e.get("class") for e in self.types("error")} - {None, "agent"}
        if classes:
            yield "error     " + " ".join(sorted(classes))


def situations(ganger, session):
    made = ganger.work / "made-by-agent"

    def allowed():
        session.phase("approval")
        session.answer("approve")
        session.until(made.exists, "the file")

    def denied():
        session.phase("approval")
        session.answer("deny")

    def interrupted():
        session.until(lambda: "slowly3" in ganger.screen(session.name), "text")
        ganger.run("cancel", session.name)

    def given_up():
        """Some agents try again for minutes, others give up soon."""
        if session.name in ("claude", "gemini", "opencode"):
            session.until(lambda: session.types("retry_scheduled") or any(e["phase"] == "retrying" for e in session.types("phase"))
                          or session.name == "gemini", "a retry")
            ganger.run("cancel", session.name)

    yield "answer", session.turn("hello [word:live]")
    yield "allow", session.turn("please [model:tool]", allowed)
    made.unlink()
    yield "deny", session.turn("again [model:tool]", denied)
    assert not made.exists()
    yield "interrupt", session.turn("count [model:slow]", interrupted)
    yield "limited", session.turn("hello [model:limited]", given_up)
    yield "refused", session.turn("hello [model:refused]")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(f"live-{n}")) for n in AGENTS])
def test_events(ganger, model, crew, name):  # noqa: F811
    # What the agents themselves do: ganger goes on with nothing that it could leave.
    crew(name, retry={"rate_limit": {"max_attempts": 0, "max_wait_s": 0}, "transient": {"max_elapsed_s": 0}})
    session = Session(ganger, name)
    said = []
    for situation, lines in situations(ganger, session):
        said += [f"== {situation}", *lines]
        # Between a prompt and the end of its turn nothing looks idle, whatever comes.
        stretch = session.phases()
        assert stretch.count("idle") <= 1, (situation, stretch)
        # Later requests repeat the conversation.
        assert situation != "answer" or len(model.prompts("[word:live]")) == 1, "the prompt reached the model once"
    golden, text = GOLDEN / f"{name}.txt", "\n".join(said) + "\n"
    if os.environ.get("GANGER_WRITE_GOLDENS"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
