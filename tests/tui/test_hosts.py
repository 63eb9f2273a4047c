"""What hosts may do to the dashboard, and what it asks of them."""
import re
import time

import pytest

from fake_host import FakeHost, frame
from harness import until


@pytest.fixture
def host(ganger):
    made = []

    def make(name, frames=()):
        made.append(FakeHost(ganger, name, frames))
        return made[-1]
    yield make
    for one in made:
        one.end()


BAD = [b'{"jsonrpc":"2.0","method":"screen","params":{"frame":1,"base":0}}\n',
       frame(1, 0, {9: "below the last row"}),
       frame(1, 0, {0: "wider than the screen is"}, cols=4),
       frame(1, 0, {0: "x"}, cols=100000, rows=100000),
       b'{"jsonrpc":"2.0","method":"screen","params":[[[[[[[' + b"\n",
       b"\x00\xff\xfe garbage\n",
       b"x" * (3 << 20) + b"\n",
       b'{"jsonrpc":"2.0","method":"event","params":7}\n{"id":{}}\n[]\n7\n']


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_line_does_no_harm(host, dashboard, bad):
    one = host("one", [frame(1, 0, {0: "before"}), bad, frame(2, 1, {1: "after"})])
    two = host("two", [frame(1, 0, {0: "undisturbed"})])
    screen = dashboard(cols=120, rows=40)
    screen.shows("undisturbed")
    screen.shows("before")
    until(lambda: one.connections > 1 or "after" in screen.screen(), screen.screen)
    screen.keys("Tab")
    screen.type("q")
    assert screen.ended() == 0
    assert one.connections < 20 and two.connections == 1


def test_a_failing_host_is_not_asked_in_a_circle(host, dashboard):
    one = host("one", [BAD[1]])
    screen = dashboard()
    screen.shows("─ one")
    until(lambda: one.connections >= 3, "three tries")
    before, started = one.connections, time.monotonic()
    until(lambda: one.connections >= before + 2, "two more")
    assert time.monotonic() - started > 0.2


def test_an_unknown_base_gets_a_full_frame(host, dashboard):
    one = host("one", [frame(1, 0, {0: "first"})])
    screen = dashboard()
    screen.shows("first")
    one.frames = [frame(9, 0, {0: "whole again"})]
    one.clients[0].sendall(frame(8, 5, {0: "lost"}))
    screen.shows("whole again")
    assert one.of("session.subscribe")[-2]["screen"] is False
    assert one.connections == 1


def test_frames_are_acknowledged(host, dashboard):
    one = host("one", [frame(1, 0, {0: "start"}, rows=12)])
    screen = dashboard()
    screen.shows("start")
    until(lambda: {"frame": 1} in one.of("screen.ack"), lambda: one.requests)
    for number in range(2, 10):
        one.clients[0].sendall(frame(number, number - 1, {1: f"small {number}"}, rows=12))
    screen.shows("small 9")
    until(lambda: one.of("screen.ack")[-1]["frame"] == 9, lambda: one.of("screen.ack"))
    assert [a["frame"] for a in one.of("screen.ack")] == [1, 5, 9]


def test_hidden_sessions_have_no_screen(host, dashboard):
    shown, hidden = host("shown", [frame(1, 0, {0: "seen"})]), host("hidden")
    screen = dashboard("attach", "shown")
    screen.shows("seen")
    screen.keys("C-a")
    screen.type("z")
    until(lambda: hidden.of("session.subscribe") and not hidden.of("session.subscribe")[-1]["screen"], lambda: hidden.requests)
    assert shown.of("session.subscribe")[-1]["screen"]


def test_the_size_is_that_of_the_pane(host, dashboard):
    one = host("one", [frame(1, 0, {0: "here"})])
    screen = dashboard(cols=100, rows=30)
    screen.shows("here")
    until(lambda: one.of("session.view"), "a view")
    assert one.of("session.view")[-1] == {"cols": 64, "rows": 27}
    screen.resize(120, 40)
    until(lambda: one.of("session.view")[-1] == {"cols": 84, "rows": 37}, lambda: one.of("session.view"))


def test_a_larger_screen_is_clipped_around_the_cursor(host, dashboard):
    lines = {y: f"row {y}" for y in range(60)}
    one = host("one", [frame(1, 0, lines, cols=150, rows=60, cursor=[0, 59, True, 1, False])])
    screen = dashboard(cols=80, rows=24)
    shown = screen.shows("row 59")
    assert "row 10" not in shown
    one.clients[0].sendall(frame(2, 1, {}, cols=150, rows=60, cursor=[0, 3, True, 1, False]))
    screen.shows(re.compile(r"│row 3 "))


