"""What the real CLIs report by their hooks and their transcripts; the hooks of the user run too, and nothing shows on the screens."""
import json
import os

import pytest

from harness import PROGRAM, until
from test_agents import READY, SLOW, crew, installed, model, start  # noqa: F401

pytestmark = [pytest.mark.agents, pytest.mark.xdist_group("agents"), pytest.mark.timeout(600)]


def add_user_hook(ganger, name):
    """A hook in the user's own settings; what it was given is in the file that is returned."""
    path = ganger.root / f"home-{name}" / f".{name}" / "settings.json"
    told = ganger.root / "user-hook"
    settings = json.loads(path.read_text())
    settings["hooks"] = {"Stop": [{"matcher": "*", "hooks": [{"type": "command", "command": f"cat >>{told}; echo '{{}}'"}]}]}
    path.write_text(json.dumps(settings))
    return told


def permit(ganger, name):
    """Permission is asked for, and given in the pane."""
    until(lambda: ganger.session(name)["phase"] == "approval", lambda: f"the question:\n{ganger.screen(name)}", SLOW)
    asked = until(lambda: ganger.session(name)["pending_approvals"], "what is asked", SLOW)[0]
    assert "touch ./made-by-agent" in asked["input"]

    def confirmed():
        ganger.run("keys", name, "Enter")  # a dialog that has just been drawn ignores keys
        return (ganger.work / "made-by-agent").exists()
    until(confirmed, lambda: f"the command to run:\n{ganger.screen(name)}", SLOW, pause=1)


def drive(ganger, name):
    """A prompt with a tool."""
    told = add_user_hook(ganger, name)
    start(ganger, name, "hello [model:tool]")
    permit(ganger, name)
    until(lambda: [e for e in ganger.events(name, "turn_ended")], lambda: f"the end of the turn:\n{ganger.screen(name)}", SLOW)
    until(lambda: "Stop" in (told.read_text() if told.exists() else ""), "the user's own hook")
    calls = ganger.events(name, "tool_call")
    assert len(calls) == 1 and calls[0]["input"]["command"].startswith("touch ./made-by-agent")
    assert "made-it" in ganger.events(name, "tool_result")[0]["output"]
    until(lambda: ganger.session(name)["usage"], "the usage")
    session = ganger.session(name)
    assert session["agent_session_id"] and session["model"]
    assert session["pending_approvals"] == []
    assert [e for e in ganger.events(name, "warning") if e["code"] == "hook_refused"] == []
    until(lambda: "running" not in ganger.screen(name), "the user's hook to end")
    screen = ganger.screen(name)
    assert "Warning" not in screen and "hook" not in screen.lower(), screen


def test_claude(ganger, model, crew):  # noqa: F811
    crew("claude")
    drive(ganger, "claude")


def test_claude_keeps_settings_that_are_given_to_it(ganger, model, crew):  # noqa: F811
    crew("claude")
    config = json.loads((ganger.config / "config.json").read_text())
    told = ganger.root / "given"
    config["agents"]["claude"]["args"] = ["--settings", json.dumps(
        {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": f"cat >>{told}"}]}]}})]
    ganger.configure(**config)
    drive(ganger, "claude")
    assert told.exists()


def test_claude_works_on_without_its_host_and_hooks_come_back(ganger, model, crew):  # noqa: F811
    crew("claude")
    start(ganger, "claude")
    until(lambda: READY["claude"] in ganger.screen("claude"), lambda: ganger.screen("claude"), SLOW)
    before = ganger.session("claude")["host_pid"]
    os.kill(before, 9)
    until(lambda: ganger.session("claude")["host_pid"] != before, "another host")
    ganger.run("send", "claude", "hello [word:again]")
    until(lambda: any("answer to again" in e["text"] for e in ganger.events("claude", "text")), "the text", SLOW)


def test_gemini_is_read_from_its_conversation(ganger, model, crew):  # noqa: F811
    crew("gemini")
    start(ganger, "gemini")
    until(lambda: READY["gemini"] in ganger.screen("gemini"), lambda: ganger.screen("gemini"), SLOW)
    ganger.run("send", "gemini", "hello [word:first]")
    until(lambda: any("answer to first" in e["text"] for e in ganger.events("gemini", "text")), "the text", SLOW)
    ganger.run("send", "gemini", "hello [model:tool]")
    permit(ganger, "gemini")
    until(lambda: ganger.events("gemini", "tool_result"), "the tool's result", SLOW)
    until(lambda: any("has run" in e["text"] for e in ganger.events("gemini", "text")), "the second text", SLOW)
    session = ganger.session("gemini")
    assert session["model"] and session["usage"]["output_tokens"] > 0 and session["context_pct"] > 0
    assert sum("answer to first" in e["text"] for e in ganger.events("gemini", "text")) == 1
    assert [e["tool"] for e in ganger.events("gemini", "tool_call")] == ["run_shell_command"]


def test_gemini_reports_when_its_user_says_so(ganger, model, crew):  # noqa: F811
    crew("gemini")
    path = ganger.root / "home-gemini/.gemini/settings.json"
    settings = json.loads(path.read_text())
    ours = [{"matcher": "*", "hooks": [{"type": "command", "command": f"{PROGRAM} hook gemini"}]}]
    settings["hooks"] = {e: ours for e in ("SessionStart", "BeforeAgent", "AfterAgent", "BeforeTool", "AfterTool", "Notification")}
    path.write_text(json.dumps(settings))
    start(ganger, "gemini", "hello [model:tool]")
    permit(ganger, "gemini")
    until(lambda: ganger.events("gemini", "turn_ended"), "the end of the turn", SLOW)
    until(lambda: any("has run" in e["text"] for e in ganger.events("gemini", "text")), "the text", SLOW)
    assert [(e["tool_id"], e["tool"]) for e in ganger.events("gemini", "tool_call")] == [("tool-1", "run_shell_command")]
    assert ganger.session("gemini")["usage"]["output_tokens"] > 0


def test_claude_is_read_from_its_transcript_when_settings_are_given_in_a_file(ganger, model, crew):  # noqa: F811
    crew("claude")
    config = json.loads((ganger.config / "config.json").read_text())
    (ganger.root / "given.json").write_text("{}")
    config["agents"]["claude"]["args"] = ["--settings", str(ganger.root / "given.json")]
    ganger.configure(**config)
    start(ganger, "claude", "hello [word:first]")
    until(lambda: ganger.session("claude")["usage"], "the usage", SLOW)
    assert ganger.session("claude")["model"] == "claude-opus-5-5"
