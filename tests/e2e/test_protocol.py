"""The socket: methods, errors, events, frames, and clients that misbehave."""
import base64
import json
import os
import socket
import sys
import time

import pytest

from harness import FAKE, Connection, alive, read, until

NOT_JSON, NOT_A_REQUEST, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602
NO_HELLO, BAD_PROTOCOL, NOT_ALLOWED, ENDED, RUNNING, STALE, INPUT_FULL, TOO_LARGE, BAD_TEXT, NOT_FOUND = range(1, 11)
KIB = 1024


def base64_of(data):
    return base64.b64encode(data).decode()


@pytest.fixture
def echo(ganger):
    """A session of the echoing agent, and a connection to it."""
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    return ganger.connect("echo")


def code_of(reply):
    return reply["error"]["code"]


# ---- requests ----
def test_hello(echo):
    assert echo.hello["result"]["protocol"] == 1
    assert isinstance(echo.hello["result"]["version"], str)
    assert {"screen", "scrollback"} <= set(echo.hello["result"]["capabilities"])


def test_hello_must_come_first_and_speak_our_protocol(ganger, echo):
    fresh = ganger.connect("echo", hello=False)
    assert code_of(fresh.call("session.get")) == NO_HELLO
    for protocol in (99, "1", None):
        assert code_of(fresh.call("hello", {"protocol": protocol})) == BAD_PROTOCOL
    assert fresh.call("hello", {"protocol": 1})["result"]["protocol"] == 1
    assert fresh.call("session.get")["result"]["name"] == "echo"


@pytest.mark.parametrize("number", [7, "seven", 0, -3, 1.5, None, 9007199254740993])
def test_the_answer_has_the_id_of_the_request(echo, number):
    echo.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "session.get"}).encode() + b"\n")
    reply = echo.line()
    assert reply["id"] == number and reply["jsonrpc"] == "2.0" and reply["result"]["name"] == "echo"


def test_a_request_without_an_id_gets_no_answer(echo):
    echo.send(b'{"jsonrpc":"2.0","method":"session.get"}\n{"jsonrpc":"2.0","method":"no.such"}\n')
    echo.send(b'{"jsonrpc":"2.0","id":"last","method":"session.get"}\n')
    assert echo.line()["id"] == "last"


def test_requests_in_one_piece_and_byte_by_byte(echo):
    requests = [json.dumps({"jsonrpc": "2.0", "id": i, "method": "session.get"}).encode() + b"\n" for i in range(300)]
    echo.send(b"".join(requests))
    assert [echo.line()["id"] for _ in requests] == list(range(300))
    for byte in requests[7]:
        echo.send(bytes([byte]))
    assert echo.line()["id"] == 7


@pytest.mark.parametrize("line, code", [
    (b"garbage", NOT_JSON), (b'{"id":1', NOT_JSON), (b"\xff\xfe\x80", NOT_JSON), (b'{"id":1,"id":2,"method":"x"}', NOT_JSON),
    (b"[" * 100000, NOT_JSON), (b'{"a":' * 50000 + b"1" + b"}" * 50000, NOT_JSON), (b"[]", NOT_A_REQUEST), (b'"text"', NOT_A_REQUEST),
    (b"[" + b'{"jsonrpc":"2.0","id":1,"method":"session.get"}' + b"]", NOT_A_REQUEST), (b"{}", NOT_A_REQUEST),
    (b'{"jsonrpc":"2.0","id":1}', NOT_A_REQUEST), (b'{"jsonrpc":"2.0","id":1,"method":5}', NOT_A_REQUEST),
    (b'{"jsonrpc":"2.0","id":[1],"method":"session.get"}', NOT_A_REQUEST),
    (b'{"jsonrpc":"2.0","id":1,"method":"no.such"}', NO_METHOD), (b'{"jsonrpc":"2.0","id":1,"method":""}', NO_METHOD),
    (b'{"jsonrpc":"2.0","id":1,"method":"session.get","params":[1]}', BAD_PARAMS),
    (b'{"jsonrpc":"2.0","id":1,"method":"session.get","params":"x"}', BAD_PARAMS),
    (b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"' + b"x" * (2 << 20) + b'"}}', TOO_LARGE),
    (b"x" * (1 << 20), TOO_LARGE),
], ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else str(value))
def test_a_wrong_line_gets_an_error_and_the_connection_goes_on(ganger, echo, line, code):
    other, host = ganger.connect("echo"), ganger.session("echo")["host_pid"]
    echo.send(line + b"\n")
    reply = echo.line()
    assert code_of(reply) == code and reply["error"]["message"]
    assert reply["id"] in (1, None)
    for connection in (echo, other):
        assert connection.call("session.get")["result"]["host_pid"] == host


