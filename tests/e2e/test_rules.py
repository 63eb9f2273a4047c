"""Rules as data: the user's own rules for titles and screens, read again while sessions run; agents made of a file alone;
dialogs read from the screen and answered by its keys; `replay --detect` over what was recorded."""
import json

import pytest

from harness import until

# Draws what it is told, a line at a time, below what it drew before.
PROGRAM = r"""
stty -echo
printf 'READY\r\n'
while IFS= read -r line; do printf "$line\r\n"; done
"""

RULES = {"version": 2, "agent": "tinker", "seen": "tinker 1", "command": ["sh", "-c", PROGRAM], "ready": ["READY"], "screen": [
    {"phase": "approval", "kind": "question", "last": 1, "any": ["Pick with a key"],
     "question": {"choices": "digits", "top": ["^==="], "approve": ["^Yes"], "deny": ["^No"]}},
    {"phase": "tool", "last": 1, "any": ["^RUN"]},
    {"phase": "idle", "last": 1, "any": ["^READY"]}]}


@pytest.fixture
def rules(ganger):
    """rules(change): writes agents/tinker.json, as an editor would."""
    def write(**changes):
        folder = ganger.config / "agents"
        folder.mkdir(exist_ok=True)
        (folder / "new").write_text(json.dumps({**RULES, **changes}))
        (folder / "new").rename(folder / "tinker.json")
        return folder / "tinker.json"
    return write


@pytest.fixture
def tinker(ganger, rules):
    """An agent that is a file of rules."""
    rules()
    session = json.loads(ganger.run("run", "-d", "--json", "-a", "tinker", "-n", "tinker").stdout)
    ganger.sessions.add(f"GANGER_SESSION={session['id']}".encode())
    ganger.phase_is("tinker", "idle")
    return lambda line: ganger.run("paste", "tinker", line + "\n")


def test_an_agent_that_is_data_only(ganger, tinker):
    assert ganger.session("tinker")["agent"] == "tinker"
    tinker("RUN it")
    ganger.phase_is("tinker", "tool")
    assert "tinker 1" in ganger.run("why", "tinker").stdout
    ganger.fails("run", "-d", "-a", "tinkerer", code=2, says=["tinkerer", "agents/NAME.json"])


def test_rules_are_read_again(ganger, tinker, rules):
    tinker("BUSY")
    tinker("RUN")
    ganger.phase_is("tinker", "tool")
    rules(screen=[{"phase": "retrying", "last": 1, "any": ["^RUN"]}])
    ganger.phase_is("tinker", "retrying")
    host = ganger.session("tinker")["host_pid"]
    rules(screen=[{"phase": "sleeping"}])
    warning = until(lambda: ganger.events("tinker", "warning"), "a warning")[0]
    assert warning["code"] == "rules" and "screen[0].phase" in warning["message"] and "tinker.json" in warning["message"]
    assert ganger.session("tinker")["phase"] == "retrying" and ganger.session("tinker")["host_pid"] == host


def test_wrong_rules_of_a_known_agent_are_said(ganger):
    (ganger.config / "agents").mkdir()
    (ganger.config / "agents/claude.json").write_text('{"version": 2,\n "screen": 3}')
    ganger.configure(agents={"claude": {"command": ["sh", "-c", "sleep 1000"]}})
    session = json.loads(ganger.run("run", "-d", "--json", "-a", "claude", "-n", "claude").stdout)
    ganger.sessions.add(f"GANGER_SESSION={session['id']}".encode())
    warning = until(lambda: ganger.events("claude", "warning"), "a warning")[0]
    assert "claude.json: screen: expected a list of rules; the built-in rules are in force" in warning["message"]


