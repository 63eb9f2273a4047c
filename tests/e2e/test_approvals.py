"""What agents ask, answered from the command line and the dashboard: the right session, the right request, once."""
import json
import re
import sys
from pathlib import Path

import pytest

from harness import FAKE, until
from test_agents import READY, SLOW, crew, flat, installed, model, start  # noqa: F401

DOUBLE = Path(__file__).resolve().parent / "claude_double.py"
RULES = {
    "version": 2, "agent": "asker", "command": [str(FAKE), "approve"], "ready": ["? for help"],
    "screen": [{"phase": "approval", "kind": "permission", "last": 14, "any": ["^❯ 1. Yes"],
                "question": {"choices": "digits", "top": ["^ganger-fake: "], "approve": ["^Yes"], "deny": ["^No"],
                             "deny_keys": "Escape", "tools": {"Bash command": "Bash"}}}]}


@pytest.fixture
def ask(ganger):
    """ask(name): a session whose agent asks in its terminal, by the time it is returned."""
    (ganger.config / "agents").mkdir()
    (ganger.config / "agents" / "asker.json").write_text(json.dumps(RULES))

    def start(name):
        ganger.run("run", "-d", "-n", name, "-a", "asker")
        return asked(ganger, name)
    return start


@pytest.fixture
def ask_stream(ganger):
    """The same in stream mode."""
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)]}})

    def start(name):
        ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", name, "tool")
        return asked(ganger, name)
    return start


def asked(ganger, name):
    """The only request of a session, once it was told."""
    until(lambda: ganger.events(name, "approval_requested"), lambda: ganger.session(name))
    requests = ganger.session(name)["pending_approvals"]
    assert len(requests) == 1, requests
    return requests[0]


def resolved(ganger, name):
    return [(e["decision"], e["by"]) for e in ganger.events(name, "approval_resolved")]


class TestCommands:
    def test_approved(self, ganger, ask):
        request = ask("one")
        ask("other")
        assert ganger.run("approve", "one").stdout == "one: approved: Bash: rm -r build\n"
        ganger.screen_shows("one", "● allowed")
        until(lambda: resolved(ganger, "one") == [("approved", "client")], lambda: resolved(ganger, "one"))
        assert ganger.session("one")["pending_approvals"] == []
        assert "Do you want to proceed?" in ganger.screen("other"), "the other session's request is its own"
        assert resolved(ganger, "other") == []
        assert ganger.events("one", "approval_requested")[0]["request"] == request["id"]

    def test_denied(self, ganger, ask):
        ask("one")
        assert ganger.run("deny", "one").stdout == "one: denied: Bash: rm -r build\n"
        ganger.screen_shows("one", "● denied")
        until(lambda: resolved(ganger, "one") == [("denied", "client")], lambda: resolved(ganger, "one"))

    @pytest.mark.parametrize("command", [("cancel", "--session"), ("kill",)])
    def test_the_end_of_the_session_is_nobodys_answer(self, ganger, ask, command):
        ask("one")
        ganger.run(command[0], "one", *command[1:])
        until(lambda: resolved(ganger, "one") == [("gone", "ending")], lambda: resolved(ganger, "one"))

    def test_a_choice_by_its_number_and_json(self, ganger, ask):
        request = ask("one")
        ganger.fails("approve", "one", "--choice", "7", says="choice")
        assert ganger.json("approve", "one", "--choice", "2", "--id", request["id"]) == {"id": request["id"], "decision": "choice"}
        ganger.screen_shows("one", "● denied")

    def test_what_was_answered_is_stale(self, ganger, ask):
        request = ask("one")
        ganger.run("keys", "one", "y")
        ganger.screen_shows("one", "● allowed")
        until(lambda: resolved(ganger, "one") == [("answered", "person")], lambda: resolved(ganger, "one"))
        ganger.fails("approve", "one", says="nothing is pending")
        ganger.fails("deny", "one", says="nothing is pending")
        ganger.fails("approve", "one", "--id", request["id"], says=["stale", "ganger show one"])

    def test_given_twice_it_arrives_once(self, ganger, ask):
        request = ask("one")
        ganger.run("approve", "one", "--id", request["id"])
        ganger.fails("approve", "one", "--id", request["id"], says="stale")
        ganger.screen_shows("one", "Done: the folder build is gone.")
        assert ganger.screen("one").count("● allowed") == 1

    def test_in_stream_mode(self, ganger, ask_stream):
        ask_stream("one")
        assert ganger.run("approve", "one").stdout == "one: approved: Bash: touch it\n"
        ganger.screen_shows("one", "ran touch it")
        ask_stream("two")
        ganger.run("deny", "two", "--text", "not here")
        ganger.screen_shows("two", "refused: not here")

    def test_bad_usage(self, ganger):
        ganger.start("one", "sleep", "1000")
        ganger.fails("approve", code=2)
        ganger.fails("approve", "one", "two", code=2, says="too many words")
        ganger.fails("approve", "one", "--choice", "0", code=2)
        ganger.fails("approve", "one", "--choice", "1", "--text", "x", code=2, says="exclude")
        ganger.fails("deny", "one", "--choice", "1", code=2)
        ganger.fails("deny", "one", "--text", "a\x1bb", says="control byte")
        ganger.fails("approve", "one", says="nothing is pending")
        ganger.fails("approve", "nobody", says="nobody")

    def test_show_prints_the_question(self, ganger, ask):
        request = ask("one")
        shown = ganger.run("show", "one").stdout
        assert f"permission for Bash ({request['id']})" in shown
        assert "rm -r build" in shown and "1. Yes" in shown and "2. No" in shown
        assert "ganger approve one, or ganger deny one" in shown
        ganger.run("approve", "one")
        until(lambda: "ganger approve" not in ganger.run("show", "one").stdout, "nothing to answer")

    def test_why(self, ganger, ask):
        ask("one")
        answer = ganger.json("why", "one")
        assert answer["phase"] == "approval" and answer["rules"]["agent"] == "asker"
        assert [link["deciding"] for link in answer["chain"]] == [True] + [False] * (len(answer["chain"]) - 1)
        text = ganger.run("why", "one").stdout
        assert re.match(r"one: approval for \d+s\n\nSOURCE +RANK +SAYS +FOR +STANDING +WHAT IT SAW\n", text), text
        assert re.search(r"\nstatus +2 +approval +\d+s +decides +blocked: permission\n", text), text
        assert re.search(r"\nprocess +5 +\w+ +\d+s +overruled by status: its rank is higher ", text), text
        assert "rules of asker, version 2, " in text
        ganger.run("kill", "one")
        assert ganger.run("why", "one").stdout.startswith("one: killed for ")


