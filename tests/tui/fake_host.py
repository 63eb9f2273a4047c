"""A session's host made of a thread: answers what the dashboard asks, and sends whatever a test wants."""
import contextlib
import fcntl
import json
import os
import socket
import threading
import uuid


class FakeHost:
    """A living session `name` in the folders of `ganger`. `frames` are sent, as bytes, to each new subscriber of the screen;
    `members` replace those of its object."""

    def __init__(self, ganger, name, frames=(), **members):
        self.id = str(uuid.uuid4())
        self.frames = list(frames)
        self.requests = []  # every request of every connection: (method, params)
        self.connections = 0
        self.object = {"id": self.id, "name": name, "agent": "command", "account": None, "phase": "idle", "attempt": 1, "title": "made up",
                       "phase_since": "2026-01-01T00:00:00.000Z", "created_at": "2026-01-01T00:00:00.000Z", "last_error": None,
                       "pending_approvals": [], **members}
        self.seq = 0
        folder = ganger.state / "sessions" / self.id
        folder.mkdir(parents=True, mode=0o700)
        (folder / "session.json").write_text(json.dumps({"format": 1, **self.object}))
        (ganger.state / "names").mkdir(exist_ok=True, mode=0o700)
        (ganger.state / "names" / name).symlink_to(self.id)
        self.lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.listener = socket.socket(socket.AF_UNIX)
        self.path = ganger.runtime / f"{self.id}.sock"
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.clients = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                self.clients.append(client)
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError):
            for line in client.makefile("rb"):
                self.answer(client, json.loads(line))

    def answer(self, client, request):
        method, params = request["method"], request.get("params") or {}
        self.requests.append((method, params))
        if method == "session.queue" and not self.change_queue(**params):
            client.sendall(json.dumps({"jsonrpc": "2.0", "id": request["id"],
                                       "error": {"code": 6, "message": "the prompt does not wait any more"}}).encode() + b"\n")
            return
        result, problem = {"hello": {"protocol": 1, "version": "0", "capabilities": []}, "session.get": self.object,
                           "session.queue": {"queue": self.object.get("queue")}}.get(method, {}), None
        if method == "session.approve" and not self.resolve(params["id"], "answered", "client"):
            problem = {"code": 6, "message": "that request is no longer there"}
        if "id" in request:
            outcome = {"error": problem} if problem else {"result": result}
            client.sendall(json.dumps({"jsonrpc": "2.0", "id": request["id"], **outcome}).encode() + b"\n")
        if method == "session.subscribe" and params.get("screen"):
            for frame in self.frames:
                client.sendall(frame)

    def tell(self, event_type, **members):
        """An event to every client."""
        self.seq += 1
        event = {"seq": self.seq, "time": "2026-01-01T00:00:00.000Z", "id": self.id, "session": self.object["name"], "attempt": 1,
                 "type": event_type, **members}
        for client in list(self.clients):
            with contextlib.suppress(OSError):
                client.sendall(json.dumps({"jsonrpc": "2.0", "method": "event", "params": event}).encode() + b"\n")

    def change(self, **members):
        """The object is another now, and an event of no weight says that there is something to ask for."""
        self.object = {**self.object, **members}
        self.tell("usage")

    def change_queue(self, id, action, text=None, priority=None, to=None):
        """False when there is no such prompt."""
        queue = list(self.object["queue"])
        found = [i for i, prompt in enumerate(queue) if prompt["id"] == id]
        if not found:
            return False
        prompt = dict(queue.pop(found[0]))
        if text is not None:
            prompt["text"] = text
        if priority is not None:
            prompt["priority"] = priority
        place = to if to is not None else found[0] if action == "edit" else 0 if priority == "next" else len(queue)
        if action != "remove":
            queue.insert(place, prompt)
        self.object = {**self.object, "queue": queue}
        return True

    def ask(self, number, **members):
        """A further request, 1-NUMBER, without a time, so that screens of it stay the same."""
        request = {"id": f"1-{number}", "kind": "permission", "tool": None, "input": None, "choices": [], "since": None, **members}
        self.object = {**self.object, "phase": "approval", "phase_since": None,
                       "pending_approvals": [*self.object["pending_approvals"], request]}
        self.tell("approval_requested", request=request["id"], **{k: request[k] for k in ("kind", "tool", "input", "choices")})

    def resolve(self, request, decision, by):
        """False when it is not pending."""
        before = self.object["pending_approvals"]
        left = [r for r in before if r["id"] != request]
        self.object = {**self.object, "phase": "approval" if left else "idle", "pending_approvals": left}
        self.tell("approval_resolved", request=request, decision=decision, by=by)
        return len(left) < len(before)

    def of(self, method):
        return [params for name, params in list(self.requests) if name == method]

    def end(self):
        self.listener.close()
        for client in self.clients:
            client.close()
        self.path.unlink(missing_ok=True)
        os.close(self.lock)


def frame(number, base, lines, cols=20, rows=5, members=None, **more):
    """A screen notification of plain text, {row: text}; `more` and `members` replace what is in it."""
    params = {"frame": number, "base": base, "more": False, "attempt": 1, "cols": cols, "rows": rows,
              "lines": [[y, [[0, 1, text]]] for y, text in lines.items()], "cursor": [0, 0, True, 1, False], **more,
              **(members or {})}
    return json.dumps({"jsonrpc": "2.0", "method": "screen", "params": params}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