def test_blank_lines_are_harmless(echo):
    echo.send(b"\n\r\n   \n")
    echo.number = 40
    assert echo.call("session.get")["result"]["name"] == "echo"


@pytest.mark.parametrize("method, params", [
    ("session.subscribe", {"types": "phase"}), ("session.subscribe", {"types": [1]}), ("session.subscribe", {"since": -1}),
    ("session.subscribe", {"since": "1"}), ("session.subscribe", {"since": 1.5}),
    ("session.input", {}), ("session.input", {"data": 5}), ("session.input", {"data": "a"}), ("session.input", {"data": "%%%%"}),
    ("session.keys", {}), ("session.keys", {"keys": "Enter"}), ("session.keys", {"keys": [1]}), ("session.keys", {"keys": ["NoSuchKey"]}),
    ("session.keys", {"keys": ["a"] * 1001}), ("session.paste", {}), ("session.paste", {"text": 5}),
    ("session.prompt", {}), ("session.prompt", {"text": ""}), ("session.prompt", {"text": ["x"]}),
    ("session.prompt", {"text": "x", "priority": "soon"}), ("session.prompt", {"text": "x", "id": ""}),
    ("session.prompt", {"text": "x", "id": "i" * 129}),
    ("session.cancel", {"scope": "everything"}), ("session.rename", {}), ("session.rename", {"name": "../x"}),
    ("session.rename", {"name": ""}), ("session.rename", {"name": "a" * 64}),
    ("session.view", {}), ("session.view", {"cols": 80}), ("session.view", {"cols": "80", "rows": "24"}),
    ("screen.get", {"format": "png"}), ("screen.ack", {}), ("screen.ack", {"frame": "x"}), ("screen.ack", {"frame": -1}),
    ("scrollback.get", {}), ("scrollback.get", {"from": -1, "count": 1}), ("scrollback.get", {"from": 0, "count": 1001}),
    ("scrollback.get", {"from": 0, "count": -1}), ("scrollback.search", {}), ("scrollback.search", {"pattern": ""}),
    ("scrollback.search", {"pattern": "x" * 5000}), ("scrollback.search", {"pattern": 1}),
], ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict) else value)
def test_wrong_parameters_change_nothing(protocol_session, method, params):
    before = protocol_session.call("session.get")["result"]
    reply = protocol_session.call(method, params)
    assert code_of(reply) == BAD_PARAMS, reply
    assert len(reply["error"]["message"]) > 10
    after = protocol_session.call("session.get")["result"]
    assert {k: before[k] for k in ("name", "cols", "rows", "queue", "host_pid", "attempt")} == \
        {k: after[k] for k in ("name", "cols", "rows", "queue", "host_pid", "attempt")}


@pytest.fixture(scope="module")
def shared_ganger():
    from harness import Ganger
    it = Ganger()
    yield it
    left = it.end()
    assert not left, f"processes left over: {left}"


@pytest.fixture
def protocol_session(shared_ganger):
    """A connection to a session that the tests of this file share: nothing they send may change it."""
    if not shared_ganger.json("ls"):
        shared_ganger.fake("shared", "echo")
        shared_ganger.phase_is("shared", "idle")
    connection = shared_ganger.connect("shared")
    yield connection
    connection.close()


@pytest.mark.parametrize("method", ["session.subscribe", "session.cancel", "screen.get"])
def test_parameters_of_a_wrong_type_do_not_pass_for_the_default(protocol_session, method):
    key = {"session.subscribe": "screen", "session.cancel": "scope", "screen.get": "format"}[method]
    assert code_of(protocol_session.call(method, {key: 5})) == BAD_PARAMS


