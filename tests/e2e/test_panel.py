"""The side panel on real hosts and a real ledger: a limit that is waited for, going on elsewhere, prompts that are changed."""
import re

import pytest

from harness import until
from test_queue import BUSY, busy, texts  # noqa: F401
from test_retry import answered, held, start, vendor  # noqa: F401
from test_stream import claude  # noqa: F401


def test_a_limit_is_seen_running_out(ganger, vendor, dashboard):  # noqa: F811
    """Countdown, what waits for it, and nothing of it afterwards."""
    api = vendor(accounts=["work"])
    screen = dashboard(cols=160, rows=40)
    screen.shows("no session")
    start(ganger, "one", "-A", "work", "limit:12:hello")
    screen.shows("waits for claude/work")
    screen.shows(re.compile(r"limited +0:(0\d|1[0-2])\b"))
    screen.shows("accounts")
    start(ganger, "two", "-A", "work", "say:second")
    screen.shows("2 wait", seconds=10)
    screen.shows("1 prompt waits")
    answered(ganger, "one", api, "limit:12:hello")
    answered(ganger, "two", api, "say:second")
    screen.hides("limited")
    screen.hides("wait")


@pytest.mark.parametrize("others", [["b"], ["b", "c"]])
def test_going_on_with_another_account(ganger, vendor, dashboard, others):  # noqa: F811
    api = vendor(retry={"rotate": "ask"}, accounts=["a", *others])
    start(ganger, "one", "-A", "a", "limit:600:hello")
    held(ganger, "one", "account")
    screen = dashboard("attach", "one", cols=160, rows=30)
    screen.shows("r: go on with " + ("claude/b" if len(others) == 1 else "another account") + " now")
    screen.keys("C-a", "r")
    if len(others) > 1:
        screen.shows("one goes on with")
        screen.keys("Down", "Enter")
    until(lambda: [r["account"] for r in api.accepted()] == others[-1:], lambda: f"the answer: {api.log('requests')}\n{screen.screen()}")
    until(lambda: f"claude · {others[-1]}" in screen.screen(), screen.screen)


def test_prompts_are_changed_in_the_dialog(ganger, busy, dashboard):  # noqa: F811
    busy("alpha", "beta", "gamma")
    screen = dashboard("attach", "one", cols=120, rows=30)
    screen.shows("3 prompts wait")
    screen.shows("→ say:alpha")
    screen.keys("C-a", "e")
    screen.shows("prompts of one")
    screen.type("J")
    until(lambda: texts(ganger) == ["say:beta", "say:alpha", "say:gamma"], lambda: texts(ganger))
    screen.type("e")
    screen.type("bet")
    screen.keys("Enter")
    until(lambda: texts(ganger) == ["say:beta", "say:alphabet", "say:gamma"], lambda: texts(ganger))
    screen.type("jn")
    until(lambda: texts(ganger) == ["say:gamma", "say:beta", "say:alphabet"], lambda: texts(ganger))
    screen.type("xy")
    until(lambda: texts(ganger) == ["say:beta", "say:alphabet"], lambda: texts(ganger))
    ganger.run("queue", "one", "rm", "alpha")
    screen.hides("alphabet")
    screen.keys("Escape")
    screen.hides("prompts of one")
    screen.shows("1 prompt waits")
