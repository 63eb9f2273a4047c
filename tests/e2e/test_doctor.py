"""`ganger doctor`: each thing that can be wrong is found and named with what mends it; when all is well it says so."""
import json
import os
import signal
import socket
import subprocess
import time
import uuid

import pytest

from harness import alive, until


@pytest.fixture
def doctor(ganger):
    """doctor(code, env=…): the checks as a list; the exit code must be `code`."""
    programs = ganger.root / "bin"
    programs.mkdir()
    # No agent of the machine's own, but tput.
    ganger.env["PATH"] = f"{programs}:/usr/bin:/bin"

    def run(code=0, env=None):
        told = json.loads(ganger.run("doctor", "--json", code=code, env=env).stdout)
        assert told["ok"] == (code == 0)
        assert all(set(c) == {"check", "status", "message", "fix"} for c in told["checks"])
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
    assert "chmod 700" in of(doctor(1), "runtime folder", "bad")[0]["message"]
    ganger.runtime.chmod(0o700)
    ganger.state.chmod(0o755)
    warned = of(doctor(), "state folder", "warn")
    subprocess.run(warned[0]["fix"], shell=True, check=True)
    assert of(doctor(), "state folder", "ok")
    ganger.config.chmod(0o777)
    assert "open to other users" in of(doctor(), "config folder", "warn")[0]["message"]
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
    assert "1, none of them lost" in of(doctor(), "sessions", "ok")[0]["message"]
    keeper = ganger.keeper_of("gone")
    os.kill(session["host_pid"], signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    os.kill(session["host_pid"], signal.SIGKILL)
    until(lambda: not alive(keeper) and not alive(session["host_pid"]), "their ends")
    checks = doctor()
    assert "ganger retry gone" in of(checks, "session", "warn")[0]["fix"]
    stale = of(checks, "socket", "warn")
    assert f"{session['id']}.sock" in " ".join(c["message"] for c in stale)
    name = f"{uuid.uuid4()}.hook"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(ganger.runtime / name))
    (ganger.runtime / "other.sock").write_text("")
    for check in of(doctor(), "socket", "warn"):
        subprocess.run(check["fix"], shell=True, check=True)
    assert not (ganger.runtime / name).exists()
    assert not of(doctor(), "socket")
    ganger.run("rm", "gone")
    assert not of(doctor(), "session", "warn")
