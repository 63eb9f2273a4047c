#!/usr/bin/env python3
"""Speaks Claude's stream-json as the real CLI does, driven by words in the prompt; for tests without the real one.

say:TEXT     answers TEXT, in pieces
count:N      N words, ten a second, until interrupted
mute         says nothing until it is interrupted
slow:N       says nothing for N seconds, then answers
deaf         says nothing and takes no interrupt
tool         asks for permission, then for its result
junk         lines that are no messages
big          a line that is too long, then half a megabyte of text
file         changes a file and says so
exit:N       ends with that status
limit:S:X    the account that hears it first refuses everything for S seconds, with the reset
busy:N:X     the first N requests of the conversation are refused, without a reset; over:N:X: for overload; auth:N:X: for the login
credit:X     refused: no credit is left
fall:N:X     the process ends after each of the first N refusals for overload

What the vendor and the conversations remember is in the folder DOUBLE_STATE; "accepted" there has a line for each request that was
answered: the session, the account, the time, and all prompts of the conversation that were not answered before.
"""
import json
import os
import re
from pathlib import Path
import queue
import sys
import threading
import time
import uuid
import zlib

incoming = queue.Queue()


def read():
    for line in sys.stdin:
        incoming.put(json.loads(line))
    incoming.put(None)


def raw(line):
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def tell(**message):
    raw(json.dumps(message).encode())


def event(**what):
    tell(type="stream_event", parent_tool_use_id=None, event=what)


def whole(block):
    tell(type="assistant", parent_tool_use_id=None, message={"id": message_id, "content": [block]})


def begin_message():
    global message_id
    message_id = "msg_" + uuid.uuid4().hex
    tell(type="system", subtype="status", status="requesting")
    event(type="message_start", message={"id": message_id, "usage": {"input_tokens": 10}})


def say(pieces, pause=0.0):
    """False when it was interrupted."""
    begin_message()
    event(type="content_block_start", index=0, content_block={"type": "text", "text": ""})
    said = ""
    for piece in pieces:
        event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        said += piece
        try:
            if interrupted(incoming.get(timeout=pause) if pause else incoming.get_nowait()):
                return False
        except queue.Empty:
            pass
    whole({"type": "text", "text": said})
    event(type="content_block_stop", index=0)
    return True


def interrupted(message):
    if message is None:
        sys.exit(0)
    if message["type"] != "control_request":
        incoming.put(message)
        return False
    respond(message)
    return message["request"]["subtype"] == "interrupt"


def respond(message):
    tell(type="control_response", response={"subtype": "success", "request_id": message["request_id"], "response": {}})


def mute(seconds=None):
    """False when it was interrupted."""
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            if interrupted(incoming.get(timeout=None if end is None else max(0, end - time.monotonic()))):
                return False
        except queue.Empty:
            return True


def deaf():
    while True:
        time.sleep(60)


def tool():
    begin_message()
    block = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "touch it"}}
    whole(block)
    tell(type="control_request", request_id="ask-" + uuid.uuid4().hex[:6], request={
        "subtype": "can_use_tool", "tool_name": "Bash", "input": block["input"], "tool_use_id": "toolu_1"})
    while True:
        message = incoming.get()
        if message is None:
            sys.exit(0)
        if message["type"] == "control_response":
            answer = message["response"]["response"]
            break
        if interrupted(message):
            return False
    allowed = answer["behavior"] == "allow"
    tell(type="user", parent_tool_use_id=None, message={"role": "user", "content": [{
        "type": "tool_result", "tool_use_id": "toolu_1", "is_error": not allowed,
        "content": "ran " + answer["updatedInput"]["command"] if allowed else "refused: " + answer["message"]}]})
    return say(["It ran." if allowed else "It did not run."])


def junk():
    raw(b"this is \x1b[2Jnot json")
    raw(b"[1, 2]")
    raw(b'{"a":' * 10000)
    whole_raw = json.dumps({"type": "assistant", "message": {"id": "j", "content": [{"type": "text", "text": "bad @ byte"}]}})
    raw(whole_raw.encode().replace(b"@", b"\xff\\u0000\\ud800"))
    tell(type="telepathy", of=["x"])


def changed():
    begin_message()
    whole({"type": "tool_use", "id": "toolu_2", "name": "Edit", "input": {"file_path": "a.txt"}})
    tell(type="user", parent_tool_use_id=None, message={"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "updated"}]},
        tool_use_result={"filePath": "a.txt", "structuredPatch": [
            {"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-before", "+after"]}]})


