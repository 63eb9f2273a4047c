"""`ganger replay` in a terminal, as a person uses it, and without one, as a script does."""
import gzip
import json
import os
import signal

import pytest

from harness import PROGRAM, ROOT, SECONDS, read, until

CLEAN = "alternate=0 mouse=0 cursor=1 keypad=0 cursor_keys=0 insert=0"
CAPTURES = ROOT / "tests/captures/phases"


def cast(path, *events, width=80, height=23, **header):
    lines = [json.dumps({"version": 2, "width": width, "height": height, **header})]
    path.write_text("\n".join(lines + [json.dumps(list(event)) for event in events]) + "\n")
    return path


@pytest.fixture
def recording(ganger):
    """An hour: a line each minute, markers, a long pause after the fortieth minute."""
    events = [(0.0, "m", "phase: working"), (0.5, "o", "begin\r\n")]
    for minute in range(1, 41):
        events.append((minute * 60.0, "o", f"minute {minute} of the hour\r\n"))
        if minute in (10, 30):
            events.append((minute * 60 + 0.1, "m", f"approval: number {minute}"))
        if minute == 20:
            events.append((minute * 60 + 0.1, "m", "error: \u001b]0;evil\u0007 broke"))
    events.append((3600.0, "o", "the end"))
    return cast(ganger.work / "hour.cast", *events)


def played(dashboard, *arguments, cols=80, rows=24, **options):
    return dashboard("replay", *arguments, cols=cols, rows=rows, **options)


# ---- without a terminal ----
@pytest.mark.parametrize("name", ["claude-normal", "codex-approve"])
def test_without_a_terminal_the_bytes_are_those_recorded(ganger, name):
    path = CAPTURES / f"{name}.cast.gz"
    events = [json.loads(line) for line in gzip.open(path, "rt").read().splitlines()[1:]]
    made = ganger.run("replay", "--speed", "1000", path, text=False)
    assert made.stdout == "".join(e[2] for e in events if e[1] == "o").encode()


def test_pauses_are_cut_and_the_beginning_skipped_without_a_terminal(ganger, recording):
    made = ganger.run("replay", "--at", "59:00", "--idle", "0.01", recording, timeout=SECONDS)
    assert made.stdout.startswith("begin\nminute 1 ") and made.stdout.endswith("the end")


@pytest.mark.parametrize("arguments, says", [
    (["nothing.cast/"], "neither a file nor a session"), (["--speed", "0", "F"], "--speed"), (["--at", "soon", "F"], "--at"),
    (["--at", "99:99", "F"], "below 60"),
    (["--size", "0x0", "F"], "--size"), (["--attempt", "2", "F"], "--attempt"), (["--raw", "--detect", "F"], "--raw"),
    (["empty"], "empty"), (["picture"], "not a recording"), (["./"], "directory"),
])
def test_what_cannot_be_played_is_said(ganger, recording, arguments, says):
    (ganger.work / "empty").write_bytes(b"")
    (ganger.work / "picture").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    made = ganger.run("replay", *[str(recording) if a == "F" else a for a in arguments], code=None)
    assert made.returncode in (1, 2) and made.stdout == ""
    assert made.stderr.startswith("ganger: ") and says in made.stderr, made.stderr


# ---- in a terminal ----
def test_seeking_by_time_percent_marker_event_and_text(dashboard, recording):
    screen = played(dashboard, recording, "--at", "5:00")
    shown = screen.shows(" paused ")
    assert "minute 5 of" in shown and "minute 6 of" not in shown
    screen.keys("Up")
    screen.shows("minute 6 of")
    screen.keys("Down", "Down", "Left")
    screen.shows(" 3:55/1:00:00")
    screen.hides("minute 4 of")
    screen.type("a")
    assert "minute 10 of" in screen.shows("approval: number 10")
    screen.type("a")
    screen.shows("approval: number 30")
    screen.type("a")
    screen.shows("no approval after this")
    screen.type("A")
    screen.shows("approval: number 10")
    screen.type("e")
    screen.shows("error: ?]0;evil? broke")
    screen.type(":")
    screen.shows("to (h:mm:ss")
    screen.type("0:35:30")
    screen.keys("Enter")
    screen.shows("minute 35 of")
    screen.type("5")
    screen.shows(" 30:00/1:00:00")
    screen.hides("minute 31 of")
    screen.type(".")
    screen.shows("approval: number 30")
    screen.type("..")
    screen.shows("minute 32 of")
    screen.type(",")
    screen.hides("minute 32 of")
    screen.type("/MINUTE 12")  # not written like this
    screen.keys("Enter")
    screen.shows('"MINUTE 12" does not appear after this')
    assert "minute 31 of" in screen.screen()
    screen.type("\\minute 12")
    screen.keys("Enter")
    screen.shows(" 12:00/1:00:00")
    screen.hides("minute 13 of")
    assert "\x1b[7mminute 12\x1b[0m" in screen.screen(attributes=True)
    screen.type("/")
    screen.paste("the end")
    screen.shows("search: the end")
    screen.keys("Enter")
    screen.shows(" 1:00:00/1:00:00")
    screen.type("q")
    assert screen.ended() == 0


