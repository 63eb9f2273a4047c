#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "scratch.h"
#include "store/ledger_private.h"
#include "test.h"

static int count_files(const char *folder, const char *pattern)
{
    char *path = path_join(folder, pattern);
    glob_t found;
    int count = glob(path, 0, NULL, &found) == 0 ? (int)found.gl_pathc : 0;

    globfree(&found);
    free(path);
    return count;
}

static int add_account(struct ledger *ledger, const char *key)
{
    return ledger_run(ledger, NULL, "INSERT INTO account (key) VALUES (?)", "t", key);
}

static int64_t count_accounts(struct ledger *ledger)
{
    int64_t number;

    return ledger_number(ledger, NULL, &number, "SELECT count(*) FROM account", "") < 0 ? -1 : number;
}

/* Makes a ledger with one account. */
static void make_one(const char *folder)
{
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);

    if (ledger == NULL || add_account(ledger, "claude/") < 0)
        abort();
    ledger_close(ledger);
}

static void overwrite(const char *folder, const char *name, off_t at, const void *bytes, size_t length)
{
    char *path = path_join(folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (file < 0 || pwrite(file, bytes, length, at) != (ssize_t)length)
        abort();
    close(file);
    free(path);
}

TEST(what_is_written_is_read)
{
    char *folder = scratch_folder();
    struct error error;
    struct stat status;
    char *path = path_join(folder, LEDGER_FILE), *notify = path_join(folder, LEDGER_NOTIFY);

    CHECK(ledger_open(folder, LEDGER_READ, &error) == NULL);
    CHECK_NUMBER(error.code, ENOENT);
    make_one(folder);
    struct ledger *ledger = ledger_open(folder, LEDGER_READ, &error);
    CHECK(ledger != NULL);
    CHECK_NUMBER(count_accounts(ledger), 1);
    CHECK_NUMBER(ledger_check(ledger, &error), 0);
    CHECK(add_account(ledger, "codex/") < 0);
    ledger_close(ledger);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(stat(notify, &status) == 0);
    free(path);
    free(notify);
    free(folder);
}

TEST(what_is_damaged_is_set_aside)
{
    static const char zeros[8192];
    /* Where zeros are written, over how many bytes; -1: the file is cut there instead. */
    static const struct {
        const char *what;
        long at, length, cut;
    } cases[] = {
        {"no header", 0, 100, -1},
        {"no database at all", 0, 16, -1},
        {"the schema's page is lost", 100, 3996, -1},
        {"cut in the first page", 0, 0, 3000},
        {"cut in the header", 0, 0, 50},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int mode = LEDGER_READ; mode <= LEDGER_WRITE; mode++) {
            char *folder = scratch_folder(), *path = path_join(folder, LEDGER_FILE), *aside;
            struct error error = {0};
            struct ledger *ledger;

            make_one(folder);
            ledger = ledger_open(folder, LEDGER_WRITE, NULL);
            (void)sqlite3_wal_checkpoint_v2(ledger->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
            ledger_close(ledger);
            if (cases[i].cut >= 0)
                CHECK_NUMBER(truncate(path, cases[i].cut), 0);
            else
                overwrite(folder, LEDGER_FILE, cases[i].at, zeros, (size_t)cases[i].length);
            ledger = ledger_open(folder, (enum ledger_mode)mode, &error);
            if (ledger != NULL || error.code != EUCLEAN)
                TEST_FAIL("%s: code %d, %s", cases[i].what, error.code, error.text);
            aside = strstr(error.text, "set aside as ");
            CHECK(aside != NULL);
            aside += strlen("set aside as ");
            aside[strcspn(aside, ",")] = '\0';
            CHECK_NUMBER(access(aside, F_OK), 0);
            CHECK_NUMBER(count_files(folder, "ledger.db.damaged-*"),
                         count_files(folder, "ledger.db.damaged*"));
            ledger = ledger_open(folder, LEDGER_WRITE, &error);
            CHECK(ledger != NULL);
            CHECK_NUMBER(count_accounts(ledger), 0);
            ledger_close(ledger);
            free(path);
            free(folder);
        }
    }
}

TEST(an_empty_file_is_made_a_ledger)
{
    char *folder = scratch_folder();
    struct error error;
    struct ledger *ledger;

    free(scratch_file(folder, LEDGER_FILE, "", 0));
    CHECK(ledger_open(folder, LEDGER_READ, &error) == NULL);
    CHECK_NUMBER(error.code, ENOENT);
    /* What is left of another database is not read into it. */
    make_one(folder);
    ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    CHECK_NUMBER(add_account(ledger, "codex/"), 0);
    ledger_close(ledger);
    char *path = path_join(folder, LEDGER_FILE);
    CHECK_NUMBER(truncate(path, 0), 0);
    ledger = ledger_open(folder, LEDGER_WRITE, &error);
    CHECK(ledger != NULL);
    CHECK_NUMBER(count_accounts(ledger), 0);
    CHECK_NUMBER(ledger_check(ledger, &error), 0);
    ledger_close(ledger);
    CHECK_NUMBER(count_files(folder, "ledger.db.damaged-*-wal"), 1);
    free(path);
    free(folder);
}

TEST(a_database_without_tables_is_made_a_ledger)
{
    for (int mode = LEDGER_READ; mode <= LEDGER_WRITE; mode++) {
        char *folder = scratch_folder(), *path = path_join(folder, LEDGER_FILE);
        struct error error;
        struct ledger *ledger;
        sqlite3 *database;

        CHECK_NUMBER(sqlite3_open(path, &database), SQLITE_OK);
        CHECK_NUMBER(sqlite3_exec(database, "CREATE TABLE x (y); DROP TABLE x", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(database);
        ledger = ledger_open(folder, (enum ledger_mode)mode, &error);
        CHECK(ledger != NULL);
        CHECK_NUMBER(count_accounts(ledger), 0);
        ledger_close(ledger);
        make_one(folder);
        free(path);
        free(folder);
    }
}

static void set_version(const char *folder, int version)
{
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    char sql[64];

    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    if (sqlite3_exec(ledger->database, sql, NULL, NULL, NULL) != SQLITE_OK)
        abort();
    ledger_close(ledger);
}

TEST(a_newer_one_is_set_aside)
{
    char *folder = scratch_folder();
    struct error error;
    struct ledger *ledger;

    for (int i = 1; i <= 3; i++) {
        make_one(folder);
        set_version(folder, LEDGER_VERSION + 1);
        CHECK(ledger_open(folder, LEDGER_WRITE, &error) == NULL);
        CHECK_NUMBER(error.code, EUCLEAN);
        CHECK(strstr(error.text, "version 2") != NULL);
        CHECK(strstr(error.text, "ledger.db.newer-") != NULL);
        /* With its -wal and -shm, and beside those before. */
        CHECK_NUMBER(
            count_files(folder, "ledger.db.newer-*Z") + count_files(folder, "ledger.db.newer-*Z-[0-9]"), i);
        CHECK_NUMBER(count_files(folder, "ledger.db-*"), 0);
    }
    ledger = ledger_open(folder, LEDGER_WRITE, &error);
    CHECK(ledger != NULL);
    ledger_close(ledger);
    free(folder);
}

TEST(other_tables_are_no_ledger)
{
    static const char *const changes[] = {"DROP TABLE turn", "PRAGMA user_version = 0",
                                          "PRAGMA user_version = -7",
                                          "ALTER TABLE account RENAME TO account_of_somebody"};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char *folder = scratch_folder();
        struct error error = {0};
        struct ledger *ledger;

        make_one(folder);
        ledger = ledger_open(folder, LEDGER_WRITE, NULL);
        CHECK_NUMBER(sqlite3_exec(ledger->database, changes[i], NULL, NULL, NULL), SQLITE_OK);
        ledger_close(ledger);
        CHECK(ledger_open(folder, LEDGER_READ, &error) == NULL);
        CHECK_NUMBER(error.code, EUCLEAN);
        CHECK(strstr(error.text, "other tables") != NULL);
        free(folder);
    }
}

TEST(damage_that_is_found_later_sets_it_aside)
{
    char *folder = scratch_folder();
    struct error error = {0};
    struct ledger *ledger, *other;

    make_one(folder);
    ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    other = ledger_open(folder, LEDGER_WRITE, NULL);
    CHECK_NUMBER(sqlite3_exec(ledger->database, "ALTER TABLE account DROP COLUMN probe", NULL, NULL, NULL),
                 SQLITE_OK);
    CHECK_NUMBER(ledger_run(ledger, &error, "UPDATE account SET probe = NULL", ""), -1);
    CHECK_NUMBER(error.code, EUCLEAN);
    CHECK(strstr(error.text, "no such column") != NULL);
    CHECK_NUMBER(count_files(folder, "ledger.db.damaged-*Z"), 1);
    CHECK_NUMBER(ledger_run(ledger, &error, "DELETE FROM account", ""), -1);
    CHECK_NUMBER(error.code, EUCLEAN);
    /* Who had it open too leaves the one that was begun alone. */
    make_one(folder);
    CHECK_NUMBER(ledger_run(other, &error, "UPDATE account SET probe = NULL", ""), -1);
    CHECK_NUMBER(error.code, EUCLEAN);
    CHECK_NUMBER(count_files(folder, "ledger.db.damaged-*Z"), 1);
    ledger_close(other);
    ledger_close(ledger);
    ledger = ledger_open(folder, LEDGER_READ, NULL);
    CHECK(ledger != NULL);
    CHECK_NUMBER(count_accounts(ledger), 1);
    CHECK_NUMBER(ledger_check(ledger, &error), 0);
    ledger_close(ledger);
    free(folder);
}

TEST(the_check_sets_aside_what_is_wrong)
{
    char *folder = scratch_folder(), *path = path_join(folder, LEDGER_FILE);
    struct error error = {0};
    struct ledger *ledger;

    make_one(folder);
    ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    (void)sqlite3_wal_checkpoint_v2(ledger->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    ledger_close(ledger);
    /* The second page and all after it are lost; those that the schema names first are read by no query of opening. */
    CHECK_NUMBER(truncate(path, 8192), 0);
    ledger = ledger_open(folder, LEDGER_READ, &error);
    if (ledger != NULL)
        CHECK_NUMBER(ledger_check(ledger, &error), -1);
    CHECK_NUMBER(error.code, EUCLEAN);
    CHECK_NUMBER(count_files(folder, "ledger.db.damaged-*"), count_files(folder, "ledger.db.damaged*"));
    CHECK(count_files(folder, "ledger.db.damaged-*") > 0);
    CHECK_NUMBER(count_files(folder, LEDGER_FILE), 0);
    ledger_close(ledger);
    free(path);
    free(folder);
}

TEST(what_is_no_file_of_ours_is_refused)
{
    char *folder = scratch_folder(), *path = path_join(folder, LEDGER_FILE);
    struct error error = {0};

    CHECK_NUMBER(mkdir(path, 0700), 0);
    CHECK(ledger_open(folder, LEDGER_WRITE, &error) == NULL);
    CHECK_NUMBER(error.code, EACCES);
    CHECK_NUMBER(rmdir(path), 0);
    make_one(folder);
    if (geteuid() == 0) {
        CHECK_NUMBER(chown(path, 12345, 12345), 0);
        CHECK(ledger_open(folder, LEDGER_WRITE, &error) == NULL);
        CHECK_NUMBER(error.code, EACCES);
        CHECK(strstr(error.text, "another user") != NULL);
    }
    free(path);
    free(folder);
}

TEST(network_file_systems_are_known)
{
    CHECK_STRING(ledger_network_file_system(0x6969, NULL), "NFS");
    CHECK_STRING(ledger_network_file_system(0xFFFFFFFFFF534D42, NULL), "CIFS");
    CHECK_STRING(ledger_network_file_system(0x01021997, NULL), "9p");
    CHECK_STRING(ledger_network_file_system(0x65735546, "fuse.sshfs"), "fuse.sshfs");
    CHECK(ledger_network_file_system(0x65735546, "fuseblk") == NULL);
    CHECK(ledger_network_file_system(0x65735546, NULL) == NULL);
    CHECK(ledger_network_file_system(0xEF53, "ext4") == NULL);
}

TEST(errors_of_sqlite_have_errno_values)
{
    static const struct {
        int result, code;
    } cases[] = {
        {SQLITE_OK, 0},
        {SQLITE_FULL, ENOSPC},
        {SQLITE_READONLY_DIRECTORY, EROFS},
        {SQLITE_BUSY_TIMEOUT, EBUSY},
        {SQLITE_IOERR_WRITE, EIO},
        {SQLITE_CANTOPEN_ISDIR, EACCES},
        {SQLITE_CORRUPT_VTAB, EUCLEAN},
        {SQLITE_NOTADB, EUCLEAN},
        {SQLITE_ERROR, EINVAL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_NUMBER(ledger_errno(cases[i].result), cases[i].code);
}

TEST(keys_of_accounts)
{
    char *own = ledger_account_key("claude", NULL), *work = ledger_account_key("codex", "work");

    CHECK_STRING(own, "claude/");
    CHECK_STRING(work, "codex/work");
    CHECK(ledger_account_name(own) == NULL);
    CHECK_STRING(ledger_account_name(work), "work");
    CHECK(ledger_account_name("codex") == NULL);
    free(own);
    free(work);
}

/* What a ledger costs to open, use and close. Sanitizers and other tests make it slower: the bound is far above. */
TEST(opening_is_cheap)
{
    char *folder = scratch_folder();
    int64_t began;

    make_one(folder);
    began = clock_monotonic_ns();
    for (int i = 0; i < 100; i++) {
        struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
        CHECK_NUMBER(ledger_run(ledger, NULL, "UPDATE account SET probe_at = ?", "i", (int64_t)i), 0);
        ledger_close(ledger);
    }
    printf("# %lld us\n", (long long)((clock_monotonic_ns() - began) / 100000));
    CHECK(clock_monotonic_ns() - began < 100 * INT64_C(30000000));
    free(folder);
}

TEST_MAIN
