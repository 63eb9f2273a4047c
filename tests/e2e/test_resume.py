"""Sessions that were lost, as by a reboot, and go on."""
import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from harness import FAKE, PROGRAM, alive, read, until
from test_survival import lose

DOUBLE = Path(__file__).resolve().parent / "claude_double.py"
QUICK = {"rate_limit": {"jitter_s": [0, 0.2], "stagger_s": 0.1}}


@pytest.fixture
def claude(ganger):
    """claude(name, prompt…): starts a session of the double in stream mode. Returns its object, once `shown` is on its screen."""
    state = ganger.root / "double"
    state.mkdir()
    ganger.env["DOUBLE_STATE"] = str(state)
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)]}}, retry=QUICK)

    def start(name, *prompt, shown=None, options=()):
        ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", name, *options, *prompt)
        if shown is not None:
            ganger.screen_shows(name, shown)
        return ganger.session(name)
    start.accepted = lambda: (state / "accepted").read_text().splitlines() if (state / "accepted").exists() else []
    return start


def resumed(ganger, *names, code=0, **options):
    lines = ganger.run("resume", *names, "--json", code=code, **options).stdout.splitlines()
    return {line["session"]: line for line in map(json.loads, lines)}


def words_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def test_it_goes_on_in_its_conversation_and_repeats_nothing(ganger, claude):
    session = claude("api", "say:hello", shown="hello")
    ganger.phase_is("api", "idle")
    ganger.run("send", "api", "count:500")
    ganger.screen_shows("api", "n1 ")
    ganger.run("send", "api", "say:queued", "--id", "queued")
    lose(ganger, "api", ganger.session("api"))
    assert "ganger resume --all" in ganger.run("ls").stdout
    lost = ganger.session("api")
    assert lost["phase"] == "lost" and "ganger resume" in lost["last_error"]["hint"]
    text = ganger.run("resume", "api").stdout
    assert "attempt 2, in its conversation" in text and "count:500" in text and "not sent again" in text and "1 prompt waits" in text
    ganger.run("wait", "api", "--prompt", "queued", "--timeout", "20")
    again = ganger.session("api")
    assert (again["id"], again["attempt"], again["last_error"], again["exit"]) == (session["id"], 2, None, None)
    assert again["agent_session_id"] == session["agent_session_id"]
    words = words_of(again["pid"])
    assert words[words.index("--resume") + 1] == session["agent_session_id"]
    assert again["resumed"]["interrupted"]["prompt"] == "count:500"
    screen = ganger.screen("api")
    assert "queued" in screen and "n1 " not in screen
    events = ganger.events("api")
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert [e["outcome"] for e in events if e["type"] == "turn_ended"] == ["completed", "lost", "completed"]
    assert [e["exit"]["state"] for e in events if e["type"] == "attempt_ended"] == ["lost"]
    assert len([e for e in events if e["type"] == "prompt_sent"]) == 3
    assert "no session is lost" in ganger.run("resume", "--all").stdout


def test_a_command_begins_anew(ganger):
    session = ganger.fake("shell", "echo")
    ganger.phase_is("shell", "idle")
    ganger.run("send", "shell", "one", "--wait")
    lose(ganger, "shell", session)
    assert "begins anew" in ganger.run("resume", "shell").stdout
    ganger.phase_is("shell", "idle")
    assert "You said" not in ganger.screen("shell")
    assert [e["type"] for e in ganger.events("shell")].count("prompt_sent") == 1


def test_one_that_fails_does_not_stop_the_others(ganger):
    folder = ganger.work / "gone"
    program = ganger.work / "tool"
    folder.mkdir()
    program.symlink_to(FAKE)
    sessions = {"first": ganger.start("first", FAKE, "echo", options=("-C", str(folder))),
                "second": ganger.start("second", program, "echo"), "third": ganger.fake("third", "echo")}
    for name, session in sessions.items():
        until(lambda: ganger.session(name)["phase"] == "idle", f"{name} to be idle")
        lose(ganger, name, session)
    folder.rmdir()
    program.unlink()
    told = resumed(ganger, "--all", code=1)
    assert [(name, line["state"]) for name, line in told.items()] == [("first", "failed"), ("second", "failed"), ("third", "new")]
    assert "working folder" in told["first"]["message"] and "cannot run" in told["second"]["message"], told
    assert [ganger.session(name)["phase"] for name in ("first", "second")] == ["lost", "lost"]
    assert ganger.session("second")["recording"]["path"] == "attempt-1.cast"
    # What was missing is back.
    folder.mkdir()
    program.symlink_to(FAKE)
    assert [line["state"] for line in resumed(ganger, "--all").values()] == ["new", "new"]
    for name in sessions:
        ganger.phase_is(name, "idle")


