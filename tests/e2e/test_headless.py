"""Headless runs: `ganger run --record` without a terminal, in the words of a log and in exit codes. Most tests use a double of Claude
(claude_double.py); the last ones are the step of a CI job with the real CLI."""
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import FAKE, PROGRAM, alive, small_disk, until
from test_agents import SLOW, installed, model  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "agents"))
import agents  # noqa: E402

DOUBLE = Path(__file__).resolve().parent / "claude_double.py"
QUICK = {"rate_limit": {"delays_s": [0.2, 0.3], "max_attempts": 2, "jitter_s": [0, 0.1], "stagger_s": 0.1},
         "transient": {"initial_s": 0.2, "max_s": 0.5, "max_elapsed_s": 2}}


@pytest.fixture
def double(ganger):
    state = ganger.root / "double"
    state.mkdir()
    ganger.env["DOUBLE_STATE"] = str(state)
    ganger.configure(agents={"claude": {"command": [sys.executable, str(DOUBLE)]}}, retry=QUICK)
    return ganger


class Run:
    """A headless run in the background, its output in a file."""

    def __init__(self, ganger, *arguments, **options):
        self.ganger, self.log = ganger, ganger.root / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([str(PROGRAM), "--record", *map(str, arguments)], env=ganger.env, cwd=ganger.work,
                                            **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT, **options})

    def shows(self, text):
        until(lambda: text in self.text(), lambda: f"{text!r} in {self.text()}")

    def text(self):
        return self.log.read_text()

    def ends(self, code):
        assert self.process.wait(30) == code, self.text()
        return self.text()


def cast(path):
    """The events of a recording, which must be whole."""
    lines = path.read_text().splitlines()
    header = json.loads(lines[0])
    assert header["version"] == 2 and header["width"] == 120
    events = [json.loads(line) for line in lines[1:]]
    times = [event[0] for event in events]
    assert times == sorted(times)
    return events


def printed(events):
    return "".join(event[2] for event in events if event[1] == "o")


def test_a_run_tells_what_happens_and_ends_by_itself(double):
    file = double.root / "one.cast"
    words = " ".join(f"word{i}" for i in range(60))
    text = double.run("run", f"--record={file}", "-a", "claude", "-n", "one", "say:" + words + "\nsecond").stdout
    lines = text.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  one   started: claude in .*", lines[0]), text
    assert all(len(line) <= 100 for line in lines[:-3] if str(double.root) not in line) and "\033" not in text
    assert words in re.sub(r"\s+", " ", text) and re.search(r"^ {16}second$", text, re.M), text
    assert re.search(r"^SESSION +STATE +DURATION +TOKENS +COST +FILES\none +completed +[\d.]+s +100 in, 7 out +\$0.01 +0\n\Z", text, re.M), text
    events = cast(file)
    assert "word59" in printed(events) and "phase: idle" in [event[2] for event in events if event[1] == "m"]
    session = double.session("one")
    assert session["phase"] == "completed" and session["mode"] == "stream"


def test_its_own_files_are_no_work_of_the_agent(double):
    log = double.work / "run.log"
    with log.open("w") as out:
        subprocess.run([str(PROGRAM), "--record=one.cast", "-a", "claude", "-n", "one", "file"], env=double.env, cwd=double.work,
                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=True, timeout=30)
    text = log.read_text()
    assert "a.txt" in text and "one.cast" not in text.replace("recording: one.cast", "") and "modified: run.log" not in text, text
    assert text.splitlines()[-1].split()[-1] == "1", text
    # Nor are those of the other sessions.
    (double.work / "ganger.json").write_text(json.dumps({"sessions": {n: {"agent": "claude", "prompt": "slow:1"} for n in ("two", "three")}}))
    text = double.run("up", "--record=rec").stdout
    assert text.count(".cast") == 2 and [line.split()[-1] for line in text.splitlines()[-2:]] == ["0", "0"], text


