"""Programs of every day in a session: their screens are those of the same program in tmux."""
import json
import re

import pytest

from harness import FAKE, until

COLS, ROWS = 90, 28


def rows(text):
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def compare(ganger, terminal, name, command, steps, env=None):
    """Runs a command in a session and in tmux, types `steps` (tmux's key names, or ("wait", text)) into both, and compares
    the screens."""
    environment = {"PS1": "prompt$ ", "HISTFILE": "/dev/null", "LESSHISTFILE": "-", "TERM": "xterm-256color", **(env or {})}
    outer = terminal().start("env", *[f"{k}={v}" for k, v in environment.items()], *command, cols=COLS, rows=ROWS, cwd=str(ganger.work),
                             term="xterm-256color")
    ganger.start(name, "env", *[f"{k}={v}" for k, v in environment.items()], *command, options=("--size", f"{COLS}x{ROWS}"))
    for step in steps:
        if isinstance(step, tuple):
            outer.shows(step[1])
            ganger.screen_shows(name, step[1])
        else:
            outer.keys(*step.split())
            ganger.run("keys", name, *step.split())
    seen = []

    def equal_and_quiet():
        seen.append((rows(outer.screen()), rows(ganger.screen(name))))
        return len(seen) > 3 and seen[-1][0] == seen[-1][1] and seen[-1] == seen[-4]
    until(equal_and_quiet,
          lambda: "the same screens:\n" + outer.screen() + "\n--- ganger:\n" + ganger.screen(name), pause=0.1)


def document(ganger, count=300):
    path = ganger.work / "text.txt"
    path.write_text("".join(f"{i}: the quick brown fox, ünïcode 漢字 🚀 and\ttabs {'long ' * (i % 30)}\n" for i in range(1, count)))
    return path


def test_bash(ganger, terminal):
    compare(ganger, terminal, "bash", ["bash", "--norc", "--noprofile", "-i"], [
        ("wait", "prompt$"), "e c h o Space h e l l o Enter", ("wait", "\nhello"), "s e q Space 3 0 Enter", ("wait", "30\nprompt$"),
        "e c h o Space a b c Left Left BSpace Home End X Enter", ("wait", "bcX"), "C-l f o r Space i Space i n Space 1 Enter",
        ("wait", "\n>")])


def test_vim(ganger, terminal):
    path = document(ganger)
    compare(ganger, terminal, "vim", ["vim", "-u", "NONE", "-N", "-n", "+set nu ruler laststatus=2 t_RV=", str(path)], [
        ("wait", "1: the quick"), "G", ("wait", "299: the quick"), "g g", ("wait", "1: the quick"), "i n e w Space t e x t Enter Escape",
        ("wait", "new text"), "1 0 d d", "C-f", "C-b", "/ f o x Enter", "n n", ": s p l i t Enter", "C-w j", "v l l l", "Escape", "C-e C-e"])


def test_vim_writes_what_was_typed(ganger):
    path = ganger.work / "new.txt"
    ganger.start("vim", "vim", "-u", "NONE", "-N", "-n", str(path))
    ganger.screen_shows("vim", "~")
    ganger.run("keys", "vim", "i")
    ganger.run("paste", "vim", "first ünïcode 漢字\nsecond line")
    ganger.screen_shows("vim", "second line")
    ganger.run("keys", "vim", "Escape", ":", "w", "q", "Enter")
    ganger.phase_is("vim", "completed")
    assert path.read_text() == "first ünïcode 漢字\nsecond line\n"


def test_less(ganger, terminal):
    path = document(ganger)
    compare(ganger, terminal, "less", ["less", "-S", str(path)], [
        ("wait", "1: the quick"), "Space Space", "b", "/ 1 5 0 : Enter", ("wait", "150: the quick"), "Right", "Left", "G",
        ("wait", "299: the quick"), "k k k", "j"])


def test_less_restores_the_screen(ganger):
    path = document(ganger)
    ganger.start("shell", "bash", "--norc", "--noprofile", "-i", env={"PS1": "prompt$ "})
    ganger.screen_shows("shell", "prompt$")
    before = ganger.screen("shell")
    ganger.run("keys", "shell", *"less Space text.txt Enter".replace("less", "l e s s").replace("text.txt", "t e x t . t x t").split())
    ganger.screen_shows("shell", "1: the quick")
    ganger.run("keys", "shell", "q")
    until(lambda: rows(ganger.screen("shell"))[0].startswith("prompt$ less text.txt"), lambda: ganger.screen("shell"))
    assert "quick" not in ganger.screen("shell") and rows(before)[0] == "prompt$"
    assert path.exists()


def test_htop(ganger):
    ganger.start("htop", "htop", "-d", "5", options=("--size", f"{COLS}x{ROWS}"))
    ganger.screen_shows("htop", "Load average")
    assert re.search(r"F1.*Help.*F10.*Quit", ganger.screen("htop"))
    ganger.run("keys", "htop", "F1")
    ganger.screen_shows("htop", "CPU usage bar")
    ganger.run("keys", "htop", "q")
    until(lambda: "CPU usage bar" not in ganger.screen("htop"), "the help to close")
    ganger.run("keys", "htop", "F10")
    ganger.phase_is("htop", "completed")