def test_a_name_that_another_session_has_by_then(ganger):
    session = ganger.fake("one", "echo")
    ganger.phase_is("one", "idle")
    lose(ganger, "one", session)
    other = ganger.fake("one", "echo")
    assert "it is named one-2, since another session is named one" in ganger.run("resume", session["id"]).stdout
    assert ganger.session("one-2")["id"] == session["id"] and ganger.session("one")["id"] == other["id"]
    ganger.phase_is("one-2", "idle")


def test_a_session_file_that_is_behind_costs_no_recording(ganger):
    session = ganger.fake("behind", "echo")
    ganger.phase_is("behind", "idle")
    ganger.run("send", "behind", "precious", "--wait")
    lose(ganger, "behind", session)
    folder = ganger.state / "sessions" / session["id"]
    old = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps({**old, "attempt": 0}))
    assert resumed(ganger, "behind")["behind"]["attempt"] == 2
    assert "precious" in (folder / "attempt-1.cast").read_text()


def test_an_account_that_is_gone_is_said(ganger, claude):
    accounts = {"work": {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": str(ganger.root / "work")}}}
    (ganger.root / "work").mkdir()
    agents = {"claude": {"command": [sys.executable, str(DOUBLE)]}}
    ganger.configure(agents=agents, accounts=accounts)
    session = claude("api", "say:hello", shown="hello", options=("-A", "work"))
    lose(ganger, "api", session)
    ganger.configure(agents=agents)
    ganger.fails("resume", "api", says=["api", "work"])
    assert ganger.session("api")["phase"] == "lost"


@pytest.mark.parametrize("how", ["completed", "killed", "running"])
def test_what_is_not_lost_is_left_alone(ganger, how):
    ganger.start("done", *(["true"] if how == "completed" else [FAKE, "echo"]))
    if how == "killed":
        ganger.run("kill", "done")
    elif how == "completed":
        ganger.phase_is("done", "completed")
    ganger.fails("resume", "done", says="it runs" if how == "running" else "ganger retry")
    ganger.fails("resume", code=2)
    ganger.fails("resume", "done", "--all", code=2)
    assert ganger.session("done")["attempt"] == 1


def test_a_limit_that_was_waited_for(ganger, claude):
    claude("api", "limit:3:job")
    session = ganger.phase_is("api", "limited")
    lose(ganger, "api", session)
    assert resumed(ganger, "api")["api"]["state"] == "resumed"
    assert not claude.accepted()
    until(claude.accepted, "the request to be answered")
    ganger.phase_is("api", "idle")
    assert len(claude.accepted()) == 1


def test_told_to_end_with_the_machine(ganger, claude):
    """What init does at a shutdown."""
    session = claude("api", "count:500", shown="n1 ")
    os.kill(ganger.keeper_of("api"), signal.SIGTERM)
    lost = ganger.phase_is("api", "lost")
    until(lambda: not alive(session["host_pid"]), "the host's end")
    assert lost["last_error"]["code"] == "lost" and not alive(session["pid"])
    line = resumed(ganger, "--all")["api"]
    assert line["state"] == "resumed" and line["interrupted"]["prompt"] == "count:500"
    ganger.phase_is("api", "idle")


def test_after_a_reboot_no_process_is_taken_for_its_own(ganger):
    """Whatever has the old numbers is left alone."""
    session = ganger.fake("gone", "daemonise")
    ganger.screen_shows("gone", "daemon pid")
    until(lambda: ganger.session("gone")["phase"] != "initializing", "its phase")
    daemon = int(ganger.screen("gone").split("daemon pid")[1].split()[0])
    lose(ganger, "gone", session)
    path = ganger.state / "sessions" / session["id"] / "session.json"
    facts = json.loads(path.read_text())
    assert facts["boot_id"]
    facts.update(phase="unknown", boot_id="00000000-0000-4000-8000-000000000000", host_pid=os.getpid())
    path.write_text(json.dumps(facts))
    lost = ganger.session("gone")
    assert lost["phase"] == "lost" and "started anew" in lost["last_error"]["message"]
    assert alive(daemon)
    os.kill(daemon, signal.SIGKILL)


def test_the_host_dies_as_soon_as_it_is_back(ganger, claude):
    session = claude("api", "say:hello", shown="hello")
    ganger.phase_is("api", "idle")
    lose(ganger, "api", session)
    resumed(ganger, "api")
    os.kill(ganger.session("api")["host_pid"], signal.SIGKILL)
    ganger.phase_is("api", "idle")
    assert ganger.session("api")["resumed"]["conversation"] == session["agent_session_id"]
    assert len(ganger.events("api", "prompt_sent")) == 1
    ganger.run("retry", "api")
    until(lambda: len(claude.accepted()) >= 2, "the prompt, which a person asked for again")
    assert ganger.session("api")["resumed"] is None


def test_a_keeper_killed_under_an_agent_in_stream_mode(ganger, claude):
    session = claude("api", "count:500", shown="n1 ")
    os.kill(ganger.keeper_of("api"), signal.SIGKILL)
    ended = ganger.phase_is("api", "failed")
    assert ended["last_error"]["code"] == "keeper_lost"
    until(lambda: not alive(session["pid"]), "the agent's end")
    assert resumed(ganger, "api")["api"]["state"] == "resumed"
    ganger.phase_is("api", "idle")
    assert len(ganger.events("api", "prompt_sent")) == 1


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()[1])


def test_killed_while_it_starts(ganger, claude):
    """Before the agent got its first prompt: it gets it then, once."""
    agents = {"command": [sys.executable, str(DOUBLE)]}
    ganger.configure(agents={"claude": {**agents, "before_start": [["sh", "-c", "echo $$ >pid; exec sleep 1000"]]}})
    starter = subprocess.Popen([PROGRAM, "run", "-d", "-m", "stream", "-a", "claude", "-n", "slow", "say:hello"], env=ganger.env,
                               cwd=ganger.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = int(until(lambda: read(ganger.work / "pid").strip(), "the command to run"))
    host = ganger.session("slow")["host_pid"]
    keeper = parent_of(host)
    starter.kill()
    os.kill(host, signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    os.kill(host, signal.SIGKILL)
    starter.wait()
    until(lambda: not alive(keeper), "its end")
    lost = ganger.session("slow")
    assert lost["phase"] == "lost" and lost["before_start"] is None
    until(lambda: not alive(command), "the end of what was left")
    ganger.configure(agents={"claude": agents})
    resumed(ganger, "slow")
    ganger.screen_shows("slow", "hello")
    ganger.phase_is("slow", "idle")
    assert len(claude.accepted()) == 1 and len(ganger.events("slow", "prompt_sent")) == 1


def test_the_dashboards_key(ganger, claude, dashboard):
    session = claude("api", "count:500", shown="n1 ")
    lose(ganger, "api", session)
    screen = dashboard()
    screen.shows("✗ lost")
    screen.type("r")
    until(lambda: ganger.session("api")["attempt"] == 2, lambda: "attempt 2:\n" + screen.screen() + json.dumps(ganger.session("api"), indent=1) + (ganger.state / "sessions" / session["id"] / "host.log").read_text(), 5)
    ganger.phase_is("api", "idle")
    screen.shows("○ idle")
    assert len(ganger.events("api", "prompt_sent")) == 1


OLD = Path(__file__).resolve().parent.parent / "captures/session-format-1"
OLD_ID = "a8db81f2-5fb5-4174-bc7e-7fabd81fb9c4"


@pytest.fixture
def old_folder(ganger):
    """A session folder that an older version wrote, at its place. Returns its path."""
    own = str(uuid.uuid4())  # processes are known by it, those of other tests too
    folder = ganger.state / "sessions" / own
    folder.mkdir(mode=0o700, parents=True)
    places = {OLD_ID: own, "@WORK@": ganger.work, "@HOME@": ganger.home, "@DOUBLE@": DOUBLE, "@PYTHON@": sys.executable, "@MACHINE@": os.uname().nodename}
    for path in OLD.glob("*.*"):
        text = path.read_text()
        for place, value in places.items():
            text = text.replace(place, str(value))
        (folder / path.name).write_text(text)
    (folder / "lock").touch(0o600)
    (ganger.state / "names").mkdir(mode=0o700)
    (ganger.state / "names" / "old").symlink_to(own)
    return folder


def test_a_folder_of_an_older_version_goes_on(ganger, claude, old_folder):
    lost = ganger.session("old")
    assert lost["phase"] == "lost"
    assert "hello from before" in ganger.run("logs", "old", "--raw").stdout
    before = ganger.events("old")
    line = resumed(ganger, "old")["old"]
    assert line["state"] == "resumed" and line["interrupted"] == {"turn": 2, "prompt": "count:500"}
    ganger.run("wait", "old", "--prompt", "queued", "--timeout", "20")
    events = ganger.events("old")
    assert events[:len(before)] == before and [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert [e["prompt_id"] for e in events[len(before):] if e["type"] == "prompt_sent"] == ["queued"]
    assert json.loads((old_folder / "session.json").read_text())["format"] == 1


def test_a_folder_of_a_newer_version_is_refused(ganger, old_folder):
    path = old_folder / "session.json"
    text = path.read_text().replace('"format": 1,', '"format": 2,')
    path.write_text(text)
    for command in ("resume", "show", "retry"):
        assert "newer ganger" in ganger.fails(command, "old")
    assert "cannot be read" in ganger.run("ls", code=None).stderr
    assert path.read_text() == text
    path.write_text(text.replace('"format": 2,', '"format": 1,'))
