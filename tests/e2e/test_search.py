"""Searching recordings, and reading what is packed, torn or of other tools."""
import gzip
import json
import re
import shutil
import subprocess
import uuid

import pytest
from harness import FAKE, until


def lay_session(ganger, name, files, phase="completed"):
    """An ended session with these files in its folder."""
    identity = str(uuid.uuid4())
    folder = ganger.state / "sessions" / identity
    folder.mkdir(mode=0o700, parents=True)
    (ganger.state / "names").mkdir(exist_ok=True)
    (ganger.state / "names" / name).symlink_to(identity)
    (folder / "session.json").write_text(json.dumps({
        "format": 1, "id": identity, "name": name, "agent": "command", "mode": "tui", "phase": phase, "attempt": 2,
        "created_at": "2026-11-21T08:00:00Z", "started_at": "2026-11-21T08:00:00Z", "ended_at": "2026-11-21T09:00:00Z"}))
    (folder / "lock").touch()
    for file, text in files.items():
        (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def cast(*events, **members):
    header = {"version": 2, "width": 80, "height": 24, "timestamp": 1795248000, **members}
    return "".join(json.dumps(line) + "\n" for line in (header, *events))


def part(number, before, start, *events):
    return cast([0, "o", "SCREEN needle"], *events, timestamp=1795248000 + int(start),
                ganger={"part": number, "offset": len(before), "start_s": start, "screen": True})


def compressed(text, frame=None):
    """Compressed in frames, as ganger does."""
    data, frame = text.encode(), frame or len(text)
    return b"".join(subprocess.run(["zstd", "-q", "-c", f"--stream-size={len(data[at:at + frame])}"], input=data[at:at + frame],
                                   stdout=subprocess.PIPE, check=True).stdout for at in range(0, len(data), frame))


FIRST = cast([1.5, "o", "one \x1b[1mnee\x1b[0mdle\r\n"], [2, "o", "half a nee"])
SECOND = part(2, FIRST, 3661, [0.5, "o", "dle\r\nanother needle\r\n"])


@pytest.mark.parametrize("packed", [False, True])
def test_all_parts_and_attempts_are_searched(ganger, packed):
    files = {"attempt-1.cast": FIRST, "attempt-1.2.cast": SECOND, "attempt-2.cast": cast([1, "o", "needle three"])}
    if packed:
        files["attempt-1.cast.zst"] = compressed(files.pop("attempt-1.cast"), 100)
    lay_session(ganger, "parts", files)
    lay_session(ganger, "other", {"attempt-1.cast": cast([0, "o", "nothing\r\n"])})
    assert ganger.run("search", "needle").stdout.splitlines() == [
        "parts  1  0:00:01  one needle", "parts  1  1:01:01  half a needle", "parts  1  1:01:01  another needle",
        "parts  2  0:00:01  needle three"]
    hits = [json.loads(line) for line in ganger.run("search", "--json", "another|three", "parts").stdout.splitlines()]
    assert [(hit["text"], hit["seconds"], hit["time"]) for hit in hits] == [
        ("another needle", 3661.5, "2026-11-21T09:01:01.500Z"), ("needle three", 1, "2026-11-21T08:00:01.000Z")]
    assert hits[0]["replay"] == "ganger replay parts --attempt 1 --at 3661.500"
    ganger.run(*hits[0]["replay"].split()[1:], "--raw", code=None)
    assert ganger.run("search", "--limit", "1", "needle").stdout.count("\n") == 1
    assert ganger.run("search", "--since", "2026-11-21T09:00:00Z", "needle", "parts").stdout.count("\n") == 2
    assert ganger.run("search", "needle", "other", code=1).stdout == ""


def test_patterns(ganger):
    lay_session(ganger, "s", {"attempt-1.cast": cast([1, "o", "Caf\u00c9 costs 12.50 (net)\r\nx\x1b]0;hidden\x07y\u009b\u202e\r\n"])})
    assert "net" in ganger.run("search", r"costs [0-9]+\.50").stdout
    assert ganger.run("search", "-i", "caf\u00e9").stdout and not ganger.run("search", "caf\u00e9", code=1).stdout
    assert ganger.run("search", "-F", "50 (net)").stdout and not ganger.run("search", "50 (net)", code=1).stdout
    assert not ganger.run("search", "hidden", code=1).stdout
    assert ganger.run("search", "xy").stdout == "s  1  0:00:01  xy??\n"
    for pattern in ("(", "[a", "", "a{1,2}{1,99}{1,99}{1,99}", r"(a)\1", "(" * 2000, "x" * 5000):
        ganger.fails("search", pattern, code=2, says="pattern")
    ganger.fails("search", "--since", "soon", "x", code=2, says="--since")
    ganger.fails("search", "x", "nobody", says="nobody")


def test_what_is_drawn_again_is_told_once(ganger):
    frames = [[i / 10, "o", f"\x1b[H\u280b other {i}\r\n{'|/-'[i % 3]} the same needle\x1b[K\r\nneedle grows{' more' * i}\x1b[K"] for i in range(60)]
    lay_session(ganger, "tui", {"attempt-1.cast": cast(*[[t, k, s.replace("|", "\u280b").replace("/ ", "\u2819 ")] for t, k, s in frames])})
    found = ganger.run("search", "same needle|needle grows").stdout.splitlines()
    assert len(found) <= 4 and any("times)" in line for line in found)
    assert sum(line.count("grows") for line in found) == 1


def test_damage_is_told_and_the_rest_is_searched(ganger):
    text = cast(*[[i, "o", f"needle {i}\r\n"] for i in range(200)])
    lines = text.splitlines(keepends=True)
    frames = [compressed("".join(lines[at:at + 20])) for at in range(0, len(lines), 20)]
    frames[3] = frames[3][:-12] + bytes(byte ^ 0xFF for byte in frames[3][-12:])
    lay_session(ganger, "bad", {"attempt-1.cast.zst": b"".join(frames), "attempt-1.2.cast": part(2, text, 300, [1, "o", "needle end\r\n"])})
    made = ganger.run("search", "needle")
    assert "needle end" in made.stdout and "needle 0\n" in made.stdout and "needle 65\n" not in made.stdout and "needle 85\n" in made.stdout
    assert "gap: " in made.stderr
    made = ganger.run("logs", "bad", "--raw")
    assert "needle 199" in made.stdout and "needle end" in made.stdout and "SCREEN" not in made.stdout and "gap: " in made.stderr
    assert ganger.run("logs", "bad", "--raw", "--attempt", "1").stdout == made.stdout
    ganger.fails("logs", "bad", "--raw", "--attempt", "3", says="no recording of attempt 3")
    ganger.fails("logs", "bad", "--attempt", "3", code=2, says="--raw")


def test_living_sessions_are_searched(ganger):
    ganger.start("alive", "sh", "-c", "echo a living needle; sleep 1000")
    until(lambda: ganger.run("search", "living needle$", code=None).stdout, "the line in the recording")


def test_recordings_of_other_tools_are_played(ganger):
    real = ganger.work / "real.cast"
    if shutil.which("asciinema"):
        subprocess.run(["asciinema", "rec", "-q", "-c", "printf 'from asciinema\\n'", str(real)], check=True, stdin=subprocess.DEVNULL, env=ganger.env)
    else:
        real.write_text(cast([0, "o", "from asciinema\r\n"]))
    v1 = {"version": 1, "width": 80, "height": 24, "duration": 1, "command": None, "title": None, "env": {}, "stdout": [[0.1, "from v1\r\n"]]}
    v3 = '{"version":3,"term":{"cols":80,"rows":24}}\n# comment\n[0.1,"o","from v3\\r\\n"]\n[0.1,"x","0"]\n'
    files = {"v1.json": json.dumps(v1, indent=1).encode(), "v3.cast": v3.encode(), "v3.cast.gz": gzip.compress(v3.encode()),
             "v3.cast.zst": compressed(v3), "torn.gz": gzip.compress(v3.encode() + b'[0.1,"o","more"]\n' * 1000)[:-20]}
    for name, content in files.items():
        (ganger.work / name).write_bytes(content)
        made = ganger.run("replay", "--detect", "--agent", "command", ganger.work / name)
        assert re.search(r"\d", made.stdout), name
    ganger.run("replay", "--detect", "--agent", "command", real)
    (ganger.work / "empty").touch()
    (ganger.work / "four").write_text('{"version":4}\n')
    for path, says in ((ganger.work, "director"), ("/dev/full", "not a recording"), (ganger.work / "empty", "empty"), (FAKE, "program"),
                       (ganger.work / "four", "version 4")):
        assert says in ganger.run("replay", "--detect", path, code=None).stderr
