"""The dashboard, driven as a person drives it: through a terminal."""
import os
import re
import signal
import subprocess

import pytest

from harness import FAKE, PROGRAM, alive, until

CLEAN = "alternate=0 mouse=0 cursor=1 keypad=0 cursor_keys=0 insert=0"


def leave_dialog(screen, title):
    screen.keys("Escape")
    screen.hides(title)


def prompt(screen, text):
    """Sends a prompt to the focused session by the dialog of `p`."""
    screen.type("p")
    screen.shows("─ prompt for")
    screen.paste(text)
    screen.shows(text)
    screen.keys("Enter")
    screen.hides("─ prompt for")


def click(screen, column, row):
    """A press and a release of the left button, counted from 1."""
    screen.raw(b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % (column, row, column, row))


# ---- the first look ----
def test_without_a_session_it_says_what_to_press(dashboard):
    screen = dashboard()
    shown = screen.shows("no session")
    assert "press n" in shown and "ganger demo" in shown and "? help" in shown


def test_it_starts_in_80x24_and_is_usable_in_40x12(ganger, dashboard):
    ganger.fake("one", "echo")
    for cols, rows in ((80, 24), (40, 12)):
        screen = dashboard(cols=cols, rows=rows)
        screen.shows("one")
        screen.shows("idle")
        screen.keys("Enter")
        screen.shows(re.compile("^ pane", re.MULTILINE))
        screen.type(f"typed in {cols}")
        screen.shows(f"typed in {cols}")
        screen.keys("Enter")
        screen.shows(f"You said: typed in {cols}")
        screen.keys("C-a")
        screen.type("q")
        assert screen.ended() == 0


def test_help_shows_the_keys(dashboard):
    screen = dashboard(rows=50)
    screen.shows("no session")
    screen.type("?")
    shown = screen.shows("start a session")
    assert "cancel the turn" in shown
    screen.keys("x")
    screen.hides("cancel the turn")


def test_the_palette_searches(ganger, dashboard):
    ganger.fake("one", "echo")
    screen = dashboard()
    screen.shows("─ one")
    screen.type(":")
    screen.shows("start a session")
    screen.type("prompt")
    screen.shows("send a prompt")
    screen.hides("cancel the turn")
    leave_dialog(screen, "send a prompt")


# ---- sessions ----
def test_a_session_by_the_dialog(ganger, dashboard):
    screen = dashboard(cols=110, rows=34)
    screen.shows("no session")
    screen.type("n")
    screen.shows("new session")
    for _ in range(8):
        if re.search("● command", screen.screen()):
            break
        screen.keys("Down")
    screen.shows("● command")
    screen.keys("Tab")
    screen.type("made-here")
    screen.keys("Tab", "Tab")
    screen.type(f"{FAKE} echo")
    screen.keys("Enter")
    screen.shows("─ made-here")
    screen.shows("a stand-in agent")
    assert ganger.session("made-here")["cwd"] == str(ganger.work)


def test_the_dialog_lists_the_agents_found_on_path(ganger, dashboard):
    (ganger.root / "bin").mkdir()
    program = ganger.root / "bin/codex"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    screen = dashboard(cols=120, rows=34, env={"PATH": f"{ganger.root}/bin:/usr/bin:/bin"})
    screen.shows("no session")
    screen.type("n")
    shown = screen.shows("new session")
    assert re.search(r"Codex +(?!.*not installed)", shown), shown
    assert re.search(r"Gemini CLI +not installed: npm install -g", shown), shown


def test_a_start_that_fails_in_the_dialog_says_why(ganger, dashboard):
    screen = dashboard(cols=110, rows=34)
    screen.shows("no session")
    screen.type("n")
    screen.shows("new session")
    for _ in range(8):
        if re.search("● command", screen.screen()):
            break
        screen.keys("Down")
    screen.keys("Tab")
    screen.type("x1")
    screen.keys("Tab", "Tab")
    screen.type("/no/such/program")
    screen.keys("Enter")
    screen.shows(re.compile("/no/such/program.*(no such|not|cannot)|(no such|not|cannot).*/no/such/program", re.IGNORECASE))
    assert ganger.json("ls") == []


def test_sessions_appear_and_go_without_a_key(ganger, dashboard):
    screen = dashboard(cols=140, rows=40)
    screen.shows("no session")
    ganger.fake("first", "echo")
    screen.shows("─ first")
    ganger.fake("second", "echo")
    screen.shows("2 sessions")
    ganger.run("kill", "first")
    screen.shows(re.compile("first.*killed|killed.*first"))
    ganger.run("rm", "first")
    screen.hides("─ first")
    screen.shows("1 session")


