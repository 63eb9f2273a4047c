"""Each gives one clear line that says what to do; nothing is lost, the rest goes on."""
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from harness import PROGRAM, until


def still_works(ganger, name):
    ganger.run("send", name, "are you there", "--wait")
    ganger.screen_shows(name, "You said: are you there")


# ---- starting ----
def test_an_agent_that_is_not_installed(ganger):
    message = ganger.fails("run", "-d", "-a", "codex", env={"PATH": "/usr/bin:/bin"}, says=("codex", "npm install -g @openai/codex"))
    assert "\n" not in message.strip()
    assert ganger.json("ls") == []


def test_an_unknown_agent(ganger):
    ganger.fails("run", "-d", "-a", "cobol", says=("cobol", "claude"), code=None)


@pytest.mark.parametrize("command, says", [
    (["/no/such/program"], "/no/such/program"),
    (["no-such-program-at-all"], "no-such-program-at-all"),
    (["/etc/passwd"], "/etc/passwd"),
    (["/"], "/"),
])
def test_a_command_that_cannot_be_run(ganger, command, says):
    ganger.fails("run", "-d", "-n", "x", "--", *command, says=says)
    for session in ganger.json("ls"):
        assert session["phase"] == "failed"


def test_a_script_whose_interpreter_is_gone(ganger):
    script = ganger.root / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    ganger.fails("run", "-d", "-n", "x", "--", script, says="script")


def test_a_folder_that_is_gone(ganger):
    ganger.fails("run", "-d", "-C", "/no/such/folder", "--", "true", says="/no/such/folder")
    folder = ganger.root / "removed"
    folder.mkdir()
    made = subprocess.run(["sh", "-c", f'rmdir "{folder}" && exec "{PROGRAM}" run -d -- true'], cwd=folder, env=ganger.env, text=True,
                          capture_output=True, timeout=30)
    assert made.returncode == 1 and made.stderr.startswith("ganger: ") and made.stderr.count("\n") == 1, made.stderr


def test_a_folder_gone_at_the_retry(ganger):
    folder = ganger.root / "w2"
    folder.mkdir()
    ganger.fake("x", "exit", "0", options=("-C", str(folder)))
    ganger.phase_is("x", "completed")
    folder.rmdir()
    ganger.fails("retry", "x", says="w2")
    assert ganger.session("x")["exit"] is not None


@pytest.mark.parametrize("size", ["1x1", "0x0", "9999x10", "80", "80x", "x24", "-1x5", "80x24x7"])
def test_a_bad_size(ganger, size):
    ganger.fails("run", "-d", "--size", size, "--", "true", says=size, code=None)
    assert ganger.json("ls") == []