def denied_or_allowed(ganger, name):
    screen = ganger.screen(name)
    return screen.count("● allowed"), screen.count("● denied")


class TestDashboard:
    def test_approved_where_the_focus_is(self, ganger, ask, dashboard):
        ask("one")
        ask("other")
        screen = dashboard(cols=110, rows=34)
        screen.shows(re.compile(r"▲ one .*\n.*Bash: rm -r build"))
        screen.shows("a approve  d deny")
        screen.type("a")
        text = screen.shows("one asks")
        assert "Bash · permission" in text and "1  Yes (y)" in text and "2  No (n)" in text
        assert denied_or_allowed(ganger, "one") == (0, 0), "opening it answers nothing"
        screen.type("a")
        screen.shows("one: approved: Bash: rm -r build")
        screen.hides("one asks")
        ganger.screen_shows("one", "● allowed")
        assert denied_or_allowed(ganger, "other") == (0, 0)
        screen.type("w")
        screen.shows("a approve  d deny")
        screen.type("d")
        screen.shows("other asks")
        screen.keys("Enter")
        screen.shows("other: denied: Bash: rm -r build")
        ganger.screen_shows("other", "● denied")
        until(lambda: resolved(ganger, "one") == [("approved", "client")], lambda: resolved(ganger, "one"))
        until(lambda: resolved(ganger, "other") == [("denied", "client")], lambda: resolved(ganger, "other"))
        screen.type("w")
        screen.shows("no session waits for you")
        screen.type("a")
        screen.shows("other asks nothing")

    def test_a_choice_by_its_digit(self, ganger, ask, dashboard):
        ask("one")
        screen = dashboard(cols=110, rows=34)
        screen.shows("a approve")
        screen.type("a")
        screen.shows("one asks")
        screen.type("7")
        screen.shows("there is no choice 7")
        screen.type("2")
        screen.shows("one: answered: Bash: rm -r build")
        ganger.screen_shows("one", "● denied")

    def test_escape_answers_nothing(self, ganger, ask, dashboard):
        ask("one")
        screen = dashboard(cols=110, rows=34)
        screen.shows("a approve")
        screen.type("a")
        screen.shows("one asks")
        screen.keys("Escape")
        screen.hides("one asks")
        screen.type("?")
        screen.shows("─ keys ─")
        assert resolved(ganger, "one") == [] and len(ganger.session("one")["pending_approvals"]) == 1

    def test_answered_in_the_pane_and_asked_again(self, ganger, ask, dashboard):
        first = ask("one")
        screen = dashboard(cols=110, rows=34)
        screen.shows("a approve")
        screen.type("a")
        screen.shows("one asks")
        ganger.run("keys", "one", "y")
        screen.shows("answered in the pane")
        ganger.phase_is("one", "idle")
        ganger.run("keys", "one", "C-u", *"approve", "Enter")
        until(lambda: len(ganger.events("one", "approval_requested")) == 2, "a second request")
        screen.shows("answered in the pane")
        screen.type("a")
        screen.hides("one asks")
        screen.type("?")
        screen.shows("─ keys ─")
        pending = ganger.session("one")["pending_approvals"]
        assert len(pending) == 1 and pending[0]["id"] != first["id"], "the newer request is not answered"
        assert resolved(ganger, "one") == [("answered", "person")]

    def test_words_in_stream_mode(self, ganger, ask_stream, dashboard):
        ask_stream("one")
        screen = dashboard(cols=110, rows=34)
        screen.shows("a approve")
        screen.type("a")
        screen.shows("one asks")
        screen.type("t")
        screen.shows("deny, and say:")
        screen.type("add a test first")
        screen.keys("Enter")
        ganger.screen_shows("one", "refused: add a test first")
        assert resolved(ganger, "one") == [("denied", "client")]

    def test_looking_only(self, ganger, ask, dashboard):
        ask("one")
        screen = dashboard("attach", "--read-only", cols=110, rows=34)
        screen.shows("one asker")
        screen.type("a")
        screen.shows("nothing is sent")
        assert resolved(ganger, "one") == []


