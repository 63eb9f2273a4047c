"""The prompts that wait: listed, edited, moved, removed, and kept when hosts die. The agent is a double of Claude in stream mode
that is busy until it is interrupted."""
import json
import os
import subprocess

import pytest

from harness import PROGRAM, until
from test_stream import claude, host_dies  # noqa: F401

BUSY = "count:1000"


def queue(ganger, name="one"):
    return json.loads(ganger.run("queue", name, "--json").stdout)


def texts(ganger, name="one"):
    return [p["text"] for p in queue(ganger, name)]


def changes(ganger, name="one"):
    return [(e["change"], e["text"]) for e in ganger.events(name, "prompt_queued")]


@pytest.fixture
def busy(ganger, claude):  # noqa: F811
    """busy(id…): a session `one` at work, with prompts say:ID that wait."""
    def start(*ids):
        claude("one", BUSY)
        ganger.screen_shows("one", "n2 ")
        until(lambda: not queue(ganger), "the first prompt to be sent")
        for name in ids:
            ganger.run("send", "one", f"say:{name}", "--id", name)
        return [p["id"] for p in queue(ganger)]
    return start


def release(ganger):
    """The turn ends, and all that waits is answered."""
    ganger.run("cancel", "one")
    until(lambda: not queue(ganger), "the queue to be empty")
    ganger.phase_is("one", "idle")
    return [e["prompt_id"] for e in ganger.events("one", "prompt_sent")][1:]


def test_the_queue_is_listed(ganger, busy):
    busy("alpha-000-one", "alpha-000-two", "beta")
    shown = ganger.run("queue", "one").stdout.splitlines()
    assert shown[0].split() == ["ID", "PRIORITY", "STATE", "TEXT"]
    assert [line.split() for line in shown[1:]] == [
        ["alpha-000-o", "later", "queued", "say:alpha-000-one"], ["alpha-000-t", "later", "queued", "say:alpha-000-two"],
        ["beta", "later", "queued", "say:beta"]]
    assert queue(ganger) == ganger.session("one")["queue"]
    assert release(ganger) == ["alpha-000-one", "alpha-000-two", "beta"]
    assert ganger.run("queue", "one").stdout == ""


def test_prompts_are_edited_moved_and_removed(ganger, busy):
    busy("a", "b", "c", "d")
    ganger.run("queue", "one", "edit", "b", "say:other words")
    assert texts(ganger) == ["say:a", "say:other words", "say:c", "say:d"]
    ganger.run("queue", "one", "edit", "c", "-", input="say:from\nstdin")
    ganger.run("queue", "one", "move", "d", "next")
    ganger.run("queue", "one", "move", "a", "2")
    assert texts(ganger) == ["say:d", "say:other words", "say:a", "say:from\nstdin"]
    ganger.run("queue", "one", "rm", "d", "c")
    made = json.loads(ganger.run("queue", "one", "move", "b", "later", "--json").stdout)
    assert [p["id"] for p in made] == ["a", "b"] and made == queue(ganger)
    told = changes(ganger)
    assert told[4:] == [("edited", "say:other words"), ("edited", "say:from\nstdin"), ("moved", "say:d"), ("moved", "say:a"),
                        ("removed", "say:d"), ("removed", "say:from\nstdin"), ("moved", "say:other words")]
    assert release(ganger) == ["a", "b"]
    ganger.screen_shows("one", "other words")
    assert "❯ say:d" not in ganger.screen("one")


def test_moved_to_now_a_prompt_interrupts_the_turn(ganger, busy):
    busy("a", "b")
    ganger.run("queue", "one", "move", "b", "now")
    until(lambda: not queue(ganger), "both to be sent")
    assert [e["prompt_id"] for e in ganger.events("one", "prompt_sent")][1:] == ["b", "a"]
    assert ganger.events("one", "turn_ended")[0]["outcome"] == "cancelled"


def test_now_interrupts_a_turn_that_waits_for_a_person(ganger, claude):  # noqa: F811
    claude("one", "tool")
    ganger.phase_is("one", "approval")
    ganger.run("send", "one", "say:later")
    ganger.run("send", "one", "say:at once", "--priority", "now", "--wait")
    until(lambda: not queue(ganger), "the other to be sent")
    assert [e["outcome"] for e in ganger.events("one", "turn_ended")][:2] == ["cancelled", "completed"]
    assert ganger.session("one")["pending_approvals"] == []