# ---- what a session refuses ----
def test_prompts_that_are_refused(echo):
    for text in ("a\0b", "\x1b[2J", "bell\x07", "\x7f", "\u009b31m"):
        reply = echo.call("session.prompt", {"text": text})
        assert code_of(reply) == BAD_TEXT, (text, reply)
    assert code_of(echo.call("session.prompt", {"text": "x" * (100 * KIB + 1)})) == TOO_LARGE
    assert code_of(echo.call("session.prompt", {"text": "ü" * (50 * KIB + 1)})) == TOO_LARGE, "bytes count, not characters"
    assert echo.call("session.get")["result"]["queue"] == []


def test_a_prompt_of_100_kib_is_sent(ganger):
    ganger.fake("echo", "--speed", "100", "echo")
    ganger.phase_is("echo", "idle")
    echo = ganger.connect("echo")
    echo.call("session.subscribe", {"types": ["turn_ended"]})
    text = "start " + "long " * (20 * KIB - 2) + "end"
    reply = echo.call("session.prompt", {"text": text.ljust(100 * KIB, "!"), "id": "long"})
    assert reply["result"]["id"] == "long" and reply["result"]["state"] in ("queued", "sending", "sent")
    assert echo.event("turn_ended", prompt_id="long")["outcome"] == "completed"
    raw = ganger.run("logs", "echo", "--raw").stdout
    assert "You said: start long" in raw


def test_an_ended_session(ganger, echo):
    assert code_of(echo.call("session.retry")) == RUNNING
    echo.call("session.subscribe", {"types": ["session_ended"]})
    assert "result" in echo.call("session.kill")
    assert echo.event("session_ended")["state"] == "killed"
    assert code_of(echo.call("session.prompt", {"text": "x"})) == ENDED
    assert code_of(echo.call("session.keys", {"keys": ["a"]})) == ENDED
    assert code_of(echo.call("session.paste", {"text": "a"})) == ENDED
    assert code_of(echo.call("session.input", {"data": base64_of(b"a")})) == ENDED
    assert echo.call("session.cancel")["result"]["state"] == "nothing to cancel"
    assert "result" in echo.call("session.kill")
    assert "lines" in echo.call("screen.get")["result"]
    assert echo.call("session.retry")["result"]["attempt"] == 2
    ganger.phase_is("echo", "idle")
    assert "result" in echo.call("session.prompt", {"text": "again"})


def test_what_is_not_there(echo):
    assert code_of(echo.call("session.approve", {"id": "none", "decision": "approve"})) == STALE
    assert code_of(echo.call("scrollback.get", {"attempt": 7, "from": 0, "count": 1})) == NOT_FOUND
    assert echo.call("scrollback.search", {"pattern": "never printed"})["result"] == {"line": None}


def test_an_agent_that_does_not_read_its_input(ganger):
    ganger.start("deaf", "sh", "-c", "stty raw -echo; echo ready; exec sleep 1000")
    ganger.screen_shows("deaf", "ready")
    connection = ganger.connect("deaf")
    replies = [connection.call("session.input", {"data": base64_of(b"x" * 16 * KIB)}) for _ in range(12)]
    assert "result" in replies[0] and code_of(replies[-1]) == INPUT_FULL
    assert connection.call("session.get")["result"]["phase"] != "failed"


def test_a_program_inside_a_session_is_refused(ganger):
    script = ganger.root / "inside.py"
    script.write_text("""
import json, os, socket, sys, time

def attempt():
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    print("code", json.loads(connection.makefile().readline())["error"]["code"], flush=True)

attempt()
if os.fork() == 0:  # also in a process group and session of its own
    os.setsid()
    attempt()
time.sleep(1000)
""")
    ganger.fake("other", "idle")
    ganger.start("inside", sys.executable, script, ganger.socket_path("other"))
    ganger.screen_shows("inside", f"code {NOT_ALLOWED}\ncode {NOT_ALLOWED}")


def test_an_agent_that_may_control_is_let_in(ganger):
    ganger.configure(agents={"command": {"control": True}})
    ganger.fake("other", "echo")
    ganger.phase_is("other", "idle")
    ganger.start("inside", "sh", "-c", f"{FAKE.parent / 'ganger'} send other 'from inside' --wait; echo code $?; exec sleep 1000")
    ganger.screen_shows("inside", "code 0")
    ganger.screen_shows("other", "You said: from inside")