def test_run_opens_the_dashboard_on_its_session(ganger, terminal):
    ganger.fake("other", "echo")
    screen = terminal().start(PROGRAM, "run", "-n", "mine", "--", FAKE, "echo", cols=150, rows=40, cwd=str(ganger.work))
    screen.shows("─ mine")
    screen.shows(re.compile("^ pane", re.MULTILINE))
    screen.type("to mine")
    screen.keys("Enter")
    screen.shows("You said: to mine")
    assert "to mine" not in ganger.screen("other")


def test_prompt_cancel_and_retry_by_keys(ganger, dashboard):
    ganger.fake("work", "echo")
    screen = dashboard()
    screen.shows("○ idle")
    prompt(screen, "hello from the dashboard")
    screen.shows("You said: hello from the dashboard")
    screen.shows("○ idle")
    prompt(screen, "be slow")
    screen.shows("Pondering")
    screen.type("c")
    screen.shows("Interrupted by user")
    screen.shows("○ idle")
    prompt(screen, "the last prompt")
    screen.shows("You said: the last prompt")
    screen.shows("○ idle")
    screen.type("r")
    until(lambda: ganger.session("work")["attempt"] == 2, lambda: "attempt 2:\n" + screen.screen())
    screen.shows("You said: the last prompt")


def test_kill_asks(ganger, dashboard):
    session = ganger.fake("victim", "echo")
    screen = dashboard()
    screen.shows("○ idle")
    screen.type("x")
    screen.shows(re.compile("end .*victim", re.IGNORECASE))
    screen.keys("Escape")
    until(lambda: not re.search(r"end .*victim.*\?", screen.screen()), "the question to go")
    assert alive(session["pid"])
    screen.type("x")
    screen.shows(re.compile("end .*victim", re.IGNORECASE))
    screen.type("y")
    screen.shows("killed")
    assert not alive(session["pid"])


def test_phases_in_the_panel(ganger, dashboard):
    ganger.fake("asker", "--speed", "10", "approve")
    ganger.fake("worker", "think")
    ganger.fake("loser", "--speed", "10", "fail")
    ganger.fake("waiter", "echo")
    screen = dashboard(cols=160, rows=44)
    for name, glyph in (("asker", "▲"), ("worker", "●"), ("loser", "✗"), ("waiter", "○")):
        screen.shows(re.compile(f"{glyph} {name}"))
    panel = [line[120:] for line in screen.screen().splitlines()]
    order = [name for line in panel for name in ("asker", "worker", "loser", "waiter") if re.search(rf"[▲●✗○] {name}\b", line)]
    assert order == ["asker", "loser", "worker", "waiter"], order


def test_an_approval_is_answered_in_the_pane(ganger, dashboard):
    ganger.fake("asker", "--speed", "10", "approve")
    screen = dashboard()
    screen.shows("Do you want to proceed?")
    screen.shows("▲")
    screen.keys("Enter")
    screen.shows(re.compile("^ pane", re.MULTILINE))
    screen.type("y")
    screen.shows("Done: the folder build is gone.")


# ---- focus, layouts, scrolling ----
def test_focus_by_key_number_and_mouse(ganger, dashboard):
    for name in ("alpha", "beta", "gamma"):
        ganger.fake(name, "echo")
    screen = dashboard(cols=170, rows=44)
    screen.shows("3 sessions")
    screen.shows("─ gamma")
    for keys, name in (("2", "beta"), ("3", "gamma"), ("1", "alpha")):
        screen.type(keys)
        prompt(screen, f"to {name}")
        until(lambda: f"You said: to {name}" in ganger.screen(name), lambda: screen.screen())
    screen.keys("Tab")
    prompt(screen, "by tab")
    until(lambda: "You said: by tab" in ganger.screen("beta"), lambda: screen.screen())
    shown = screen.screen().splitlines()
    row = next(i for i, line in enumerate(shown) if "─ gamma" in line)
    click(screen, shown[row].index("gamma") + 3, row + 3)
    screen.shows(re.compile("^ pane", re.MULTILINE))
    screen.type("by mouse")
    screen.keys("Enter")
    until(lambda: "You said: by mouse" in ganger.screen("gamma"), lambda: screen.screen())


