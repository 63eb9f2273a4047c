"""The side panel with accounts, usage and prompts, on a ledger made by hand; the dialogs that change what it shows.

Screens are compared with golden files as in test_golden.py; digits of times that run are replaced by #."""
import datetime
import json
import re

import pytest

from fake_host import FakeHost, frame
from fake_ledger import FakeLedger
from harness import until
from test_golden import compare

SHAPES = [(80, 24), (120, 36), (200, 50), (40, 12)]
TIME = re.compile(r"~[\d.]+%/h|~[A-Z][a-z]{2} \d+:\d\d|\d+:\d\d(?::\d\d)?|\b\d+m\d\ds\b|\b\d+s\b")


class Still:
    """A terminal whose running times stand still."""

    def __init__(self, terminal):
        self.terminal = terminal

    def screen(self):
        return TIME.sub(lambda m: re.sub(r"[\w.%/]", "#", m.group()), self.terminal.screen())


def after(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def used(tokens_in, tokens_out, cost, basis="reported"):
    return {"usage": {"input_tokens": tokens_in, "output_tokens": tokens_out, "cache_read_tokens": None, "cache_write_tokens": None,
                      "cost_usd": cost, "cost_basis": basis}}


def prompt(number, text, priority="later", state="queued"):
    return {"id": f"p-{number}", "text": text, "priority": priority, "state": state}


PROMPTS = [prompt(1, "fix the tests of the parser\nand say how", "next"), prompt(2, "then document what changed, 漢字 too"), prompt(3, "commit")]


def accounts(ganger, *names):
    (ganger.config / "config.json").write_text(json.dumps(
        {"accounts": {name: {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": str(ganger.home / name)}} for name in names}}))


@pytest.fixture
def hosts(ganger):
    """hosts(name, members…): a session of a host that is made up."""
    made = []

    def make(name, **members):
        made.append(FakeHost(ganger, name, [frame(1, 0, {0: f"the screen of {name}"}, cols=40)],
                             created_at=f"2026-01-01T00:00:{len(made):02}.000Z", **members))
        return made[-1]
    yield make
    for host in made:
        host.end()


def limited(hosts, kind, **members):
    until_ = after(5025)
    return hosts("api-fix", agent="claude", account="work", phase="limited", phase_until=until_,
                 waiting={"for": kind, "account": "work", "until": until_, "reason": "the account is at its limit"}, **members)


@pytest.fixture
def crew(ganger, hosts):
    accounts(ganger, "work", "home", "play")
    first = limited(hosts, "account", model="claude-opus-4-1-20250805", context_pct=41.2, queue=PROMPTS,
                    **used(412000, 18000, 3.21, "subscription"))
    second = hosts("docs", agent="claude", account="work", phase="limited", phase_until=after(945), model="claude-sonnet-4-5", context_pct=83,
                   waiting={"for": "order", "account": "work", "until": after(945), "reason": None}, **used(82000, 3000, .42, "computed"))
    hosts("broken", agent="codex", phase="failed", model="gpt-5.1-codex",
          last_error={"class": "auth", "code": "auth", "message": "the login is not valid any more", "hint": "log in again: ganger login codex"})
    hosts("search", agent="codex", phase="thinking", phase_since=after(-75), model="gpt-5.1-codex", context_pct=12, **used(22000, 1200, .11))
    hosts("plain", phase="idle")
    ledger = FakeLedger(ganger.state)
    ledger.window("claude/work", "five_hour", 100, 5025, before=70)
    ledger.window("claude/work", "seven_day", 62, 6 * 86400 + 11564, before=61)
    ledger.limited("claude/work", 5025)
    ledger.waits("claude/work", first.id)
    ledger.waits("claude/work", second.id)
    ledger.window("claude/home", "five_hour", 34.6, 9530, before=20)
    ledger.window("claude/home", "seven_day", 12, 3 * 86400 - 2000)
    ledger.window("codex/", "5h", 55, 12345, before=10)
    ledger.window("codex/", "weekly", 92, 5 * 86400 - 2000)
    ledger.used("claude/work", 3.63, 3)
    ledger.used("codex/", .11)
    ledger.notify()
    return first


@pytest.mark.parametrize("cols,rows", SHAPES)
def test_accounts(crew, dashboard, cols, rows):
    screen = dashboard("attach", "api-fix", cols=cols, rows=rows)
    compare(f"panel-{cols}x{rows}", Still(screen), lambda t: "the screen of api-fix" in t and (cols < 80 or "claude/work" in t))


def test_rows_are_clicked(crew, dashboard):
    """Sessions have two or three rows; what is below them is none."""
    screen = dashboard("attach", "api-fix", cols=120, rows=36)
    shown = screen.shows("claude/work").splitlines()
    column = shown[0].index("5 sessions") + 6

    def click(word, below):
        row = next(y for y, line in enumerate(screen.screen().splitlines()) if re.search(word, line[86:])) + below + 1
        screen.raw(b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % (column, row, column, row))

    def waits(*words):
        until(lambda: all(word in screen.screen() for word in words), screen.screen)
    waits("3 prompts wait")
    click(r"\d ◆ docs", 2)
    screen.hides("3 prompts wait")
    click(r"\d ◆ api-fix", 1)
    waits("3 prompts wait")
    click(r"\d ○ plain", 0)
    screen.hides("3 prompts wait")
    click(r"claude/work  ", 0)
    click(r"\d ◆ api-fix", 2)
    waits("3 prompts wait")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "xterm-16color", "COLORTERM": None}], ids=["none", "16"])
def test_without_colours(crew, dashboard, environment):
    """What is used of a window is seen without colours too."""
    screen = dashboard("attach", "api-fix", cols=120, rows=36, env=environment)
    compare("panel-120x36", Still(screen), lambda t: "the screen of api-fix" in t and "claude/work" in t)


@pytest.mark.parametrize("rows,shows,hides", [
    (30, ["7d ", "claude/home", "prompts wait", "→ fix"], ["~29%/h"]),
    (21, ["claude/home", "34%", "prompts wait"], ["7d "]),
    (18, ["claude/work", "34%"], ["prompts wait"]),
    (14, [], ["accounts"]),
])
def test_less_room(crew, dashboard, rows, shows, hides):
    """Sessions go before accounts, accounts lose their detail."""
    screen = dashboard("attach", "api-fix", cols=110, rows=rows)
    screen.shows("the screen of api-fix")
    screen.shows(re.compile(r"\b5 sessions"))
    for word in shows:
        screen.shows(word)
    panel = "\n".join(line[76:] for line in screen.screen().splitlines())
    assert all(f" {name} " in panel for name in ("api-fix", "docs", "broken", "search", "plain")), panel
    assert not [word for word in hides if word in panel], panel


def test_countdown_and_changes(ganger, hosts, dashboard):
    """Times run by themselves; another value appears when ledger.notify changes, and no sooner."""
    hosts("api-fix", agent="claude", account="work")
    screen = dashboard("attach", "api-fix", cols=100, rows=24)
    screen.shows("the screen of api-fix")
    screen.hides("accounts")
    ledger = FakeLedger(ganger.state)
    ledger.window("claude/work", "five_hour", 41, 3725)
    ledger.notify()
    first = re.search(r"41% +(1:0\d:\d\d)", screen.shows(re.compile(r"41% +1:0\d:\d\d"))).group(1)
    until(lambda: first not in screen.screen() and "41%" in screen.screen(), "the time to run")
    ledger.window("claude/work", "five_hour", 43, 3725)
    shown = screen.screen()
    assert "41%" in shown
    ledger.notify()
    screen.shows("43%")


def test_reset_passes(ganger, hosts, dashboard):
    """A window that is over goes by itself."""
    hosts("api-fix", agent="claude", account="work")
    ledger = FakeLedger(ganger.state)
    ledger.window("claude/work", "five_hour", 97, 4)
    ledger.window("claude/work", "seven_day", 11, 4000)
    ledger.notify()
    screen = dashboard("attach", "api-fix", cols=100, rows=24)
    screen.shows("97%")
    screen.hides("97%")
    assert "11%" in screen.screen()


def test_ledger_that_cannot_be_read(ganger, hosts, dashboard):
    hosts("api-fix", agent="claude", account="work")
    (ganger.state / "ledger.db").mkdir()
    screen = dashboard("attach", "api-fix", cols=120, rows=24)
    screen.shows("accounts: ")
    assert "the screen of api-fix" in screen.screen()


@pytest.mark.parametrize("kind,words", [
    ("limit", "waits for claude/work"), ("order", "in line for claude/work"), ("probe", "another tries claude/work first"),
    ("cap", "waits for a turn on claude/work"), ("backoff", "waits to try again"), ("budget", "the account is at its limit"),
    ("account", "waits for claude/work"), ("something", "the account is at its limit")])
def test_what_it_waits_for(hosts, dashboard, kind, words):
    limited(hosts, kind)
    screen = dashboard("attach", "api-fix", cols=160, rows=24)
    screen.shows(re.compile(r"limited +1:23:\d\d"))
    screen.shows(words)


# ---- dialogs ----

@pytest.fixture
def queued(hosts, dashboard):
    host = hosts("api-fix", queue=PROMPTS)
    screen = dashboard("attach", "api-fix", cols=80, rows=24)
    screen.shows("3 prompts wait")
    screen.keys("C-a", "e")
    screen.shows("prompts of api-fix")
    return host, screen


def texts(host):
    return [p["text"].split()[0] for p in host.object["queue"]]


def order_is(host, *words):
    until(lambda: texts(host) == list(words), lambda: texts(host))


@pytest.mark.parametrize("cols,rows", [(80, 24), (200, 50), (40, 12)])
def test_queue_dialog(hosts, dashboard, cols, rows):
    hosts("api-fix", queue=PROMPTS)
    screen = dashboard("attach", "api-fix", cols=cols, rows=rows)
    screen.shows("the screen of api-fix")
    screen.keys("C-a", "e")
    compare(f"queue-{cols}x{rows}", screen, lambda t: "prompts of api-fix" in t and "→ fix" in t)


def test_queue_is_moved(queued):
    host, screen = queued
    screen.type("J")
    order_is(host, "then", "fix", "commit")
    screen.type("J")
    order_is(host, "then", "commit", "fix")
    screen.type("K")
    order_is(host, "then", "fix", "commit")
    screen.type("jn")
    order_is(host, "commit", "then", "fix")
    screen.type("l")
    order_is(host, "then", "fix", "commit")
    screen.keys("Escape")
    screen.hides("prompts of api-fix")
    screen.shows("→ then")


def test_queue_is_edited(queued):
    host, screen = queued
    screen.type("e")
    screen.shows("and say how")
    screen.type(", please")
    screen.keys("Enter")
    until(lambda: host.object["queue"][0]["text"] == PROMPTS[0]["text"] + ", please", lambda: host.object["queue"])
    screen.shows("K J move")
    screen.keys("Enter")
    screen.shows("Enter keep")
    screen.keys("Escape")
    screen.shows("K J move")
    screen.type("x")
    screen.shows("Delete this prompt?")
    screen.type("n")
    screen.hides("Delete this prompt?")
    assert texts(host) == ["fix", "then", "commit"]
    screen.type("xy")
    order_is(host, "then", "commit")
    screen.type("xy")
    order_is(host, "commit")
    screen.type("xy")
    screen.shows("no prompt waits")


def test_prompt_that_has_gone(queued):
    host, screen = queued
    host.object["queue"] = PROMPTS[1:]
    screen.type("J")
    screen.shows("does not wait any more")
    screen.hides("fix the tests")
    screen.shows("prompts of api-fix")
    host.change(queue=PROMPTS[2:])
    screen.hides("then document")


def test_going_on_with_the_other_account(ganger, hosts, dashboard):
    accounts(ganger, "work", "home")
    host = limited(hosts, "account")
    screen = dashboard("attach", "api-fix", cols=160, rows=24)
    screen.shows("r: go on with claude/home now")
    screen.keys("C-a", "r")
    until(lambda: host.of("session.retry") == [{"account": "home"}], lambda: host.requests)


def test_choosing_an_account(crew, ganger, dashboard):
    screen = dashboard("attach", "api-fix", cols=120, rows=36)
    screen.shows("r: another account")
    screen.keys("C-a", "r")
    compare("retry-120x36", Still(screen), lambda t: "goes on with" in t)
    screen.keys("Down", "Enter")
    until(lambda: crew.of("session.retry") == [{"account": "play"}], lambda: crew.requests)


def test_hint_of_a_failure(hosts, dashboard):
    hosts("broken", agent="codex", phase="failed",
          last_error={"class": "auth", "code": "auth", "message": "no login", "hint": "log in again: ganger login codex"})
    screen = dashboard("attach", "broken", cols=160, rows=24)
    shown = screen.shows("the screen of broken")
    until(lambda: screen.screen().count("ganger login codex") == 2, screen.screen)
    assert "no login" in shown


def test_hint_of_a_warning(hosts, dashboard):
    host = hosts("api-fix", agent="claude")
    screen = dashboard("attach", "api-fix", cols=160, rows=24)
    screen.shows("the screen of api-fix")
    host.tell("warning", code="retry_stopped", message="no credit is left", hint="add credit, then: ganger retry api-fix")
    screen.shows("no credit is left; add credit, then: ganger retry api-fix")