def argument(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


ACCOUNT = Path(os.environ.get("CLAUDE_CONFIG_DIR", "default")).name
STATE = Path(os.environ.get("DOUBLE_STATE", "/nonexistent"))
SESSION = argument("--session-id") or argument("--resume") or "5e55104e-0000-4000-8000-000000000000"
REFUSALS = {"busy": (429, "rate_limit", "Rate limited. Try again later."), "over": (529, "overloaded", "Overloaded."),
            "fall": (529, "overloaded", "Overloaded."), "auth": (401, "authentication_failed", "Please run /login"),
            "credit": (400, "billing_error", "Your credit balance is too low.")}


def remembered(path, otherwise):
    return json.loads(path.read_text()) if path.exists() else otherwise


def conversation_path():
    """Beside the account's other files, where the real one keeps them."""
    folder = Path(os.environ.get("CLAUDE_CONFIG_DIR", str(STATE))) / "projects/double"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{SESSION}.jsonl"


def refusal(asked):
    """(status, error, words, reset) when the vendor refuses the conversation, else None."""
    mark = STATE / f"limited-{ACCOUNT}"
    for text in asked:
        seen = STATE / f"seen-{zlib.crc32(text.encode())}"
        if (found := re.match(r"limit:([\d.]+):", text)) and not seen.exists():
            seen.touch()
            mark.write_text(str(time.time() + float(found[1])))
    until = float(mark.read_text()) if mark.exists() else 0
    if until > time.time():
        return 429, "rate_limit", "You've hit your session limit", int(until) + 1
    count = remembered(STATE / f"count-{SESSION}", 0)
    for text in asked:
        found = re.match(r"(busy|over|auth|credit|fall):(?:(\d+):)?", text)
        if found and count < int(found[2] or 1000):
            (STATE / f"count-{SESSION}").write_text(str(count + 1))
            return *REFUSALS[found[1]], 0
    return None


def vendor(text):
    """True when the request was refused; said as the real CLI says it."""
    path = conversation_path()
    rows = map(json.loads, path.read_text().splitlines()) if path.exists() else []
    asked = [row["prompt"] for row in rows if "prompt" in row]
    with path.open("a") as file:
        print(json.dumps({"prompt": text}), file=file)
    asked.append(text)
    done = remembered(STATE / f"done-{SESSION}", 0)
    with (STATE / "requests").open("a") as file:
        print(json.dumps({"session": SESSION, "account": ACCOUNT, "at": time.time(), "prompts": asked[done:]}), file=file)
    refused = refusal(asked[done:])
    if refused is None:
        (STATE / f"done-{SESSION}").write_text(str(len(asked)))
        with (STATE / "accepted").open("a") as file:
            print(json.dumps({"session": SESSION, "account": ACCOUNT, "at": time.time(), "prompts": asked[done:]}), file=file)
        return False
    status, error, words, reset = refused
    if reset:
        tell(type="rate_limit_event", rate_limit_info={
            "status": "rejected", "resetsAt": reset, "rateLimitType": "five_hour",
            "unifiedWindows": {"five_hour": {"utilization": 1, "resetsAt": reset, "status": "rejected"}}})
    tell(type="assistant", parent_tool_use_id=None, error=error, message={
        "id": str(uuid.uuid4()), "model": "<synthetic>", "content": [{"type": "text", "text": words}]})
    tell(type="result", subtype="success", is_error=True, api_error_status=status, result=words, terminal_reason="api_error",
         duration_ms=1, total_cost_usd=0, modelUsage={})
    if any(text.startswith("fall:") for text in asked):
        sys.stdout.flush()
        os._exit(1)
    return True


def turn(text, started):
    tell(type="system", subtype="init", session_id=SESSION, model="double-1", claude_code_version="0")
    failed = False
    if STATE.is_dir() and vendor(text):
        return
    if text.startswith("say:"):
        say([c for c in text[4:]])
    elif text.startswith("count:"):
        failed = not say([f"n{i} " for i in range(int(text[6:]))], 0.1)
    elif text == "mute":
        failed = not mute()
    elif text.startswith("slow:"):
        failed = not (mute(float(text[5:])) and say(["at last"]))
    elif text.startswith("exit:"):
        say(["bye"])
        print("last words", file=sys.stderr)
        sys.exit(int(text[5:]))
    elif text == "big":
        raw(b'{"type": "x", "t": "' + b"y" * (17 * 1024 * 1024) + b'"}')
        say(["word " * 100000 + "end-of-it"])
    elif text in WORDS:
        failed = WORDS[text]() is False
        if not failed:
            say(["done"])
    else:
        say([f"You said {text[:40]!r}, {len(text)} characters."])
    tell(type="result", subtype="error_during_execution" if failed else "success", is_error=failed,
         terminal_reason="aborted_streaming" if failed else "completed", duration_ms=int((time.monotonic() - started) * 1000),
         total_cost_usd=0.01, modelUsage={"double-1": {"inputTokens": 100, "outputTokens": 7, "contextWindow": 1000}})


WORDS = {"tool": tool, "junk": junk, "file": changed, "deaf": deaf}


def main():
    if sys.argv[1:3] == ["auth", "status"]:
        print(json.dumps({"loggedIn": True}))
        return
    if "--output-format" not in sys.argv or "stdio" not in sys.argv:
        sys.exit("not started for stream mode")
    threading.Thread(target=read, daemon=True).start()
    while (message := incoming.get()) is not None:
        if message["type"] == "control_request":
            respond(message)
        elif message["type"] == "user":
            turn(message["message"]["content"][0]["text"], time.monotonic())


main()
