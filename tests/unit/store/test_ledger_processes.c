/* Many processes at one ledger, folders that cannot be written, full disks, and sudden deaths. */
#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "store/ledger_private.h"
#include "test.h"

#define PROCESSES 50
#define NO_MOUNTS 77 /* a child's exit code when it may not mount */

/* Runs a function in a process of its own and returns its exit code, or 128 + the signal. */
static int run_child(int (*function)(const char *folder), const char *folder)
{
    int status;
    pid_t child;

    (void)fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(function(folder));
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 255;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int64_t count_accounts(struct ledger *ledger)
{
    int64_t number;

    return ledger_number(ledger, NULL, &number, "SELECT count(*) FROM account", "") < 0 ? -1 : number;
}

static int64_t count_in(const char *folder)
{
    struct ledger *ledger = ledger_open(folder, LEDGER_READ, NULL);
    int64_t count = ledger == NULL || ledger_check(ledger, NULL) < 0 ? -1 : count_accounts(ledger);

    ledger_close(ledger);
    return count;
}

static int add_account(struct ledger *ledger, const char *key, struct error *error)
{
    return ledger_run(ledger, error, "INSERT INTO account (key) VALUES (?)", "t", key);
}

static int write_four(const char *folder)
{
    for (int i = 0; i < 4; i++) {
        struct error error = {0};
        struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, &error);
        char key[64];
        (void)snprintf(key, sizeof key, "agent/%d-%d", (int)getpid(), i);
        if (ledger == NULL || add_account(ledger, key, &error) < 0) {
            (void)fprintf(stderr, "# %s\n", error.text);
            return 1;
        }
        ledger_close(ledger);
    }
    return 0;
}

static int start_many(const char *folder, int (*function)(const char *folder))
{
    pid_t children[PROCESSES];
    int failed = 0;

    (void)fflush(stdout);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(function(folder));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        failed += children[i] < 0 || waitpid(children[i], &status, 0) < 0 || status != 0;
    }
    return failed;
}

TEST(many_begin_and_write_at_once)
{
    char *folder = scratch_folder();

    CHECK_NUMBER(start_many(folder, write_four), 0);
    CHECK_NUMBER(count_in(folder), PROCESSES * 4);
    free(folder);
}

/* As a host does: when it was set aside, it is opened once more. */
static int write_after_damage(const char *folder)
{
    struct error error = {0};
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, &error);
    char key[64];

    if (ledger == NULL && error.code == EUCLEAN)
        ledger = ledger_open(folder, LEDGER_WRITE, &error);
    (void)snprintf(key, sizeof key, "agent/%d", (int)getpid());
    if (ledger == NULL || add_account(ledger, key, &error) < 0) {
        (void)fprintf(stderr, "# %s\n", error.text);
        return 1;
    }
    ledger_close(ledger);
    return 0;
}

TEST(many_find_it_damaged_at_once)
{
    char *folder = scratch_folder(), *path = path_join(folder, "ledger.db.damaged-*");
    char noise[20000];
    glob_t found;

    memset(noise, 'x', sizeof noise);
    free(scratch_file(folder, LEDGER_FILE, noise, sizeof noise));
    CHECK_NUMBER(start_many(folder, write_after_damage), 0);
    CHECK_NUMBER(count_in(folder), PROCESSES);
    CHECK_NUMBER(glob(path, 0, NULL, &found), 0);
    CHECK_NUMBER(found.gl_pathc, 1);
    globfree(&found);
    free(path);
    free(folder);
}

static int write_until_killed(const char *folder)
{
    for (int i = 0;; i++) {
        struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
        char key[64];
        (void)snprintf(key, sizeof key, "agent/%d-%d", (int)getpid(), i);
        if (ledger == NULL || add_account(ledger, key, NULL) < 0)
            return 1;
        ledger_close(ledger);
        if (write(STDOUT_FILENO, "+", 1) != 1)
            return 1;
    }
}

/* Ends a writer in the middle, after it said that it wrote `least` accounts. Returns how many it said. */
static int kill_writer(const char *folder, int least, useconds_t later)
{
    char byte;
    int ends[2], said = 0;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        _exit(write_until_killed(folder));
    }
    close(ends[1]);
    while (said < least && read(ends[0], &byte, 1) == 1)
        said++;
    (void)usleep(later);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    while (read(ends[0], &byte, 1) == 1)
        said++;
    close(ends[0]);
    return said;
}

TEST(a_writer_that_is_killed_leaves_it_sound)
{
    char *folder = scratch_folder();
    int said = 0, kills = 0;

    /* At different moments, the first while it is made. */
    for (; kills < 12; kills++) {
        int wrote = kill_writer(folder, kills, (useconds_t)(kills * 137 % 900));
        int64_t count;
        CHECK(wrote >= 0);
        said += wrote;
        count = kills > 0 ? count_in(folder) : said;
        /* What was said to be written is there; of the last one it was not yet said, perhaps. */
        if (count < said || count > said + kills + 1)
            TEST_FAIL("%lld accounts, %d said", (long long)count, said);
    }
    free(folder);
}

static int own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* What needs a mount is left out where there are no rights to mount. */
static bool went_well(int result)
{
    if (result == NO_MOUNTS)
        printf("# left out: no right to mount\n");
    return result == 0 || result == NO_MOUNTS;
}

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "# line %d: %s is false: %s\n", __LINE__, #condition, error.text);         \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