# ---- prompts ----
def test_a_prompt_with_control_bytes(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    for text in (b"a\0b", b"a\x1b[2Jb", b"a\x07b", b"a\x7fb", b"\xff\xfe"):
        ganger.run("send", "echo", "-", input=text, text=False, code=1)
    still_works(ganger, "echo")
    screen = ganger.screen("echo")
    assert screen.count("You said:") == 1


def test_a_prompt_above_100_kib(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    made = ganger.run("send", "echo", "-", input="x" * (100 * 1024 + 1), code=1)
    assert "100 KiB" in made.stderr or "102400" in made.stderr, made.stderr
    still_works(ganger, "echo")


def test_a_prompt_of_100_kib_arrives_whole(ganger):
    target = ganger.root / "typed"
    script = "stty raw -echo; printf '\\033[?2004hready'; head -c %d > %s; stty sane; echo received; sleep 1000"
    ganger.start("cat", "sh", "-c", script % (100 * 1024 + 12, target))
    ganger.screen_shows("cat", "ready")
    text = "".join(chr(97 + i % 26) for i in range(100 * 1024))
    ganger.run("paste", "cat", input=text)
    ganger.screen_shows("cat", "received")
    assert target.read_bytes() == b"\x1b[200~" + text.encode() + b"\x1b[201~"


def test_an_empty_prompt(ganger):
    ganger.fake("echo", "echo")
    ganger.fails("send", "echo", "", code=None)


# ---- the socket ----
GARBAGE = [
    b"\n", b"\xff\xfe\x00garbage\n", b"{\n", b"[]\n", b"[[[[[[" * 1000 + b"\n", b'"text"\n', b"null\n", b"12\n", b"{}\n",
    b'{"jsonrpc":"2.0"}\n', b'{"jsonrpc":"2.0","id":1,"method":5}\n', b'{"jsonrpc":"2.0","id":{},"method":"session.get"}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"session.get","params":"x"}\n', b'{"jsonrpc":"2.0","id":1,"method":"no.such"}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"session.view","params":{"cols":-5,"rows":1e300}}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"session.input","params":{"data":"%%%"}}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"scrollback.get","params":{"from":18446744073709551615,"count":-1}}\n',
    b'{"jsonrpc":"2.0","method":"screen.ack","params":{"frame":99999999}}\n',
]


def test_garbage_on_the_socket(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    host = ganger.session("echo")["host_pid"]
    for said_hello in (False, True):
        for line in GARBAGE:
            connection = ganger.connect("echo", hello=said_hello)
            connection.send(line)
            connection.socket.shutdown(socket.SHUT_WR)
            while (reply := connection.line()) is not None:
                assert "error" in reply or "result" in reply or "method" in reply
            connection.close()
    assert ganger.session("echo")["host_pid"] == host
    still_works(ganger, "echo")


def test_a_malformed_line_gets_an_error_and_the_connection_goes_on(ganger):
    ganger.fake("echo", "echo")
    connection = ganger.connect("echo")
    connection.send(b'{"broken\n')
    assert connection.line()["error"]["code"] == -32700
    assert connection.call("session.get")["result"]["name"] == "echo"


def test_half_a_line(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    connections = [ganger.connect("echo", hello=False) for _ in range(5)]
    for connection in connections:
        connection.send(b'{"jsonrpc":"2.0","id":1,"meth')
    still_works(ganger, "echo")
    connections[0].send(b'od":"hello","params":{"protocol":1}}\n')
    assert connections[0].line()["result"]["protocol"] == 1
    for connection in connections:
        connection.close()
    assert ganger.session("echo")["exit"] is None


def test_a_line_of_2_mib(ganger):
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    host = ganger.session("echo")["host_pid"]
    connection = ganger.connect("echo")
    try:
        connection.send(b'{"jsonrpc":"2.0","id":7,"method":"session.prompt","params":{"text":"' + b"x" * (2 << 20) + b'"}}\n')
        reply = connection.line()
    except (BrokenPipeError, ConnectionResetError):
        reply = None
    assert reply is None or reply["error"]["code"] in (8, -32600, -32700), reply
    assert ganger.session("echo")["host_pid"] == host
    still_works(ganger, "echo")


def test_hello_comes_first(ganger):
    ganger.fake("echo", "echo")
    connection = ganger.connect("echo", hello=False)
    assert connection.call("session.get")["error"]["code"] == 1
    connection = ganger.connect("echo", hello=False)
    assert connection.call("hello", {"protocol": 99})["error"]["code"] == 2


def test_a_client_that_stops_reading_delays_nobody(ganger):
    ganger.fake("flood", "flood")
    stopped = ganger.connect("flood")
    stopped.call("session.subscribe", {"screen": True})
    other = ganger.connect("flood")
    for _ in range(20):
        assert "result" in other.call("session.get")
        time.sleep(0.05)
    status = open(f"/proc/{ganger.session('flood')['host_pid']}/status").read()
    resident = int(status.split("VmRSS:")[1].split()[0])
    assert resident < 200 * 1024, f"the host has {resident} kB"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_on_the_socket(ganger):
    ganger.fake("echo", "echo")
    path = ganger.socket_path("echo")
    os.chmod(ganger.root, 0o755)
    os.chmod(ganger.runtime, 0o755)
    os.chmod(path, 0o777)
    script = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1]);"
              "s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"protocol\":1}}\\n'); print(s.recv(4096))")
    made = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", script, str(path)],
                          capture_output=True, text=True, timeout=30)
    assert "result" not in made.stdout, made.stdout
    os.chmod(ganger.runtime, 0o700)
    ganger.phase_is("echo", "idle")


