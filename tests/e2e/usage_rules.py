"""What agents' files say about usage, worked out a second time: plain, slow, from the rules alone, to check the program's sums."""
import glob
import json
import sqlite3
from pathlib import Path

KINDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
MOST = 10 ** 12


def count(value):
    """A number of tokens; what cannot be one is nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST:
        return 0
    return int(value)


def rows(path):
    """Whole lines that are JSON objects."""
    text = Path(path).read_bytes()
    for line in text[:text.rfind(b"\n") + 1].split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def total(answer):
    return sum(answer[kind] for kind in KINDS)


def summed(answers):
    answers = list(answers)
    return {**{kind: sum(a[kind] for a in answers) for kind in KINDS}, "messages": len(answers)}


def files(folder, pattern):
    return sorted(glob.glob(f"{folder}/{pattern}", recursive=True))


def claude_rows(folder):
    for path in files(folder, "projects/**/*.jsonl"):
        for row in rows(path):
            message = row.get("message")
            usage = message.get("usage") if isinstance(message, dict) else None
            if not isinstance(usage, dict) or row.get("type", "assistant") != "assistant":
                continue
            if row.get("isApiErrorMessage") is True or message.get("model") == "<synthetic>":
                continue
            yield {"message": message.get("id") or row.get("uuid"), "request": row.get("requestId"), "side": row.get("isSidechain") is True,
                   "input_tokens": count(usage.get("input_tokens")), "output_tokens": count(usage.get("output_tokens")),
                   "cache_read_tokens": count(usage.get("cache_read_input_tokens")),
                   "cache_write_tokens": count(usage.get("cache_creation_input_tokens"))}


def claude(folder):
    """By message and request, the one with the most; a sidechain's only when its message is known from no other."""
    own, side = {}, {}
    for row in claude_rows(folder):
        if total(row) == 0:
            continue
        known, key = (side, row["message"]) if row["side"] else (own, (row["message"], row["request"]))
        if key not in known or total(row) > total(known[key]):
            known[key] = row
    messages = {message for message, _ in own}
    return summed([*own.values(), *(row for message, row in side.items() if message not in messages)])


def codex(folder):
    """Each step of a conversation's sum once; a turn that was copied into another file is the same turn."""
    answers = {}
    for path in files(folder, "sessions/**/rollout-*.jsonl") + files(folder, "archived_sessions/rollout-*.jsonl"):
        turn = name = before = None
        for row in rows(path):
            payload = row.get("payload") or {}
            if row.get("type") == "session_meta" and name is None:
                name = payload.get("id")
            if row.get("type") == "turn_context":
                turn = payload.get("turn_id")
            info = payload.get("info") if payload.get("type") == "token_count" else None
            if not info or not info.get("last_token_usage"):
                continue
            after = tuple(count(info["total_token_usage"].get(k)) for k in ("input_tokens", "cached_input_tokens", "output_tokens"))
            if after == before:
                continue
            before, last = after, info["last_token_usage"]
            cached = count(last.get("cached_input_tokens"))
            answers.setdefault((turn or name, after), {
                "input_tokens": max(0, count(last.get("input_tokens")) - cached), "output_tokens": count(last.get("output_tokens")),
                "cache_read_tokens": cached, "cache_write_tokens": 0})
    return summed(answers.values())


def gemini(home):
    answers = {}
    for path in files(home, ".gemini/tmp/*/chats/session-*.json*"):
        whole = [json.loads(Path(path).read_text())] if path.endswith(".json") else rows(path)
        for row in whole:
            for message in row.get("messages") or (row.get("$set") or {}).get("messages") or [row]:
                tokens = message.get("tokens")
                if message.get("type") == "gemini" and tokens:
                    cached = count(tokens.get("cached"))
                    answers[message["id"]] = {
                        "input_tokens": max(0, count(tokens.get("input")) - cached) + count(tokens.get("tool")),
                        "output_tokens": count(tokens.get("output")) + count(tokens.get("thoughts")),
                        "cache_read_tokens": cached, "cache_write_tokens": 0}
    return summed(answers.values())


def qwen(folder):
    answers = {}
    for path in files(folder, "projects/*/chats/*.jsonl"):
        for row in rows(path):
            usage = row.get("usageMetadata")
            if row.get("type") == "assistant" and usage:
                cached, asked = count(usage.get("cachedContentTokenCount")), count(usage.get("promptTokenCount"))
                answers[row["uuid"]] = {"input_tokens": asked - cached, "output_tokens": count(usage.get("totalTokenCount")) - asked,
                                        "cache_read_tokens": cached, "cache_write_tokens": 0}
    return summed(answers.values())


def opencode(folder):
    answers = []
    for path in files(folder, "opencode/opencode*.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            messages = [json.loads(text) for text, in database.execute("SELECT data FROM message")]
        for message in messages:
            tokens = message.get("tokens")
            if message.get("role") == "assistant" and tokens:
                answers.append({"input_tokens": count(tokens["input"]), "output_tokens": count(tokens["output"]) + count(tokens["reasoning"]),
                                "cache_read_tokens": count(tokens["cache"]["read"]), "cache_write_tokens": count(tokens["cache"]["write"])})
    return summed(answer for answer in answers if total(answer) > 0)