# ---- prompts ----
def test_a_prompt_with_a_known_id_is_acknowledged_and_not_sent_again(ganger, echo):
    echo.call("session.subscribe", {"types": ["turn_ended"]})
    first = echo.call("session.prompt", {"text": "once", "id": "same"})["result"]
    echo.event("turn_ended", prompt_id="same")
    again = echo.call("session.prompt", {"text": "something else", "id": "same"})["result"]
    assert (again["id"], again["seq"], again["state"]) == ("same", first["seq"], "sent")
    os.kill(ganger.session("echo")["host_pid"], 9)
    until(lambda: ganger.run("rpc", "echo", "session.prompt", json.dumps({"text": "once", "id": "same"})).stdout, "an answer")
    ganger.run("send", "echo", "the last", "--wait")
    assert ganger.screen("echo").count("You said: once") == 1 and "something else" not in ganger.screen("echo")
    assert len(ganger.events("echo", "prompt_sent")) == 2


def test_the_queue_survives_the_host(ganger, echo):
    echo.call("session.prompt", {"text": "slow", "id": "a"})
    ganger.phase_is("echo", "thinking")
    for name, priority in (("b", "later"), ("c", "later"), ("d", "next")):
        assert echo.call("session.prompt", {"text": f"text {name}", "id": name, "priority": priority})["result"]["state"] == "queued"
    queue = ganger.session("echo")["queue"]
    assert [(q["id"], q["text"], q["priority"]) for q in queue] == \
        [("d", "text d", "next"), ("b", "text b", "later"), ("c", "text c", "later")]
    host = ganger.session("echo")["host_pid"]
    os.kill(host, 9)
    until(lambda: ganger.session("echo")["host_pid"] not in (None, host), "a host")
    assert ganger.session("echo")["queue"] == queue
    ganger.run("cancel", "echo")
    ganger.screen_shows("echo", "You said: text c")
    screen = ganger.screen("echo")
    assert screen.index("said: text d") < screen.index("said: text b") < screen.index("said: text c")


def test_a_prompt_now_interrupts_the_turn(ganger, echo):
    echo.call("session.subscribe", {"types": ["turn_ended", "prompt_sent"]})
    echo.call("session.prompt", {"text": "slow", "id": "slow"})
    ganger.phase_is("echo", "thinking")
    echo.call("session.prompt", {"text": "later one", "id": "later"})
    echo.call("session.prompt", {"text": "urgent", "id": "now", "priority": "now"})
    assert echo.event("turn_ended", prompt_id="slow")["outcome"] == "cancelled"
    assert echo.event("prompt_sent")["prompt_id"] == "now"
    assert echo.event("prompt_sent")["prompt_id"] == "later"
    assert "Interrupted by user" in ganger.screen("echo")


def test_cancel_is_told_within_a_second(ganger, echo):
    echo.call("session.subscribe", {})
    echo.call("session.prompt", {"text": "slow", "id": "slow"})
    echo.event("phase", phase="thinking")
    started = time.monotonic()
    assert echo.call("session.cancel")["result"]["state"] == "interrupted"
    assert echo.event("turn_ended")["outcome"] == "cancelled"
    assert time.monotonic() - started < 1
    assert echo.call("session.cancel")["result"]["state"] == "nothing to cancel"


# ---- events ----
def test_events_since_come_once_and_in_order(echo):
    for text in ("one", "two"):
        echo.call("session.prompt", {"text": text})
    seq = echo.call("session.subscribe", {"since": 0})["result"]["seq"]
    got = [echo.notification("event")["seq"] for _ in range(seq)]
    assert got == list(range(1, seq + 1))
    echo.event("turn_ended")
    again = echo.call("session.subscribe", {"since": 2, "types": ["session_started", "phase"]})
    assert again["result"]["seq"] >= seq
    assert echo.notification("event")["type"] == "phase"


def test_without_since_only_what_happens(echo):
    seq = echo.call("session.subscribe", {})["result"]["seq"]
    echo.call("session.prompt", {"text": "hello"})
    assert echo.notification("event")["seq"] == seq + 1


