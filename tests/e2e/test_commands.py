"""The commands, without a dashboard."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from harness import FAKE, PROGRAM, alive, until

EVERY_COMMAND = ["run", "ls", "show", "send", "keys", "paste", "cancel", "retry", "kill", "rm", "wait", "events", "logs", "snapshot",
                 "attach", "proxy", "config", "rpc", "demo", "queue", "up", "down", "init", "why", "approve", "deny", "accounts", "limits",
                 "usage", "search", "replay", "resume", "upgrade", "doctor", "hook"]
SESSION_KEYS = {
    "id", "name", "agent", "mode", "account", "runner", "cwd", "worktree", "machine", "connection", "host_pid", "pid", "attempt", "phase",
    "phase_since", "phase_until", "evidence", "title", "agent_session_id", "agent_session_ids", "cols", "rows", "model", "context_pct",
    "usage", "resources", "pending_approvals", "queue", "last_error", "exit", "created_at", "recording", "progress_pct"}


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_help(ganger, command):
    made = ganger.run(command, "--help")
    assert made.stdout.startswith("usage: ganger " + command) and "\nexample: " in made.stdout
    assert made.stderr == ""


@pytest.mark.parametrize("command", [command for command in EVERY_COMMAND if command != "hook"])  # it never fails
def test_an_unknown_option_is_bad_usage(ganger, command):
    ganger.fails(command, "--no-such-option", code=2, says="no-such-option")


def test_help_lists_every_command(ganger):
    text = ganger.run("--help").stdout
    assert sorted(re.findall(r"^  ([a-z]+)  ", text, re.MULTILINE)) == sorted(["ganger", *EVERY_COMMAND]), text


def test_an_unknown_command_is_bad_usage(ganger):
    ganger.fails("frobnicate", code=2, says="frobnicate")


def test_what_cannot_be_printed_is_said(ganger):
    """A script would take the half for the whole."""
    ganger.start("done", "echo", "words")
    ganger.phase_is("done", "completed")
    for command in ("ls --json", "show done", "events done", "logs done --raw", "search words", "config show"):
        with open("/dev/full", "w", encoding="ascii") as full:
            made = subprocess.run([PROGRAM, *command.split()], env=ganger.env, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert made.returncode == 1 and "cannot write to standard output" in made.stderr, command


def test_no_session(ganger):
    assert ganger.json("ls") == []
    ganger.fails("show", "nobody", says="nobody")


def test_the_session_object(ganger):
    session = ganger.fake("one", "echo")
    assert SESSION_KEYS <= set(session)
    assert (session["name"], session["agent"], session["mode"], session["attempt"]) == ("one", "command", "tui", 1)
    assert session["cwd"] == str(ganger.work)
    assert alive(session["pid"]) and alive(session["host_pid"])
    assert (session["cols"], session["rows"]) == (120, 40)
    assert session["exit"] is None and session["usage"] is None
    listed = ganger.json("ls")
    assert [s["id"] for s in listed] == [session["id"]]
    assert not any(key.startswith("_") or key in ("start", "format", "attempts") for key in listed[0])


def test_names(ganger):
    session = ganger.fake("api-fix", "echo")
    ganger.fake("api-two", "echo")
    assert ganger.session("api-f")["id"] == session["id"]
    assert ganger.session(session["id"])["name"] == "api-fix"
    message = ganger.fails("show", "api", code=2, says=("api-fix", "api-two"))
    assert "api" in message
    ganger.fails("kill", "api-f", says="api-f")
    ganger.fails("run", "-d", "-n", "api-fix", "--", "true", says="api-fix")
    ganger.fails("run", "-d", "-n", "../up", "--", "true", code=None)
    assert ganger.session("api-fix")["id"] == session["id"]


def test_two_starts_of_one_name_at_once(ganger):
    started = [subprocess.Popen([PROGRAM, "run", "-d", "-n", "same", "--", FAKE, "idle"], env=ganger.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True) for _ in range(3)]
    results = [(p.communicate(timeout=60), p.returncode) for p in started]
    assert sorted(code for _, code in results) == [0, 1, 1], results
    assert all("same" in err for (_, err), code in results if code == 1)
    assert len(ganger.json("ls")) == 1


def test_a_session_without_a_name_takes_the_one_of_its_folder(ganger):
    folder = ganger.root / "my project"
    folder.mkdir()
    names = [ganger.run("run", "-d", "-C", folder, "--", FAKE, "idle").stdout.strip() for _ in range(2)]
    assert names[0] != names[1] and all(name.startswith("my") for name in names)


def test_size_and_folder(ganger):
    folder = ganger.root / "elsewhere"
    folder.mkdir()
    session = ganger.fake("sized", "winch", options=("--size", "91x17", "-C", str(folder)))
    assert (session["cols"], session["rows"], session["cwd"]) == (91, 17, str(folder))
    ganger.screen_shows("sized", "size 91x17")


def test_send_is_answered(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    sent = ganger.json("send", "echo", "one two three", "--wait", "--timeout", "20")
    ganger.screen_shows("echo", "You said: one two three")
    assert sent["id"] or sent["prompt_id"]


def test_a_prompt_of_many_lines_and_signs(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    ganger.run("send", "echo", "-", input="first line\nsecond line with ünïcode 漢字 🚀\n\ttab")
    ganger.screen_shows("echo", "You said: first line")
    ganger.screen_shows("echo", "second line with ünïcode 漢字 🚀")
    assert ganger.screen("echo").count("You said:") == 1


def test_a_prompt_with_a_known_id_is_not_sent_twice(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    for _ in range(2):
        ganger.run("send", "echo", "only once", "--id", "abc")
    ganger.run("send", "echo", "the last", "--wait")
    assert ganger.screen("echo").count("You said: only once") == 1


def test_prompts_queue_in_order_of_priority(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    ganger.run("send", "echo", "go slow please")
    ganger.phase_is("echo", "thinking", "connecting", "streaming")
    ganger.run("send", "echo", "later one", "--priority", "later")
    ganger.run("send", "echo", "next one", "--priority", "next")
    assert [q["text"] for q in ganger.session("echo")["queue"]] == ["next one", "later one"]
    ganger.run("cancel", "echo")
    ganger.screen_shows("echo", "You said: later one")
    screen = ganger.screen("echo")
    assert screen.index("You said: next one") < screen.index("You said: later one")


def test_keys(ganger):
    ganger.fake("keys", "raw-keys")
    ganger.screen_shows("keys", "ready")
    ganger.run("keys", "keys", "a", "Enter", "Escape", "C-c", "M-x", "S-Up", "F5")
    until(lambda: "1b 5b 31 35 7e" in (ganger.screen("keys").replace("\n", " ").replace("got ", "")),
          lambda: ganger.screen("keys"))
    got = " ".join(ganger.screen("keys").replace("got", " ").split())
    assert "61 0d 1b 03 1b 78 1b 5b 31 3b 32 41 1b 5b 31 35 7e" in got
    ganger.fails("keys", "keys", "NoSuchKey", says="NoSuchKey", code=None)


def test_paste_is_bracketed_when_the_program_asked_for_it(ganger):
    ganger.fake("keys", "raw-keys", "?2004h")
    ganger.screen_shows("keys", "ready")
    ganger.run("paste", "keys", "ab\x1b[201~c")
    until(lambda: "32 30 31 7e" in ganger.screen("keys"), lambda: ganger.screen("keys"))
    got = " ".join(ganger.screen("keys").replace("got", " ").split())
    assert got.count("1b 5b 32 30 30 7e") == 1
    assert got.count("1b 5b 32 30 31 7e") == 1, "a paste must not be able to end itself: " + got


def test_cancel_interrupts_the_turn_and_is_idempotent(ganger):
    ganger.fake("busy", "echo")
    ganger.phase_is("busy", "idle")
    ganger.run("send", "busy", "slow")
    ganger.phase_is("busy", "thinking", "streaming")
    pid = ganger.session("busy")["pid"]
    ganger.run("cancel", "busy")
    ganger.screen_shows("busy", "Interrupted by user")
    ganger.phase_is("busy", "idle")
    ganger.run("cancel", "busy")
    ganger.run("cancel", "busy")
    assert ganger.session("busy")["pid"] == pid and alive(pid)
    assert ganger.screen("busy").count("Interrupted by user") == 1


def test_cancel_ends_only_its_own_session(ganger):
    ganger.configure(timeouts={"cancel_grace_s": 0.3})
    one, other = ganger.fake("one", "ignore-signals"), ganger.fake("other", "ignore-signals")
    ganger.run("cancel", "--session", "one")
    ganger.phase_is("one", "cancelled", "killed", seconds=5)
    assert not alive(one["pid"]) and alive(other["pid"])
    assert ganger.session("other")["exit"] is None


def test_kill_leaves_nothing(ganger):
    ganger.fake("stubborn", "ignore-signals")
    ganger.fake("daemon", "daemonise")
    ganger.screen_shows("daemon", "daemon pid")
    daemon = int(ganger.screen("daemon").split("daemon pid")[1].split()[0])
    assert alive(daemon)
    ganger.run("kill", "stubborn", "daemon")
    assert not alive(daemon)
    assert {s["phase"] for s in ganger.json("ls")} == {"killed"}
    ganger.screen_shows("daemon", "daemon pid")
    ganger.run("rm", "stubborn", "daemon")
    assert ganger.json("ls") == []
    assert not list((ganger.state / "sessions").iterdir())
    assert not [p for p in (ganger.state / "names").iterdir() if not p.name.startswith(".")]
    ganger.nothing_left()


def test_what_an_ended_attempt_left_in_the_background_is_ended(ganger):
    ganger.start("shell", "sh", "-c", f"{FAKE} daemonise & sleep 0.3; echo leaving")
    ganger.phase_is("shell", "completed")
    ganger.run("rm", "shell")
    ganger.nothing_left()


def test_a_running_session_is_not_removed(ganger):
    ganger.fake("alive", "idle")
    ganger.fails("rm", "alive", says="alive")
    assert ganger.session("alive")["exit"] is None


def test_an_exit_at_once_keeps_output_and_code(ganger):
    made = ganger.run("run", "-d", "--json", "-n", "short", "--", FAKE, "exit", "7", "famous last words", code=None)
    assert made.returncode in (0, 1)
    session = ganger.phase_is("short", "failed")
    assert session["exit"]["code"] == 7
    assert "famous last words" in ganger.screen("short")
    until(lambda: "famous last words" in ganger.run("logs", "short").stdout, "the last words in the transcript")
    assert "famous last words" in ganger.run("logs", "short", "--raw").stdout


def test_a_success_is_completed(ganger):
    ganger.start("good", "true")
    session = ganger.phase_is("good", "completed")
    assert session["exit"]["code"] == 0


def test_a_signal_is_told(ganger):
    session = ganger.fake("shot", "idle")
    os.kill(session["pid"], signal.SIGKILL)
    ended = ganger.phase_is("shot", "failed", "killed")
    assert ended["exit"]["signal"] == signal.SIGKILL or ended["exit"]["signal"] == "SIGKILL" or ended["exit"]["code"] == 137


def test_retry_is_a_further_attempt(ganger):
    ganger.fake("again", "echo")
    ganger.phase_is("again", "idle")
    ganger.run("send", "again", "the prompt", "--wait")
    first = ganger.session("again")
    ganger.run("retry", "again")
    second = until(lambda: (s := ganger.session("again"))["attempt"] == 2 and s["pid"] and s, "attempt 2")
    assert second["id"] == first["id"] and second["pid"] != first["pid"]
    ganger.screen_shows("again", "You said: the prompt")
    assert not alive(first["pid"])


def test_retry_of_an_ended_session(ganger):
    ganger.fake("again", "exit", "3")
    ganger.phase_is("again", "failed")
    ganger.run("retry", "again", code=None)
    until(lambda: ganger.session("again")["attempt"] == 2, "attempt 2")
    ganger.phase_is("again", "failed")
    assert len(ganger.events("again", "attempt_ended")) == 2


def test_wait(ganger):
    ganger.fake("w", "echo")
    ganger.run("wait", "w", "--for", "idle", "--timeout", "20")
    started = time.monotonic()
    ganger.run("wait", "w", "--for", "completed", "--timeout", "0.4", code=124)
    assert 0.3 < time.monotonic() - started < 5
    waiting = subprocess.Popen([PROGRAM, "wait", "w", "--for", "ended"], env=ganger.env)
    ganger.run("kill", "w")
    assert waiting.wait(20) == 0


def test_events(ganger):
    ganger.fake("e", "echo")
    ganger.phase_is("e", "idle")
    follower = subprocess.Popen([PROGRAM, "events", "e", "-f"], env=ganger.env, stdout=subprocess.PIPE, text=True)
    ganger.run("send", "e", "hello", "--wait")
    ganger.run("kill", "e")
    followed = [json.loads(line) for line in follower.communicate(timeout=30)[0].splitlines()]
    events = ganger.events("e")
    assert [e["seq"] for e in events] == list(range(events[0]["seq"], events[0]["seq"] + len(events)))
    assert [e["seq"] for e in followed] == [e["seq"] for e in events]
    types = [e["type"] for e in events]
    for wanted in ("session_started", "phase", "prompt_sent", "turn_started", "turn_ended", "attempt_ended", "session_ended"):
        assert wanted in types, types
    assert all({"seq", "time", "id", "session", "attempt", "type"} <= set(e) for e in events)
    only = ganger.run("events", "e", "--types", "prompt_sent", "--since", events[0]["seq"]).stdout.splitlines()
    assert [json.loads(line)["type"] for line in only] == ["prompt_sent"]


def test_snapshot_forms(ganger):
    ganger.start("s", "sh", "-c", r"printf '\033[1;31mred\033[m <plain> & 漢\n'; exec sleep 1000")
    ganger.screen_shows("s", "red <plain>")
    assert "\x1b[" in ganger.run("snapshot", "s", "--ansi").stdout
    assert "\x1b" not in ganger.run("snapshot", "s").stdout
    json.loads(ganger.run("snapshot", "s", "--json").stdout)
    picture = ganger.run("snapshot", "s", "--svg").stdout
    assert picture.lstrip().startswith(("<svg", "<?xml")) and "&lt;plain" in picture


def test_config(ganger):
    assert ganger.run("config", "path").stdout.strip() == str(ganger.config / "config.json")
    ganger.run("config", "check")
    json.loads(ganger.run("config", "schema").stdout)
    (ganger.config / "config.json").write_text('{\n  "theme": "dark",\n  "timeouts": {"cancel_grace_s": "soon"}\n}\n')
    message = ganger.fails("config", "check", says=("config.json", "cancel_grace_s"))
    assert ":3" in message, message
    (ganger.config / "config.json").write_text('{"colour": 1}')
    ganger.fails("config", "check", says="colour")
    (ganger.config / "config.json").write_text('{"theme": ')
    ganger.fails("config", "check", says="config.json")


def test_rpc_and_proxy(ganger):
    ganger.fake("p", "echo")
    assert json.loads(ganger.run("rpc", "p", "session.get").stdout)["name"] == "p"
    ganger.fails("rpc", "p", "no.such.method", says="no.such.method")
    ganger.fails("rpc", "p", "session.get", "{bad", code=None)
    lines = '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":1}}\n{"jsonrpc":"2.0","id":2,"method":"session.get"}\n'
    proxy = subprocess.Popen([PROGRAM, "proxy", "p"], env=ganger.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    proxy.stdin.write(lines)
    proxy.stdin.flush()
    replies = [json.loads(proxy.stdout.readline()) for _ in range(2)]
    assert replies[0]["result"]["protocol"] == 1 and replies[1]["result"]["name"] == "p"
    proxy.stdin.close()
    assert proxy.wait(10) == 0


def test_phases_of_the_stand_in_agents(ganger):
    ganger.fake("thinker", "think")
    ganger.fake("asker", "--speed", "10", "approve")
    ganger.fake("limited", "--speed", "5", "limit")
    ganger.fake("broken", "--speed", "5", "fail")
    ganger.fake("waiting", "echo")
    ganger.phase_is("thinker", "thinking", "tool", "streaming")
    session = ganger.phase_is("asker", "approval")
    assert session["evidence"]["source"] and session["evidence"]["rank"] == 2
    ganger.phase_is("waiting", "idle")
    ended = ganger.phase_is("broken", "failed")
    assert ended["exit"]["code"] == 1
    ganger.screen_shows("limited", "resets in")


def test_a_crew_of_twelve(ganger):
    for i in range(12):
        ganger.fake(f"s{i}", "echo")
    for i in range(12):
        ganger.phase_is(f"s{i}", "idle")
        ganger.run("send", f"s{i}", f"number {i}")
    for i in range(12):
        ganger.screen_shows(f"s{i}", f"You said: number {i}")
    ganger.run("kill", *[f"s{i}" for i in range(12)])
    ganger.run("rm", "--ended")
    assert ganger.json("ls") == []
