"""Commands that run before each start of an agent."""
import json
import subprocess
import sys
import time

import pytest

from harness import PROGRAM, alive, read, until
from test_stream import DOUBLE, host_dies


@pytest.fixture
def agent(ganger):
    """agent(command…): starts the session `one` of the double of Claude with these commands before it; returns what
    `ganger run` printed, when it waits for the start."""
    def start(*commands, waits=True, env=None, **timeouts):
        ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)], "before_start": list(commands), "env": env or {}}},
                         timeouts=timeouts)
        arguments = ["run", "-d", "--json", "-m", "stream", "-a", "claude", "-n", "one"]
        if waits:
            return json.loads(ganger.run(*arguments).stdout)
        return subprocess.Popen([str(PROGRAM), *arguments], env=ganger.env, cwd=ganger.work, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
    return start


def shell(script):
    return ["sh", "-c", script]


def warnings(ganger):
    return [e["message"] for e in ganger.events("one", "warning") if e["code"] == "before_start"]


def log(ganger):
    return read(ganger.state / "sessions" / ganger.session("one")["id"] / "host.log").decode()


def running(ganger):
    """The pid that the command has written to the file `pid`."""
    return int(until(lambda: read(ganger.work / "pid").strip(), "the command to run"))


def end(made):
    out, err = made.communicate(timeout=20)
    return made.returncode, out, err


def test_commands_run_one_after_the_other_before_the_agent(ganger, agent):
    session = agent(shell("sleep 0.3; echo first >>order; pwd >>order"), shell("echo second $COLOUR $GANGER_NAME $PWD >>order"),
                    shell("echo token=$GANGER_TOKEN session=$GANGER_SESSION; readlink /proc/$$/fd/0"), env={"COLOUR": "blue"})
    assert session["pid"] and session["before_start"] is None
    assert (ganger.work / "order").read_text().splitlines() == ["first", str(ganger.work), f"second blue one {ganger.work}"]
    assert f"sh: token= session={session['id']}" in log(ganger) and "sh: /dev/null" in log(ganger)
    assert not warnings(ganger)
    ganger.run("cancel", "one", "--session")
    ganger.run("retry", "one")
    until(lambda: ganger.session("one")["pid"], "the second attempt")
    assert len((ganger.work / "order").read_text().splitlines()) == 6
    assert ganger.session("one")["attempt"] == 2


@pytest.mark.parametrize("command, words", [
    (shell("echo what went wrong >&2; exit 3"), "status 3"), (shell("kill -9 $$"), "signal 9"),
    (["/nonexistent/updater"], "No such file"), (shell("sleep 100"), "after 1 s")])
def test_a_failure_is_a_warning_and_the_start_goes_on(ganger, agent, command, words):
    assert agent(command, shell("echo then >>order"), before_start_s=1)["pid"]
    assert len(warnings(ganger)) == 1 and words in warnings(ganger)[0]
    assert (ganger.work / "order").read_text() == "then\n"
    assert "what went wrong" in log(ganger) or "status 3" not in words
    ganger.run("send", "one", "say:ready", "--wait")


def test_much_output_is_bounded(ganger, agent):
    assert agent(shell("yes longer-and-longer | head -c 3000000; echo; head -c 1000000 /dev/zero"))["pid"]
    assert 10000 < len(log(ganger)) < 100000


def test_the_host_answers_and_prompts_wait_meanwhile(ganger, agent):
    made = agent(shell("echo $$ >pid; while ! test -e go; do sleep 0.05; done"), waits=False)
    running(ganger)
    session = ganger.session("one")
    assert session["before_start"] == {"program": "sh", "number": 1, "of": 1}
    assert session["phase"] == "initializing" and session["pid"] is None
    began = time.monotonic()
    ganger.run("send", "one", "say:later")
    ganger.run("snapshot", "one", code=None)
    client = ganger.connect("one")
    client.call("session.subscribe", {"screen": True})
    for method, params in (("session.keys", {"keys": ["x"]}), ("session.view", {"cols": 70, "rows": 20}), ("screen.get", {}),
                           ("scrollback.get", {"from": 0, "count": 1}), ("session.cancel", {}), ("session.why", {})):
        assert client.call(method, params) is not None
    assert client.call("session.retry")["error"]["code"] == 5
    assert time.monotonic() - began < 5 and made.poll() is None
    (ganger.work / "go").touch()
    assert end(made)[0] == 0
    ganger.screen_shows("one", "later")


@pytest.mark.parametrize("how, phase", [(["cancel", "one", "--session"], "cancelled"), (["kill", "one"], "killed")])
def test_a_session_can_be_ended_before_it_starts(ganger, agent, how, phase):
    made = agent(shell("echo $$ >pid; test -e free || exec sleep 100"), shell("touch second"), waits=False)
    pid = running(ganger)
    ganger.run(*how)
    session = ganger.phase_is("one", phase)
    assert session["exit"]["state"] == phase and session["before_start"] is None and not alive(pid)
    assert end(made)[0] == 0
    assert not (ganger.work / "second").exists()
    (ganger.work / "free").touch()
    ganger.run("retry", "one")
    until(lambda: ganger.session("one")["pid"], "the agent")


def test_a_host_that_dies_meanwhile_is_followed(ganger, agent):
    made = agent(shell("echo $$ >pid; test -e again && exit; touch again; exec sleep 100"), waits=False)
    first = running(ganger)
    until(lambda: (ganger.work / "again").exists(), "the command to go on")
    host_dies(ganger, "one")
    until(lambda: ganger.session("one")["pid"], "the agent")
    until(lambda: not alive(first), "the first command to end")
    made.communicate(timeout=20)
    host_dies(ganger, "one")
    assert ganger.session("one")["pid"] and int(read(ganger.work / "pid")) != first
    (ganger.work / "pid").unlink()
    ganger.run("send", "one", "say:ready", "--wait")
    assert not (ganger.work / "pid").exists(), "a host that takes over runs no command"


def test_a_session_that_goes_on_by_itself_can_be_ended_before_its_next_start(ganger, tmp_path):
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)], "env": {"DOUBLE_STATE": str(tmp_path)},
                                        "before_start": [shell("test -e once && echo $$ >pid && exec sleep 100; touch once")]}},
                     retry={"transient": {"initial_s": 0.1, "max_s": 0.2}})
    ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-n", "one", "fall:1:x")
    pid = running(ganger)
    host_dies(ganger, "one")
    until(lambda: running(ganger) != pid, "the command again")
    again = running(ganger)
    ganger.run("cancel", "one", "--session")
    session = ganger.phase_is("one", "cancelled")
    assert not alive(again) and session["queue"] == []
    assert len(ganger.events("one", "session_ended")) == 1
