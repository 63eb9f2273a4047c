#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/embed.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/ledger_private.h"

#define MAKING_SUFFIX ".making"
#define TABLES "'account','limit_window','limit_observation','turn','usage','usage_file'"
#define TABLE_COUNT 6
/* The WAL is read whole by who opens the ledger first: it is kept short. Closing does not write it back, which would
 * wait for the disk each time. */
#define SETTINGS                                                                                             \
    "PRAGMA cache_size=-256; PRAGMA mmap_size=0; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=64;"   \
    "PRAGMA journal_size_limit=1048576; PRAGMA trusted_schema=OFF"

EMBED(ledger_sql, "src/store/ledger.sql");

/* migrations[n] leads from version n to n + 1. */
static const char *const migrations[LEDGER_VERSION] = {ledger_sql};

enum verdict {
    GOOD,
    MISSING,
    OLD, /* of an earlier version, or empty */
    DAMAGED,
    NEWER,
    FAILED, /* for another reason, in the error */
};

/* ---- one connection ---- */

static struct ledger *create(const char *state_dir, const char *name, enum ledger_mode mode)
{
    struct ledger *ledger = xcalloc(1, sizeof *ledger);

    ledger->state_dir = xstrdup(state_dir);
    ledger->path = path_join(state_dir, name);
    ledger->mode = mode;
    ledger->opening = true;
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    (void)sqlite3_close_v2(ledger->database);
    free(ledger->state_dir);
    free(ledger->path);
    free(ledger);
}

/* "file:PATH?immutable=1", for a folder in which a reader can make neither -shm nor locks. Allocated. */
static char *immutable_uri(const char *path)
{
    struct buffer uri;

    buffer_init(&uri);
    buffer_append_string(&uri, "file:");
    for (const unsigned char *at = (const unsigned char *)path; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 0x7F || strchr("%?#", *at) != NULL)
            buffer_printf(&uri, "%%%02X", *at);
        else
            buffer_append_char(&uri, (char)*at);
    }
    buffer_append_string(&uri, "?immutable=1");
    return buffer_steal(&uri);
}

/* The first query that touches the file. Returns a result code. */
static int read_contents(struct ledger *ledger)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(ledger->database,
                                    "SELECT (SELECT user_version FROM pragma_user_version), count(*), "
                                    "total(type = 'table' AND name IN (" TABLES ")) FROM sqlite_schema",
                                    -1, &statement, NULL);

    if (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        ledger->version = sqlite3_column_int(statement, 0);
        ledger->things = sqlite3_column_int(statement, 1);
        ledger->tables = sqlite3_column_int(statement, 2);
        result = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    return result;
}

