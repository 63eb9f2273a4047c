"""A ledger as hosts would have left it: made with Python's sqlite3 from the schema in the tree."""
import sqlite3
import time
import uuid
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[2] / "src" / "store" / "ledger.sql"
HOUR = 3600 * 1000


def now():
    return int(time.time() * 1000)


class FakeLedger:
    def __init__(self, state):
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.notify_file = state / "ledger.notify"
        self.path = state / "ledger.db"
        with self.open() as database:
            database.executescript("PRAGMA journal_mode = WAL;\n" + SCHEMA.read_text())
        self.path.chmod(0o600)

    def open(self):
        return sqlite3.connect(self.path, timeout=10)

    def write(self, sql, *values):
        with self.open() as database:
            database.execute(sql, values)
        database.close()

    def notify(self):
        self.notify_file.touch()

    def window(self, account, name, percent, resets_in_s=0, before=None):
        """`before` is what was seen of it half an hour ago: it has a burn rate then."""
        at, resets = now(), now() + int(resets_in_s * 1000) if resets_in_s else 0
        self.write("INSERT OR REPLACE INTO limit_window VALUES (?, ?, ?, ?, ?, 'status line')", account, name, percent, resets, at)
        if before is not None:
            for part in (0, 1, 2):
                self.write("INSERT OR REPLACE INTO limit_observation VALUES (?, ?, ?, ?, ?)", account, name, at - HOUR // 2 + part * HOUR // 6,
                           before + (percent - before) * part / 3, resets)

    def limited(self, account, for_s):
        self.write("INSERT OR REPLACE INTO account (key, limited_since, limited_until) VALUES (?, ?, ?)", account, now() - 1000,
                   now() + int(for_s * 1000))

    def waits(self, account, session):
        self.write("INSERT OR REPLACE INTO turn VALUES (?, ?, 0, ?, ?, ?)", session, account, now() + HOUR, now(), now())

    def used(self, account, cost, basis=1):
        """`basis`: 1 reported, 2 computed, 3 subscription."""
        number = uuid.uuid4().int % 2**62
        self.write("INSERT INTO usage VALUES (?, ?, 0, ?, ?, ?, NULL, 1, NULL, 'm', 1, 1, 0, 0, ?, ?)", number, number, now(),
                   account.split("/")[0], account, cost, basis)
