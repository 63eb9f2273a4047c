"""Screens of the dashboard compared with what they looked like when somebody looked at them: golden/NAME.txt.

GANGER_GOLDEN=write writes them anew. What is shown here has no running times."""
import difflib
import os
import re
import time
from pathlib import Path

import pytest

from fake_host import FakeHost, frame
from harness import FAKE, until

GOLDEN = Path(__file__).resolve().parent / "golden"
SHAPES = [(80, 24), (40, 12), (200, 50)]
TEXT = r"printf '\033[1mplan\033[m\n漢字 and 🟢 and é\n'; exec sleep 1000"


def compare(name, screen, complete):
    """Waits until the screen is the golden one; `complete(text)` tells when it is worth writing."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("GANGER_GOLDEN") == "write":
        # Programs draw again after a change of size: what has not changed for a moment is what was meant.
        text = until(lambda: (t := screen.screen()) and complete(t) and (time.sleep(1), screen.screen() == t)[1] and t, screen.screen)
        GOLDEN.mkdir(exist_ok=True)
        path.write_text("".join(line.rstrip() + "\n" for line in text.splitlines()))
    golden = path.read_text().splitlines()

    def shown():
        return [line.rstrip() for line in screen.screen().splitlines()]
    until(lambda: shown() == golden,
          lambda: "\n".join(difflib.unified_diff(golden, shown(), "golden", "shown", lineterm="")))


@pytest.fixture
def crew(ganger):
    """Four sessions: two at rest, one that failed, one that is done."""
    ganger.start("plan", "sh", "-c", TEXT)
    ganger.fake("agent", "idle")
    ganger.start("broken", "sh", "-c", "echo it went wrong; exit 3")
    ganger.start("done", "sh", "-c", "echo all done")
    ganger.phase_is("plan", "unknown")
    ganger.phase_is("agent", "idle")
    ganger.phase_is("broken", "failed")
    ganger.phase_is("done", "completed")
    return ganger


@pytest.mark.parametrize("cols,rows", SHAPES)
def test_no_session(dashboard, cols, rows):
    compare(f"empty-{cols}x{rows}", dashboard(cols=cols, rows=rows), lambda t: "no session" in t)


@pytest.mark.parametrize("cols,rows", SHAPES)
def test_a_crew(crew, dashboard, cols, rows):
    screen = dashboard("attach", "plan", cols=cols, rows=rows)
    compare(f"crew-{cols}x{rows}", screen, lambda t: "漢字" in t and ("idle" in t or "○" in t))


def test_help_and_palette(dashboard):
    screen = dashboard(cols=100, rows=52)
    screen.shows("no session")
    screen.type("?")
    compare("help-100x52", screen, lambda t: "─ keys ─" in t)
    screen.type("q")
    screen.hides("─ keys ─")
    screen.type(":lay")
    compare("palette-100x52", screen, lambda t: "next layout" in t)


def test_a_question(crew, dashboard):
    screen = dashboard("attach", "plan", cols=80, rows=24)
    screen.shows("漢字")
    screen.keys("C-a")
    screen.type("x")
    compare("question-80x24", screen, lambda t: "End plan" in t)


COMMAND = """Bash command

find . -name '*.o' -newer Makefile -print0 | xargs -0 rm -v && make -j2 BUILD=release PREFIX=/usr/local install
Remove what is stale, build\tand install 漢字

""" + "".join(f"+ line {n} of what is written\n" for n in range(1, 31)) + """
Do you want to proceed?"""


@pytest.fixture
def asking(ganger):
    """A session that asks two things, each in its own way."""
    host = FakeHost(ganger, "api-fix", [frame(1, 0, {0: "the screen of it"})])
    host.ask(1, tool="Bash", input=COMMAND, choices=["Yes", "Yes, and don't ask again for this command", "No, and tell what to do instead"])
    host.ask(2, kind="question", input="Which of the two?", choices=["this", "that"])
    yield host
    host.end()


@pytest.mark.parametrize("cols,rows", SHAPES)
def test_a_request(asking, dashboard, cols, rows):
    screen = dashboard("attach", "api-fix", cols=cols, rows=rows)
    screen.shows("the screen of it")
    screen.keys("C-a")
    screen.type("a")
    compare(f"approval-{cols}x{rows}", screen, lambda t: "api-fix asks" in t and "Enter approve" in t)
    screen.keys("PageDown", "Down")
    compare(f"approval-below-{cols}x{rows}", screen, lambda t: cols > 100 or "lines 1-" not in t)


def test_a_request_that_is_over(asking, dashboard):
    screen = dashboard("attach", "api-fix", cols=80, rows=24)
    screen.shows("the screen of it")
    screen.keys("C-a")
    screen.type("d")
    screen.shows("d, Enter deny")
    screen.keys("Tab")
    screen.shows("Which of the two?")
    screen.type("t")
    screen.type("none of them")
    compare("approval-words-80x24", screen, lambda t: "none of them" in t)
    asking.resolve("1-2", "answered", "person")
    compare("approval-over-80x24", screen, lambda t: "any key closes" in t)


def test_scrollback(ganger, dashboard):
    ganger.start("lines", FAKE, "lines", "300")
    screen = dashboard("attach", "lines", cols=80, rows=24)
    until(lambda: ganger.session("lines")["rows"] == 21, lambda: ganger.session("lines"))
    screen.shows(re.compile("end of lines.*\n│ "))
    screen.keys("C-a")
    screen.keys("PageUp")
    compare("scrollback-80x24", screen, lambda t: " scroll " in t and "…" not in t.splitlines()[-1] and "end of lines" not in t)
