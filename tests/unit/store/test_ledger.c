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

TEST_MAIN