def test_json_is_the_events_and_nothing_else(double):
    text = double.run("--record", "--json", "-a", "claude", "-n", "one", "file").stdout
    events = [json.loads(line) for line in text.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "session_ended" and "file_changed" in {event["type"] for event in events}


@pytest.mark.parametrize("prompt, code, says", [
    ("busy:9:x", 75, "retry 2 of 2"), ("auth:x", 77, "log in"), ("credit:x", 1, "cannot pay"), ("exit:3", 1, "last words"),
    ("limit:1:x", 0, "limit reached (five_hour)"), ("file", 0, "file modified: a.txt")])
def test_exit_codes(double, prompt, code, says):
    text = double.run("--record", "-a", "claude", "-n", "one", prompt, code=code).stdout
    assert says in re.sub(r"\s+", " ", text), text


def test_a_time_limit(double):
    text = double.run("--record", "--timeout", "0.9", "-a", "claude", "-n", "one", "mute", code=124).stdout
    assert re.search(r"timeout after (0\.[6-9]|1)s$", text, re.M), text
    text = re.sub(r"\s+", " ", text)
    assert text.count("has taken 0.9s, as long as it may (--timeout)") == 1 and "longer --timeout" in text and "hard_s" not in text, text
    assert double.session("one")["phase"] == "timeout"


def test_nothing_holds_the_state_folder_afterwards(double):
    double.run("run", "--record", "-n", "one", "--", "true")
    assert not double.processes()


def test_a_plain_command(double):
    text = double.run("--record", "-n", "one", "--", "sh", "-c", "for i in $(seq 100); do echo line $i; done; printf 'the \\033[1mlast'; exit 3",
                      code=1).stdout
    assert "`ganger snapshot one`; `ganger retry one` runs it again" in text
    lines = [line[16:] for line in text.splitlines()]
    assert [line for line in lines if line.startswith("line ")] == [f"line {i}" for i in range(1, 101)]
    assert lines.index("the last") < next(i for i, line in enumerate(lines)
                                          if re.fullmatch(r"failed after <?[\d.]+s: the agent exited with status 3", line))


def test_input_that_nobody_reads(double):
    words = ["--record", "-n", "one", "--", "sh", "-c", "read line"]
    for input, told in ((subprocess.PIPE, True), ((double.root / "input").open("w+"), True), (subprocess.DEVNULL, False)):
        if input not in (subprocess.PIPE, subprocess.DEVNULL):
            input.write("hello\n")
            input.seek(0)
        run = Run(double, *words[1:], stdin=input)
        if input == subprocess.PIPE:
            run.shows("started:")
            run.process.stdin.write(b"hello\n")
            run.process.stdin.flush()
        if told:
            run.shows("standard input is not read")
        run.shows("started:")
        double.run("keys", "one", "Enter")
        assert run.ends(0).count("standard input") == (1 if told else 0)


def test_attempts_are_on_one_time_line(double):
    file = double.root / "one.cast"
    text = double.run("run", f"--record={file}", "-a", "claude", "-n", "one", "fall:1:x").stdout
    assert "attempt 2 started" in text
    events = cast(file)
    markers = [event[2] for event in events if event[1] == "m"]
    assert "attempt 2" in markers and markers.index("phase: failed" if "phase: failed" in markers else markers[0]) < markers.index("attempt 2")
    assert "fall:1:x" in printed(events) and "You said 'continue'" in printed(events)


def test_prompts_that_come_meanwhile_are_done_first(double):
    run = Run(double, "-a", "claude", "-n", "one", "slow:1")
    run.shows("prompt:")
    double.run("send", "one", "say:also this")
    text = run.ends(0)
    assert "turn 2: completed" in text and "also this" in text


def test_who_is_needed_is_told_how_to_answer(double):
    run = Run(double, "-a", "claude", "-n", "one", "tool")
    run.shows("ganger approve one")
    double.run("approve", "one")
    text = run.ends(0)
    assert "Bash done" in text and "It ran." in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_in_order(double, number):
    # What the caller ignores (nohup) stays ignored.
    run = Run(double, "-a", "claude", "-n", "one", "count:1000", preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    run.shows("prompt:")
    until(lambda: double.session("one")["phase"] == "streaming", "work")
    run.process.send_signal(number)
    text = run.ends(130)
    assert "ending the sessions in order" in text and "turn 1: cancelled" in text
    assert double.session("one")["phase"] == "cancelled"


def test_a_second_signal_kills(double):
    run = Run(double, "-a", "claude", "-n", "one", "deaf")
    run.shows("prompt:")
    until(lambda: double.session("one")["phase"] not in ("initializing", "idle"), "work")
    run.process.send_signal(signal.SIGTERM)
    run.shows("once more kills them")
    run.process.send_signal(signal.SIGTERM)
    run.ends(130)
    assert double.session("one")["phase"] == "killed"


def test_who_kills_the_session(double):
    run = Run(double, "-a", "claude", "-n", "one", "mute")
    run.shows("prompt:")
    double.run("kill", "one")
    assert "killed" in run.ends(137)


def test_a_client_that_is_killed_takes_its_session_along(double):
    file = double.root / "one.cast"
    run = Run(double, f"--record={file}", "-a", "claude", "-n", "one", "count:1000")
    until(lambda: file.exists() and "n3" in file.read_text(), "the recording")
    run.process.kill()
    run.process.wait()
    double.phase_is("one", "cancelled")
    assert [event["code"] for event in double.events("one", "warning")] == ["forsaken"]
    assert "n3" in printed(cast(file))


def test_the_lifeline_outlives_the_host(double):
    run = Run(double, "-n", "one", "--", FAKE, "lines", "1000000", "10")
    run.shows("line 00000001")
    session = double.session("one")
    os.kill(session["host_pid"], signal.SIGKILL)
    run.process.kill()
    run.process.wait()
    until(lambda: not alive(session["pid"]), "the end of the agent")
    double.phase_is("one", "cancelled", "failed")


def test_agents_do_not_get_the_lifeline(double):
    text = double.run("--record", "-n", "one", "--", "ls", "-l", "/proc/self/fd").stdout
    assert "pipe:" not in text, text


def test_nobody_reads(double):
    script = f"{PROGRAM} --record -a claude -n one 'say:done' | true; {PROGRAM} --record -a claude -n two 'say:done' >&- 2>&- <&-; echo $?;" \
             f" {PROGRAM} --record -a claude -n three 'say:done' >/dev/full; echo $?"
    made = subprocess.run(["sh", "-c", script], env=double.env, cwd=double.work, capture_output=True, text=True, timeout=60)
    assert made.stdout == "0\n0\n" and "No space left" in made.stderr
    assert [double.session(name)["phase"] for name in ("one", "two", "three")] == ["completed"] * 3


def test_a_reader_that_stops_stops_nothing(double):
    reading, writing = os.pipe()
    run = Run(double, "--json", "-a", "claude", "-n", "one", "say:" + "x " * 40000, stdout=writing)
    os.close(writing)
    until(lambda: double.run("show", "one", code=None).returncode == 0, "the session")
    double.phase_is("one", "completed")
    with open(reading) as pipe:
        events = [json.loads(line) for line in pipe]
    assert run.process.wait(30) == 0
    assert events[-1]["type"] == "session_ended"


def test_no_environment_to_speak_of(double):
    environment = {name: value for name, value in double.env.items() if name.startswith(("GANGER", "DOUBLE", "PATH"))}
    made = subprocess.run([str(PROGRAM), "--record", "-a", "claude", "-n", "one", "say:done"], env=environment, cwd="/", timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "done" in made.stdout


def test_files_that_cannot_be(double):
    there = double.root / "there"
    there.write_text("mine")
    for name, says in ((there, "--force"), (double.root, "not a file"), ("/dev/full", "not a file"), (double.root / "no/file", "No such file")):
        double.fails("run", f"--record={name}", "-a", "claude", "-n", "one", "say:x", says=says)
    assert there.read_text() == "mine" and json.loads(double.run("ls", "--json").stdout) == []
    double.fails("run", f"--record={there}", "--force", "-a", "claude", "-n", "a b", "say:x", code=2, says="-n")
    assert there.read_text() == "mine"
    fresh = double.root / "fresh"
    double.fails("run", f"--record={fresh}", "-a", "claude", "-n", "a b", "say:x", code=2, says="-n")
    assert not fresh.exists()
    double.run("run", f"--record={there}", "--force", "-a", "claude", "-n", "one", "say:x")
    cast(there)


def test_bad_usage(double):
    double.fails("run", "--record=a.html", "--", "true", says="`ganger replay --export a.html", code=2)
    double.fails("--record", "-a", "claude", code=2, says="prompt")
    double.fails("--record", "-d", "-a", "claude", "x", code=2, says="-d")
    double.fails("--record=", "-a", "claude", "x", code=2, says="name")
    double.fails("run", "--force", "-d", "x", code=2, says="--force")
    double.fails("--record", "-n", "one", "-a", "claude", "-A", "nobody", "x", says="nobody")


def test_a_disk_that_is_full(double):
    script = "for i in $(seq 20); do seq -f 'line %08g' 250; sleep .02; done"
    with small_disk(double.root / "disk", "64k") as disk:
        file = disk / "one.cast"
        made = double.run("run", f"--record={file}", "-n", "one", "--", "sh", "-c", script, code=1)
        assert "No space left" in made.stderr and made.stderr.count("\n") == 1
        assert double.session("one")["phase"] == "completed"
        assert "line 00000100" in printed(cast(file))


# ---- the real thing ----

STEP = """set -e
cd "$1"
shift
code=0
"$@" >events.jsonl 2>errors <&- || code=$?
tail -n 1 events.jsonl >last
exit $code
"""


@pytest.mark.agents
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("live-claude")
@pytest.mark.parametrize("words, code", [("and tell", 0), ("[model:busy]", 75), ("[model:auth]", 77)])
def test_the_step_of_a_job(ganger, model, installed, words, code):  # noqa: F811
    installed("claude")
    environment = agents.make_home("claude", ganger.root / "home", model.url, ganger.work)
    environment["CLAUDE_CODE_MAX_RETRIES"] = "0"
    ganger.configure(agents={"claude": {"command": [str(agents.program("claude"))], "env": environment}},
                     retry={**QUICK, "rate_limit": {**QUICK["rate_limit"], "max_attempts": 1}})
    made = subprocess.run(["sh", "-e", "-c", STEP, "step", str(ganger.work), str(PROGRAM), "run", "--record=run.cast", "--json", "--timeout", "120",
                           "-a", "claude", "-n", "job", f"remember-me {words}"], env={k: v for k, v in ganger.env.items() if k != "TERM"},
                          timeout=200, start_new_session=True)
    said = (ganger.work / "events.jsonl").read_text()
    assert made.returncode == code, said + (ganger.work / "errors").read_text()
    last = json.loads((ganger.work / "last").read_text())
    assert last["type"] == "session_ended" and last["state"] == ("completed" if code == 0 else "failed")
    assert "remember-me" in printed(cast(ganger.work / "run.cast"))