def test_types_that_nobody_knows_are_no_error(echo):
    echo.call("session.subscribe", {"types": ["from_the_future", "turn_ended"]})
    echo.call("session.prompt", {"text": "hello"})
    assert echo.notification("event")["type"] == "turn_ended"


def test_a_subscription_from_the_future_begins_with_the_next_event(echo):
    seq = echo.call("session.subscribe", {"since": 10**15})["result"]["seq"]
    echo.call("session.prompt", {"text": "hello"})
    assert echo.notification("event")["seq"] == seq + 1


def test_more_events_than_stay_in_memory_come_from_disk(ganger):
    script = r'i=0; while [ $i -lt 12000 ]; do printf "\033]0;title %d\007" $i; i=$((i+1)); done; echo done; exec sleep 1000'
    ganger.start("titles", "sh", "-c", script)
    ganger.screen_shows("titles", "done")
    connection = ganger.connect("titles")
    seq = connection.call("session.subscribe", {"since": 0})["result"]["seq"]
    got = [connection.notification("event")["seq"] for _ in range(seq)]
    assert got == list(range(1, seq + 1))


# ---- the screen ----
class Painter:
    """Paints frames as a client does, from the manual page alone."""

    def __init__(self, connection):
        self.connection, self.rows, self.styles, self.cursor = connection, {}, {}, None
        self.frame = self.cols = self.count = 0

    def next(self):
        """Paints one whole frame and acknowledges it."""
        first, before = True, self.frame
        while True:
            params = self.connection.notification("screen")
            if first and params["base"] == 0:
                self.rows, self.styles = {}, {}
            assert params["base"] in (0, before), (params["base"], before)
            self.paint(params)
            first = False
            if not params.get("more"):
                break
        self.connection.send(json.dumps({"jsonrpc": "2.0", "method": "screen.ack", "params": {"frame": self.frame}}).encode() + b"\n")

    def paint(self, params):
        self.frame, self.cols, self.count = params["frame"], params.get("cols", self.cols), params.get("rows", self.count)
        self.styles.update(params.get("styles", {}))
        if "scroll" in params:
            top, bottom, by = params["scroll"]
            kept = {y: self.rows.get(y + by, []) for y in range(top, bottom) if top <= y + by < bottom}
            self.rows.update({y: kept.get(y, []) for y in range(top, bottom)})
        for y, runs, *_ in params.get("lines", []):
            self.rows[y] = runs
        self.cursor = params.get("cursor", self.cursor)

    def text(self):
        return "\n".join("".join(run[2] for run in self.rows.get(y, [])).rstrip() for y in range(self.count)).rstrip("\n")

    def styled(self):
        """Each row as characters, each with what its style means."""
        return [[(json.dumps(self.styles.get(str(run[0])), sort_keys=True), sign) for run in self.rows.get(y, []) for sign in run[2]]
                for y in range(self.count)]


def paint_until(painter, text):
    until(lambda: painter.next() or text in painter.text(), lambda: f"{text!r}:\n{painter.text()}")


COLOURS = r"""
for i in 1 2 3 4 5 6 7 8 9; do
    printf "\033[3${i}mcolour $i\033[m\n\033[4;20r\033[10;1H\n\n\033[2L漢字\033[r\033[${i}0;1H"
done
printf "the end"
exec sleep 1000
"""


@pytest.mark.parametrize("command", [
    [FAKE, "lines", "3000", "6000"],
    ["sh", "-c", COLOURS],
], ids=["lines", "colours"])
def test_frames_paint_the_screen(ganger, command):
    ganger.start("painted", *command)
    connection = ganger.connect("painted")
    connection.call("session.subscribe", {"screen": True, "types": []})
    painter = Painter(connection)
    paint_until(painter, "end of lines" if command[0] == FAKE else "the end")
    while not connection.quiet(0.3):
        painter.next()
    whole = Painter(None)
    whole.paint({"frame": 1, **ganger.connect("painted").call("screen.get")["result"]})
    assert painter.text() == whole.text() == ganger.screen("painted").rstrip("\n")
    assert painter.styled() == whole.styled()
    assert painter.cursor == whole.cursor