def test_it_plays_with_pauses_cut_and_faster_while_it_does(dashboard, recording):
    screen = played(dashboard, recording, "--idle", "0.5")
    screen.shows("playing")
    screen.shows("minute 2 of")
    screen.type("++")
    screen.shows("4x")
    screen.shows("minute 8 of")
    screen.keys("Space")
    screen.shows(" paused ")
    screen.type("i")
    screen.shows("pauses in full")
    screen.type("=")
    screen.keys("End")
    screen.shows(" 1:00:00/1:00:00 1x full")
    screen.keys("Space")  # again from the beginning
    screen.shows(" 0:0")
    screen.hides("minute 1 of")


def test_the_help_and_a_view_smaller_than_the_recording(ganger, dashboard):
    path = cast(ganger.work / "wide.cast", (0, "o", "\x1b[2;1Hleft\x1b[30;90Hright\x1b[1;1H"), width=100, height=30)
    screen = played(dashboard, path, "--at", "0", cols=40, rows=12)
    screen.shows("left")
    screen.type("l")
    screen.shows("columns 21-60 of 100")
    screen.type("lljjjj")
    screen.shows("right")
    screen.type("c")
    screen.shows("left")
    screen.type("?")
    screen.shows("play, pause")
    screen.type("?")
    screen.shows("quit")
    screen.type("?")
    screen.shows("left")
    screen.resize(120, 40)
    shown = screen.shows("right").splitlines()
    assert shown[29][89:94] == "right"
    screen.resize(2, 1)
    screen.resize(100, 31)
    screen.shows("right")


def test_the_screen_is_the_one_that_ganger_shows(ganger, dashboard):
    script = r'printf "\033[2J\033[3;5H\033[31mred\033[0m 一二\n"; for i in $(seq 40); do echo "row $i"; done; printf "\033[10;1Hplaced"'
    ganger.start("drawn", "sh", "-c", script)
    ganger.phase_is("drawn", "completed")
    session = ganger.session("drawn")
    expected = ganger.screen("drawn").rstrip("\n").splitlines()
    screen = played(dashboard, "drawn", cols=session["cols"], rows=session["rows"] + 1)
    screen.keys("End")
    screen.shows("end ")
    lines = [line.rstrip() for line in screen.screen().splitlines()]
    assert lines[:len(expected)] == [line.rstrip() for line in expected]


