/*
 * What the ledger_*.c share. An operation is one transaction, or one query. Everything that fails fills the error: its code is
 * an errno value, its text a sentence with what to do. A ledger found damaged on the way is set aside there and then (code
 * EUCLEAN); the open one then refuses all further work.
 */
#ifndef STORE_LEDGER_PRIVATE_H
#define STORE_LEDGER_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/ledger.h"

#define LEDGER_VERSION 1 /* of the schema: PRAGMA user_version */

struct ledger {
    sqlite3 *database;
    char *state_dir, *path; /* path: of ledger.db */
    enum ledger_mode mode;
    bool aside;   /* it was set aside: nothing more is read or written */
    bool opening; /* the lock is held: nothing is set aside by an operation */
    /* What was found when it was opened: PRAGMA user_version, how many tables and indexes, how many of our tables. */
    int version, things, tables;
};

/* ---- ledger_query.c ---- */

/*
 * A statement, prepared and bound. `types` has a letter for each parameter, whose value follows: 't' const char * (copied;
 * NULL binds null), 'i' int64_t (an int must be cast), 'r' double, 'n' nothing: null. The caller finalizes it
 * (sqlite3_finalize). NULL and the error.
 */
sqlite3_stmt *ledger_query(struct ledger *ledger, struct error *error, const char *sql, const char *types,
                           ...);
/* Resets a statement and binds other values. 0 or -1. */
int ledger_bind(struct ledger *ledger, struct error *error, sqlite3_stmt *statement, const char *types, ...);
/* 1: there is a row, 0: no more, -1 and the error. */
int ledger_step(struct ledger *ledger, struct error *error, sqlite3_stmt *statement);
/* A statement that returns no rows: ledger_query, ledger_step, sqlite3_finalize. 0 or -1. */
int ledger_run(struct ledger *ledger, struct error *error, const char *sql, const char *types, ...);
/* The first column of the first row; *number is 0 when there is no row or it is null. 0 or -1. */
int ledger_number(struct ledger *ledger, struct error *error, int64_t *number, const char *sql,
                  const char *types, ...);
/* sqlite3_column_text as const char *; NULL for null. It lasts until the next step. */
const char *ledger_text(sqlite3_stmt *statement, int column);

typedef int ledger_work_in(struct ledger *ledger, void *argument, struct error *error);
/* BEGIN IMMEDIATE, the work, COMMIT; when any of them fails, ROLLBACK and -1. */
int ledger_transaction(struct ledger *ledger, ledger_work_in *work, void *argument, struct error *error);

/* Fills the error from what SQLite said last: "cannot WHAT PATH: …". A damaged ledger is set aside. Returns -1. */
int ledger_failed(struct ledger *ledger, struct error *error, const char *what);
/* Sets the ledger aside for a reason that is in the text. The lock must not be held. Returns -1. */
int ledger_damaged(struct ledger *ledger, struct error *error, const char *reason);
/* The errno value of a result code of SQLite. EUCLEAN: the file is damaged. Pure. */
int ledger_errno(int result);

/* ---- ledger_place.c: the files ---- */

/* NULL, or what is said of a file system on which the ledger cannot be kept: "NFS", "fuse.sshfs"… `type`: as in mountinfo, for
 * those that share the magic of FUSE; may be NULL. Pure. */
const char *ledger_network_file_system(uint64_t magic, const char *type);
/* Refuses a state folder on a file system of a network: ENOTSUP. */
int ledger_place_check(const char *state_dir, struct error *error);
/* STATE/ledger.lock, shared while a ledger is opened, exclusive while one is made or set aside. A descriptor to close, -1 and
 * the error; -2 when it cannot be had for lack of rights to write, which a reader need not mind. Waits LEDGER_BUSY_MS. */
int ledger_place_lock(const char *state_dir, bool exclusive, struct error *error);
/* 1: ledger.db is there, 0: it is missing or empty; -1: it is no file, or somebody else's. */
int ledger_place_look(const char *path, struct error *error);
/* With the lock held: renames ledger.db with its -wal and -shm to ledger.db.KIND-TIME, and fills the error: EUCLEAN and where it
 * is, or why it could not be renamed. Returns -1. */
int ledger_place_set_aside(const char *path, const char *kind, const char *reason, struct error *error);
/* With the lock held: clears away what a missing or empty ledger.db left (its -wal is kept under another name). */
int ledger_place_clear(const char *path, struct error *error);
/* Fills the error with text on what can be done about the code. Returns -1. */
int ledger_place_error(struct error *error, int code, const char *what, const char *path, const char *why);
/* ledger.notify is there, so that it can be watched. */
void ledger_place_notify_file(const char *state_dir);

#endif