# ---- the real ones, in their own interface and in stream mode ----

def given(ganger, name, decision):
    """An agent may ask before it has drawn its dialog, or not hear a key that comes just as the dialog does; ganger says so."""
    made = None

    def taken():
        nonlocal made
        made = ganger.run(decision, name, code=None)
        assert made.returncode == 0 or re.search("not taken|not on the screen", made.stderr), made.stderr
        return made.returncode == 0
    until(taken, lambda: ganger.screen(name), SLOW)
    return made.stdout


@pytest.mark.agents
@pytest.mark.xdist_group("agents-approvals")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["claude", "codex"])
class TestRealAgents:
    """Two of the agents; that all four are asked and answered is in test_live.py and test_stream.py."""

    @pytest.fixture
    def asking(self, ganger, model, crew, name):  # noqa: F811
        """A session of the real CLI that asks whether it may run a command. Stream mode is asked in test_stream.py."""
        crew(name)
        start(ganger, name)
        ganger.screen_shows(name, READY[name], SLOW)
        ganger.run("send", name, "make it [model:tool]")
        ganger.phase_is(name, "approval", seconds=SLOW)
        until(lambda: ganger.events(name, "approval_requested"), lambda: ganger.run("why", name).stdout, SLOW)
        return name

    @pytest.mark.parametrize("decision", ["approve", "deny"])
    def test_a_command(self, ganger, asking, name, decision):
        request = ganger.session(name)["pending_approvals"][0]
        assert "made-by-agent" in request["input"], request
        words = given(ganger, name, decision)
        assert re.match(f"{name}: {'approved' if decision == 'approve' else 'denied'}: ", words)
        until(lambda: resolved(ganger, name), lambda: ganger.screen(name), SLOW)
        ganger.phase_is(name, "idle", seconds=SLOW)
        assert (ganger.work / "made-by-agent").exists() == (decision == "approve")
        assert len(resolved(ganger, name)) == 1 and ganger.session(name)["pending_approvals"] == []
        ganger.fails(decision, name, "--id", request["id"], says="stale")

    def test_from_the_dashboard(self, ganger, asking, name, dashboard):
        screen = dashboard(cols=120, rows=40)
        screen.shows("a approve")
        screen.type("a")
        screen.shows(f"{name} asks")
        screen.shows("made-by-agent")
        screen.type("a")
        screen.hides(f"{name} asks")

        def done():
            if (ganger.work / "made-by-agent").exists():
                return True
            screen.type("aa")  # it did not hear the answer, or draws its dialog for the new size
            return False
        until(done, lambda: screen.screen() + ganger.screen(name), SLOW, pause=4)
        until(lambda: resolved(ganger, name) == [("approved", "client")], lambda: resolved(ganger, name), SLOW)
