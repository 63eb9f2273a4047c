"""ganger replay --export: asciicast, text, and a page that plays in a browser."""

import base64
import gzip
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess

import html_page
import pytest
from harness import PROGRAM as GANGER, until

CAPTURES = pathlib.Path(__file__).resolve().parent.parent / "captures"
HEADER = {"version": 2, "width": 40, "height": 6, "timestamp": 1763731200}
in_browser = pytest.mark.xdist_group("browser")  # which starts once
asciinema = pytest.mark.skipif(shutil.which("asciinema") is None, reason="asciinema is not installed")


def cast(path, events, header=HEADER, end="\n"):
    path.write_text("\n".join(json.dumps(line) for line in [header, *events]) + end)
    return path


def events_of(path):
    lines = path.read_text().splitlines()
    return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]


def printed(events):
    return "".join(event[2] for event in events if event[1] == "o")


def recorded(ganger, text):
    """Waits until the recording of the session s has the text."""
    until(lambda: text in ganger.run("replay", "--export", "-", "--format", "cast", "s").stdout, "the recording")


def replayed(path):
    """What asciinema writes to a terminal. It wants one, for its keys."""
    done = subprocess.run(["script", "-qec", f"asciinema cat {path}", "/dev/null"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done
    return done.stdout.replace(b"\r\n", b"\n").decode()


@pytest.fixture
def events():
    return [[0.5, "o", "one\r\n"], [1.0, "m", "prompt: do it"], [2.0, "r", "50x8"], [3.0, "o", "two é 漢\r\n"],
            [9.0, "m", "error: it broke"], [12.0, "o", "\x1b[2J\x1b[Hat twelve"], [20.0, "o", "\x1b[2J\x1b[Hthe end"]]


@pytest.fixture(scope="module")
def browser():
    if html_page.CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with html_page.Browser() as started:
        yield started


# ---- asciicast ----


@asciinema
def test_asciinema_plays_what_a_session_recorded(ganger, tmp_path):
    ganger.start("s", "printf", "%s\\n", "first é 漢", "second")
    recorded(ganger, "second")
    ganger.run("replay", "--export", str(tmp_path / "s.cast"), "s")
    assert "first é 漢\nsecond\n" in replayed(tmp_path / "s.cast")
    header, events = events_of(tmp_path / "s.cast")
    assert header["version"] == 2 and header["title"] == "s" and header["timestamp"] > 1763731200
    assert any(event[1] == "m" and event[2].startswith("phase: ") for event in events)


def test_all_attempts_are_on_one_time_line(ganger, tmp_path):
    ganger.start("s", "echo", "first attempt")
    recorded(ganger, "first attempt")
    folder = pathlib.Path(ganger.state) / "sessions" / ganger.session("s")["id"]
    cast(folder / "attempt-2.cast", [[0.5, "o", "second attempt\r\n"], [1, "r", "44x7"]])
    cast(folder / "attempt-10.cast", [[0.25, "o", "tenth attempt\r\n"]])
    out = tmp_path / "all.cast"
    ganger.run("replay", "--export", str(out), "--attempt", "all", "s")
    _, events = events_of(out)
    text = printed(events)
    assert re.search("(?s)first attempt.*\x1bcsecond attempt.*\x1bctenth attempt", text)
    assert [event[2] for event in events if event[1] == "m" and event[2].startswith("attempt")] == \
        ["attempt 1", "attempt 2", "attempt 10"]
    assert [event[2] for event in events if event[1] == "r"][-3:] == ["40x6", "44x7", "40x6"]
    times = [event[0] for event in events]
    assert times == sorted(times) and times[-1] > 3
    lines = ganger.run("replay", "--export", "-", "--format", "text", "--attempt", "all", "s").stdout.split("\n")
    assert lines == ["[attempt 1]", "first attempt", "", "[attempt 2]", "second attempt", "", "[attempt 10]",
                     "tenth attempt", ""]
    assert printed([json.loads(line) for line in ganger.run(
        "replay", "--export", "-", "--format", "cast", "--attempt", "2", "s").stdout.splitlines()[1:]]) == "second attempt\r\n"
    ganger.fails("replay", "--export", "-", "--format", "cast", "--attempt", "3", "s", says=["recording"])


def test_a_living_session_gives_what_there_is(ganger, tmp_path):
    ganger.start("s", "sh", "-c", "echo so far; exec sleep 1000")
    recorded(ganger, "so far")
    assert ganger.run("replay", "--export", "-", "--format", "text", "s").stdout == "so far\n"


def test_parts_are_joined_and_each_is_a_recording(ganger, tmp_path):
    ganger.configure(limits={"recording_bytes": 65536})
    ganger.start("s", "seq", "-f", "line %.0f of many that are printed", "12000")
    recorded(ganger, "line 12000 of")
    folder = pathlib.Path(ganger.state) / "sessions" / ganger.session("s")["id"]
    until(lambda: list(folder.glob("attempt-1.*.cast")) and list(folder.glob("*.zst")), "parts, some compressed")
    lines = [f"line {n} of many that are printed" for n in range(1, 12001)]
    ganger.run("replay", "--export", tmp_path / "s.cast", "s")
    assert printed(events_of(tmp_path / "s.cast")[1]).split("\r\n")[:-1] == lines
    assert ganger.run("replay", "--export", "-", "--format", "text", "s").stdout.splitlines() == lines
    second = next(path for path in folder.iterdir() if path.name.startswith("attempt-1.2.cast"))
    part = ganger.run("replay", "--export", "-", "--format", "text", second).stdout.splitlines()
    at = lines.index(part[1])
    # It may begin and end within a line.
    assert 0 < at and len(part) > 100 and part[1:-1] == lines[at:at + len(part) - 2]


@asciinema
@pytest.mark.parametrize("kind", ["v1", "v2", "v3", "gzip"])
def test_recordings_of_other_tools_become_v2(ganger, tmp_path, kind, events):
    source = tmp_path / ("in." + kind)
    if kind == "v1":
        source.write_text(json.dumps({"version": 1, "width": 40, "height": 6, "duration": 3.5,
                                      "stdout": [[0.5, "one\r\n"], [2.5, "two é 漢\r\n"]]}))
    elif kind == "v3":
        source.write_text("\n".join(json.dumps(line) for line in [
            {"version": 3, "term": {"cols": 40, "rows": 6}, "timestamp": 1763731200}, [0.5, "o", "one\r\n"],
            [0.5, "m", "prompt: do it"], [2.0, "o", "two é 漢\r\n"], [1, "x", "0"]]) + "\n")
    else:
        cast(source, events[:4])
        if kind == "gzip":
            source.write_bytes(gzip.compress(source.read_bytes()))
    out = tmp_path / "out.cast"
    ganger.run("replay", "--export", str(out), str(source))
    header, found = events_of(out)
    assert (header["version"], header["width"], header["height"]) == (2, 40, 6)
    assert [(event[0], event[2]) for event in found if event[1] == "o"] == [(0.5, "one\r\n"), (3.0, "two é 漢\r\n")]
    assert [event[2] for event in found if event[1] == "m"] == ([] if kind == "v1" else ["prompt: do it"])
    assert replayed(out) == "one\ntwo é 漢\n"


# ---- text ----


def test_text_has_lines_once_and_alternate_screens(ganger, tmp_path):
    source = cast(tmp_path / "in.cast", [
        [0, "o", "".join(f"line {n} with more text than fits in a row of forty\r\n" for n in range(30))],
        [1, "r", "20x12"], [2, "r", "80x20"], [3, "o", "\x1b[?1049h\x1b[2J\x1b[Hfull screen\r\nof a program"],
        [4, "o", "\x1b[?2004l\x1b[?25h\x1b[?1049l"], [5, "o", "after\r\n"]])
    text = ganger.run("replay", "--export", "-", "--format", "text", str(source)).stdout
    lines = [f"line {n} with more text than fits in a row of forty" for n in range(30)]
    assert [line for line in text.splitlines() if line.startswith("line ")] == lines
    assert "full screen\nof a program\n" in text and text.endswith("after\n")


# ---- the page ----


def page_of(ganger, tmp_path, source, *options):
    out = tmp_path / "page.html"
    ganger.run("replay", "--export", str(out), *options, str(source))
    return out


@in_browser
def test_the_page_shows_the_screen_at_a_time(ganger, browser, tmp_path, events):
    out = page_of(ganger, tmp_path, cast(tmp_path / "in.cast", events))
    with browser.page(out, "#t=12") as page:
        page.ready()
        page.wait("document.querySelector('.ap-term-text').innerText.includes('at twelve')")
        assert [line for line in page.screen() if line] == ["at twelve"]
        assert not page.evaluate("document.querySelector('.ap-player').classList.contains('ap-playing')")
        page.evaluate("location.hash = '#t=4'")
        page.wait("document.querySelector('.ap-term-text').innerText.includes('two')")
        assert [line for line in page.screen() if line] == ["one", "two é 漢"]
        text = page.text()
        assert "in.cast" in text and "2025" in text and "20 s" in text
        assert "0:01\nprompt: do it" in text and "0:09\nerror: it broke" in text
        page.evaluate("[...document.querySelectorAll('#marks button')][1].click()")
        page.wait("location.hash === '#t=9'")
        page.evaluate("""{ const box = document.getElementById('search'); box.value = 'the END'.toLowerCase();
            box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true})); }""")
        page.wait("document.querySelector('.ap-term-text').innerText.includes('the end')")
        page.click("#pauses")
        page.wait("document.querySelector('.ap-term-text')?.innerText.includes('the end')")
        page.evaluate("[...document.querySelectorAll('#marks button')][1].click()")
        page.wait("document.querySelector('.ap-term-text').innerText.includes('two')")
        assert page.said == [] and page.requests == [f"file://{out}"]


@in_browser
@pytest.mark.parametrize("size, marks", [((1200, 800), True), ((1200, 800), False), ((400, 700), True)])
def test_the_page_uses_the_width_and_shows_its_title(ganger, browser, tmp_path, size, marks):
    events = [[i, kind, "prompt: words that go on and on and on, and on again"] for i in range(20) for kind in ("o", "m")]
    header = {"version": 2, "width": 100, "height": 34, "title": "title"}
    source = cast(tmp_path / "in.cast", [e for e in events if marks or e[1] == "o"], header)
    with browser.page(page_of(ganger, tmp_path, source), "#t=12", width=size[0], height=size[1]) as page:
        page.ready()
        page.wait("document.querySelector('.ap-term-text').innerText.includes('words')")
        player, stage, moved, wide = page.evaluate(
            "[document.querySelector('.ap-player').clientWidth, document.getElementById('stage').clientWidth, scrollY,"
            " document.documentElement.scrollWidth]")
        assert player > 0.95 * stage and moved == 0 and wide <= size[0]
        assert page.evaluate("document.querySelector('h1').getBoundingClientRect().top") >= 0


@in_browser
def test_a_real_agent_looks_in_the_page_as_in_ganger(ganger, browser, tmp_path):
    header, events = events_of(CAPTURES / "claude-tool.cast")
    events = [event for event in events if event[0] <= 7]
    source = cast(tmp_path / "agent.cast", events, header)
    text = ganger.run("replay", "--export", "-", "--format", "text", str(source)).stdout
    # The player draws block elements as pictures, and has no text for them.
    blocks = str.maketrans({chr(code): " " for code in range(0x2580, 0x25A0)})
    expected = [line.translate(blocks).rstrip() for line in text.rstrip("\n").split("\n")]
    assert any("Do you want to proceed?" in line for line in expected)
    with browser.page(page_of(ganger, tmp_path, source), "#t=7") as page:
        page.ready()
        until(lambda: "\n".join(page.screen()).rstrip("\n").split("\n") == expected, lambda: page.screen())
    with browser.page(tmp_path / "page.html") as page:
        page.ready()
        until(lambda: "Opus" in page.text(), lambda: page.screen())  # the picture that it begins with
        page.evaluate("location.hash = '#t=7'")
        until(lambda: "\n".join(page.screen()).rstrip("\n").split("\n") == expected, lambda: page.screen())


HOSTILE = "</title></script><script>window.broken = 1</script><img src=x onerror='window.broken=1'>--><!--\"'`&{page-script}\u2028\u202e"


@in_browser
@pytest.mark.parametrize("titled", [True, False])
def test_nothing_breaks_out_of_the_page(ganger, browser, tmp_path, titled):
    source = cast(tmp_path / "'\"><script>window.broken=1<\u2028--> {page-script} &amp;.cast",
                  [[0.5, "o", HOSTILE], [1, "m", HOSTILE], [1.5, "m", "error: " + HOSTILE], [2, "o", "\x00\ud800 end"]],
                  {**HEADER, **({"title": HOSTILE} if titled else {}), "command": HOSTILE,
                   "env": {"SHELL": HOSTILE, "TERM": HOSTILE}})
    out = page_of(ganger, tmp_path, source)
    raw = out.read_text()
    assert "<script>window.broken" not in raw and "onerror='" not in raw and raw.count("default-src 'none'") == 1
    with browser.page(out, "#t=2") as page:
        page.ready()
        page.wait("document.querySelector('.ap-term-text').innerText.includes('end')")
        assert page.evaluate("window.broken") is None and page.evaluate("document.images.length") == 0
        name = HOSTILE[:50] if titled else "<script>window.broken=1<"
        assert name in page.evaluate("document.querySelector('h1').textContent")
        assert "onerror" in page.evaluate("document.querySelector('#marks .error').textContent")
        assert page.said == [] and page.requests == [f"file://{out}"]


@in_browser
def test_the_page_allows_no_other_script(ganger, browser, tmp_path, events):
    """Even markup that got in would do nothing."""
    out = page_of(ganger, tmp_path, cast(tmp_path / "in.cast", events))
    out.write_text(out.read_text().replace("<header>", "<script>window.broken=1</script><img src='data:,' onerror='window.broken=2'>"
                                                       "<header>"))
    with browser.page(out) as page:
        page.ready()
        assert page.evaluate("window.broken") is None
        assert any("Content Security Policy" in line for line in page.said)


@in_browser
@pytest.mark.parametrize("kind", ["empty", "torn"])
def test_pages_of_recordings_that_are_not_whole(ganger, browser, tmp_path, kind):
    if kind == "empty":
        out = page_of(ganger, tmp_path, cast(tmp_path / "in.cast", []))
    else:
        source = cast(tmp_path / "in.cast", [[1, "o", "whole"], [2, "o", "cut off"]])
        source.write_bytes(source.read_bytes()[:-9])
        out = page_of(ganger, tmp_path, source)
    with browser.page(out, "#t=1") as page:
        page.wait("document.documentElement?.dataset.state")
        assert ("Nothing was printed" if kind == "empty" else "its end is missing") in page.text()


def recording_in(page):
    chunks = re.findall('<script class="recording" type="text/plain">([^<]*)</script>', page)
    return gzip.decompress(b"".join(base64.b64decode(chunk) for chunk in chunks)).decode()


def test_a_long_recording_is_a_small_page_without_what_was_typed(ganger, tmp_path):
    line = "".join(f"\x1b[{n};1H\x1b[3{n % 8}mrow {n} of an animation\x1b[0m" for n in range(20))
    events = [[n / 100, "o", line + str(n)] for n in range(20000)]
    events[100] = [1.0, "i", "secret words"]
    source = cast(tmp_path / "in.cast", events)
    out = page_of(ganger, tmp_path, source)
    assert source.stat().st_size > 15e6 and out.stat().st_size < 1.5e6
    found = [json.loads(line) for line in recording_in(out.read_text()).splitlines()[1:]]
    assert len(found) == 19999 and found[-1] == [199.99, "o", line + "19999"]


# ---- files ----


def test_a_file_that_exists_is_replaced_when_told_only(ganger, tmp_path, events):
    source, out = cast(tmp_path / "in.cast", events), tmp_path / "out.txt"
    out.write_text("mine")
    out.chmod(0o640)
    ganger.fails("replay", "--export", str(out), str(source), says=["exists", "--force"])
    assert out.read_text() == "mine"
    link = tmp_path / "link.txt"
    link.symlink_to(out)
    ganger.run("replay", "--export", str(link), "--force", str(source))
    assert link.is_symlink() and out.read_text() == "the end\n" and out.stat().st_mode & 0o777 == 0o640
    ganger.run("replay", "--export", str(source), "--force", str(source))
    assert printed(events_of(source)[1]) == printed(events)
    assert sorted(path.name for path in tmp_path.iterdir() if "tmp" in path.name) == []


def test_what_cannot_be_written_leaves_nothing(ganger, tmp_path, events):
    source = cast(tmp_path / "in.cast", events * 20000)
    before = sorted(tmp_path.iterdir())
    ganger.fails("replay", "--export", "/dev/full", "--format", "cast", str(source), says=["No space left", "/dev/full"])
    ganger.fails("replay", "--export", str(tmp_path), "--format", "html", str(source), says=["directory"])
    ganger.fails("replay", "--export", str(tmp_path / "no" / "x.html"), str(source), says=["No such file"])
    ganger.fails("replay", "--export", str(tmp_path / "x.cast"), str(source), says=["File too large"],
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    assert sorted(tmp_path.iterdir()) == before
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(GANGER), "replay", "--export", "-", "--format", "cast", str(source)], stdout=full,
                              stderr=subprocess.PIPE, env=ganger.env, text=True, timeout=60)
    assert done.returncode == 1 and "No space left" in done.stderr


def test_a_signal_leaves_nothing(ganger, tmp_path):
    """The recording comes through a pipe of a kind: a file so long that it is not done before the signal."""
    source = tmp_path / "in.cast"
    with open(source, "w") as file:
        file.write(json.dumps(HEADER) + "\n")
        for n in range(40000):
            file.write(json.dumps([n, "o", "x\x1b[H" * 200]) + "\n")
    process = subprocess.Popen([str(GANGER), "replay", "--export", str(tmp_path / "x.txt"), str(source)], env=ganger.env)
    until(lambda: process.poll() is not None or len(list(tmp_path.glob("x.txt*"))) > 0, "the file")
    process.terminate()
    assert process.wait(30) != 0
    assert [path.name for path in tmp_path.iterdir()] == ["in.cast"]


@pytest.mark.parametrize("text, says", [("", "empty"), ("hello\n", "asciicast"), ('{"version": 9}\n', "9")])
def test_files_that_are_no_recordings(ganger, tmp_path, text, says):
    source = tmp_path / "in.cast"
    source.write_text(text)
    ganger.fails("replay", "--export", str(tmp_path / "x.html"), str(source), says=[says])
    assert not (tmp_path / "x.html").exists()


def test_lines_that_are_no_events_are_told(ganger, tmp_path):
    source = tmp_path / "in.cast"
    source.write_text('{"version": 2, "width": 9, "height": 3}\n[1, "o", "a"]\n[null, "o", "c"]\nnonsense\n[2, "o", "b"]\n')
    for options in (["--export", "-", "--format", "text"], ["--raw", "--speed", "1000"]):
        done = ganger.run("replay", *options, str(source))
        assert done.stdout.strip() == "ab" and "2 lines are no events and were left out" in done.stderr


@pytest.mark.parametrize("said", [{}, {"title": "a demo", "timestamp": 1700000000, "env": {"TERM": "screen"}}])
def test_a_foreign_header_says_what_it_said(ganger, tmp_path, said):
    header = {"version": 2, "width": 40, "height": 6, **said}
    source = cast(tmp_path / "in.cast", [[1, "o", "x"]], header)
    ganger.run("replay", "--export", str(tmp_path / "out.cast"), str(source))
    assert events_of(tmp_path / "out.cast")[0] == header


def test_a_torn_recording_is_exported_up_to_there(ganger, tmp_path):
    source = cast(tmp_path / "in.cast", [[1, "o", "whole"], [2, "o", "cut off"]])
    source.write_bytes(source.read_bytes()[:-9])
    done = ganger.run("replay", "--export", "-", "--format", "text", str(source))
    assert done.stdout == "whole\n" and "middle of a line" in done.stderr


def test_what_a_browser_cannot_hold_is_refused(ganger, tmp_path):
    source = cast(tmp_path / "in.cast", [[1, "o", "x"]])
    os.truncate(source, 10 << 30)  # sparse
    ganger.fails("replay", "--export", str(tmp_path / "x.html"), str(source), says=["browser", "--attempt"])
    assert not (tmp_path / "x.html").exists()


def test_wrong_usage(ganger, tmp_path, events):
    source = str(cast(tmp_path / "in.cast", events))
    for arguments in (["--export", "x.mp4", source], ["--export", "-", source], ["--export", "x.cast", "--format", "gif", source],
                      ["--format", "cast", source], ["--force", source], 
                      ["--export", "x.cast", "--attempt", "1", source], ["--export", "x.cast", "--detect", source],
                      ["--export", "x.cast"]):
        ganger.fails("replay", *arguments, code=2, cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["in.cast"]