def test_tmux_in_a_session(ganger):
    socket = ganger.root / "inner"
    ganger.start("tmux", "tmux", "-S", str(socket), "-f", "/dev/null", "new-session", "-s", "inner", "bash --norc --noprofile -i",
                 options=("--size", f"{COLS}x{ROWS}"), env={"PS1": "prompt$ "})
    ganger.screen_shows("tmux", "[inner]")
    ganger.run("keys", "tmux", "C-b", "%")
    ganger.screen_shows("tmux", "│")
    ganger.run("keys", "tmux", *"echo".replace("", " ").split(), "Space", "a", "$", "(", "(", "4", "0", "+", "2", ")", ")", "Enter")
    ganger.screen_shows("tmux", "a42")
    screen = rows(ganger.screen("tmux"))
    assert all("│" in row for row in screen[:ROWS - 1]), "\n".join(screen)
    ganger.run("keys", "tmux", "C-b", "d")
    ganger.phase_is("tmux", "completed")


def test_answers_to_queries(ganger):
    ganger.fake("query", "query")
    ganger.screen_shows("query", "end of queries")
    answers = dict(line.split(": ", 1) for line in rows(ganger.screen("query")) if ": " in line)
    assert "no answer" not in answers.values(), answers
    assert answers["DA1"].startswith("ESC [?62") and answers["DSR"] == "ESC [0n"
    assert "ganger" in answers["XTVERSION"]
    assert answers["kitty"] == "ESC [?0u"
    assert answers["2026"] in ("ESC [?2026;2$y", "ESC [?2026;1$y")
    assert answers["size"] == "ESC [8;40;120t"
    assert answers["7501"].startswith("ESC ]7501;?")
    assert answers["bg"].startswith("ESC ]11;rgb:")


@pytest.mark.parametrize("modes, keys, wanted", [
    ([], ["Up"], "1b 5b 41"),
    (["?1h"], ["Up"], "1b 4f 41"),
    ([], ["M-Enter"], "1b 0d"),
    ([">1u"], ["S-Enter"], "1b 5b 31 33 3b 32 75"),
    ([">4;2m"], ["S-Enter"], "1b 5b 32 37 3b 32 3b 31 33 7e"),
    ([], ["BTab"], "1b 5b 5a"),
    ([], ["C-Space"], "00"),
    ([], ["ü"], "c3 bc"),
])
def test_keys_as_the_program_asked_for_them(ganger, modes, keys, wanted):
    ganger.fake("keys", "raw-keys", *modes)
    ganger.screen_shows("keys", "ready")
    ganger.run("keys", "keys", *keys)
    ganger.screen_shows("keys", "got " + wanted)


def test_a_resize_reaches_the_program_and_the_scrollback_reflows(ganger):
    ganger.fake("size", "winch")
    ganger.screen_shows("size", "size 120x40")
    connection = ganger.connect("size")
    connection.call("session.view", {"cols": 77, "rows": 21})
    ganger.screen_shows("size", "size 77x21")
    session = ganger.session("size")
    assert (session["cols"], session["rows"]) == (77, 21)


def test_scrollback(ganger):
    ganger.start("lines", FAKE, "lines", "5000")
    ganger.screen_shows("lines", "end of lines")
    connection = ganger.connect("lines")
    got = connection.call("scrollback.get", {"attempt": 1, "from": 100, "count": 3})["result"]
    assert re.search(r"line 00000101 .*line 00000102 .*line 00000103 ", json.dumps(got))
    found = connection.call("scrollback.search", {"pattern": "line 00004321"})["result"]
    assert "4320" in json.dumps(found), found


def test_wide_and_odd_text(ganger):
    text = "漢字かな 🚀👩‍💻🇨🇭 e\u0301 ﷽ \u200b| ⚠️ ❤️ end"
    path = ganger.work / "t"
    path.write_text(text + "\n")
    ganger.start("odd", "sh", "-c", f"cat {path}; exec sleep 1000")
    ganger.screen_shows("odd", "end")
    first = rows(ganger.screen("odd"))[0]
    for word in ("漢字かな", "👩‍💻", "🇨🇭", "e\u0301"):
        assert word in first, first


def test_hostile_bytes_do_not_stop_the_host(ganger):
    path = ganger.work / "bytes"
    path.write_bytes(bytes(range(256)) * 50 + b"\x1b[38:2:59:66:97;48:2:36:40:59;58:2:224:175:104;4:3m" + b"\x1b[5b" + b"\xc2\x85\x1b[K"
                     + b"\xe3\x81\x8b" + b"\xe3\x82\x99" * 50 + b"\x1b]9;abc\x1b" + b"\\" + b"\x1bP" + b"q" * 200000 + b"\x1b\\"
                     + b"\x1b[999999999;999999999H\x1b[4;5r\x1b[3S\x1bc\x1b[2J\x1b[Hafterwards\n")
    ganger.start("bytes", "sh", "-c", f"cat {path}; exec sleep 1000")
    ganger.screen_shows("bytes", "afterwards")
    assert not any(e["type"] == "host_restarted" for e in ganger.events("bytes"))
