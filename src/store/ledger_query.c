#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/ledger_private.h"

int ledger_errno(int result)
{
    switch (result & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return EUCLEAN;
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return EBUSY;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return EACCES;
    case SQLITE_NOMEM:
        return ENOMEM;
    case SQLITE_TOOBIG:
        return EFBIG;
    case SQLITE_IOERR:
        return EIO;
    default:
        return EINVAL;
    }
}

/* Our statements fit our schema: one that does not prepare tells of another schema. */
static bool other_schema(sqlite3 *database, int result)
{
    return (result & 0xFF) == SQLITE_ERROR && strncmp(sqlite3_errmsg(database), "no such ", 8) == 0;
}

/* SQLite says SQLITE_FULL for ENOSPC alone. */
static bool is_disk_full(int code)
{
    return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

int ledger_damaged(struct ledger *ledger, struct error *error, const char *reason)
{
    int moved = 0, lock;

    ledger->aside = true;
    lock = ledger_place_lock(ledger->state_dir, true, error);
    if (lock < 0)
        return -1;
    /* Somebody else may have been quicker, and begun another. */
    if (sqlite3_file_control(ledger->database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        moved) {
        error_set(error, "the ledger was damaged (%s) and has been set aside; another is begun", reason);
        if (error != NULL)
            error->code = EUCLEAN;
    } else {
        ledger_place_set_aside(ledger->path, "damaged", reason, error);
    }
    close(lock);
    return -1;
}

int ledger_failed(struct ledger *ledger, struct error *error, const char *what)
{
    int system = errno, result = sqlite3_extended_errcode(ledger->database), code = ledger_errno(result);
    char reason[200];

    (void)snprintf(reason, sizeof reason, "%s", sqlite3_errmsg(ledger->database));
    if (ledger->opening && code == EUCLEAN) {
        error_set(error, "%s", reason);
        if (error != NULL)
            error->code = EUCLEAN;
        return -1;
    }
    if (code == EUCLEAN || other_schema(ledger->database, result))
        return ledger_damaged(ledger, error, reason);
    if (code == EIO && is_disk_full(system))
        code = ENOSPC;
    return ledger_place_error(error, code, what, ledger->path,
                              code == EINVAL || code == EBUSY || code == EIO ? reason : NULL);
}

static int bind_values(sqlite3_stmt *statement, const char *types, va_list values)
{
    int result = SQLITE_OK;

    for (int i = 0; types[i] != '\0' && result == SQLITE_OK; i++) {
        switch (types[i]) {
        case 't':
            result = sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'i':
            result = sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
            break;
        case 'r':
            result = sqlite3_bind_double(statement, i + 1, va_arg(values, double));
            break;
        default:
            result = sqlite3_bind_null(statement, i + 1);
            break;
        }
    }
    return result;
}

static int refuse(const struct ledger *ledger, struct error *error)
{
    error_set(error, "the ledger %s was set aside: it has to be opened again", ledger->path);
    if (error != NULL)
        error->code = EUCLEAN;
    return -1;
}

static sqlite3_stmt *prepare(struct ledger *ledger, struct error *error, const char *sql, const char *types,
                             va_list values)
{
    sqlite3_stmt *statement = NULL;

    if (ledger->aside) {
        refuse(ledger, error);
        return NULL;
    }
    if (sqlite3_prepare_v2(ledger->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        bind_values(statement, types, values) == SQLITE_OK)
        return statement;
    ledger_failed(ledger, error, "use");
    (void)sqlite3_finalize(statement);
    return NULL;
}

sqlite3_stmt *ledger_query(struct ledger *ledger, struct error *error, const char *sql, const char *types,
                           ...)
{
    sqlite3_stmt *statement;
    va_list values;

    va_start(values, types);
    statement = prepare(ledger, error, sql, types, values);
    va_end(values);
    return statement;
}

int ledger_bind(struct ledger *ledger, struct error *error, sqlite3_stmt *statement, const char *types, ...)
{
    va_list values;
    int result;

    (void)sqlite3_reset(statement);
    va_start(values, types);
    result = bind_values(statement, types, values);
    va_end(values);
    return result == SQLITE_OK ? 0 : ledger_failed(ledger, error, "write");
}

int ledger_step(struct ledger *ledger, struct error *error, sqlite3_stmt *statement)
{
    int result;

    if (ledger->aside)
        return refuse(ledger, error);
    errno = 0;
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        return 1;
    if (result == SQLITE_DONE)
        return 0;
    return ledger_failed(ledger, error, sqlite3_stmt_readonly(statement) ? "read" : "write");
}

int ledger_run(struct ledger *ledger, struct error *error, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list values;
    int result;

    va_start(values, types);
    statement = prepare(ledger, error, sql, types, values);
    va_end(values);
    if (statement == NULL)
        return -1;
    result = ledger_step(ledger, error, statement);
    (void)sqlite3_finalize(statement);
    return result < 0 ? -1 : 0;
}

int ledger_number(struct ledger *ledger, struct error *error, int64_t *number, const char *sql,
                  const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list values;
    int result;

    *number = 0;
    va_start(values, types);
    statement = prepare(ledger, error, sql, types, values);
    va_end(values);
    if (statement == NULL)
        return -1;
    result = ledger_step(ledger, error, statement);
    if (result > 0)
        *number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return result < 0 ? -1 : 0;
}

const char *ledger_text(sqlite3_stmt *statement, int column)
{
    return (const char *)sqlite3_column_text(statement, column);
}

int ledger_transaction(struct ledger *ledger, ledger_work_in *work, void *argument, struct error *error)
{
    if (ledger_run(ledger, error, "BEGIN IMMEDIATE", "") < 0)
        return -1;
    if (work(ledger, argument, error) == 0 && ledger_run(ledger, error, "COMMIT", "") == 0)
        return 0;
    (void)sqlite3_exec(ledger->database, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}