def test_pastes_go_whole(host, dashboard):
    one = host("one", [frame(1, 0, {0: "here"})])
    screen = dashboard("attach", "one")
    screen.shows("here")
    screen.paste("long " * 400)
    until(lambda: one.of("session.paste"), lambda: one.requests)
    assert one.of("session.paste") == [{"text": "long " * 400}]
    screen.paste("short")
    until(lambda: one.of("session.input"), lambda: one.requests)


def test_colours_beyond_the_pairs(host, dashboard):
    """More combinations of colours than there are slots: the screen stays whole."""
    cols, rows = 90, 60
    styles = {str(1 + y * cols + x): {"fg": f"#{x + 50:02x}{y + 20:02x}80", "bg": f"#10{x:02x}{y:02x}"} for y in range(rows) for x in range(cols)}
    lines = [[y, [[1 + y * cols + x, 1, "abcdefghij"[x % 10]] for x in range(cols)]] for y in range(rows)]
    one = host("one", [frame(1, 0, {}, cols=cols, rows=rows, styles=styles, members={"lines": lines})])
    screen = dashboard(cols=140, rows=64)
    screen.shows("abcdefghij" * 9)
    until(lambda: screen.screen().count("abcdefghij" * 9) == 60, screen.screen)
    one.clients[0].sendall(frame(2, 1, {0: "and on it goes"}, cols=cols, rows=rows))
    screen.shows("and on it goes")


def test_answers_go_to_the_request_that_was_read(host, dashboard):
    one = host("one", [frame(1, 0, {0: "the screen of it"})])
    for number in range(1, 4):
        one.ask(number, tool="Bash", input=f"command {number}", choices=["Yes", "No"])
    one.ask(4, kind="question", input="Which?", choices=["this", "that"])
    screen = dashboard(cols=100, rows=30)
    screen.shows("the screen of it")
    screen.type("a")
    screen.shows("command 1")
    screen.keys("Tab")
    screen.shows("command 2")
    screen.type("a")
    screen.shows("one: approved: Bash: command 2")
    screen.type("d")
    screen.shows("1 of 3")
    screen.type("t")
    screen.paste("not\x1b here")
    screen.keys("Enter")
    screen.shows("one: denied: Bash: command 1")
    screen.type("a")
    screen.shows("1 of 2")
    screen.keys("F5", "C-d", "M-d")
    screen.type("9")
    screen.shows("there is no choice 9")
    screen.keys("Tab")
    screen.shows("2 of 2")
    screen.keys("Enter")
    screen.shows("one: answered: question: Which?")
    assert one.of("session.approve") == [
        {"id": "1-2", "decision": "approve"},
        {"id": "1-1", "decision": "deny", "text": "not here"},
        {"id": "1-4", "decision": "choice", "choice": 1}]


def test_an_answer_that_comes_too_late(host, dashboard):
    one = host("one", [frame(1, 0, {0: "the screen of it"})])
    one.ask(1, tool="Bash", input="command 1")
    screen = dashboard(cols=100, rows=30)
    screen.shows("the screen of it")
    screen.type("a")
    screen.shows("one asks")
    one.object = {**one.object, "pending_approvals": []}
    screen.type("a")
    screen.shows("one: not answered: that request is no longer there")
    screen.hides("one asks")


def test_requests_of_any_shape(host, dashboard):
    one = host("one", [frame(1, 0, {0: "the screen of it"})])
    one.ask(1, kind=7, tool=["x"], input="\x1b[31mred\u202etxt.exe\n" * 3, choices=[None, 3, "a\nb", "\u202ec"], since=5)
    one.ask(2, input="x" * 16384, choices=[f"choice {n}" for n in range(99)])
    one.ask(3, tool="T" * 300, input=None, choices="none")
    one.object["pending_approvals"] += [3, {"id": 5}, {"id": "i" * 100}]
    screen = dashboard(cols=80, rows=24)
    screen.shows("the screen of it")
    screen.type("a")
    screen.shows("\ufffd[31mred\ufffdtxt.exe")
    screen.shows("3  a b")
    screen.keys("Tab")
    screen.shows("xxxxxxxx")
    screen.keys("End")
    screen.shows("99  choice 98")
    screen.keys("Tab")
    screen.shows("TTTT")
    for cols, rows in (10, 4), (5, 2), (200, 50), (40, 12):
        screen.resize(cols, rows)
    screen.shows("a, Enter approve")