def test_zoom_and_layouts(ganger, dashboard):
    for i in range(3):
        ganger.fake(f"s{i}", "winch")
    screen = dashboard(cols=170, rows=44)
    for i in range(3):
        screen.shows(f"─ s{i}")
    screen.type("z")
    screen.hides("─ s1")
    screen.shows("size 168x41")
    screen.type("z")
    screen.shows("─ s1")
    seen = set()
    for _ in range(5):
        screen.type("l")
        until(lambda: tuple(l[:8] for l in screen.screen().splitlines()) not in seen or len(seen) >= 4, "another layout", seconds=5)
        seen.add(tuple(line[:8] for line in screen.screen().splitlines()))
    assert len(seen) >= 3


def test_scrollback_and_search(ganger, dashboard):
    ganger.start("lines", FAKE, "lines", "3000")
    screen = dashboard()
    screen.shows("end of lines")
    screen.type("[")
    screen.keys("PageUp", "PageUp")
    screen.hides("end of lines")
    screen.type("/")
    screen.type("line 00000777")
    screen.keys("Enter")
    screen.shows("line 00000777 of the sequence")
    screen.keys("Escape")
    screen.shows("end of lines")


def test_copy_goes_to_the_clipboard_by_osc_52(ganger, dashboard):
    ganger.start("text", "sh", "-c", "printf 'copy this line\\n'; exec sleep 1000")
    screen = dashboard()
    screen.shows("copy this line")
    screen.type("y")
    until(lambda: "copy this line" in screen.tmux("show-buffer", check=False), "the text in the terminal's clipboard")


def test_a_program_sets_the_clipboard_of_the_terminal_outside(ganger, dashboard):
    ganger.start("clip", "sh", "-c", r"echo ready; read _; printf '\033]52;c;%s\007done\n' $(printf 'from the agent' | base64); exec sleep 1000")
    screen = dashboard()
    screen.shows("ready")
    ganger.run("keys", "clip", "Enter")
    screen.shows("done")
    until(lambda: "from the agent" in screen.tmux("show-buffer", check=False), "the text in the terminal's clipboard")


def test_mouse_and_keys_reach_a_program_that_asked(ganger, dashboard):
    ganger.fake("keys", "raw-keys", "?1002h", "?1006h", "?2004h")
    screen = dashboard()
    screen.shows("ready")
    screen.keys("Enter")
    screen.shows(re.compile("^ pane", re.MULTILINE))
    screen.type("ü")
    screen.shows("got c3 bc")
    screen.keys("M-x")
    screen.shows("got 1b 78")
    screen.paste("pasted")
    screen.shows("got 1b 5b 32 30 30 7e 70 61 73 74 65 64 1b 5b 32 30 31 7e")
    click(screen, 11, 6)
    screen.shows(re.compile("1b 5b 3c 30 3b 31 30 3b 35 4d"))


def test_24_bit_colour_and_attributes(ganger, dashboard):
    ganger.start("colours", "sh", "-c", r"printf '\033[38;2;12;200;99mtrue\033[m \033[1;3;4;9mstyled\033[m \033[2mdim\033[m\n'; exec sleep 1000")
    screen = dashboard(env={"COLORTERM": "truecolor"})
    screen.shows("styled")
    shown = screen.screen(attributes=True)
    assert re.search(r"38;2;12;200;99m(\x1b\[[0-9;]*m)*true", shown), repr(shown)
    before = shown.split("styled")[0].rsplit("true", 1)[1]
    for code in ("1", "3", "4", "9"):
        assert re.search(rf"[\[;]{code}[;m]", before), (code, before)


def test_no_color(ganger, dashboard):
    ganger.start("colours", "sh", "-c", r"printf '\033[31mred\033[m\n'; exec sleep 1000")
    screen = dashboard(env={"NO_COLOR": "1"})
    screen.shows("red")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7][;m]", screen.screen(attributes=True))


# ---- sizes ----
def test_any_resize_is_followed(ganger, dashboard):
    ganger.fake("size", "winch")
    screen = dashboard(cols=100, rows=30)
    screen.shows("size 64x27")
    for cols, rows in ((140, 40), (60, 15), (20, 5), (3, 2), (1, 1), (200, 50), (40, 12), (100, 30)):
        screen.resize(cols, rows)
        until(lambda: screen.format("#{pane_width}x#{pane_height}") == f"{cols}x{rows}", "the resize")
        assert screen.format("#{pane_dead}") == "0"
    screen.shows("─ size")
    screen.shows(" crew ")
    until(lambda: ganger.session("size")["cols"] == 64, lambda: ganger.session("size"))