def test_an_agent_cannot_steer_its_own_session(ganger):
    ganger.start("inside", "sh", "-c", f"{PROGRAM} rpc inside session.get; echo code $?; exec sleep 1000")
    ganger.screen_shows("inside", "code 1")
    screen = ganger.screen("inside")
    assert "host_pid" not in screen and "may not control sessions" in screen and "agents.NAME.control" in screen, screen


# ---- folders ----
def test_a_runtime_folder_that_is_not_ours(ganger):
    if os.geteuid() == 0:
        foreign = ganger.root / "foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, 65534, 65534)
    else:
        foreign = "/"
    ganger.fails("run", "-d", "--", "true", env={"GANGER_RUNTIME_DIR": str(foreign)}, says=("GANGER_RUNTIME_DIR", str(foreign)))


def test_a_runtime_folder_open_to_others(ganger):
    ganger.runtime.chmod(0o755)
    ganger.fails("run", "-d", "--", "true", says="chmod 700")
    ganger.runtime.chmod(0o700)
    link = ganger.root / "link"
    link.symlink_to(ganger.runtime)
    ganger.fails("run", "-d", "--", "true", env={"GANGER_RUNTIME_DIR": str(link)}, says=str(link))


def test_a_state_folder_that_cannot_be_written(ganger):
    ganger.fails("run", "-d", "--", "true", env={"GANGER_STATE_DIR": "/proc/ganger"}, says="/proc/ganger")
    ganger.fails("run", "-d", "--", "true", env={"GANGER_STATE_DIR": "/dev/null/x"}, says="/dev/null")
    ganger.fails("run", "-d", "--", "true", env={"GANGER_STATE_DIR": "relative"}, says="relative")


def test_a_damaged_session_folder_does_not_hide_the_others(ganger):
    ganger.fake("good", "echo")
    ganger.fake("bad", "exit", "0")
    session = ganger.phase_is("bad", "completed")
    (ganger.state / "sessions" / session["id"] / "session.json").write_text("{not json")
    assert "good" in [s["name"] for s in ganger.json("ls")]


def test_a_bad_configuration_is_refused_with_file_line_and_key(ganger):
    (ganger.config / "config.json").write_text('{\n "agents": {\n  "claude": {"comand": ["x"]}\n }\n}\n')
    message = ganger.fails("run", "-d", "--", "true", says=("config.json", "comand"))
    assert ":3" in message


def test_very_many_arguments_and_odd_ones(ganger):
    out = ganger.root / "arguments"
    odd = ["", " ", "a b", "$(touch /tmp/never)", "`id`", "'", '"', "\\", "*", "ü漢", "-n", "--", "x" * 10000]
    ganger.start("odd", sys.executable, "-c", f"import sys, json; json.dump(sys.argv[1:], open({str(out)!r}, 'w'))", *odd)
    ganger.phase_is("odd", "completed")
    assert json.loads(out.read_text()) == odd


def test_the_disk_is_not_needed_to_go_on(ganger):
    """The session folder is gone under a running session: it goes on, and can be ended."""
    ganger.fake("echo", "echo")
    ganger.phase_is("echo", "idle")
    connection = ganger.connect("echo")
    session = connection.call("session.get")["result"]
    for path in sorted((ganger.state / "sessions" / session["id"]).iterdir()):
        if path.is_file():
            path.unlink()
    assert "result" in connection.call("session.prompt", {"text": "still here"})
    until(lambda: "You said: still here" in json.dumps(connection.call("screen.get"), ensure_ascii=False), "the answer")
    assert "result" in connection.call("session.kill")
    until(lambda: connection.call("session.get")["result"]["exit"], "its end")
    os.kill(session["host_pid"], signal.SIGTERM)  # else it waits for clients