static int read_there(const char *folder)
{
    struct error error = {0};
    struct ledger *ledger = ledger_open(folder, LEDGER_READ, &error);

    EXPECT(ledger != NULL);
    EXPECT(count_accounts(ledger) == 4);
    EXPECT(ledger_limited_until(ledger, "claude/", 1000, &error) == 0);
    ledger_close(ledger);
    ledger = ledger_open(folder, LEDGER_WRITE, &error);
    EXPECT(ledger == NULL);
    EXPECT(error.code == EROFS || error.code == EACCES);
    EXPECT(strstr(error.text, "GANGER_STATE_DIR") != NULL);
    return 0;
}

/* As a user without rights where the tests run as root. */
static int read_without_rights(const char *folder)
{
    if (geteuid() == 0 && mount(folder, folder, NULL, MS_BIND, NULL) == 0 &&
        mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0)
        return read_there(folder);
    if (geteuid() == 0)
        return NO_MOUNTS;
    return chmod(folder, 0500) < 0 || read_there(folder) != 0 || chmod(folder, 0700) < 0;
}

static int read_only(const char *folder)
{
    if (geteuid() == 0 && !own_mounts())
        return NO_MOUNTS;
    return read_without_rights(folder);
}

static int write_and_leave_nothing_in_the_wal(const char *folder)
{
    struct ledger *ledger;
    char *wal = xasprintf("%s/" LEDGER_FILE "-wal", folder),
         *shm = xasprintf("%s/" LEDGER_FILE "-shm", folder);
    int result;

    ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    result = sqlite3_wal_checkpoint_v2(ledger->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    ledger_close(ledger);
    if (result != SQLITE_OK || unlink(wal) < 0 || unlink(shm) < 0)
        result = 1;
    free(wal);
    free(shm);
    return result;
}

TEST(a_folder_that_cannot_be_written_can_be_read)
{
    char *folder = scratch_folder();

    CHECK_NUMBER(run_child(write_four, folder), 0);
    CHECK(went_well(run_child(read_only, folder)));
    CHECK_NUMBER(run_child(write_and_leave_nothing_in_the_wal, folder), 0);
    CHECK(went_well(run_child(read_only, folder)));
    free(folder);
}

/* Adds accounts until the disk is full. */
static int fill(const char *folder)
{
    struct error error = {0};
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, &error);
    char *path = path_join(folder, "filler");
    int64_t wrote = 0, file;

    EXPECT(ledger != NULL);
    for (; wrote < 100000; wrote++) {
        char key[64];
        (void)snprintf(key, sizeof key, "agent/%lld", (long long)wrote);
        if (add_account(ledger, key, &error) < 0)
            break;
    }
    EXPECT(error.code == ENOSPC);
    EXPECT(strstr(error.text, "free some space") != NULL);
    /* What was there can be read, and written again when there is room. */
    EXPECT(count_accounts(ledger) == wrote);
    ledger_close(ledger);
    ledger = ledger_open(folder, LEDGER_READ, &error);
    EXPECT(ledger != NULL);
    EXPECT(ledger_check(ledger, &error) == 0);
    EXPECT(count_accounts(ledger) == wrote);
    ledger_close(ledger);
    file = unlink(path);
    free(path);
    if (file == 0) {
        ledger = ledger_open(folder, LEDGER_WRITE, &error);
        EXPECT(ledger != NULL);
        EXPECT(add_account(ledger, "agent/more", &error) == 0);
        ledger_close(ledger);
    }
    return 0;
}

static int fill_small_disk(const char *folder)
{
    char filler[150000] = "";

    if (!own_mounts() || mount("tmpfs", folder, "tmpfs", 0, "size=512k") < 0)
        return NO_MOUNTS;
    free(scratch_file(folder, "filler", filler, sizeof filler));
    return fill(folder);
}

static int begin_on_full_disk(const char *folder)
{
    struct error error = {0};

    if (!own_mounts() || mount("tmpfs", folder, "tmpfs", 0, "size=16k") < 0)
        return NO_MOUNTS;
    for (int i = 0; i < 2; i++) {
        EXPECT(ledger_open(folder, LEDGER_WRITE, &error) == NULL);
        EXPECT(error.code == ENOSPC);
    }
    EXPECT(ledger_open(folder, LEDGER_READ, &error) == NULL);
    EXPECT(error.code == ENOENT);
    return 0;
}

/* Not even the index of the -wal can be made. */
static int open_on_full_disk(const char *folder)
{
    struct error error = {0};
    struct ledger *ledger;
    char *path = path_join(folder, "filler"), block[4096] = "";
    int file;

    if (!own_mounts() || mount("tmpfs", folder, "tmpfs", 0, "size=512k") < 0)
        return NO_MOUNTS;
    EXPECT(write_four(folder) == 0);
    EXPECT(write_and_leave_nothing_in_the_wal(folder) == 0);
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(file, block, sizeof block) == (ssize_t)sizeof block)
        continue;
    close(file);
    free(path);
    EXPECT(ledger_open(folder, LEDGER_WRITE, &error) == NULL);
    EXPECT(error.code == ENOSPC);
    ledger = ledger_open(folder, LEDGER_READ, &error);
    EXPECT(ledger != NULL);
    EXPECT(count_accounts(ledger) == 4);
    ledger_close(ledger);
    return 0;
}

static int fill_with_limit(const char *folder)
{
    const struct rlimit limit = {.rlim_cur = 200000, .rlim_max = 200000};

    (void)signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) < 0 || fill(folder) != 0;
}

TEST(a_full_disk_is_told_and_loses_nothing)
{
    char *folder = scratch_folder();

    CHECK(went_well(run_child(fill_small_disk, folder)));
    CHECK(went_well(run_child(begin_on_full_disk, folder)));
    CHECK(went_well(run_child(open_on_full_disk, folder)));
    CHECK_NUMBER(run_child(fill_with_limit, folder), 0);
    free(folder);
}

TEST_MAIN