static int connect_with(struct ledger *ledger, const char *name, int flags)
{
    int result;

    errno = 0; /* ledger_failed looks at it */
    result = sqlite3_open_v2(name, &ledger->database, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK)
        return result;
    (void)sqlite3_extended_result_codes(ledger->database, 1);
    (void)sqlite3_busy_timeout(ledger->database, LEDGER_BUSY_MS);
    (void)sqlite3_db_config(ledger->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    (void)sqlite3_db_config(ledger->database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    result = sqlite3_exec(ledger->database, SETTINGS, NULL, NULL, NULL);
    return result == SQLITE_OK ? read_contents(ledger) : result;
}

static int connect_ledger(struct ledger *ledger)
{
    int result, code;
    char *uri;

    if (ledger->mode == LEDGER_WRITE)
        return connect_with(ledger, ledger->path, SQLITE_OPEN_READWRITE);
    result = connect_with(ledger, ledger->path, SQLITE_OPEN_READONLY);
    code = ledger_errno(result);
    if (code != EACCES && code != EROFS && code != EIO)
        return result;
    (void)sqlite3_close_v2(ledger->database);
    ledger->database = NULL;
    uri = immutable_uri(ledger->path);
    result = connect_with(ledger, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    free(uri);
    return result;
}

static enum verdict judge(struct ledger *ledger, int result, struct error *error)
{
    if (result != SQLITE_OK && ledger->database == NULL) {
        ledger_place_error(error, ENOMEM, "open", ledger->path, NULL);
        return FAILED;
    }
    if (result != SQLITE_OK) {
        ledger_failed(ledger, error, "open");
        return ledger_errno(result) == EUCLEAN ? DAMAGED : FAILED;
    }
    if (ledger->version > LEDGER_VERSION) {
        error_set(error, "it is of version %d, this ganger knows %d", ledger->version, LEDGER_VERSION);
        return NEWER;
    }
    if (ledger->version == 0 && ledger->things == 0)
        return OLD;
    if (ledger->version > 0 && ledger->tables == TABLE_COUNT)
        return ledger->version < LEDGER_VERSION ? OLD : GOOD;
    error_set(error, "it holds other tables than a ledger's");
    return DAMAGED;
}

/* Looks at what is there, and fills *ledger unless it is MISSING or FAILED. With DAMAGED and NEWER the error has the reason. */
static enum verdict try(const char *state_dir, enum ledger_mode mode, struct ledger **ledger,
                        struct error *error)
{
    enum verdict verdict;
    int found;

    *ledger = create(state_dir, LEDGER_FILE, mode);
    found = ledger_place_look((*ledger)->path, error);
    if (found > 0)
        verdict = judge(*ledger, connect_ledger(*ledger), error);
    else
        verdict = found == 0 ? MISSING : FAILED;
    (*ledger)->opening = false;
    if (verdict != GOOD && verdict != OLD) {
        ledger_close(*ledger);
        *ledger = NULL;
    }
    return verdict;
}

/* ---- making and bringing to the present version ---- */

static int migrate_in(struct ledger *ledger, void *argument, struct error *error)
{
    (void)argument;
    for (int version = ledger->version; version < LEDGER_VERSION; version++) {
        if (sqlite3_exec(ledger->database, migrations[version], NULL, NULL, NULL) != SQLITE_OK)
            return ledger_failed(ledger, error, "write");
    }
    return 0;
}

static int migrate(struct ledger *ledger, struct error *error)
{
    if (sqlite3_exec(ledger->database, "PRAGMA journal_mode=WAL", NULL, NULL, NULL) != SQLITE_OK)
        return ledger_failed(ledger, error, "write");
    return ledger_transaction(ledger, migrate_in, NULL, error);
}

static void remove_files(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *file = xasprintf("%s%s", path, suffixes[i]);
        (void)unlink(file);
        free(file);
    }
}

/* Makes an empty file that only the user can read. */
static int make_file(const char *path, struct error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (file < 0)
        return ledger_place_error(error, errno, "make", path, NULL);
    close(file);
    return 0;
}

/* Builds a ledger under another name and gives it its own when it is whole: nobody sees a part of it. */
static int make(const char *state_dir, struct error *error)
{
    struct ledger *making = create(state_dir, LEDGER_FILE MAKING_SUFFIX, LEDGER_WRITE);
    char *making_path = xstrdup(making->path), *path = path_join(state_dir, LEDGER_FILE);
    int result;

    remove_files(making_path);
    result = make_file(making_path, error);
    if (result == 0 && connect_ledger(making) != SQLITE_OK)
        result = ledger_failed(making, error, "make");
    if (result == 0)
        result = migrate(making, error);
    if (making->database != NULL)
        (void)sqlite3_db_config(making->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)NULL);
    ledger_close(making);
    if (result == 0)
        result = ledger_place_clear(path, error);
    if (result == 0 && rename(making_path, path) < 0)
        result = ledger_place_error(error, errno, "make", path, NULL);
    if (result < 0)
        remove_files(making_path);
    free(making_path);
    free(path);
    return result;
}

/* ---- opening ---- */

static int no_ledger(const char *state_dir, struct error *error)
{
    error_set(error, "there is no ledger in %s", state_dir);
    if (error != NULL)
        error->code = ENOENT;
    return -1;
}

/* With the exclusive lock: what is there is looked at again, for somebody else may have seen to it. */
static struct ledger *mend(const char *state_dir, enum ledger_mode mode, struct error *error)
{
    struct ledger *ledger;
    struct error reason = {0};
    enum verdict verdict = try(state_dir, LEDGER_WRITE, &ledger, &reason);
    char *path = path_join(state_dir, LEDGER_FILE);
    int result = -1;

    switch (verdict) {
    case GOOD:
        result = 0;
        break;
    case OLD:
        ledger->opening = true;
        result = migrate(ledger, error);
        break;
    case MISSING:
        result = make(state_dir, error);
        break;
    case DAMAGED:
    case NEWER:
        ledger_place_set_aside(path, verdict == NEWER ? "newer" : "damaged", reason.text, error);
        break;
    case FAILED:
        if (error != NULL)
            *error = reason;
        break;
    }
    free(path);
    ledger_close(ledger);
    if (result < 0)
        return NULL;
    ledger_place_notify_file(state_dir);
    if (try(state_dir, mode, &ledger, error) == GOOD)
        return ledger;
    ledger_close(ledger);
    return NULL;
}

static bool place_is_good(const char *state_dir, enum ledger_mode mode, struct error *error)
{
    if (mode == LEDGER_WRITE && path_make_dirs(state_dir, 0700, error) < 0)
        return false;
    return ledger_place_check(state_dir, error) == 0;
}

struct ledger *ledger_open(const char *state_dir, enum ledger_mode mode, struct error *error)
{
    struct error unused, reason;
    struct ledger *ledger = NULL;
    enum verdict verdict;
    int lock;

    error = error != NULL ? error : &unused;
    if (!place_is_good(state_dir, mode, error))
        return NULL;
    if (mode == LEDGER_READ && access(state_dir, F_OK) < 0 && errno == ENOENT) {
        no_ledger(state_dir, error);
        return NULL;
    }
    lock = ledger_place_lock(state_dir, false, error);
    if (lock == -1 || (lock < 0 && mode == LEDGER_WRITE))
        return NULL;
    verdict = try(state_dir, mode, &ledger, error);
    if (lock >= 0)
        close(lock);
    if (verdict == GOOD || verdict == FAILED)
        return ledger;
    if (verdict == MISSING && mode == LEDGER_READ) {
        no_ledger(state_dir, error);
        return NULL;
    }
    ledger_close(ledger);
    reason = *error;
    lock = ledger_place_lock(state_dir, true, error);
    if (lock < 0 && (verdict == DAMAGED || verdict == NEWER)) {
        error_set(error,
                  "the ledger %s/" LEDGER_FILE " cannot be used (%s), nor be set aside there: move it away",
                  state_dir, reason.text);
        error->code = EROFS;
    }
    if (lock < 0)
        return NULL;
    ledger = mend(state_dir, mode, error);
    close(lock);
    return ledger;
}

/* ---- the rest ---- */

int ledger_check(struct ledger *ledger, struct error *error)
{
    sqlite3_stmt *statement = ledger_query(ledger, error, "PRAGMA integrity_check(3)", "");
    struct buffer problems;
    int result;

    if (statement == NULL)
        return -1;
    buffer_init(&problems);
    while ((result = ledger_step(ledger, error, statement)) > 0) {
        const char *line = ledger_text(statement, 0);
        if (line != NULL && strcmp(line, "ok") != 0)
            buffer_printf(&problems, "%s%s", problems.length > 0 ? "; " : "", line);
    }
    (void)sqlite3_finalize(statement);
    if (result == 0 && problems.length > 0)
        result = ledger_damaged(ledger, error, problems.bytes);
    buffer_finish(&problems);
    return result;
}

void ledger_notify(struct ledger *ledger)
{
    char *path = path_join(ledger->state_dir, LEDGER_NOTIFY);

    if (utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) < 0)
        ledger_place_notify_file(ledger->state_dir);
    free(path);
}

char *ledger_account_key(const char *agent, const char *name)
{
    return xasprintf("%s/%s", agent, name != NULL ? name : "");
}

const char *ledger_account_name(const char *key)
{
    const char *slash = strchr(key, '/');

    return slash == NULL || slash[1] == '\0' ? NULL : slash + 1;
}
