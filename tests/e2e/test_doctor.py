"""`ganger doctor`: each thing that can be wrong is found and named with what mends it; when all is well it says so."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid

import pytest

from harness import PROGRAM, alive, read, until
from test_clean import ended, swept


@pytest.fixture
def doctor(ganger):
    """doctor(code, env=…, mend=…): the checks as a list; the exit code must be `code`."""
    programs = ganger.root / "bin"
    programs.mkdir()
    # No agent of the machine's own, but tput.
    ganger.env["PATH"] = f"{programs}:/usr/bin:/bin"

    def run(code=0, env=None, mend=False):
        told = json.loads(ganger.run("doctor", "--json", *["--mend"] * mend, code=code, env=env).stdout)
        assert told["ok"] == (code == 0)
        assert all(set(c) == {"check", "status", "message", "fix", "mended"} for c in told["checks"])
        assert told["mended"] == sum(c["mended"] for c in told["checks"]) and (mend or told["mended"] == 0)
        return told["checks"]
    run.programs = programs
    return run


def of(checks, name, status=None):
    return [c for c in checks if c["check"] == name and status in (None, c["status"])]


def write_program(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def test_all_is_well(ganger, doctor):
    write_program(doctor.programs / "claude", 'echo "2.1.0 (Claude Code)"\n')
    checks = doctor()
    assert not [c for c in checks if c["status"] == "bad"]
    for name in ("ganger", "state folder", "runtime folder", "config folder", "configuration", "ledger", "claude", "terminal",
                 "locale", "sessions"):
        assert [c["status"] for c in of(checks, name)] == ["ok"], of(checks, name)
    assert "2.1.0 (Claude Code)" in of(checks, "claude")[0]["message"]
    lines = ganger.run("doctor").stdout.splitlines()
    assert len(lines) == len(checks) and all(line.startswith("ok    ") for line in lines), lines
    assert ganger.run("doctor", "--help").stdout.startswith("usage: ganger doctor")
    ganger.fails("doctor", "now", code=2)


def test_configuration(ganger, doctor):
    (ganger.config / "config.json").write_text('{"colour": 1}')
    found = of(doctor(1), "configuration", "bad")
    assert len(found) == 1 and "colour" in found[0]["message"] and found[0]["fix"] == "ganger config check"
    assert "; try: ganger config check" in ganger.run("doctor", code=1).stdout
    ganger.configure(agents={"codex": {"args": []}})
    assert "no program codex" in of(doctor(), "codex", "warn")[0]["message"]


def test_folders(ganger, doctor):
    doctor()
    ganger.runtime.chmod(0o755)
    ganger.state.chmod(0o755)
    ganger.config.chmod(0o777)
    checks = doctor(1)
    assert "chmod 700" in of(checks, "runtime folder", "bad")[0]["message"]
    for name in ("state folder", "config folder"):
        assert "open to other users" in of(checks, name, "warn")[0]["message"]
    for name in ("runtime folder", "state folder", "config folder"):
        assert of(checks, name)[0]["fix"] == "ganger doctor --mend"
    assert sum(c["mended"] for c in doctor(mend=True)) == 3
    assert [p.stat().st_mode & 0o777 for p in (ganger.runtime, ganger.state, ganger.config)] == [0o700, 0o700, 0o755]
    assert of(doctor(), "state folder", "ok")
    (ganger.root / "file").write_text("")
    assert of(doctor(1, {"GANGER_STATE_DIR": str(ganger.root / "file")}), "state folder", "bad")
    if os.geteuid() == 0:
        os.chown(ganger.state, 12345, 12345)
        assert "chown" in of(doctor(1), "state folder", "bad")[0]["fix"]
        os.chown(ganger.state, 0, 0)


def test_ledger(ganger, doctor):
    doctor()
    (ganger.state / "ledger.db").write_bytes(b"no database " * 1000)
    found = of(doctor(1), "ledger", "bad")
    assert "set aside" in found[0]["message"]
    left = of(doctor(), "ledger", "warn")
    assert len(left) == 1 and "ledger.db.damaged-" in left[0]["message"]
    subprocess.run(left[0]["fix"], shell=True, check=True)
    assert not of(doctor(), "ledger", "warn")
    assert not list(ganger.state.glob("ledger.db*"))


def test_agents_run_beside_each_other_and_not_for_long(ganger, doctor):
    for slow in ("claude", "codex", "gemini"):
        write_program(doctor.programs / slow, "sleep 60\n")
    write_program(doctor.programs / "opencode", "echo broken >&2; exit 3\n")
    write_program(doctor.programs / "pi", "printf 'pi 1.2\\033[31m\\nmore\\n'\n")
    began = time.monotonic()
    checks = doctor(1)
    assert time.monotonic() - began < 14
    for slow in ("claude", "codex", "gemini"):
        assert "does not tell its version" in of(checks, slow, "warn")[0]["message"]
    assert "ends with 3: broken" in of(checks, "opencode", "bad")[0]["message"]
    assert of(checks, "pi", "ok")[0]["message"].endswith("pi 1.2\x1b[31m")
    assert of(checks, "qwen", "ok")[0]["fix"] is None and "not installed" in of(checks, "qwen")[0]["message"]


def test_terminal(ganger, doctor):
    assert "not known" in of(doctor(1, {"TERM": "no-such-terminal"}), "terminal", "bad")[0]["message"]
    assert of(doctor(env={"TERM": "dumb"}), "terminal", "warn")[0]["fix"] == "export TERM=xterm-256color"
    assert "not set" in of(doctor(env={"TERM": None}), "terminal", "warn")[0]["message"]
    assert "256 colours" in of(doctor(env={"COLORTERM": None}), "terminal", "ok")[0]["message"]
    assert of(doctor(env={"LANG": "C"}), "locale", "warn")[0]["fix"] == "export LANG=C.UTF-8"


def test_lost_sessions_and_stale_sockets(ganger, doctor):
    session = ganger.fake("gone", "echo")
    ganger.phase_is("gone", "idle")
    assert "1, 1 of them running, none of them lost" in of(doctor(), "sessions", "ok")[0]["message"]
    keeper = ganger.keeper_of("gone")
    os.kill(session["host_pid"], signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    os.kill(session["host_pid"], signal.SIGKILL)
    until(lambda: not alive(keeper) and not alive(session["host_pid"]), "their ends")
    checks = doctor()
    assert "ganger resume gone" in of(checks, "session", "warn")[0]["fix"]
    stale = of(checks, "socket", "warn")
    assert f"{session['id']}.sock" in " ".join(c["message"] for c in stale)
    name = f"{uuid.uuid4()}.hook"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(ganger.runtime / name))
    (ganger.runtime / "other.sock").write_text("")
    assert all(c["mended"] for c in of(doctor(mend=True), "socket"))
    assert not (ganger.runtime / name).exists()
    assert not of(doctor(), "socket")
    ganger.run("rm", "gone")
    assert not of(doctor(), "session", "warn")


def test_torn_and_hostile_folders(ganger, doctor):
    good = ended(ganger, "good", 1)
    (good / "attempt-1.cast").write_text("{}\n[1]\n")
    torn, odd, broken, empty, huge = (ended(ganger, n, 1) for n in ("torn", "odd", "broken", "empty", "huge"))
    for folder in (odd, broken, empty, huge):
        (folder / "attempt-1.cast").unlink()
    (torn / "attempt-1.cast").write_text('{}\n[1, "o", "x"]\n[2, "o')
    (torn / "events.jsonl").write_text('{"seq":1}\n{"se')
    (torn / ".session.json.99.tmp").write_text("{")
    (odd / "attempt-1.cast").mkdir()
    os.mkfifo(odd / "events.jsonl")
    (odd / "transcript.log").symlink_to("/etc/passwd")
    (odd / "line\nfeed").write_text("x")
    (broken / "session.json").write_text('{"format": 1, "name": "bro')
    (broken / "events.jsonl").write_text(
        '{"seq":1,"time":"2026-01-01T00:00:00.000Z","session":"broken","attempt":2,"type":"session_started"}\n')
    (empty / "session.json").unlink()
    os.utime(empty, (0, 0))
    (huge / "session.json").write_text('{"name": "' + "x" * 10_000_000 + '"}')
    (ganger.state / "names" / "nowhere").symlink_to(str(uuid.uuid4()))
    (ganger.state / "names" / "no\nname").write_text("")
    link = ganger.state / "sessions" / str(uuid.uuid4())
    link.symlink_to("/etc")
    (ganger.state / "sessions" / "old-copy").mkdir()
    (ganger.state / "sessions" / "old-copy" / "note").write_text("x")
    young = ganger.state / "sessions" / str(uuid.uuid4())
    young.mkdir()
    (ganger.state / "sessions" / f".{uuid.uuid4()}.removed").mkdir()
    (good / "attempt-1.2.cast").write_text('{"version":2,"width":80,"height":24,"ganger":{"part":2,"offset":7,"start_s":1.5}}\n')
    # The others are listed and shown all the same.
    assert {"good", "torn", "odd"} == {s["name"] for s in ganger.json("ls")}
    assert ganger.session("odd")["phase"] == "completed"
    for command in ("events", "logs", "snapshot"):  # a pipe keeps nobody waiting
        assert "root:" not in ganger.run(command, "odd", code=None, timeout=10).stdout
    for name in ("broken", "huge"):
        ganger.fails("show", name)
    checks = doctor()
    told = " ".join(c["message"] for c in of(checks, "session", "warn"))
    for words in ("torn: 2 files end in the middle of a line, a temporary file is left over",
                  "odd: 3 links, folders or pipes", "session.json is damaged or missing", "in the place of its folder",
                  "sessions/old-copy cannot be a session", "too young to judge"):
        assert words in told
    assert "2 names lead to no session" in of(checks, "names", "warn")[0]["message"]
    assert "half gone" in of(checks, "sessions", "warn")[0]["message"]
    assert {c["fix"] for c in checks if c["status"] == "warn" and c["check"] in ("session", "names", "sessions")
            and "young" not in c["message"]} == {"ganger doctor --mend"}
    assert ganger.run("doctor", "--mend").stdout.count("\ndid ") >= 7
    assert (ganger.state / "damaged" / "old-copy" / "note").exists() and young.exists()
    young.rmdir()
    checks = doctor()
    assert not [c for c in checks if c["status"] != "ok" and "lost" not in c["message"] and c["check"] not in ("agents", "claude")], checks
    assert (good / "attempt-1.cast.zst").exists() and not (good / "attempt-1.cast").exists()
    assert (torn / "attempt-1.cast").read_text() == '{}\n[1, "o", "x"]\n' and (torn / "events.jsonl").read_text() == '{"seq":1}\n'
    made = ganger.session("broken")
    assert (made["phase"], made["attempt"], made["created_at"]) == ("lost", 2, "2026-01-01T00:00:00.000Z")
    ganger.fails("retry", "broken", says="not known")
    assert not os.path.lexists(link) and read("/etc/passwd") and not (ganger.state / "names" / "nowhere").is_symlink()
    ganger.run("rm", "odd", "broken", "torn")
    assert not odd.exists() and read("/etc/passwd")


def test_what_sessions_left_running(ganger, doctor):
    ganger.fake("lives", "echo")
    ganger.phase_is("lives", "idle")
    gone = ended(ganger, "gone", 1)
    left = subprocess.Popen(["sleep", "1000"], env={**ganger.env, "GANGER_SESSION": gone.name})
    inner = subprocess.Popen(["sleep", "1000"], env={**ganger.env, "GANGER_SESSION": str(uuid.uuid4())})
    allowed = subprocess.Popen(["sleep", "1000"], env={**ganger.env, "GANGER_SESSION": gone.name, "GANGER_KEEP_CHILDREN": "1"})
    try:
        assert "1 process goes on of session " + gone.name in of(doctor(), "processes", "warn")[0]["message"]
        assert of(doctor(mend=True), "processes")[0]["mended"]
        left.wait(5)
        assert inner.poll() is None and allowed.poll() is None and ganger.session("lives")["phase"] == "idle"
        assert not of(doctor(mend=True), "processes")
    finally:
        for process in (left, inner, allowed):
            process.kill()
            process.wait()


def test_sessions_beyond_the_limits(ganger, doctor):
    first = ended(ganger, "first", 60)
    ganger.start("now", "true")
    until(lambda: swept(ganger) and not first.exists(), "the clean-up that a start begins")
    old = ended(ganger, "old", 40)
    assert "1 ended session is beyond" in of(doctor(), "clean-up", "warn")[0]["message"]
    assert of(doctor(mend=True), "clean-up")[0]["mended"] and not old.exists()
    assert "last deleted: old" in of(doctor(), "clean-up", "ok")[0]["message"]


def test_a_thousand_sessions(ganger, doctor):
    for number in range(1000):
        folder = ended(ganger, f"s{number}", 1, 10)
        if number < 30:
            (folder / "transcript.log").write_text("torn")
    began = time.monotonic()
    doctor()
    assert time.monotonic() - began < 5  # 0.2 s on an idle machine
    lines = ganger.run("doctor").stdout.splitlines()
    assert len([line for line in lines if line.startswith("warn  session ")]) == 20 and any("and 10 more" in line for line in lines)


def test_a_state_folder_that_cannot_be_written(ganger, doctor):
    doctor()
    ganger.start("one", "true")
    ganger.phase_is("one", "completed", "failed")
    script = f"mount -t tmpfs none {ganger.home} && mount --bind {ganger.state} {ganger.state} && mount -o remount,bind,ro {ganger.state} && exec \"$0\" \"$@\""
    if subprocess.run(["unshare", "-m", "sh", "-c", script, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounts are not allowed here")
    made = subprocess.run(["unshare", "-m", "sh", "-c", script, str(PROGRAM), "doctor", "--json", "--mend"], env=ganger.env,
                          capture_output=True, text=True, check=False, timeout=30)
    assert made.returncode == 1
    checks = json.loads(made.stdout)["checks"]
    assert "cannot be written" in of(checks, "state folder", "bad")[0]["message"]
    assert "cannot be written" in of(checks, "ledger", "bad")[0]["message"]
    made = subprocess.run(["unshare", "-m", "sh", "-c", script, str(PROGRAM), "rm", "one"], env=ganger.env, capture_output=True, text=True,
                          check=False, timeout=30)
    assert made.returncode == 1 and "Read-only file system" in made.stderr


def test_hosts(ganger, doctor):
    session = ganger.fake("hangs", "echo")
    ganger.phase_is("hangs", "idle")
    assert not of(doctor(), "processes")
    # Installed anew: what runs is another file.
    other = ganger.root / "other"
    other.mkdir()
    for name in ("ganger", "ganger-host", "ganger-keeper"):
        shutil.copy(PROGRAM.parent / name, other)
    made = subprocess.run([other / "ganger", "doctor", "--json"], env=ganger.env, capture_output=True, text=True, check=True, timeout=30)
    told = of(json.loads(made.stdout)["checks"], "processes", "warn")
    assert told[0]["fix"] == "ganger upgrade" and told[0]["message"].startswith("1 host is of another version")
    keeper = ganger.keeper_of("hangs")
    os.kill(session["host_pid"], signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not alive(keeper), "the keeper's end")
    told = of(doctor(), "processes", "warn")
    assert "goes on without its keeper" in told[0]["message"] and told[0]["fix"] == "ganger doctor --mend"
    assert of(doctor(mend=True), "processes")[0]["mended"] and not alive(session["host_pid"])
    assert ganger.session("hangs")["phase"] in ("failed", "lost")
    assert not of(doctor(), "processes")