def test_a_terminal_of_1x1_at_the_start(dashboard):
    screen = dashboard(cols=1, rows=1)
    until(lambda: screen.format("#{pane_dead}") == "1" or screen.format("#{alternate_on}") == "1", "a start or a refusal")
    screen.resize(100, 30)
    if screen.format("#{pane_dead}") == "0":
        screen.shows("no session")


# ---- ways out ----
def shell(ganger, terminal, **options):
    screen = terminal().start("bash", "--norc", "--noprofile", "-i", cwd=str(ganger.work), env={"PS1": "prompt$ ", **options.pop("env", {})},
                              **options)
    screen.shows("prompt$")
    return screen


def settings(screen):
    """The terminal's settings, by the device of the pane."""
    return subprocess.run(["stty", "-g", "-F", screen.format("#{pane_tty}")], capture_output=True, text=True, check=True).stdout


def dashboard_pid(ganger):
    return until(lambda: [pid for pid, line in ganger.processes().items() if line.split()[:1] == [str(PROGRAM)]], "the dashboard")[0]


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT])
def test_the_terminal_is_restored(ganger, terminal, number):
    session = ganger.fake("stays", "echo")
    screen = shell(ganger, terminal)
    before = settings(screen)
    screen.type(f"{PROGRAM}; echo left with $?")
    screen.keys("Enter")
    screen.shows("─ stays")
    if number is None:
        screen.type("q")
    else:
        os.kill(dashboard_pid(ganger), number)
    screen.shows(re.compile(r"left with \d"))
    assert screen.modes() == CLEAN
    screen.type("echo still a shell")
    screen.keys("Enter")
    screen.shows("\nstill a shell")
    if number is None:
        screen.shows("left with 0")
    assert alive(session["pid"])


def test_detach_and_attach(ganger, dashboard):
    ganger.fake("stays", "echo")
    screen = dashboard()
    screen.shows("○ idle")
    prompt(screen, "before")
    screen.shows("You said: before")
    screen.type("q")
    assert screen.ended() == 0
    ganger.run("send", "stays", "while away", "--wait")
    again = dashboard("attach", "stays")
    shown = again.shows("You said: while away")
    assert "You said: before" in shown


def test_two_dashboards_show_the_same(ganger, dashboard):
    ganger.fake("shared", "echo")
    one, other = dashboard(), dashboard(cols=120, rows=35)
    one.shows("○ idle")
    other.shows("○ idle")
    prompt(one, "from one")
    other.shows("You said: from one")
    prompt(other, "from the other")
    one.shows("You said: from the other")


def test_read_only_lets_nothing_through(ganger, dashboard):
    ganger.fake("keys", "raw-keys")
    ganger.screen_shows("keys", "ready")
    screen = dashboard("attach", "keys", "--read-only")
    screen.shows("ready")
    screen.keys("Enter")
    screen.type("abc")
    screen.keys("Enter")
    screen.shows("keys")
    assert "got" not in ganger.screen("keys")


def test_raw_shows_the_session_alone(ganger, dashboard):
    ganger.fake("size", "winch")
    screen = dashboard("attach", "size", "--raw", cols=81, rows=19)
    shown = screen.shows("size 81x19")
    assert "╭" not in shown
    screen.keys("C-a")
    screen.type("q")
    assert screen.ended() == 0


def test_a_killed_host_under_the_dashboard(ganger, dashboard):
    ganger.fake("echo", "echo")
    screen = dashboard()
    screen.shows("○ idle")
    prompt(screen, "before")
    screen.shows("You said: before")
    host = ganger.session("echo")["host_pid"]
    os.kill(host, signal.SIGKILL)
    until(lambda: ganger.session("echo")["host_pid"] != host, "a new host")
    screen.shows("You said: before")
    screen.shows("○ idle")
    prompt(screen, "after")
    screen.shows("You said: after")


def test_a_flood_does_not_stop_the_dashboard(ganger, dashboard):
    ganger.fake("flood", "flood")
    ganger.fake("echo", "echo")
    screen = dashboard(cols=150, rows=40)
    screen.shows("─ echo")
    screen.shows("quick brown fox")
    screen.type("2")
    prompt(screen, "in the flood")
    screen.shows("You said: in the flood")
    screen.type("q")
    assert screen.ended() == 0