def test_frames_follow_a_resize_and_a_new_host(ganger, echo):
    echo.call("session.subscribe", {"screen": True})
    painter = Painter(echo)
    painter.next()
    echo.call("session.view", {"cols": 61, "rows": 19})
    until(lambda: painter.next() or (painter.cols, painter.count) == (61, 19), "a frame of the new size")
    host = ganger.session("echo")["host_pid"]
    os.kill(host, 9)
    with pytest.raises((AssertionError, ConnectionResetError)):
        while True:
            painter.next()
    until(lambda: ganger.session("echo")["host_pid"] not in (None, host), "a host")
    again = Painter(ganger.connect("echo"))
    again.connection.call("session.subscribe", {"screen": True})
    again.next()
    assert (again.cols, again.count) == (61, 19) and again.text() == ganger.screen("echo").rstrip("\n")


def test_without_acknowledgements_frames_stop_and_go_on_with_them(ganger):
    ganger.fake("flood", "flood")
    connection = ganger.connect("flood")
    connection.call("session.subscribe", {"screen": True, "types": []})
    frames = []
    until(lambda: frames.append(connection.notification("screen")["frame"]) or connection.quiet(0.3), "the frames to stop")
    assert 1 <= len(set(frames)) <= 9, frames
    connection.send(b'{"jsonrpc":"2.0","method":"screen.ack","params":{"frame":%d}}\n' % frames[-1])
    assert connection.notification("screen")["frame"] > frames[-1]


def test_a_whole_frame_after_an_acknowledgement_of_nothing(ganger, echo):
    echo.call("session.subscribe", {"screen": True, "types": []})
    assert echo.notification("screen")["base"] == 0
    echo.send(b'{"jsonrpc":"2.0","method":"screen.ack","params":{"frame":123456789}}\n')
    assert echo.notification("screen", lambda frame: frame["base"] == 0)["lines"]


def test_a_client_that_asked_for_no_screen_gets_none(echo):
    echo.call("session.subscribe", {"types": ["turn_ended"]})
    echo.call("session.prompt", {"text": "hello"})
    assert echo.line()["method"] == "event"


def test_the_view_of_who_typed_last_is_the_size(ganger):
    ganger.fake("size", "winch")
    first, second = ganger.connect("size"), ganger.connect("size")
    first.call("session.view", {"cols": 71, "rows": 21})
    ganger.screen_shows("size", "size 71x21")
    second.call("session.view", {"cols": 81, "rows": 31})
    ganger.screen_shows("size", "size 81x31")
    first.call("session.keys", {"keys": ["x"]})
    until(lambda: ganger.session("size")["cols"] == 71, "the size of who typed")
    first.close()
    until(lambda: ganger.session("size")["cols"] == 81, "the size of who is left")
    second.close()
    assert ganger.session("size")["cols"] == 81


@pytest.mark.parametrize("cols, rows", [(1, 1), (0, 0), (-5, 10), (10**9, 10**9), (1001, 501)])
def test_a_view_out_of_range_is_refused_or_brought_into_it(ganger, echo, cols, rows):
    echo.call("session.view", {"cols": cols, "rows": rows})
    session = ganger.session("echo")
    assert 2 <= session["cols"] <= 1000 and 2 <= session["rows"] <= 500
    ganger.run("send", "echo", "hello", "--wait")


def test_scrollback_is_paged_by_whole_lines(ganger):
    ganger.start("lines", FAKE, "lines", "5000")
    ganger.screen_shows("lines", "end of lines")
    connection = ganger.connect("lines")
    connection.call("session.view", {"cols": 20, "rows": 10})
    at, texts = 0, []
    while True:
        page = connection.call("scrollback.get", {"from": at, "count": 1000})["result"]
        if not page["lines"]:
            break
        assert [line[0] for line in page["lines"]] == list(range(at, at + len(page["lines"])))
        texts += ["".join(run[2] for run in line[1]) for line in page["lines"]]
        at += len(page["lines"])
    assert at == page["end"] and page["first"] == 0 and at > 4900
    wanted = [f"line {i:08d} of the sequence" for i in range(1, at + 1)]
    assert [text.strip() for text in texts[:4900]] == wanted[:4900]
    assert connection.call("scrollback.search", {"pattern": "line 00000007"})["result"] == {"line": 6}
    assert connection.call("scrollback.search", {"pattern": "LINE 00000007"})["result"] == {"line": None}
    assert connection.call("scrollback.search", {"pattern": "of the", "from": 100, "forwards": True})["result"]["line"] in (100, 101)


