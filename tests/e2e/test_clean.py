"""Clean-up: `ganger rm` with its options, and what the limits of the configuration remove without being asked."""
import contextlib
import datetime
import fcntl
import json
import os
import time
import uuid

from harness import until


def ended(ganger, name, days, size=1000, **more):
    """A session that ended so many days ago, made by hand; returns its folder."""
    identity = str(uuid.uuid4())
    folder = ganger.state / "sessions" / identity
    folder.mkdir(parents=True)
    at = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    session = {"format": 1, "id": identity, "name": name, "agent": "command", "mode": "tui", "phase": "completed", "phase_since": at,
               "created_at": at, "exit": {"state": "completed", "code": 0, "signal": None, "at": at}, **more}
    (folder / "session.json").write_text(json.dumps(session))
    (folder / "attempt-1.cast").write_bytes(os.urandom(size - 1) + b"\n")
    (folder / "lock").touch()
    names = ganger.state / "names"
    names.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (names / name).symlink_to(identity)
    return folder


def swept(ganger):
    """Whether the clean-up that a start begins is over."""
    log = ganger.state / "retention.log"
    if not log.exists():
        return False
    with log.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def look_again(ganger):
    os.utime(ganger.state / "retention.log", (time.time() - 4000,) * 2)


def test_what_is_old_goes_when_a_session_starts(ganger):
    old, young = ended(ganger, "old", 31), ended(ganger, "young", 29)
    half = ganger.state / "sessions" / f".{uuid.uuid4()}.removed"
    (half / "folder").mkdir(parents=True)
    ganger.fake("now", "echo")
    until(lambda: swept(ganger), "the clean-up")
    assert not old.exists() and young.exists() and not half.exists()
    assert not os.path.lexists(ganger.state / "names" / "old")
    line = json.loads((ganger.state / "retention.log").read_text())
    assert line["name"] == "old" and line["reason"] == "age" and line["bytes"] > 0
    # Once an hour at most.
    older = ended(ganger, "older", 40)
    ganger.start("other", "true")
    assert swept(ganger) and older.exists()
    ganger.configure(limits={"ended_age_s": 0, "ended_bytes": 1})
    look_again(ganger)
    ganger.start("third", "true")
    until(lambda: swept(ganger) and not older.exists(), "the clean-up by size")
    assert not young.exists() and ganger.session("now")["phase"] != "lost"


def test_what_a_dashboard_shows_stays(ganger, dashboard):
    ganger.start("early", "true")
    until(lambda: swept(ganger), "the first clean-up")
    shown = ended(ganger, "shown", 50)
    screen = dashboard("attach", "shown")
    screen.shows("the session has ended")
    hidden = ended(ganger, "hidden", 50)
    look_again(ganger)
    ganger.start("go", "true")
    until(lambda: swept(ganger) and not hidden.exists(), "the second clean-up")
    assert shown.exists()
    screen.keys("C-a", "q")
    screen.ended()
    other = ended(ganger, "other", 40)
    look_again(ganger)
    dashboard("attach", "other")
    until(lambda: swept(ganger) and not shown.exists(), "the third clean-up, which a dashboard begins")
    assert other.exists()


def test_rm(ganger):
    young, old, kept = ended(ganger, "young", 1, 3_000_000), ended(ganger, "old", 9), ended(ganger, "kept", 9)
    ganger.run("rm", "--keep", "kept")
    told = ganger.json("rm", "--older", "7d", "--dry-run")
    assert [s["name"] for s in told["removed"]] == ["old"] and told["bytes"] == told["removed"][0]["bytes"] > 0 and old.exists()
    assert ganger.run("rm", "--older", "7d").stdout.startswith("deleted old (")
    assert young.exists() and kept.exists() and not old.exists()
    assert "deleted young (3." in ganger.run("rm", "--ended").stdout
    assert ganger.run("rm", "--ended").stdout == "nothing to delete\n"
    ganger.run("rm", "--no-keep", "kept")
    ganger.run("rm", "--ended")
    assert not kept.exists() and not list((ganger.state / "names").glob("[!.]*"))
    for age in ("7", "d", "-1d", "1y", "1e99w", ""):
        ganger.fails("rm", "--older", age, code=2, says="age")
    ganger.fails("rm", "--keep", "--ended", code=2)
    ganger.fake("runs", "echo")
    told = json.loads(ganger.run("rm", "runs", "--json", code=1).stdout)
    assert told["removed"] == [] and "running" in told["errors"][0]["message"]