def test_what_was_sent_is_stale(ganger, busy):
    busy("a")
    release(ganger)
    for words in (["rm", "a"], ["edit", "a", "x"], ["move", "a", "now"]):
        ganger.fails("queue", "one", *words, says=("one: ", "stale"))
    ganger.fails("queue", "one", "rm", "nobody", says="no prompt with that id")
    reply = ganger.connect("one").call("session.queue", {"id": "a", "action": "remove"})
    assert reply["error"]["code"] == 6


def test_bad_changes_change_nothing(ganger, busy):
    busy("aa", "ab")
    before = queue(ganger)
    ganger.fails("queue", "one", "rm", "a", code=2, says="several")
    ganger.fails("queue", "one", "move", "aa", "soon", code=2, says="soon")
    ganger.fails("queue", "one", "sort", "aa", code=2, says="sort")
    ganger.fails("queue", "one", "edit", "aa", code=2)
    ganger.fails("queue", "one", "edit", "aa", "a\x1bb")
    client = ganger.connect("one")
    for params in ({}, {"id": "aa"}, {"id": 7, "action": "remove"}, {"id": "aa", "action": "edit"},
                   {"id": "aa", "action": "edit", "text": ""}, {"id": "aa", "action": "move"},
                   {"id": "aa", "action": "move", "to": -1}, {"id": "aa", "action": "move", "to": "1"},
                   {"id": "aa", "action": "move", "priority": "soon"},
                   {"id": "aa", "action": "move", "priority": "next", "to": 1}):
        assert client.call("session.queue", params)["error"]["code"] == -32602, params
    assert client.call("session.queue", {"id": "aa", "action": "edit", "text": "a\0b"})["error"]["code"] == 9
    assert client.call("session.queue", {"id": "aa", "action": "edit", "text": "x" * 102401})["error"]["code"] == 8
    assert queue(ganger) == before and len(changes(ganger)) == 2


def test_a_removed_prompt_is_not_taken_again(ganger, busy):
    busy("a", "b")
    waiting = subprocess.Popen([str(PROGRAM), "send", "one", "say:a", "--id", "a", "--wait"], env=ganger.env, text=True,
                               stderr=subprocess.PIPE)
    until(lambda: waiting.poll() is None and waits_on_socket(waiting.pid), "the command to wait")
    ganger.run("queue", "one", "rm", "a")
    assert waiting.wait(20) == 1 and "removed" in waiting.stderr.read()
    waiting.stderr.close()
    again = json.loads(ganger.run("send", "one", "say:a", "--id", "a", "--json").stdout)
    assert again["state"] == "removed"
    ganger.fails("send", "one", "say:a", "--id", "a", "--wait", says="removed")
    assert release(ganger) == ["b"]


def waits_on_socket(pid):
    return any(os.readlink(f"/proc/{pid}/fd/{n}").startswith("socket:") for n in os.listdir(f"/proc/{pid}/fd"))


def test_the_queue_survives_hosts_that_die(ganger, busy):
    busy("a", "b", "c")
    ganger.run("queue", "one", "edit", "a", "say:changed")
    ganger.run("queue", "one", "move", "c", "0")
    ganger.run("queue", "one", "rm", "b")
    before = queue(ganger)
    host_dies(ganger, "one")
    assert queue(ganger) == before and [p["id"] for p in before] == ["c", "a"]
    ganger.fails("queue", "one", "rm", "b", says="stale")
    assert release(ganger) == ["c", "a"]
    ganger.screen_shows("one", "changed")


def test_the_queue_survives_a_retry(ganger, busy):
    busy("a", "b")
    ganger.run("cancel", "one", "--session")
    ganger.phase_is("one", "cancelled")
    assert [p["id"] for p in queue(ganger)] == ["a", "b"]
    ganger.fails("send", "one", "say:late", says="ended")
    ganger.run("queue", "one", "rm", "a")
    ganger.run("retry", "one")
    until(lambda: len(ganger.events("one", "turn_started")) == 2, "the first prompt again")
    ganger.phase_is("one", "streaming")
    ganger.run("cancel", "one")
    until(lambda: not queue(ganger), "the queue to be empty")
    assert [e["prompt_id"] for e in ganger.events("one", "prompt_sent")][-1] == "b"