# ---- terminals it cannot drive ----
@pytest.mark.parametrize("term", ["dumb", "no-such-terminal", "", None])
def test_a_terminal_it_cannot_drive(ganger, terminal, term):
    screen = shell(ganger, terminal, cols=120, rows=30)
    change = "-u TERM" if term is None else f"TERM={term}"
    screen.type(f"env -u COLORTERM {change} {PROGRAM}; echo code=$?")
    screen.keys("Enter")
    shown = screen.shows(re.compile(r"^code=\d", re.MULTILINE))
    assert "code=1" in shown and "ganger: " in shown and "TERM" in shown, shown
    assert screen.modes() == CLEAN


def test_without_a_terminal(ganger):
    ganger.fails(says="terminal")
    ganger.fails("attach", says="terminal")


def test_a_configured_key(ganger, dashboard):
    ganger.configure(keys={"prefix": "C-b", "prompt": ["F2"], "focus-2": ["F6"]})
    ganger.fake("one", "echo")
    ganger.fake("two", "echo")
    screen = dashboard(cols=150, rows=40)
    screen.shows("─ two")
    screen.keys("F2")
    screen.shows("─ prompt for")
    leave_dialog(screen, "─ prompt for")
    screen.keys("Enter")
    screen.shows("C-b commands")
    screen.keys("F6")
    screen.type("hello two")
    screen.keys("Enter")
    until(lambda: "You said: hello two" in ganger.screen("two"), lambda: screen.screen())


def test_a_bad_configuration_is_told_before_the_screen_changes(ganger, terminal):
    (ganger.config / "config.json").write_text('{"keys": {"no-such-action": "F2"}}')
    screen = shell(ganger, terminal)
    screen.type(f"{PROGRAM}; echo code=$?")
    screen.keys("Enter")
    shown = screen.shows(re.compile(r"^code=\d", re.MULTILINE))
    assert "no-such-action" in shown, shown


def test_light_theme(ganger, dashboard):
    ganger.fake("one", "echo")
    shown = {}
    for theme in ("dark", "light"):
        ganger.configure(theme=theme)
        screen = dashboard()
        screen.shows("─ one")
        shown[theme] = screen.screen(attributes=True)
    assert shown["dark"] != shown["light"]


def test_demo(ganger, terminal):
    screen = terminal().start(PROGRAM, "demo", cols=160, rows=45, cwd=str(ganger.work))
    for name in ("demo-think", "demo-stream", "demo-approve", "demo-limit", "demo-fail", "demo-idle"):
        screen.shows(name)
    screen.shows(re.compile("✗ demo-fail"))
    screen.shows(re.compile("▲ demo-approve"))
    screen.shows(re.compile("○ demo-idle"))
    screen.type("q")
    assert screen.ended(40) == 0
    until(lambda: ganger.json("ls") == [], lambda: ganger.json("ls"))
    ganger.nothing_left()


def test_inside_screen_of_tmux_no_process_is_left(ganger, dashboard):
    ganger.fake("one", "echo")
    screen = dashboard()
    screen.shows("─ one")
    screen.tmux("kill-server", check=False)
    until(lambda: not [p for p, line in ganger.processes().items() if line.split()[:1] == [str(PROGRAM)]], "the dashboard to leave")
    assert ganger.session("one")["exit"] is None


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_a_recording_is_played_from_the_dashboard(ganger, terminal, number):
    ganger.start("old", "sh", "-c", "echo first words; sleep 1; echo last words")
    ganger.phase_is("old", "completed")
    screen = shell(ganger, terminal)
    before = settings(screen)
    screen.type(f"{PROGRAM}; echo left with $?")
    screen.keys("Enter")
    screen.shows("last words")
    screen.type(":replay")
    screen.shows("play its recording")
    screen.keys("Enter")
    screen.shows("? shows the keys")
    if number is None:
        screen.type("q")
        screen.shows(" crew ")
        screen.type(":")
        screen.shows("─ commands")
        leave_dialog(screen, "─ commands")
        screen.type("q")
    else:
        os.kill(dashboard_pid(ganger), number)
    screen.shows("left with 0")
    assert screen.modes() == CLEAN and settings(screen) == before
    until(lambda: not [line for line in ganger.processes().values() if "ganger-replay" in line], "the player's end")
