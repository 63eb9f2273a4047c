"""`ganger usage` over what agents' files hold, against sums worked out independently, and against ccusage from npm."""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid

import pytest

import usage_rules
from harness import ROOT, until
from test_agents import READY, SLOW, crew, installed, model  # noqa: F401

sys.path.insert(0, str(ROOT / "tests/agents"))
import agents  # noqa: E402

SIDE = ROOT / "tests/captures/side"
CCUSAGE = "ccusage@20.0.24"
PLAIN = {"TZ": "UTC", "CLAUDE_CONFIG_DIR": None, "CODEX_HOME": None, "GEMINI_CLI_HOME": None, "QWEN_HOME": None, "XDG_DATA_HOME": None}


@pytest.fixture
def usage(ganger):
    """usage(arguments…): the rows of `ganger usage --json`, in UTC."""
    ganger.env.update({name: value for name, value in PLAIN.items() if value})
    return lambda *arguments: ganger.json("usage", "--json", *arguments)


def counts(row):
    return {key: row[key] for key in (*usage_rules.KINDS, "messages")}


def by_account(rows):
    return {row["account"]: counts(row) for row in rows}


def write(path, *lines, end="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line, separators=(",", ":")) for line in lines) + end)
    return path


def append(path, *lines, end="\n"):
    with path.open("a") as file:
        file.write("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + end)


def answer(message, request="r", output=10, session="s", day="2026-11-20", model="claude-opus-5-5", **more):
    row = {"type": "assistant", "timestamp": f"{day}T10:00:00.000Z", "sessionId": session, "requestId": request, "uuid": str(uuid.uuid4()),
           "message": {"id": message, "model": model, "content": [{"type": "text", "text": "so\n"}],
                       "usage": {"input_tokens": 5, "output_tokens": output, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20}}}
    return {**row, **more}


def meta(session, **more):
    return {"timestamp": "2026-11-20T10:00:00.000Z", "type": "session_meta", "payload": {"id": session, "session_id": session, **more}}


def turn(name, model="gpt-6-sol"):
    return {"timestamp": "2026-11-20T10:00:00.001Z", "type": "turn_context", "payload": {"turn_id": name, "model": model}}


def step(total, last, at="10:00:09", **more):
    def told(numbers):
        return {"input_tokens": numbers[0], "cached_input_tokens": numbers[1], "output_tokens": numbers[2], "reasoning_output_tokens": 0,
                "total_tokens": numbers[0] + numbers[2]}
    return {"timestamp": f"2026-11-20T{at}.000Z", "type": "event_msg", "payload": {
        "type": "token_count", "info": {"total_token_usage": told(total), "last_token_usage": told(last)}, **more}}


def opencode_database(home):
    """The messages of captured events, as the program keeps them."""
    path = home / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.executescript("CREATE TABLE session (id text PRIMARY KEY, parent_id text); CREATE TABLE message (id text PRIMARY KEY,"
                               " session_id text NOT NULL, time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL)")
        for number, cost in enumerate((0.0189, 0, 0.25)):
            data = {"role": "assistant", "cost": cost, "modelID": "mock-model", "providerID": "mock", "time": {"created": 1795239815270},
                    "tokens": {"total": 19320, "input": 4200, "output": 56, "reasoning": 64, "cache": {"write": 7, "read": 15000}}}
            database.execute("INSERT INTO message VALUES (?, 's', 1, ?, ?)", (f"msg_{number}", number, json.dumps(data)))
    database.close()


def captured_home(home):
    for name in ("tool", "usage-limit"):
        (home / ".claude/projects/p").mkdir(parents=True, exist_ok=True)
        shutil.copy(SIDE / f"claude/transcript-{name}.jsonl", home / ".claude/projects/p")
    (home / ".claude/projects/p/s/subagents").mkdir(parents=True)
    shutil.copy(SIDE / "claude/transcript-subagent.jsonl", home / ".claude/projects/p/s/subagents/agent-1.jsonl")
    (home / ".codex/sessions/2026/11/21").mkdir(parents=True)
    for name in ("approve", "interrupted", "usage-limit"):
        shutil.copy(SIDE / f"codex/rollout-{name}.jsonl", home / ".codex/sessions/2026/11/21")
    (home / ".gemini/tmp/p/chats").mkdir(parents=True)
    shutil.copy(SIDE / "gemini/session-approve.jsonl", home / ".gemini/tmp/p/chats/session-2026-e3268bf1.jsonl")
    (home / ".qwen/projects/p/chats").mkdir(parents=True)
    shutil.copy(SIDE / "qwen/session-approve.jsonl", home / ".qwen/projects/p/chats")
    opencode_database(home)


def test_captured_files_are_summed_as_by_hand(ganger, usage):
    captured_home(ganger.home)
    rows = usage("--import")
    assert by_account(rows) == {
        "claude/": usage_rules.claude(ganger.home / ".claude"), "codex/": usage_rules.codex(ganger.home / ".codex"),
        "gemini/": usage_rules.gemini(ganger.home), "opencode/": usage_rules.opencode(ganger.home / ".local/share"),
        "qwen/": usage_rules.qwen(ganger.home / ".qwen")}
    assert all(row["messages"] > 0 and row["total_tokens"] == sum(row[kind] for kind in usage_rules.KINDS) for row in rows)
    basis = {row["account"]: row["cost_basis"] for row in rows}
    assert basis == {"claude/": "computed", "codex/": "computed", "gemini/": "computed", "opencode/": "mixed", "qwen/": None}
    # A second time there is nothing to read.
    assert usage("--import") == rows


def claude_corpus(folder, seed, answers=400, odd=True):
    """Answers of several rows, in resumed copies, sidechains and cut lines; `odd`: also numbers that cannot be, errors, and
    answers that are repeated more than once."""
    rng = random.Random(seed)
    kept, paths, repeated = [], [], set()
    for number in range(12):
        session, lines = f"session-{number}", []
        for _ in range(answers // 12):
            message, request = f"msg_{rng.getrandbits(60):x}", f"req_{rng.getrandbits(60):x}"
            outputs = sorted(rng.randint(1, 3000) for _ in range(rng.randint(1, 4)))
            rows = [answer(message, request, output, session, f"2026-11-{rng.randint(1, 20):02}") for output in outputs]
            if odd and rng.random() < 0.1:
                rows[0]["message"]["usage"]["output_tokens"] = rng.choice([-5, None, "7", 10 ** 13, 1.0])
            lines += rows
            kept.append(rows[-1])
            if rng.random() < 0.2:
                lines.append({"type": "user", "toolUseResult": {"usage": {"output_tokens": 7}}, "message": {"usage": {"output_tokens": 7}}})
            if rng.random() < 0.05:
                lines.append(json.dumps(rows[-1])[:rng.randint(10, 300)])
        # A copy of what another conversation said, and of its subagents.
        for more in ({"sessionId": session}, {"isSidechain": True, "requestId": "other"}):
            for row in rng.sample(kept, min(len(kept), 5)):
                if odd or row["message"]["id"] not in repeated:
                    lines.append({**row, **more})
                repeated.add(row["message"]["id"])
        if odd:
            lines += [answer(f"err{number}", model="<synthetic>"), answer(f"api{number}", isApiErrorMessage=True)]
        paths.append(write(folder / f"projects/p{number % 3}/{session}.jsonl", *lines))
        sides = [answer(f"side_{number}_{i}", f"r{i}", rng.randint(1, 500), session, isSidechain=True) for i in range(3)]
        write(folder / f"projects/p{number % 3}/{session}/subagents/agent-{number}.jsonl", *sides, *sides[:1])
    return paths


def test_copies_sidechains_and_broken_lines_of_claude(ganger, usage):
    paths = claude_corpus(ganger.home / ".claude", 7)
    expected = usage_rules.claude(ganger.home / ".claude")
    assert by_account(usage("--import")) == {"claude/": expected}
    # What is added is read when its line is whole.
    append(paths[0], answer("late", output=77), end="")
    assert by_account(usage("--import")) == {"claude/": expected}
    append(paths[0], "")
    more = usage("--import")[0]
    assert more["messages"] == expected["messages"] + 1 and more["output_tokens"] == expected["output_tokens"] + 77
    # A file that was written anew is read anew, and nothing counts twice.
    text = paths[1].read_text()
    paths[1].unlink()
    paths[1].write_text(text)
    assert usage("--import") == [more]


def test_days_models_and_bounds(ganger, usage):
    write(ganger.home / ".claude/projects/p/s.jsonl", answer("a", day="2026-11-18"), answer("b", day="2026-11-19", model="claude-haiku-4-5"),
          answer("c", day="2026-11-19"), answer("d", day="2026-11-20"))
    assert [(r["day"], r["messages"]) for r in usage("--import", "--by", "day")] == [("2026-11-18", 1), ("2026-11-19", 2), ("2026-11-20", 1)]
    assert [(r["day"], r["messages"]) for r in usage("--by", "day", "--since", "2026-11-19", "--until", "2026-11-19")] == [("2026-11-19", 2)]
    assert [(r["model"], r["messages"]) for r in usage("--by", "model")] == [("claude-opus-5-5", 3), ("claude-haiku-4-5", 1)]
    assert [(r["session"], r["name"], r["messages"]) for r in usage("--by", "session")] == [(None, None, 4)]
    assert [r["messages"] for r in usage("--account", "claude/", "--since", "2026-11-20T00:00:00Z")] == [1]
    assert usage("--since", "today") == []


def test_costs(ganger, usage):
    write(ganger.home / ".claude/projects/p/s.jsonl", answer("a", output=1000), answer("b", model="mine"), answer("c", costUSD=0.5, model="old"),
          answer("d", model="nobody-knows"))
    (ganger.config / "prices.json").write_text('{"models": {"mine": {"input": 1000, "output": 2000, "cache_read": 10, "cache_write": 100}}}')
    rows = {row["model"]: (row["cost_basis"], row["cost_usd"]) for row in usage("--import", "--by", "model")}
    assert rows["claude-opus-5-5"] == ("computed", pytest.approx((5 * 4 + 1000 * 20 + 100 * 0.2 + 20 * 5) / 1e6))
    assert rows["mine"] == ("computed", pytest.approx((5 * 1000 + 10 * 2000 + 100 * 10 + 20 * 100) / 1e6))
    assert rows["old"] == ("reported", 0.5)
    assert rows["nobody-knows"] == (None, None)


def test_a_bad_price_list_is_said_and_the_built_in_one_used(ganger, usage):
    write(ganger.home / ".claude/projects/p/s.jsonl", answer("a"))
    (ganger.config / "prices.json").write_text('{"models": {"claude-opus-5-5": {\n"input": "much"}}}')
    made = ganger.run("usage", "--import")
    assert "prices.json: models.claude-opus-5-5" in made.stderr and "built-in prices" in made.stderr
    assert usage()[0]["cost_basis"] == "computed"


def test_each_account_has_its_folder(ganger, usage):
    home = ganger.home
    write(home / ".claude/projects/p/a.jsonl", answer("a"))
    write(home / "work/projects/p/b.jsonl", answer("b"), answer("c"))
    write(home / "codex/sessions/2026/11/20/rollout-x.jsonl", meta("x"), turn("t"), step((100, 50, 10), (100, 50, 10)))
    ganger.configure(accounts={"work": {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": "~/work"}},
                               "team": {"agent": "codex", "env": {"CODEX_HOME": str(home / "codex")}},
                               "key": {"agent": "claude", "env": {"ANTHROPIC_API_KEY": {"command": ["false"]}}}})
    rows = usage("--import", "--all")
    assert {row["account"]: row["messages"] for row in rows} == {"claude/": 1, "claude/work": 2, "codex/team": 1}
    assert [row["messages"] for row in usage("--account", "work", "--all")] == [2]
    ganger.fails("usage", "--account", "nobody", says=["no usage", "nobody"])


def test_accounts_whose_login_has_expired_are_left_out(ganger, usage):
    """One that a command renews is not; nor is any when the login is not what is asked for."""
    double = ganger.root / "claude"
    double.write_text('#!/bin/sh\ncat "$CLAUDE_CONFIG_DIR/status"\n')
    double.chmod(0o755)
    for name, year in (("old", 2020), ("renewed", 2020), ("new", 2099)):
        write(ganger.home / f"{name}/status", {"loggedIn": True, "loginExpiresAt": f"{year}-01-01T00:00:00Z"})
        write(ganger.home / f"{name}/projects/p/s.jsonl", answer(name))
    accounts = {name: {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": str(ganger.home / name)}} for name in ("old", "renewed", "new")}
    accounts["renewed"]["env"]["CLAUDE_CODE_OAUTH_TOKEN"] = {"command": ["touch", str(ganger.home / "asked")]}
    ganger.configure(agents={"claude": {"command": [str(double)]}}, accounts=accounts)
    assert {row["account"] for row in usage("--import")} == {"claude/new", "claude/renewed"}
    assert {row["account"] for row in usage("--all")} == {"claude/new", "claude/old", "claude/renewed"}
    assert "left out: claude/old, whose login has expired" in ganger.run("usage").stdout
    assert usage("--by", "day")[0]["messages"] == 3
    assert not (ganger.home / "asked").exists()


def test_forks_and_subagents_of_codex(ganger, usage):
    day = ganger.home / ".codex/sessions/2026/11/20"
    parent = [meta("p"), turn("t1"), step((100, 60, 10), (100, 60, 10)), step((100, 60, 10), (100, 60, 10)), turn("t2"),
              step((300, 160, 30), (200, 100, 20))]
    write(day / "rollout-p.jsonl", *parent, turn("t3"), step((500, 260, 50), (200, 100, 20)))
    copied = [{**row, "timestamp": "2026-11-20T10:30:00.100Z"} for row in parent]
    fork = {**meta("f", forked_from_id="p"), "timestamp": "2026-11-20T10:30:00.000Z"}
    write(day / "rollout-f.jsonl", fork, *copied, turn("t4"), step((500, 260, 50), (200, 100, 20), at="10:31:00"))
    write(day / "rollout-a.jsonl", meta("a", parent_thread_id="p", session_id="p"), meta("p"), turn("t5"), step((40, 0, 4), (40, 0, 4), at="10:00:05"))
    write(ganger.home / ".codex/archived_sessions/rollout-p.jsonl", *parent)
    rows = usage("--import")
    assert by_account(rows) == {"codex/": usage_rules.codex(ganger.home / ".codex")}
    assert counts(rows[0]) == {"input_tokens": 40 + 3 * 100 + 40, "cache_read_tokens": 60 + 3 * 100, "cache_write_tokens": 0,
                               "output_tokens": 10 + 3 * 20 + 4, "messages": 5}


def test_codex_files_that_grow_and_compressed_ones(ganger, usage):
    path = write(ganger.home / ".codex/sessions/2026/11/20/rollout-p.jsonl", meta("p"), turn("t1", "gpt-6-sol"), step((100, 0, 10), (100, 0, 10)))
    assert usage("--import")[0]["messages"] == 1
    append(path, step((100, 0, 10), (100, 0, 10)), step((250, 0, 20), (150, 0, 10), rate_limits={"plan_type": "plus"}))
    rows = usage("--import", "--by", "model")
    assert [(r["model"], r["messages"], r["input_tokens"], r["cost_basis"]) for r in rows] == [("gpt-6-sol", 2, 250, "mixed")]
    if shutil.which("zstd"):
        subprocess.run(["zstd", "-q", "--rm", str(path)], check=True)
        write(path.with_name("rollout-q.jsonl"), meta("q"), turn("t9"), step((7, 0, 1), (7, 0, 1)))
        subprocess.run(["zstd", "-q", "--rm", str(path.with_name("rollout-q.jsonl"))], check=True)
        assert by_account(usage("--import"))["codex/"] == {"input_tokens": 257, "output_tokens": 21, "cache_read_tokens": 0,
                                                           "cache_write_tokens": 0, "messages": 3}


def test_the_table(ganger):
    write(ganger.home / ".claude/projects/p/s.jsonl", answer("a", output=1234567), answer("b", model="nobody-knows"))
    ganger.env["TZ"] = "UTC"
    made = ganger.run("usage", "--import").stdout
    assert "1 file, 2 answers added" in made
    lines = made.splitlines()[-3:]
    assert [line.split() for line in lines] == [
        ["ACCOUNT", "ANSWERS", "INPUT", "OUTPUT", "CACHE", "READ", "WRITTEN", "TOTAL", "COST", "BASIS"],
        ["claude/", "2", "10", "1.23M", "200", "40", "1.23M", "~$24.69", "mixed"],
        ["total", "2", "10", "1.23M", "200", "40", "1.23M", "~$24.69", "mixed"]]
    assert len({line.index(word) + len(word) for line, word in zip(lines, ("OUTPUT", "1.23M", "1.23M"))}) == 1


def test_without_a_ledger(ganger):
    assert "ganger usage --import" in ganger.run("usage").stdout
    assert ganger.json("usage", "--json") == []
    assert "0 files, 0 answers" in ganger.run("usage", "--import").stdout
    ganger.fails("usage", "--by", "week", code=2, says=["--by week"])
    ganger.fails("usage", "--since", "2026-02-31", code=2, says=["--since 2026-02-31"])


def test_files_that_cannot_be_read(ganger, usage):
    folder = ganger.home / ".claude/projects/p"
    write(folder / "a.jsonl", answer("a"))
    os.mkfifo(folder / "b.jsonl")
    (folder / "c.jsonl").symlink_to("/nonexistent")
    (folder / "d.jsonl").mkdir()
    (ganger.home / ".local/share/opencode").mkdir(parents=True)
    (ganger.home / ".local/share/opencode/opencode.db").write_bytes(os.urandom(5000))
    made = ganger.run("usage", "--import")
    assert "could not be read" in made.stdout
    assert usage()[0]["messages"] == 1


def test_a_line_of_fifty_megabytes(ganger, usage):
    big = answer("big", output=3)
    big["message"]["content"] = [{"type": "text", "text": "\\\"x" * (50 << 18)}]
    write(ganger.home / ".claude/projects/p/s.jsonl", answer("a"), big, {"type": "user", "text": "y" * (50 << 20)}, answer("b"))
    assert usage("--import")[0]["messages"] == 3


@pytest.mark.timeout(300)
def test_two_hundred_megabytes(ganger, usage, record_property):
    rng = random.Random(3)
    text = "line of \"text\" \\ and more\n" * 300
    size = 0
    for number in range(40):
        lines = []
        for i in range(330):
            lines.append({"type": "user", "message": {"content": text[:rng.randint(0, len(text))] * 2}})
            lines += [answer(f"m{number}.{i}", f"r{i}", output) for output in (1, rng.randint(2, 2000))]
            lines[-1]["message"]["content"] = text[:rng.randint(0, 4000)]
        size += write(ganger.home / f".claude/projects/p/{number}.jsonl", *lines).stat().st_size
    began = time.monotonic()
    rows = usage("--import")
    seconds = time.monotonic() - began
    assert rows[0]["messages"] == 40 * 330
    record_property("import", f"{size / 1e6:.0f} MB in {seconds:.2f} s")
    print(f"{size / 1e6:.0f} MB in {seconds:.2f} s")


# ---- ccusage ----

@pytest.fixture(scope="module")
def ccusage():
    """ccusage(home, agent): its sums over all days; the test is skipped where it cannot be had."""
    agents.PACKAGES.setdefault("ccusage", CCUSAGE)
    try:
        agents.install("node")
        agents.install("ccusage")
    except agents.Unavailable as reason:
        pytest.skip(f"ccusage: {reason}")
    finally:
        agents.PACKAGES.pop("ccusage", None)

    def run(home, agent):
        env = {"HOME": str(home), "PATH": f"{agents.program('node').parent}:{os.environ.get('PATH', os.defpath)}", "TZ": "UTC"}
        made = subprocess.run([str(agents.program("ccusage")), agent, "daily", "--json", "--offline"], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
        if "native binary is not available" in made.stderr:
            pytest.skip("ccusage has no program for this machine")
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)["totals"]
    return run


def as_theirs(row):
    return {"inputTokens": row["input_tokens"], "outputTokens": row["output_tokens"], "cacheReadTokens": row["cache_read_tokens"],
            "cacheCreationTokens": row["cache_write_tokens"]}


@pytest.mark.agents
@pytest.mark.timeout(600)
def test_the_same_sums_as_ccusage(ganger, usage, ccusage):
    """Where ccusage counts otherwise: it takes any size of a number, leaves out a row with a number below zero, counts rows that
    Claude Code wrote itself for errors, counts an answer twice that is repeated by
    several sidechains, or by one and by a copy, and twice what Qwen had cached."""
    captured_home(ganger.home)
    claude_corpus(ganger.home / ".claude", 11, odd=False)
    ours = {row["agent"]: row for row in usage("--import")}
    for agent in ("claude", "codex"):
        theirs = ccusage(ganger.home, agent)
        assert {key: theirs[key] for key in as_theirs(ours[agent])} == as_theirs(ours[agent]), agent
    # Thoughts are told beside the output, in the total only.
    for agent in ("gemini", "opencode"):
        theirs = ccusage(ganger.home, agent)
        assert (theirs["totalTokens"], theirs["inputTokens"]) == (ours[agent]["total_tokens"], ours[agent]["input_tokens"]), agent


# ---- the real agents ----

@pytest.mark.agents
@pytest.mark.timeout(600)
@pytest.mark.parametrize("agent", list(agents.PACKAGES))
def test_answers_of_a_session_are_its_usage(ganger, crew, usage, agent):  # noqa: F811
    """They come into the ledger by themselves; the file, read another time, adds none."""
    crew(agent)
    ganger.run("run", "-d", "-a", agent, "-n", "one")
    ganger.screen_shows("one", READY[agent], seconds=SLOW)
    ganger.phase_is("one", "idle", seconds=SLOW)
    for number in (1, 2):
        ganger.run("send", "one", f"[word:w{number}]")
        until(lambda: [row["messages"] for row in usage("--by", "session") if row["name"] == "one" and row["messages"] >= number],
              lambda: f"{number} answers: {usage('--by', 'session')}\n{ganger.screen('one')}", SLOW)
    row = [row for row in usage("--by", "session") if row["name"] == "one"][0]
    assert row["agent"] == agent and row["session"] == ganger.session("one")["id"] and row["output_tokens"] > 0
    assert [r["account"] for r in usage()] == [f"{agent}/"]
    ganger.run("cancel", "--session", "one")
