-- Version 1 of the ledger. Times are ms of the wall clock, 0: not known. See store/ledger.h.
CREATE TABLE account (
    key TEXT PRIMARY KEY,                         -- AGENT/NAME, AGENT/ for the agent's own login
    limited_since INTEGER NOT NULL DEFAULT 0,
    limited_until INTEGER NOT NULL DEFAULT 0,     -- 0: not limited, or until nobody knows when
    recovering INTEGER NOT NULL DEFAULT 0,        -- it was limited, and nothing has got through since
    probe TEXT,                                   -- the session that goes first after a limit
    probe_at INTEGER NOT NULL DEFAULT 0,
    released_at INTEGER NOT NULL DEFAULT 0        -- when a session that had waited went last
) STRICT, WITHOUT ROWID;
CREATE TABLE limit_window (
    account TEXT NOT NULL,
    window TEXT NOT NULL,
    percent REAL,                                 -- NULL: not known
    resets_at INTEGER NOT NULL,
    observed_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (account, window)
) STRICT, WITHOUT ROWID;
-- What was seen before of a window, for its burn rate.
CREATE TABLE limit_observation (
    account TEXT NOT NULL,
    window TEXT NOT NULL,
    observed_at INTEGER NOT NULL,
    percent REAL NOT NULL,
    resets_at INTEGER NOT NULL,
    PRIMARY KEY (account, window, observed_at)
) STRICT, WITHOUT ROWID;
CREATE TABLE turn (
    session TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    running INTEGER NOT NULL,                     -- 1: holds a lease; 0: waits for its release
    release_at INTEGER NOT NULL,                  -- reserved; the moment it came when nothing was
    since INTEGER NOT NULL,
    asked INTEGER NOT NULL                        -- when it last asked
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_of_account ON turn (account, running, release_at);
CREATE TABLE usage (
    id INTEGER PRIMARY KEY,                       -- hash of message and request
    message INTEGER NOT NULL,                     -- hash of message alone
    sidechain INTEGER NOT NULL,
    at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    account TEXT NOT NULL,
    session TEXT,
    attempt INTEGER NOT NULL,
    conversation TEXT,
    model TEXT,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cost REAL,                                    -- USD; NULL: not known
    basis INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_message ON usage (message);
CREATE INDEX usage_at ON usage (at);
CREATE INDEX usage_session ON usage (session);
CREATE TABLE usage_file (
    path TEXT PRIMARY KEY,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    offset INTEGER NOT NULL                       -- bytes that were read
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
