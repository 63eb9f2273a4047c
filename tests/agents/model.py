"""A stand-in for the vendors' APIs on the loopback interface: Anthropic messages, OpenAI responses and chat completions,
Gemini. What it answers is picked by the last "[model:NAME]" or "[word:XYZ]" in the person's messages:

  answer  (or none, or a word) one sentence, with the word in it
  slow    some sixty words, a quarter of a second each
  hang    begins and says nothing more
  tool    asks for a shell command first, which makes the CLI ask for permission
  limited too many requests, try again in two seconds
  refused the key is wrong
  and the names of refusal.py, such as quota20

Every request is kept in `requests`: path, kind, account (the key that came with it), the person's text, whether it is a side
request (a title, a probe), its status (200: answered; None: not yet) and whether the client left before its end.
"""
import json
import re
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

from refusal import Refusals, Refused

COMMAND = "touch ./made-by-agent && echo made-it"


def strings(value):
    """Every string in a JSON tree."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def identifier(prefix):
    return prefix + uuid.uuid4().hex[:20]


class Reply:
    """What to say: pieces of text with a pause before each, then perhaps a tool call."""

    def __init__(self, asked, tools, has_result, side):
        marks = re.findall(r"\[(model|word):(\w+)\]", asked)
        kind, value = marks[-1] if marks else ("model", "answer")
        name = value if kind == "model" else "answer"
        self.hang = name == "hang" and not side
        self.name = None if side else name
        self.error = None if side else {"limited": (429, "Rate limit reached. Please try again in 2s.", "rate_limit_exceeded"),
                                        "refused": (401, "Incorrect API key provided: sk-dummy.", "invalid_api_key")}.get(name)
        self.tool = None
        self.pause = 0.02
        if side:
            text = "A session's title"
        elif name == "slow":
            text, self.pause = " ".join(f"slowly{i}" for i in range(60)) + ".", 0.25
        elif name == "tool" and not has_result:
            text, self.tool = "I will run a command.", shell_tool(tools)
        elif name == "tool":
            text = "The command has run."
        else:
            text = f"Here is the answer{' to ' + value if kind == 'word' else ''} from the stand-in model."
        self.text = text
        self.pieces = re.findall(r"\S+\s*", text)


def shell_tool(tools):
    """The client's own tool that runs a command, with its arguments."""
    for name in ("Bash", "bash", "exec_command", "shell_command", "shell", "run_shell_command"):
        if name in tools:
            key = {"exec_command": "cmd"}.get(name, "command")
            value = ["bash", "-lc", COMMAND] if name == "shell" else COMMAND
            arguments = {key: value}
            if name in ("Bash", "bash", "run_shell_command"):
                arguments["description"] = "Make a file"
            if name in ("exec_command", "shell_command"):
                arguments.update(justification="to make a file", sandbox_permissions="require_escalated",
                                 with_escalated_permissions=True)
            return name, arguments
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    # ---- transport ----
    def body(self):
        if self.headers.get("transfer-encoding", "") == "chunked":
            raw = b""
            while True:
                size = int(self.rfile.readline().strip() or b"0", 16)
                if size == 0:
                    self.rfile.readline()
                    break
                raw += self.rfile.read(size)
                self.rfile.readline()
        else:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "zstd":
            raw = subprocess.run(["zstd", "-dc"], input=raw, capture_output=True, check=False).stdout
        try:
            return json.loads(raw) if raw else {}
        except ValueError:
            return {}

    def json(self, code, value, headers=()):
        raw = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        for name, text in dict(headers or self.extra).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(raw)

    def start_stream(self):
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        for name, text in self.extra.items():
            self.send_header(name, text)
        self.end_headers()

    def event(self, value, name=None):
        head = f"event: {name}\n" if name else ""
        self.wfile.write(f"{head}data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode())
        self.wfile.flush()

    def speak(self, reply, say):
        """The pieces of the reply, one call of `say` each. Ends early when the model is stopped."""
        for piece in reply.pieces[:3] if reply.hang else reply.pieces:
            if self.server.stopped.wait(reply.pause):
                return
            say(piece)
        while reply.hang and not self.server.stopped.wait(0.5):
            say("")

    # ---- requests ----
    def do_HEAD(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        body = self.body()
        path = urlparse(self.path).path
        self.extra = {}
        self.note = {"time": time.time(), "path": path, "kind": None, "account": self.account(), "asked": "", "side": True,
                     "status": None, "left": False}
        self.server.keep(self.note)
        try:
            self.route(path, body)
        except (BrokenPipeError, ConnectionResetError):
            self.note["left"] = True
            self.close_connection = True
        except Refused as error:
            self.note["status"] = error.status
            self.json(error.status, error.body, error.headers)

    def account(self):
        key = self.headers.get("x-api-key") or self.headers.get("x-goog-api-key") or self.headers.get("authorization") or ""
        return key.removeprefix("Bearer ")

    def route(self, path, body):
        if path.endswith("/count_tokens"):
            self.json(200, {"input_tokens": 1234})
        elif ":countTokens" in path:
            self.json(200, {"totalTokens": 1234})
        elif path.endswith("/messages"):
            self.answer_anthropic(body)
        elif path.endswith("/responses"):
            self.answer_responses(body)
        elif path.endswith("/chat/completions"):
            self.answer_chat(body)
        elif "enerateContent" in path:
            self.answer_gemini(path, body)
        elif path.endswith("/models"):
            self.json(200, {"object": "list", "data": [{"id": "stand-in", "object": "model", "created": 1, "owned_by": "test"}]})
        else:
            self.json(404, {"error": {"message": f"no {path} here", "type": "not_found_error"}})

    def reply(self, kind, asked, tools, has_result, side):
        self.note.update(kind=kind, side=side, asked=asked)
        reply = Reply(asked, tools, has_result, side)
        if reply.error:
            status, message, code = reply.error
            raise Refused(status, {"type": "error", "error": {"message": message, "type": code, "code": code}})
        if reply.name:
            self.extra = self.server.refusals.check(kind, self.note["account"], reply.name)
        self.note["status"] = 200
        return reply

    # ---- Anthropic messages ----
    def answer_anthropic(self, body):
        messages = body.get("messages", [])
        asked = "\n".join(strings([m for m in messages if m.get("role") == "user"]))
        tools = [t.get("name") for t in body.get("tools") or []]
        last = messages[-1].get("content") if messages else None
        has_result = isinstance(last, list) and any(c.get("type") == "tool_result" for c in last)
        reply = self.reply("anthropic", asked, tools, has_result, "Bash" not in tools)
        usage = {"input_tokens": 1200, "output_tokens": 30, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        message = {"id": identifier("msg_"), "type": "message", "role": "assistant", "model": body.get("model"), "content": [],
                   "stop_reason": None, "stop_sequence": None, "usage": usage}
        if not body.get("stream"):
            text = json.dumps({"title": reply.text}) if "json" in json.dumps(body.get("output_config") or "") else reply.text
            self.json(200, {**message, "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"})
            return
        self.start_stream()
        self.anthropic_event("message_start", message=message)
        self.anthropic_event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        self.speak(reply, lambda piece: self.anthropic_event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}))
        self.anthropic_event("content_block_stop", index=0)
        if reply.tool:
            name, arguments = reply.tool
            self.anthropic_event("content_block_start", index=1,
                                 content_block={"type": "tool_use", "id": identifier("toolu_"), "name": name, "input": {}})
            self.anthropic_event("content_block_delta", index=1,
                                 delta={"type": "input_json_delta", "partial_json": json.dumps(arguments)})
            self.anthropic_event("content_block_stop", index=1)
        self.anthropic_event("message_delta", usage=usage,
                             delta={"stop_reason": "tool_use" if reply.tool else "end_turn", "stop_sequence": None})
        self.anthropic_event("message_stop")

    def anthropic_event(self, name, **fields):
        self.event({"type": name, **fields}, name)

    # ---- OpenAI responses ----
    def answer_responses(self, body):
        items = body.get("input") or []
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        asked = "\n".join(strings([i for i in items if i.get("role") == "user"]))
        tools = [t.get("name") or t.get("type") for t in body.get("tools") or []]
        has_result = bool(items) and items[-1].get("type", "").endswith("call_output")
        reply = self.reply("responses", asked, tools, has_result, "Do not answer the request" in asked)
        response = {"id": identifier("resp_"), "object": "response", "created_at": int(time.time()), "model": body.get("model"),
                    "status": "in_progress", "output": [], "error": None, "usage": None}
        self.start_stream()
        self.response_event("response.created", response=response)
        item = {"type": "message", "id": identifier("msg_"), "role": "assistant", "status": "in_progress", "content": []}
        at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        self.response_event("response.output_item.added", output_index=0, item=item)
        self.response_event("response.content_part.added", **at, part={"type": "output_text", "text": "", "annotations": []})
        self.speak(reply, lambda piece: self.response_event("response.output_text.delta", **at, delta=piece))
        self.response_event("response.output_text.done", **at, text=reply.text)
        item = {**item, "status": "completed", "content": [{"type": "output_text", "text": reply.text, "annotations": []}]}
        self.response_event("response.output_item.done", output_index=0, item=item)
        output = [item]
        if reply.tool:
            name, arguments = reply.tool
            call = {"type": "function_call", "id": identifier("fc_"), "call_id": identifier("call_"), "name": name,
                    "arguments": json.dumps(arguments), "status": "completed"}
            self.response_event("response.output_item.added", output_index=1, item={**call, "arguments": "", "status": "in_progress"})
            self.response_event("response.output_item.done", output_index=1, item=call)
            output.append(call)
        usage = {"input_tokens": 1200, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 30,
                 "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1230}
        self.response_event("response.completed", response={**response, "status": "completed", "output": output, "usage": usage})

    def response_event(self, name, **fields):
        self.number = getattr(self, "number", -1) + 1
        self.event({"type": name, "sequence_number": self.number, **fields}, name)

    # ---- OpenAI chat completions ----
    def answer_chat(self, body):
        messages = body.get("messages") or []
        asked = "\n".join(strings([m for m in messages if m.get("role") == "user"]))
        tools = [t["function"]["name"] for t in body.get("tools") or [] if "function" in t]
        reply = self.reply("chat", asked, tools, bool(messages) and messages[-1].get("role") == "tool", not tools)
        usage = {"prompt_tokens": 1200, "completion_tokens": 30, "total_tokens": 1230}
        base = {"id": identifier("chatcmpl-"), "object": "chat.completion.chunk", "created": int(time.time()), "model": body.get("model")}
        if not body.get("stream"):
            message = {"role": "assistant", "content": reply.text}
            self.json(200, {**base, "object": "chat.completion", "usage": usage,
                            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
            return

        def say(delta, finish=None):
            self.event({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        self.start_stream()
        say({"role": "assistant", "content": ""})
        self.speak(reply, lambda piece: say({"content": piece}))
        if reply.tool:
            name, arguments = reply.tool
            say({"tool_calls": [{"index": 0, "id": identifier("call_"), "type": "function",
                                 "function": {"name": name, "arguments": json.dumps(arguments)}}]})
        say({}, "tool_calls" if reply.tool else "stop")
        self.event({**base, "choices": [], "usage": usage})
        self.event("[DONE]")

    # ---- Gemini ----
    def answer_gemini(self, path, body):
        contents = body.get("contents") or []
        asked = "\n".join(strings([c for c in contents if c.get("role") == "user"]))
        tools = [f["name"] for t in body.get("tools") or [] for f in t.get("functionDeclarations") or []]
        has_result = bool(contents) and any("functionResponse" in p for p in contents[-1].get("parts") or [])
        reply = self.reply("gemini", asked, tools, has_result, not tools)
        usage = {"promptTokenCount": 1200, "candidatesTokenCount": 30, "totalTokenCount": 1230}

        def part(value, finish=None):
            candidate = {"content": {"parts": [value], "role": "model"}, "index": 0}
            if finish:
                candidate["finishReason"] = finish
            return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": path.split("/models/")[-1].split(":")[0]}
        if "json" in json.dumps(body.get("generationConfig") or {}):
            choice = {"reasoning": "simple", "model_choice": "flash", "next_speaker": "user", "complexity_reasoning": "simple",
                      "complexity_score": 10}
            reply.text, reply.pieces = json.dumps(choice), [json.dumps(choice)]
        if ":streamGenerateContent" not in path:
            self.json(200, part({"text": reply.text}, "STOP"))
            return
        self.start_stream()
        self.speak(reply, lambda piece: self.event(part({"text": piece})))
        if reply.tool:
            name, arguments = reply.tool
            self.event(part({"functionCall": {"name": name, "args": arguments, "id": identifier("fc-")}}))
        self.event(part({"text": ""}, "STOP"))


class Model(ThreadingHTTPServer):
    """The API on a port of its own: `with Model() as model: … model.url`."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests = []
        self.refusals = Refusals()
        self.stopped = threading.Event()
        self.lock = threading.Lock()

    def handle_error(self, request, address):
        """Clients that leave in the middle are ordinary; anything else is a fault of this file."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, address)

    def keep(self, note):
        with self.lock:
            self.requests.append(note)

    def prompts(self, text):
        """The requests of the conversation itself in which the person's text occurs."""
        with self.lock:
            return [note for note in self.requests if text in note["asked"] and not note["side"]]

    def accepted(self, text):
        """Those of them that were answered."""
        return [note for note in self.prompts(text) if note["status"] == 200]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.stopped.set()
        self.shutdown()
        self.server_close()