def test_a_dialog_is_answered_once(ganger, tinker):
    """The key goes to the dialog that was asked about, and only while it is there."""
    tinker("=== Delete the moon?")
    tinker("> 1. Yes, gladly")
    tinker("  2. No, keep it")
    tinker("Pick with a key")
    ganger.phase_is("tinker", "approval")
    request = until(lambda: ganger.session("tinker")["pending_approvals"], "a request")[0]
    assert request["choices"] == ["Yes, gladly", "No, keep it"] and request["kind"] == "question"
    connection = ganger.connect("tinker")
    answer = {"id": request["id"], "decision": "deny"}
    assert connection.call("session.approve", answer)["result"]["id"] == request["id"]
    assert "just answered" in connection.call("session.approve", answer)["error"]["message"]
    tinker("")  # the digit before it is the line that was typed: nothing else was
    ganger.screen_shows("tinker", "Pick with a key\n2\n")
    tinker("READY")
    ganger.phase_is("tinker", "idle")
    assert [(e["decision"], e["by"]) for e in ganger.events("tinker", "approval_resolved")] == [("denied", "client")]
    assert len(ganger.events("tinker", "approval_requested")) == 1
    ganger.fails("approve", "tinker", says="tinker")


def test_a_dialog_answered_in_the_pane(ganger, tinker):
    for line in ("=== Delete the sun?", "> 1. Yes", "  2. No", "Pick with a key"):
        tinker(line)
    request = until(lambda: ganger.session("tinker")["pending_approvals"], "a request")[0]
    tinker("READY")
    ganger.phase_is("tinker", "idle")
    resolved = ganger.events("tinker", "approval_resolved")
    assert [(e["request"], e["by"]) for e in resolved] == [(request["id"], "person")]
    ganger.fails("approve", "tinker", "--id", request["id"], says="no longer")


def test_detection_over_a_recording(ganger, tinker, rules):
    tinker("RUN")
    ganger.phase_is("tinker", "tool")
    tinker("READY")
    ganger.phase_is("tinker", "idle")
    ganger.run("kill", "tinker")

    def phases(*options):
        return [json.loads(line) for line in ganger.run("replay", "--detect", "--json", *options, "tinker").stdout.splitlines()]
    found = phases()
    # The first idle may have been too short to be seen twice.
    assert [p["phase"] for p in found if p["phase"] != "unknown"][-2:] == ["tool", "idle"] and found[0]["phase"] == "initializing"
    assert found[-1]["source"] == "screen" and found[0]["t"] == 0 and found[-1]["t"] > found[-2]["t"]
    assert all(set(p) == {"t", "phase", "source", "detail"} for p in found)
    other = rules(screen=[{"phase": "retrying", "last": 1, "any": ["^RUN"]}]).rename(ganger.root / "other.json")
    assert "retrying" in [p["phase"] for p in phases("--rules", other)]
    assert "idle" not in [p["phase"] for p in phases("--ignore", "screen", "--rules", other)]
    ganger.fails("replay", "--detect", "--rules", ganger.root / "none.json", "tinker", says="none.json")
    ganger.fails("replay", "--detect", "--ignore", "smell", "tinker", says="smell")
    ganger.fails("replay", ganger.root / "none.cast", says="none.cast")
    ganger.fails("replay", "--json", "tinker", code=2, says="--detect")


def test_what_is_no_recording(ganger):
    for text in ("", "hello\n", '{"version": 3}\n', '{"version": 2, "width": -3}\n[1, "o"]\n[nonsense\n\xff'):
        (ganger.root / "file").write_bytes(text.encode("latin-1"))
        made = ganger.run("replay", "--detect", ganger.root / "file", code=None)
        assert made.returncode in (0, 1) and (made.returncode == 0 or made.stderr.startswith("ganger: replay: "))


def test_rules_can_be_copied(ganger):
    (ganger.config / "agents").mkdir()
    (ganger.config / "agents/codex.json").write_text(ganger.run("config", "rules", "codex").stdout)
    session = ganger.start("plain", "sleep", "1000")
    assert session["agent"] == "command"
    assert json.loads(ganger.run("config", "schema", "rules").stdout)["properties"]["version"] == {"const": 2}
    ganger.fails("config", "rules", "emacs", says="emacs")
