"""Recordings as they are written: parts, markers, what is typed, full disks, the clock."""
import contextlib
import json
import os
import signal
import subprocess
import time

from harness import FAKE, alive, small_disk, until

import pytest

# The wall clock as a file says it: seconds that are added.
CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now)
{
    const char *path = getenv("TEST_CLOCK");
    int result = (int)syscall(SYS_clock_gettime, id, now), file;
    char text[32] = "";
    if (id == CLOCK_REALTIME && path != NULL && (file = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        if (read(file, text, sizeof text - 1) > 0)
            now->tv_sec += atol(text);
        close(file);
    }
    return result;
}
"""


def folder_of(ganger, name):
    return ganger.state / "sessions" / ganger.session(name)["id"]


def parts_of(folder, attempt=1):
    """{number: path}, compressed or not."""
    found = {}
    for path in folder.glob(f"attempt-{attempt}.*"):
        words = path.name.split(".")
        found[int(words[1]) if words[1].isdigit() else 1] = path
    return dict(sorted(found.items()))


def plain(path):
    return subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout if path.suffix == ".zst" else path.read_bytes()


def rows_of(folder, name="attempt-1.cast"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()[1:]]


def texts(folder, kind, name="attempt-1.cast"):
    return "".join(row[2] for row in rows_of(folder, name) if row[1] == kind)


def kill_host(ganger, name):
    old = ganger.session(name)["host_pid"]
    os.kill(old, signal.SIGKILL)
    until(lambda: (s := ganger.session(name))["host_pid"] not in (None, old) and alive(s["host_pid"]) and s["connection"] == "ok", "another host")


def numbers(text):
    return [int(line.split()[1]) for line in text.replace("\r\n", "\n").splitlines() if line.startswith("line ") and line.endswith("of the sequence")]


def check_parts(folder):
    """Each part is a recording by itself; together they are without a hole."""
    length, last = 0, 0.0
    for number, path in parts_of(folder).items():
        content = plain(path)
        header, *rows = map(json.loads, content.splitlines())
        assert header["version"] == 2
        start = 0.0
        if number > 1:
            assert header["ganger"]["part"] == number and header["ganger"]["offset"] == length
            assert rows[0][:2] == [0.0, "o"]
            start = header["ganger"]["start_s"]
        for row in rows:
            assert start + row[0] >= last - 2e-6, (path, row[0], last)
            last = max(last, start + row[0])
        length += len(content)
    return length


def test_hosts_killed_while_parts_change_lose_no_line(ganger):
    ganger.configure(limits={"recording_bytes": 65536, "scrollback_lines": 100})
    count = 60000
    ganger.start("lines", FAKE, "lines", str(count), "20000")
    folder = folder_of(ganger, "lines")
    for kill in range(8):
        before = len(parts_of(folder))
        until(lambda: len(parts_of(folder)) > before or "end of lines" in ganger.screen("lines"), "another part", pause=0.001)
        kill_host(ganger, "lines")
    ganger.screen_shows("lines", "end of lines")
    until(lambda: "end of lines" in ganger.run("logs", "lines", "--raw").stdout, "the last line in the recording")
    assert numbers(ganger.run("logs", "lines", "--raw").stdout) == list(range(1, count + 1))
    parts = parts_of(folder)
    last = max(parts)
    assert last > 10 and sorted(parts) == list(range(1, last + 1))
    until(lambda: all(p.suffix == ".zst" for n, p in parts_of(folder).items() if n < last), "complete parts to be compressed")
    assert parts_of(folder)[last].suffix == ".cast"
    assert not list(folder.glob("*.tmp"))
    session = ganger.session("lines")
    assert session["recording"] == {"path": parts_of(folder)[last].name, "bytes": check_parts(folder), "paused": None}


def fill(path):
    with open(path, "ab", buffering=0) as filler:
        for size in (65536, 512):
            with contextlib.suppress(OSError):
                while True:
                    filler.write(b"\0" * size)


def test_a_full_disk_loses_nothing_but_what_it_says(ganger):
    with small_disk(ganger.root / "disk", "6m") as disk:
        ganger.state = disk / "s"
        ganger.env["GANGER_STATE_DIR"] = str(ganger.state)
        ganger.configure(limits={"recording_bytes": 65536, "scrollback_lines": 100})
        count = 30000
        ganger.start("lines", FAKE, "lines", str(count), "10000")
        folder = folder_of(ganger, "lines")
        for _ in range(3):
            before = len(parts_of(folder))
            until(lambda: len(parts_of(folder)) > before + 1, "another part", pause=0.005)
            fill(disk / "filler")
            shown = ganger.screen("lines")
            until(lambda: ganger.screen("lines") != shown, "the agent to go on")
            until(lambda: "No space left" in (ganger.session("lines")["recording"]["paused"] or ""), "the session to say that it is not recorded")
            (disk / "filler").unlink()
        ganger.screen_shows("lines", "end of lines")
        ganger.run("keys", "lines", "x", code=None)
        until(lambda: "disk_mended" in [e.get("code") for e in ganger.events("lines", "warning")], "the disk to be mended")
        assert ganger.session("lines")["recording"]["paused"] is None
        raw = ganger.run("logs", "lines", "--raw").stdout
        got = numbers(raw)
        assert got == sorted(set(got)), "lines are doubled, or not in order"
        marked = sum(int(row[2].split()[1]) for path in parts_of(folder).values() for row in map(json.loads, plain(path).splitlines()[1:])
                     if row[1] == "m" and row[2].startswith("gap: "))
        told = sum(e["bytes"] for e in ganger.events("lines", "gap") if "bytes" in e)
        assert told > 0 and marked == told
        # A line is 44 bytes and a number; those torn by the beginning or the end of a gap are missing too.
        whole = "".join(f"line {n} of the sequence\r\n" for n in range(1, count + 1))
        assert len(whole) - len("".join(f"line {n} of the sequence\r\n" for n in got)) <= told + 200
        check_parts(folder)
        left = ganger.end_sessions()
        assert not left, f"processes left over: {left}"


def test_what_is_typed_is_recorded_but_no_password(ganger):
    ganger.configure(recording={"input": True})
    ganger.start("bash", "bash", "--norc", "-c", 'read -p "name: " name; read -s -p "password: " word; echo; read -p "again: " again; echo "got $again"; exec sleep 1000')
    ganger.screen_shows("bash", "name:")
    ganger.run("keys", "bash", *"visible-name", "Enter")
    ganger.screen_shows("bash", "password:")
    ganger.run("keys", "bash", *"not-to-be-seen", "Enter")
    ganger.screen_shows("bash", "again:")
    ganger.run("keys", "bash", *"more", "Enter")
    ganger.screen_shows("bash", "got more")
    folder = folder_of(ganger, "bash")
    until(lambda: texts(folder, "i") == "visible-name\rmore\r", "what was typed")
    assert "not-to-be-seen" not in (folder / "attempt-1.cast").read_text()
    rows = rows_of(folder)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_a_password_that_is_read_key_by_key_is_not_recorded(ganger):
    ganger.configure(recording={"input": True})
    ganger.start("bash", "bash", "--norc", "-c",
                 'stty -icanon -echo; printf "[sudo] Password for me: "; read -r word; echo; printf "> "; read -r line; stty sane; echo "got $line"; exec sleep 1000')
    ganger.screen_shows("bash", "Password for me:")
    ganger.run("keys", "bash", *"not-to-be-seen", "Enter")
    ganger.screen_shows("bash", "\n>")
    ganger.run("keys", "bash", *"more", "Enter")
    ganger.screen_shows("bash", "got more")
    folder = folder_of(ganger, "bash")
    until(lambda: texts(folder, "i") == "more\r", lambda: texts(folder, "i"))


def test_input_is_not_recorded_unless_asked_for(ganger):
    ganger.start("cat", "cat")
    ganger.run("keys", "cat", *"hello", "Enter")
    ganger.screen_shows("cat", "hello")
    folder = folder_of(ganger, "cat")
    until(lambda: "hello" in texts(folder, "o"), "the recording")
    assert texts(folder, "i") == ""


def test_a_recording_that_is_not_kept_goes_with_the_attempt(ganger):
    ganger.configure(recording={"keep": False}, limits={"recording_bytes": 65536})
    ganger.start("lines", "sh", "-c", 'for i in 1 2 3 4 5; do seq -f "line %.0f of the sequence" 3000; sleep 0.1; done; echo end of lines; while [ ! -e end ]; do sleep 0.05; done')
    folder = folder_of(ganger, "lines")
    ganger.screen_shows("lines", "end of lines")
    kill_host(ganger, "lines")
    ganger.screen_shows("lines", "end of lines")
    parts = until(lambda: parts_of(folder), "the recording")
    assert min(parts) > 1 and all(p.suffix == ".cast" for p in parts.values())
    assert ganger.session("lines")["recording"]["bytes"] > 65536
    (ganger.work / "end").touch()
    ganger.phase_is("lines", "completed")
    until(lambda: not parts_of(folder), "the recording to be removed")
    assert ganger.session("lines")["recording"] is None
    assert "end of lines" in ganger.run("logs", "lines").stdout


def test_markers_tell_what_happened(ganger):
    ganger.fake("echo", "echo")
    ganger.fake("approve", "approve")
    ganger.phase_is("echo", "idle")
    ganger.run("send", "echo", "a first line\nand a second " + "x" * 100)
    ganger.phase_is("approve", "approval")
    echo, approve = folder_of(ganger, "echo"), folder_of(ganger, "approve")
    marks = until(lambda: [m for m in (row[2] for row in rows_of(echo) if row[1] == "m") if m.startswith("prompt: ")], "the marker of the prompt")
    assert marks == [("prompt: a first line and a second " + "x" * 100)[:68]]
    until(lambda: any(row[1] == "m" and row[2].startswith("approval: ") for row in rows_of(approve)), "the marker of the approval")
    assert any(row[1:] == ["m", "phase: approval"] for row in rows_of(approve))
    ganger.run("kill", "approve")
    until(lambda: rows_of(approve)[-1][1:] == ["m", "phase: killed"], "the marker of the end")


def test_times_do_not_go_back_with_the_clock(ganger):
    library, clock = ganger.root / "clock.so", ganger.root / "clock"
    made = subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=CLOCK, text=True, capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no library can be made here: {made.stderr}")
    clock.write_text("0")
    ganger.env.update(LD_PRELOAD=str(library), TEST_CLOCK=str(clock))
    started = time.monotonic()
    ganger.start("cat", "sh", "-c", "while read line; do echo got $line; done")
    for offset in (-86400, 86400 * 30, 0):
        clock.write_text(str(offset))
        kill_host(ganger, "cat")
        ganger.run("keys", "cat", *f"at{offset}", "Enter")
        ganger.screen_shows("cat", f"got at{offset}")
    folder = folder_of(ganger, "cat")
    until(lambda: "got at0" in texts(folder, "o"), "the recording")
    times = [row[0] for row in rows_of(folder)]
    assert times == sorted(times)
    assert times[-1] <= time.monotonic() - started + 0.1
