"""No credential that ganger knows is in any file that it writes, however the agent prints it; a person sees it on the screen."""
import json
import os
import sys
from pathlib import Path

import pytest

from harness import read, until

DOUBLE = Path(__file__).resolve().parent / "claude_double.py"
KEYS = {"command": "sk-ant-api03-Zm9yIHRlc3Rz_b25seQ-4711", "file": "file:9f8e7d6c5b4a/\"q\"\\3210", "own": "0123-plain-secret-text",
        "inherited": "sk-proj-AbCdEfGh0123456789"}

SPEAKER = r"""
import os, sys, time
keys = [os.environ[n] for n in ("ANTHROPIC_API_KEY", "A_VALUE", "OTHER_TOKEN", "OPENAI_API_KEY")]
def out(*pieces, pause=0):
    for piece in pieces:
        sys.stdout.write(piece)
        sys.stdout.flush()
        time.sleep(pause)
def say():
    for key in keys:
        out("whole ", key, "\n")
        out(*key, pause=0.01)
        out("\n", *(key[i:i + 9] for i in range(0, len(key), 9)), "\n", pause=0.15)
        out("\033]2;title ", key, "\007", "\033]9;note ", key, "\007", "\033]8;;http://x/", key, "\033\\link\033]8;;\033\\\n")
        out("." * 70 + key + "\n")
    out("SAID\n")
say()
while (word := input()) != "end":
    if word == "again":
        say()
    else:
        out("\n".join(f"line {i} {keys[0]}" for i in range(100)), "\nSCROLLED\n")
out("last words", keys[0] + keys[1], "\n", keys[2][:12])
"""


def pieces(bytes_of):
    """A key as it is, as in JSON, and its cells as in a terminal's state."""
    text = json.dumps(bytes_of)[1:-1]
    return {bytes_of.encode(), text.encode(), json.dumps(text)[1:-1].encode(), b"\0".join(c.encode() for c in bytes_of)}


def leaks(ganger, names, but=()):
    """What of the keys stands in files below the state folder and in what the commands print."""
    texts = {}
    for path in ganger.state.rglob("*"):
        if path.is_file():
            texts[path.name] = read(path)
        if path.suffix == ".cast":
            lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
            texts[path.name + " as bytes"] = "".join(e[2] for e in lines if e[1] == "o").encode()
    for name in names:
        for command in (["logs"], ["logs", "--raw"], ["events"], ["replay", "--speed", "1000"], ["replay", "--detect"]):
            texts[" ".join(command)] = ganger.run(*command, name).stdout.encode()
    keys = [k for n, k in KEYS.items() if n not in but]
    found = [(where, key) for where, text in texts.items() for key in keys for piece in pieces(key) if piece in text]
    starred = [where for where, text in texts.items() if b"*" * 20 in text]
    return found, starred


@pytest.fixture
def known(ganger):
    (ganger.root / "key").write_text(KEYS["file"] + "\nsecond line\n")
    (ganger.root / "asked").write_text(KEYS["command"] + "\n")
    ganger.env["OPENAI_API_KEY"] = KEYS["inherited"]

    def configure(*command):
        ganger.configure(agents={"claude": {"command": [sys.executable, *map(str, command)], "env": {"OTHER_TOKEN": KEYS["own"]}}},
                         accounts={"work": {"agent": "claude", "env": {
                             "ANTHROPIC_API_KEY": {"command": ["cat", str(ganger.root / "asked")]},
                             "A_VALUE": {"file": str(ganger.root / "key")}}}})
    return configure


def host_dies(ganger, name):
    host = ganger.session(name)["host_pid"]
    os.kill(host, 9)
    until(lambda: ganger.session(name)["host_pid"] not in (None, host), "a new host")


def test_a_terminal(ganger, known):
    script = ganger.root / "speaker.py"
    script.write_text(SPEAKER)
    known(script)
    ganger.run("run", "-d", "-a", "claude", "-A", "work", "-n", "one", "--size", "80x30")
    ganger.screen_shows("one", "SAID")
    screen = ganger.screen("one")
    for key in KEYS.values():
        assert "whole " + key in screen, screen
    ganger.run("keys", "one", "s", "Enter")
    ganger.screen_shows("one", "SCROLLED")
    assert f"line 99 {KEYS['command']}" in ganger.screen("one")
    until(lambda: b"line 50" in read(ganger.state / "sessions" / ganger.session("one")["id"] / "transcript.log"), "the transcript")
    assert leaks(ganger, ["one"])[0] == []
    host_dies(ganger, "one")
    ganger.run("keys", "one", "a", "g", "a", "i", "n", "Enter")
    until(lambda: ganger.run("logs", "--raw", "one").stdout.count("SAID") > 1, "the second time")
    assert "whole " + KEYS["own"] in ganger.screen("one")
    ganger.run("keys", "one", "e", "n", "d", "Enter")
    ganger.phase_is("one", "completed")
    until(lambda: ganger.run("logs", "--raw", "one").stdout.count(KEYS["own"][:12]) == 1, "the beginning that no rest followed")
    found, starred = leaks(ganger, ["one"])
    assert found == []
    for where in ("attempt-1.cast", "transcript.log", "screen.json", "events.jsonl", "logs", "replay --speed 1000"):
        assert where in starred, (where, starred)


def test_stream_mode(ganger, known):
    known(DOUBLE)
    said = f"<{KEYS['command']}> {KEYS['file']} {KEYS['own']}{KEYS['inherited']}."
    ganger.run("run", "-d", "-m", "stream", "-a", "claude", "-A", "work", "-n", "one", "say:" + said)
    ganger.phase_is("one", "idle")
    assert KEYS["command"] in ganger.screen("one")
    ganger.run("send", "one", "--wait", "exit:3", code=None)
    ganger.phase_is("one", "failed")
    found, starred = leaks(ganger, ["one"])
    assert found == []
    for where in ("stream-1.jsonl", "attempt-1.cast", "transcript.log", "events.jsonl", "screen.json"):
        assert where in starred, (where, starred)


def test_without_secrets_nothing_is_hidden(ganger):
    ganger.start("one", "/bin/sh", "-c", "echo 'sk-ant-of-no-one-known ********'; exit 0", env={"A_PATH_KEY": str(ganger.work)})
    ganger.phase_is("one", "completed")
    until(lambda: "sk-ant-of-no-one-known" in ganger.run("logs", "one").stdout, "the transcript")