def test_a_running_session_is_followed(ganger, dashboard):
    ganger.start("running", "sh", "-c", "echo first; while read line; do echo got $line; done")
    until(lambda: "first" in ganger.screen("running"), "its first line")
    screen = played(dashboard, "running")
    screen.shows("first")
    screen.shows("live ")
    ganger.run("keys", "running", "m", "Enter")
    screen.shows("got m")
    ganger.run("kill", "running")
    screen.shows("end ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV])
def test_the_terminal_is_given_back_whatever_ends_it(ganger, terminal, recording, number):
    screen = terminal().start("sh", "-i", cols=80, rows=24, env={"PS1": "ready$ "})
    screen.shows("ready")
    before = screen.modes()
    screen.type(f"stty -g >{ganger.root}/before; {PROGRAM} replay {recording}; echo left with $?; stty -g >{ganger.root}/after")
    screen.keys("Enter")
    screen.shows("playing")
    os.kill(player(recording), number)
    screen.shows(f"left with {128 + number}")
    assert screen.modes() == before == CLEAN and screen.format("#{wrap_flag}") == "1"
    until(lambda: read(ganger.root / "after").endswith(b"\n"), "its settings")
    assert read(ganger.root / "before") == read(ganger.root / "after")


@pytest.mark.parametrize("cols, rows", [(10, 24), (10, 2), (5, 2)])
def test_it_ends_whatever_it_draws(dashboard, recording, cols, rows):
    for end in ("q", signal.SIGTERM, signal.SIGHUP):
        screen = played(dashboard, recording, cols=cols, rows=rows)
        pid = player(recording)
        screen.shows("pl")
        screen.type("?")
        screen.shows("Spac")
        if end == "q":
            screen.type("qq")  # the first one may close the help
        else:
            os.kill(pid, end)
        until(lambda: not os.path.exists(f"/proc/{pid}") or read(f"/proc/{pid}/stat").split()[2] == b"Z", f"its end by {end}")


def test_a_session_that_is_removed_meanwhile_is_told(ganger, dashboard):
    ganger.start("s", "sh", "-c", "echo here; sleep 0.3; echo more")
    ganger.phase_is("s", "completed")
    screen = played(dashboard, "s", "--speed", "0.001")
    screen.shows("playing")
    ganger.run("rm", "s")
    screen.shows("this session was removed")
    assert "playing" not in screen.screen()
    screen.keys("Home")
    screen.shows("this session was removed")
    screen.type("q")
    assert screen.ended() == 0


def test_a_narrow_status_row_begins_with_the_time(dashboard, recording):
    screen = played(dashboard, recording, "--at", "5:00", cols=40, rows=12)
    assert "5:00/" in screen.shows(" paused ")


def test_raw_bytes_leave_no_mode_behind_when_it_is_interrupted(ganger, terminal):
    modes = cast(ganger.work / "modes.cast", (0, "o", "\033[?1049h\033[?25l\033[?1002h\033[31mhere"), (3000, "o", "end"))
    screen = terminal().start("sh", "-i", cols=80, rows=24, env={"PS1": "ready$ "})
    screen.shows("ready")
    screen.type(f"{PROGRAM} replay --raw {modes}")
    screen.keys("Enter")
    screen.shows("here")
    assert screen.modes() != CLEAN
    screen.keys("C-c")
    screen.hides("here")
    until(lambda: screen.modes() == CLEAN, screen.modes)


def test_it_stops_and_goes_on(terminal, recording):
    screen = terminal().start("sh", "-i", cols=80, rows=24, env={"PS1": "ready$ "})
    screen.shows("ready")
    screen.type(f"{PROGRAM} replay {recording} --at 5:00")
    screen.keys("Enter")
    screen.shows(" paused ")
    screen.keys("C-z")
    screen.shows("Stopped")
    assert screen.modes() == CLEAN
    screen.type("fg")
    screen.keys("Enter")
    assert "minute 5 of" in screen.shows(" paused ")
    screen.type("q")
    screen.hides("paused")


def player(recording):
    return until(lambda: next((pid for pid, line in processes() if "ganger-replay play" in line and str(recording) in line), None),
                 "the player's process")


def processes():
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                yield int(entry), file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def test_colours_follow_the_terminal(ganger, dashboard):
    path = cast(ganger.work / "red.cast", (0, "o", "\x1b[38;2;255;0;0mred"))
    for env, expected in [({"COLORTERM": "truecolor"}, "\x1b[38;2;255;0;0mred"), ({"COLORTERM": None}, "\x1b[38;5;196mred"),
                          ({"NO_COLOR": "1"}, "\nred")]:
        screen = played(dashboard, path, "--at", "0", env=env)
        screen.shows("red")
        assert expected in "\n" + screen.screen(attributes=True), env


@pytest.mark.parametrize("events, size", [
    ([(0, "o", "ok")], (0, 0)), ([(0, "o", "ok")], (100000, 3)), ([(5, "o", "o"), (1, "o", "k"), (-1, "x", "?")], (80, 23)),
    ([(0, "r", "0x0"), (0, "r", "x"), (0, "o", "ok"), (1e300, "o", "\0"), (0, "m", "\0")], (80, 23)),
])
def test_foreign_and_damaged_recordings(ganger, dashboard, events, size):
    path = cast(ganger.work / "odd.cast", *events, width=size[0], height=size[1])
    with path.open("a") as file:
        file.write('[7,"o","torn')
    screen = played(dashboard, path, "--idle", "0.2")
    screen.shows("ok")
    screen.keys("End")
    screen.shows("end ")
    screen.type("q")
    assert screen.ended() == 0
