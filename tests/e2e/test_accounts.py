"""Accounts and their limits: what the agents say of their login, what the ledger knows, and that no secret is written."""
import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from harness import ROOT, read, until

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "agents"))
import agents  # noqa: E402
from model import Model  # noqa: E402

# Stands in for an agent's program: tells the state of the login that its directory says, else reads.
DOUBLE = """#!/bin/sh
case "$1 $2" in
"auth status") [ -e "$CLAUDE_CONFIG_DIR/slow" ] && exec sleep 600; cat "$CLAUDE_CONFIG_DIR/status"; exit 0;;
app-server*) while read -r line; do case "$line" in *account/read*) cat "$CODEX_HOME/more";; esac; done; exit;;
"login status") cat "$CODEX_HOME/status" >&2; exit 0;;
esac
echo ready
exec cat
"""


def stamp(seconds):
    """A time so many seconds from now, as RFC 3339."""
    return datetime.fromtimestamp(time.time() + seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def double(ganger):
    path = ganger.root / "double"
    path.write_text(DOUBLE)
    path.chmod(0o755)
    ganger.env["PATH"] = "/usr/bin:/bin"  # no agent is installed
    return str(path)


def directory(ganger, name, status=None):
    path = ganger.root / name
    path.mkdir()
    if status is not None:
        (path / "status").write_text(status if isinstance(status, str) else json.dumps(status))
    return str(path)


def by_name(accounts):
    return {entry["account"]: entry for entry in accounts}


def test_what_the_agents_say(ganger, double):
    end = stamp(30 * 86400)
    claude = {"work": {"loggedIn": True, "authMethod": "claude.ai", "email": "me@example.org", "subscriptionType": "max", "loginExpiresAt": end},
              "out": {"loggedIn": False, "authMethod": "none"}, "old": {"loggedIn": True, "loginExpiresAt": stamp(-60)}, "odd": "what?"}
    accounts = {name: {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": directory(ganger, name, said)}} for name, said in claude.items()}
    accounts["work"].update(label="Work", priority=5)
    accounts["chat"] = {"agent": "codex", "env": {"CODEX_HOME": directory(ganger, "chat", "Logged in using ChatGPT\n")}}
    (ganger.root / "chat/more").write_text('{"id":2,"result":{"account":{"email":"you@example.org","planType":"plus"}}}\n')
    accounts["gone"] = {"agent": "codex", "env": {"CODEX_HOME": str(ganger.root / "gone")}}
    accounts["gem"] = {"agent": "gemini", "env": {"GEMINI_CLI_HOME": directory(ganger, "gem")}}
    ganger.configure(agents={name: {"command": [double]} for name in ("claude", "codex")}, accounts=accounts)
    found = by_name(entry for entry in ganger.json("accounts") if entry["account"])
    assert {name: entry["login"] for name, entry in found.items()} == {
        "work": "ok", "out": "none", "odd": "unknown", "chat": "ok", "gone": "unknown", "gem": "unknown"}
    assert {**found["work"], "expires_at": None} == {
        "account": "work", "agent": "claude", "label": "Work", "priority": 5, "directory": str(ganger.root / "work"), "login": "ok",
        "method": "claude.ai", "plan": "max", "email": "me@example.org", "expires_at": None, "limited_until": None, "sessions": 0,
        "problem": None}
    assert found["work"]["expires_at"][:19] == end[:19]
    assert (found["chat"]["method"], found["chat"]["plan"], found["chat"]["email"]) == ("chatgpt", "plus", "you@example.org")
    assert found["gem"]["directory"] == str(ganger.root / "gem/.gemini")
    assert f"there is no directory {ganger.root}/gone: `mkdir -p " in found["gone"]["problem"]
    assert by_name(ganger.json("accounts", "--all"))["old"]["login"] == "expired"
    table = ganger.run("accounts")
    assert "ok, claude.ai max" in table.stdout and "old" not in [line.split()[0] for line in table.stdout.splitlines()]
    assert "CODEX_HOME=" in table.stderr


def test_an_expired_login_that_a_command_renews_is_listed(ganger, double):
    place = directory(ganger, "old", {"loggedIn": True, "loginExpiresAt": stamp(-60)})
    ganger.configure(agents={"claude": {"command": [double]}}, accounts={
        "old": {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": place, "CLAUDE_CODE_OAUTH_TOKEN": {"command": ["echo", "fresh"]}}}})
    assert by_name(ganger.json("accounts"))["old"]["login"] == "expired"


def test_the_agents_own_login_and_sessions(ganger, double):
    own = ganger.home / ".claude"
    own.mkdir()
    ganger.configure(agents={"claude": {"command": [double], "env": {"CLAUDE_CONFIG_DIR": str(own)}}}, accounts={
        "work": {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": directory(ganger, "work", {"loggedIn": False})}}})
    (own / "status").write_text('{"loggedIn": true, "authMethod": "api_key"}')
    ganger.run("run", "-d", "-a", "claude", "-A", "work", "-n", "one")
    ganger.run("run", "-d", "-a", "claude", "-n", "two")
    found = by_name(ganger.json("accounts"))
    assert found.keys() == {"work", None}
    assert found["work"]["sessions"] == 1 and found["work"]["login"] == "none"
    assert found[None]["sessions"] == 1 and found[None]["method"] == "api_key" and found[None]["directory"] == str(own)


def test_a_directory_that_is_gone_names_the_command(ganger, double):
    place = Path(directory(ganger, "work"))
    ganger.configure(agents={"claude": {"command": [double]}}, accounts={"work": {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": str(place)}}})
    ganger.run("run", "-d", "-A", "work", "-n", "one")
    ganger.run("cancel", "--session", "one")
    place.rmdir()
    said = ganger.fails("run", "-d", "-A", "work", says=f"CLAUDE_CONFIG_DIR={place} claude auth login")
    assert f"there is no directory {place}" in said
    assert len(ganger.json("ls")) == 1

    # an attempt that the host starts
    ganger.run("retry", "one", code=None)
    session = ganger.phase_is("one", "failed")
    assert session["last_error"]["class"] == "authentication" and session["last_error"]["code"] == "account_gone"
    assert f"CLAUDE_CONFIG_DIR={place} claude auth login" in session["last_error"]["message"]
    place.mkdir()
    ganger.run("retry", "one")
    ganger.screen_shows("one", "ready")


SECRETS = {where: f"MARKED-{where.upper()}-SECRET-0123456789" for where in ("text", "file", "command", "stderr", "failed", "own", "login")}


def of_file(path):
    """What a regular file holds; None when it is none, or has gone meanwhile."""
    try:
        return read(path) if stat.S_ISREG(os.lstat(path).st_mode) else None
    except FileNotFoundError:
        return None


def test_no_secret_is_written(ganger, double):
    for name in ("file", "login"):
        (ganger.root / name).write_text(SECRETS[name] + "\n")
    tool = ganger.root / "tool"
    tool.write_text(f"#!/bin/sh\necho {SECRETS['stderr']} >&2\necho {SECRETS['command']}\n")
    broken = ganger.root / "broken"
    broken.write_text(f"#!/bin/sh\necho {SECRETS['failed']}\necho {SECRETS['failed']} >&2\nexit 1\n")
    for path in (tool, broken):
        path.chmod(0o755)
    work = directory(ganger, "work", {"loggedIn": True, "authMethod": "api_key", "accessToken": SECRETS["login"]})
    (Path(work) / ".credentials.json").write_text(SECRETS["login"])
    check = f'[ "$ANTHROPIC_API_KEY" = {SECRETS["text"]} ] && [ "$A_TOKEN" = {SECRETS["file"]} ] && [ "$B_TOKEN" = {SECRETS["command"]} ] && echo has-all'
    double_text = Path(double).read_text().replace("echo ready", f"({check}) 2>/dev/null; echo ready")
    Path(double).write_text(double_text)
    ganger.configure(agents={"claude": {"command": [double], "env": {"C_TOKEN": SECRETS["own"]}}, "codex": {"command": [double]}}, accounts={
        "work": {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": work, "ANTHROPIC_API_KEY": SECRETS["text"],
                                            "A_TOKEN": {"file": str(ganger.root / "file")}, "B_TOKEN": {"command": [str(tool)]}}},
        "bad": {"agent": "codex", "env": {"CODEX_HOME": directory(ganger, "bad", "API key configured - " + SECRETS["login"]),
                                          "OPENAI_API_KEY": {"command": [str(broken)]}}}})
    said = []

    def run(*arguments):
        made = ganger.run(*arguments, code=None)
        said.append(made.stdout + made.stderr)
        return made
    run("run", "-d", "-A", "work", "-n", "one")
    ganger.screen_shows("one", "has-all")
    run("run", "-d", "-A", "bad", "-n", "two")
    for arguments in (["accounts"], ["accounts", "--json", "--all"], ["limits"], ["limits", "--json"], ["config", "show"], ["config", "check"],
                      ["ls", "--json"], ["show", "one", "--json"], ["show", "two", "--json"], ["why", "one"], ["events", "one"], ["events", "two"],
                      ["logs", "one"], ["snapshot", "one"], ["retry", "two"], ["send", "one", "hello"], ["cancel", "--session", "one"]):
        run(*arguments)
    ganger.phase_is("one", "cancelled", "completed")
    written = {path: text for folder in (ganger.state, ganger.runtime) for path in folder.rglob("*") if (text := of_file(path)) is not None}
    assert any(path.name == "session.json" for path in written)
    for where, secret in SECRETS.items():
        assert secret not in "".join(said), where
        # the end of one, too: "sk-…***6789" would be a part of it
        assert not [path for path, text in written.items() if secret.encode() in text], where


def test_slow_values_are_had_beside_each_other(ganger, double):
    tool = ganger.root / "tool"
    tool.write_text("#!/bin/sh\nsleep 2\necho value\n")
    tool.chmod(0o755)
    ganger.configure(agents={"claude": {"command": [double]}}, accounts={
        f"a{n}": {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": directory(ganger, f"a{n}", {"loggedIn": True}),
                                             "A_TOKEN": {"command": [str(tool)]}}} for n in range(6)})
    begun = time.monotonic()
    found = by_name(ganger.json("accounts"))
    assert time.monotonic() - begun < 10
    assert [found[f"a{n}"]["login"] for n in range(6)] == ["ok"] * 6


def test_one_that_does_not_answer_is_unknown(ganger, double):
    slow = directory(ganger, "slow", "")
    (Path(slow) / "slow").touch()
    quick = directory(ganger, "quick", {"loggedIn": True})
    ganger.configure(agents={"claude": {"command": [double]}}, accounts={
        name: {"agent": "claude", "env": {"CLAUDE_CONFIG_DIR": place}} for name, place in (("slow", slow), ("quick", quick))})
    begun = time.monotonic()
    found = by_name(ganger.json("accounts"))
    assert time.monotonic() - begun < 25
    assert found["slow"]["login"] == "unknown" and found["quick"]["login"] == "ok"
    ganger.nothing_left()


@pytest.mark.agents
@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_real_agents(ganger, agent):
    try:
        agents.install("node")
        agents.install(agent)
    except agents.Unavailable as reason:
        pytest.skip(str(reason))
    home = agents.make_home(agent, ganger.root / "home", "http://127.0.0.1:9", ganger.work)
    empty, key = directory(ganger, "empty"), directory(ganger, "key")
    variable, secret = {"claude": ("CLAUDE_CONFIG_DIR", "ANTHROPIC_API_KEY"), "codex": ("CODEX_HOME", "CODEX_API_KEY")}[agent]
    path = {"HOME": str(ganger.home), "PATH": home["PATH"]}
    ganger.configure(agents={agent: {"command": [str(agents.program(agent))], "env": path}}, accounts={
        "empty": {"agent": agent, "env": {variable: empty}},
        "key": {"agent": agent, "env": {variable: key, secret: "sk-MARKED-SECRET"}}})
    if agent == "codex":
        (Path(key) / "auth.json").write_text(json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-MARKED-SECRET"}))
    made = ganger.run("accounts", "--json")
    found = by_name(json.loads(made.stdout))
    assert found["empty"]["login"] == "none" and found["empty"]["method"] is None
    assert found["key"]["login"] == "ok" and found["key"]["method"] == "api_key"
    assert "MARKED" not in made.stdout + made.stderr


# ---- limits ----

def ledger(ganger, accounts=(), windows=(), observations=(), turns=()):
    """Writes a ledger; times are seconds from now."""
    ganger.run("ls")
    now = time.time() * 1000

    def ms(seconds):
        return 0 if seconds is None else int(now + seconds * 1000)
    with sqlite3.connect(ganger.state / "ledger.db") as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript((ROOT / "src/store/ledger.sql").read_text())
        db.executemany("INSERT INTO account (key, limited_since, limited_until) VALUES (?, ?, ?)", [(k, ms(s), ms(u)) for k, s, u in accounts])
        db.executemany("INSERT INTO limit_window VALUES (?, ?, ?, ?, ?, ?)", [(k, w, p, ms(r), ms(o), s) for k, w, p, r, o, s in windows])
        db.executemany("INSERT INTO limit_observation VALUES (?, ?, ?, ?, ?)", [(k, w, ms(o), p, ms(r)) for k, w, o, p, r in observations])
        db.executemany("INSERT INTO turn (session, account, running, release_at, since, asked) VALUES (?, ?, ?, ?, ?, ?)",
                       [(s, k, running, ms(at), ms(0), ms(0)) for s, k, running, at in turns])
    db.close()


def test_nothing_is_known_of_limits(ganger):
    ganger.configure()
    assert ganger.json("limits") == []
    assert ganger.run("limits").stdout == "no agent has told a limit yet: they do after the first answer, on a subscription\n"
    ganger.configure(accounts={"work": {"agent": "command", "label": "Work"}})
    entry, = ganger.json("limits")
    assert entry["account"] == "work" and entry["label"] == "Work" and entry["windows"] == [] and entry["limited_until"] is None
    said = ganger.run("limits").stdout.splitlines()
    assert said[1].split() == ["work", "command", "-", "unknown", "unknown", "unknown", "unknown", "never"] and said[2].startswith("no agent")


def test_limits_of_the_ledger(ganger):
    ganger.configure(accounts={"free": {"agent": "command"}, "full": {"agent": "command"}})
    waiting = [ganger.fake(name)["id"] for name in ("one", "two")]
    ledger(ganger, accounts=[("command/full", -600, 900)],
           windows=[("command/free", "five_hour", 50.0, 7500, -120, "status line"), ("command/free", "seven_day", None, None, -60, "screen"),
                    ("command/full", "five_hour", 100.0, 900, -60, "stream"), ("command/was", "weekly", 10.0, 90000, -60, "rollout")],
           observations=[("command/free", "five_hour", at, used, 7500) for at, used in ((-3720, 20.0), (-1920, 35.0), (-120, 50.0))],
           turns=[(session, "command/full", 0, 910) for session in (*waiting, "00000000-0000-4000-8000-000000000000")])
    names = [entry["account"] for entry in ganger.json("limits")]
    assert names == ["full", "free"]
    assert [entry["account"] for entry in ganger.json("limits", "--all")] == ["full", "free", "was"]
    full, free = ganger.json("limits")
    assert full["waiting"] == 2 and full["limited_until"]
    window = {w["window"]: w for w in free["windows"]}["five_hour"]
    assert window["percent"] == 50 and 20 < window["burn_pct_per_h"] < 40 and window["exhausted_at"]
    table = ganger.run("limits").stdout.splitlines()
    assert table[1].split()[0] == "full" and "2 sessions wait" in table[1] and "14m" in table[1]
    line = next(line for line in table if "free" in line and "five_hour" in line)
    assert "\u2588\u2588\u2588\u2588\u2588\u2591\u2591\u2591\u2591\u2591  50%" in line and "%/h" in line and "~" in line and "status line" in line
    assert "#####.....  50%" in ganger.run("limits", env={"LANG": "C", "LC_ALL": "C"}).stdout
    accounts = by_name(ganger.json("accounts"))
    assert accounts["full"]["limited_until"] == full["limited_until"] and accounts["free"]["limited_until"] is None


# ---- another account ----


@pytest.mark.agents
@pytest.mark.timeout(300)
@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_a_conversation_goes_on_under_another_account(ganger, agent):
    try:
        agents.install("node")
        agents.install(agent)
    except agents.Unavailable as reason:
        pytest.skip(str(reason))
    subprocess.run(["git", "init", "-q", str(ganger.work)], check=True)
    with Model() as model:
        homes = {name: agents.make_home(agent, ganger.root / name, model.url, ganger.work) for name in ("first", "second")}
        ganger.configure(agents={agent: {"command": [str(agents.program(agent))]}},
                         accounts={name: {"agent": agent, "env": home} for name, home in homes.items()})
        ganger.run("run", "-d", "-A", "first", "-n", "one", "hello [word:before]")
        until(lambda: "answer to before" in " ".join(ganger.screen("one").split()), lambda: ganger.screen("one"), 60)
        ganger.phase_is("one", "idle", seconds=60)
        ganger.run("retry", "one", "-A", "second")
        until(lambda: len(model.prompts("[word:before]")) > 1, lambda: f"the prompt again:\n{ganger.screen('one')}", 60)
        until(lambda: model.prompts("[word:before]")[-1]["asked"].count("[word:before]") == 2, lambda: model.prompts("[word:before]")[-1]["asked"], 5)
        event, = ganger.events("one", "account_switched")
        assert (event["from"], event["to"], event["carried"]) == ("first", "second", True)
        assert ganger.session("one")["account"] == "second"