# ---- clients that misbehave ----
def resident(pid):
    return int(read(f"/proc/{pid}/status").split(b"VmRSS:")[1].split()[0])


def test_clients_that_never_read_delay_nobody_and_cost_little(ganger):
    session = ganger.fake("flood", "flood")
    ganger.screen_shows("flood", " ")
    before = resident(session["host_pid"])
    stopped = [ganger.connect("flood") for _ in range(4)]
    for connection in stopped:
        connection.call("session.subscribe", {"screen": True, "since": 0})
        for number in range(2000):
            try:
                connection.socket.setblocking(False)
                connection.send(b'{"jsonrpc":"2.0","id":%d,"method":"screen.get"}\n' % number)
            except BlockingIOError:
                break
    other = ganger.connect("flood")
    recorded = 0
    for _ in range(5):
        started = time.monotonic()
        got = other.call("session.get")["result"]
        assert time.monotonic() - started < 1
        until(lambda: other.call("session.get")["result"]["recording"]["bytes"] > recorded, "more output")
        recorded = got["recording"]["bytes"]
    assert resident(session["host_pid"]) < before + 40 * 1024
    assert alive(session["pid"])


def test_a_crowd_of_clients_comes_and_goes(ganger, echo):
    host = ganger.session("echo")["host_pid"]
    count = len(os.listdir(f"/proc/{host}/fd"))
    crowd = [ganger.connect("echo", hello=False) for _ in range(150)]
    assert echo.call("session.get")["result"]["name"] == "echo"
    for number, connection in enumerate(crowd):
        connection.send(b'{"jsonrpc":"2.0","id":1,"method":"hello","par' if number % 2 else b"\0" * 5000)
        connection.close()
    until(lambda: len(os.listdir(f"/proc/{host}/fd")) <= count, "the descriptors to be closed")
    assert ganger.session("echo")["host_pid"] == host


def test_a_connection_cut_in_the_middle_of_an_answer(ganger, echo):
    path = ganger.socket_path("echo")
    for _ in range(30):
        connection = Connection(path)
        connection.send(b'{"jsonrpc":"2.0","id":1,"method":"screen.get"}\n' * 50)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    assert echo.call("session.get")["result"]["name"] == "echo"


@pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
def test_a_socket_that_was_removed_is_bound_again(ganger, echo, folder):
    """A log-out may empty the runtime folder; agents go on, and so must their sessions be reachable."""
    session, path = ganger.session("echo"), ganger.socket_path("echo")
    path.unlink()
    if folder:
        path.with_suffix(".hook").unlink()
        ganger.runtime.rmdir()
    assert echo.call("session.get")["result"]["name"] == "echo"
    ganger.run("send", "echo", "hello", "--wait")
    ganger.screen_shows("echo", "You said: hello")
    assert ganger.session("echo")["host_pid"] == session["host_pid"]


def test_rename(ganger, echo):
    ganger.fake("taken", "idle")
    assert code_of(echo.call("session.rename", {"name": "taken"})) == BAD_PARAMS
    assert "result" in echo.call("session.rename", {"name": "api-fix"})
    assert ganger.session("api-fix")["name"] == "api-fix"
    ganger.fails("show", "echo", says="echo")
    ganger.fake("echo", "idle")
    assert sorted(s["name"] for s in ganger.json("ls")) == ["api-fix", "echo", "taken"]


def test_a_program_is_told_the_colours_of_a_client(ganger):
    ask = r"stty raw -echo; printf '\033]11;?\033\\'; head -c 24 | tr '\033' E; printf '\r\n'; exec sleep 1000"
    ganger.start("asks", "sh", "-c", "read _; " + ask)
    view = {"cols": 80, "rows": 24, "foreground": "#c0c0c0", "background": "#102030"}
    ganger.run("rpc", "asks", "session.view", json.dumps(view))
    ganger.run("rpc", "asks", "session.view", json.dumps({**view, "background": "blue"}), code=1)
    ganger.run("keys", "asks", "Enter")
    ganger.screen_shows("asks", "rgb:1010/2020/3030")
