#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "config/config.h"
#include "runner/account.h"
#include "runner/command.h"
#include "store/ledger.h"

#define SPACE_BAD (20.0 * 1048576)
#define SPACE_LOW (500.0 * 1048576)
#define INODES_LOW 1000
#define VERSION_MS 5000 /* a host that starts says its version in a few */
#define VERSION_MAX 4096
#define SOCKETS_SPACE_BAD (64.0 * 1024) /* of the folder that holds sockets alone */

/* ---- installation ---- */

/* A host that cannot even say its version would serve no session. */
static void check_start(struct doctor *doctor, const char *path)
{
    const char *argv[] = {path, "--version", NULL}, *said;
    struct command_run run = {.argv = argv, .limit = VERSION_MAX, .with_errors = true};
    int length;

    command_run_all(&run, 1, VERSION_MS);
    said = run.output.length > 0 ? run.output.bytes : "";
    length = (int)strcspn(said, "\r\n");
    if (run.problem == ETIMEDOUT)
        doctor_note(doctor, "ganger", HEALTH_BAD, "make install", "%s does not say its version within %d s",
                    path, VERSION_MS / 1000);
    else if (run.problem != 0)
        doctor_note(doctor, "ganger", HEALTH_BAD, "make install", "%s cannot be run: %s", path,
                    strerror(run.problem));
    else if (run.exit != 0)
        doctor_note(doctor, "ganger", HEALTH_BAD, "make install",
                    "%s does not start: `--version` ends with exit code %d%s%.*s", path, run.exit,
                    length > 0 ? ": " : "", length < 200 ? length : 200, said);
    else if (strncmp(said, "ganger-host ", 12) != 0)
        doctor_note(doctor, "ganger", HEALTH_BAD, "make install",
                    "%s does not say its version: it is no ganger-host", path);
    command_run_finish(&run);
}

void doctor_check_installation(struct doctor *doctor)
{
    static const char *const parts[] = {"ganger-host", "ganger-keeper"};

    doctor_note(doctor, "ganger", HEALTH_OK, NULL, "version " GANGER_VERSION);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct error error;
        char *path = path_installed(parts[i], &error);
        if (path == NULL)
            doctor_note(doctor, "ganger", HEALTH_BAD, "make install", "%s", error.text);
        else if (access(path, X_OK) < 0)
            doctor_note(doctor, "ganger", HEALTH_BAD, "make install", "%s cannot be run: %s", path,
                        strerror(errno));
        else if (strcmp(parts[i], "ganger-host") == 0)
            check_start(doctor, path);
        free(path);
    }
}

/* ---- folders ---- */

static void note_space(struct doctor *doctor, const char *check, const char *path, double bad, double low)
{
    struct statvfs disk;
    double left;

    if (statvfs(path, &disk) < 0) {
        doctor_note(doctor, check, HEALTH_WARN, NULL, "%s: what space is left cannot be told: %s", path,
                    strerror(errno));
        return;
    }
    left = (double)disk.f_bavail * (double)disk.f_frsize;
    if (left >= bad && disk.f_files > 0 && disk.f_favail == 0)
        doctor_note(doctor, check, HEALTH_BAD, "ganger rm --ended",
                    "%s: no further file fits on the disk (inodes)", path);
    else if (left < bad)
        doctor_note(doctor, check, HEALTH_BAD, "ganger rm --ended",
                    "%s: the disk is %s: %.1f MB of %.1f GB are left", path,
                    left < 1 ? "full" : "nearly full", left / 1e6,
                    (double)disk.f_blocks * (double)disk.f_frsize / 1e9);
    else if (disk.f_files > 0 && disk.f_favail < INODES_LOW)
        doctor_note(doctor, check, HEALTH_WARN, "ganger rm --ended",
                    "%s: only %llu more files fit on the disk", path, (unsigned long long)disk.f_favail);
    else if (left < low)
        doctor_note(doctor, check, HEALTH_WARN, "ganger rm --ended", "%s: only %.0f MB are left on the disk",
                    path, left / 1e6);
    else
        doctor_note(doctor, check, HEALTH_OK, NULL, "%s, %.1f GB left", path, left / 1e9);
}

/* Writes where no name is: a file system that is read-only, full or over its quota says so. */
static int try_to_write(const char *path)
{
    static const char bytes[4096];
    int file = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), code = 0;

    if (file < 0)
        return errno == EOPNOTSUPP || errno == EISDIR ? 0 : errno;
    if (write(file, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        code = errno;
    close(file);
    return code;
}

static void close_to_others(struct doctor *doctor, const char *check, const char *path, bool is_private)
{
    struct error why;
    struct stat status;
    int mended = -1;

    if (doctor->mend && lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
        mended = chmod(path, is_private ? 0700 : status.st_mode & 07755);
    if (doctor->mend && mended < 0)
        (void)error_errno(&why, "cannot change its permissions");
    doctor_fault(doctor, check, HEALTH_WARN, mended == 0 ? "it is closed to them" : NULL,
                 doctor->mend ? &why : NULL, "%s is open to other users", path);
}

/* Notes what is wrong with a folder and returns false. */
static bool is_own_folder(struct doctor *doctor, const char *check, const char *variable, const char *path,
                          bool is_private)
{
    struct stat status;
    char *fix = NULL;
    bool good = false;

    if (stat(path, &status) < 0) {
        doctor_note(doctor, check, HEALTH_BAD, NULL, "%s: %s", path, strerror(errno));
    } else if (!S_ISDIR(status.st_mode)) {
        doctor_note(doctor, check, HEALTH_BAD, NULL, "%s is not a folder: move it away, or set %s", path,
                    variable);
    } else if (status.st_uid != geteuid()) {
        fix = xasprintf("sudo chown -R \"$(id -un)\" '%s'", path);
        doctor_note(doctor, check, HEALTH_BAD, fix, "%s belongs to user %u", path, (unsigned)status.st_uid);
    } else if (access(path, R_OK | W_OK | X_OK) < 0) {
        fix = xasprintf("chmod u+rwx '%s'", path);
        doctor_note(doctor, check, HEALTH_BAD, errno == EROFS ? NULL : fix, "%s cannot be written: %s", path,
                    strerror(errno));
    } else if ((errno = try_to_write(path)) != 0) {
        doctor_note(doctor, check, HEALTH_BAD,
                    errno == ENOSPC || errno == EDQUOT ? "ganger rm --ended" : NULL,
                    "%s cannot be written: %s", path, strerror(errno));
    } else if ((status.st_mode & (is_private ? 077 : 022)) != 0) {
        close_to_others(doctor, check, path, is_private);
    } else {
        good = true;
    }
    free(fix);
    return good;
}

/* path_runtime_dir refuses a folder that is open to others: it is closed before. */
static void close_runtime_dir(struct doctor *doctor)
{
    char *path = path_runtime_name();
    struct stat status;

    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
        (status.st_mode & 077) != 0)
        close_to_others(doctor, "runtime folder", path, true);
    free(path);
}

void doctor_check_folders(struct doctor *doctor)
{
    struct error error;
    char *path = path_state_dir(&error);

    if (path == NULL)
        doctor_note(doctor, "state folder", HEALTH_BAD, NULL, "%s (set GANGER_STATE_DIR)", error.text);
    else if (is_own_folder(doctor, "state folder", "GANGER_STATE_DIR", path, true))
        note_space(doctor, "state folder", path, SPACE_BAD, SPACE_LOW);
    free(path);
    if (doctor->mend)
        close_runtime_dir(doctor);
    path = path_runtime_dir(&error);
    if (path == NULL)
        doctor_note(doctor, "runtime folder", HEALTH_BAD,
                    strstr(error.text, "open to") != NULL ? "ganger doctor --mend" : NULL, "%s", error.text);
    else if (is_own_folder(doctor, "runtime folder", "GANGER_RUNTIME_DIR", path, true))
        note_space(doctor, "runtime folder", path, SOCKETS_SPACE_BAD, SOCKETS_SPACE_BAD);
    free(path);
    path = path_config_dir(&error);
    if (path == NULL)
        doctor_note(doctor, "config folder", HEALTH_BAD, NULL, "%s", error.text);
    else if (access(path, F_OK) < 0 && errno == ENOENT)
        doctor_note(doctor, "config folder", HEALTH_OK, NULL, "%s is not there: the defaults hold", path);
    else if (is_own_folder(doctor, "config folder", "GANGER_CONFIG_DIR", path, false))
        doctor_note(doctor, "config folder", HEALTH_OK, NULL, "%s", path);
    free(path);
}

/* ---- configuration ---- */

static void check_accounts(struct doctor *doctor, const struct config *config)
{
    json_t *account, *accounts = json_deep_copy(config_accounts(config));
    const char *name;

    json_object_foreach(accounts, name, account)
    {
        struct error error;
        if (account_check_named(config, json_member_string(account, "agent", ""), name, &error) < 0)
            doctor_note(doctor, "account", HEALTH_WARN, NULL, "%s: %s", name, error.text);
    }
    json_decref(accounts);
}

struct config *doctor_check_config(struct doctor *doctor)
{
    struct error error;
    struct config *config = config_load(NULL, &error);
    char *path = config_path(NULL);

    if (config == NULL) {
        doctor_note(doctor, "configuration", HEALTH_BAD, "ganger config check", "%s", error.text);
    } else {
        doctor_note(doctor, "configuration", HEALTH_OK, NULL, "%s is %s", path != NULL ? path : "config.json",
                    path != NULL && access(path, F_OK) == 0 ? "valid" : "not there: the defaults hold");
        check_accounts(doctor, config);
    }
    free(path);
    return config;
}

/* ---- ledger ---- */

static void note_set_aside(struct doctor *doctor, const char *state_dir)
{
    DIR *folder = opendir(state_dir);

    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL;
         entry = readdir(folder)) {
        const char *name = entry->d_name;
        size_t length = strlen(name);
        if ((strncmp(name, LEDGER_FILE ".damaged-", sizeof LEDGER_FILE + 8) == 0 ||
             strncmp(name, LEDGER_FILE ".newer-", sizeof LEDGER_FILE + 6) == 0) &&
            strcmp(name + length - 4, "-wal") != 0 && strcmp(name + length - 4, "-shm") != 0) {
            char *fix = xasprintf("rm '%s/%s'*", state_dir, name);
            doctor_note(doctor, "ledger", HEALTH_WARN, fix,
                        "%s was set aside: limits and usage that it holds are not seen", name);
            free(fix);
        }
    }
    if (folder != NULL)
        (void)closedir(folder);
}

static bool cannot_be_written(const char *state_dir)
{
    char *path = path_join(state_dir, LEDGER_FILE);
    bool closed = access(path, W_OK) < 0 && errno != ENOENT;

    free(path);
    return closed;
}

void doctor_check_ledger(struct doctor *doctor)
{
    struct error error = {0};
    char *state_dir = path_state_dir(&error);
    struct ledger *ledger = state_dir != NULL ? ledger_open(state_dir, LEDGER_READ, &error) : NULL;

    if (state_dir == NULL)
        return;
    if (ledger == NULL && error.code == ENOENT && access(state_dir, W_OK) < 0)
        doctor_note(doctor, "ledger", HEALTH_BAD, NULL, "there is none, and %s cannot be written: %s",
                    state_dir, strerror(errno));
    else if (ledger == NULL && error.code == ENOENT)
        doctor_note(doctor, "ledger", HEALTH_OK, NULL, "there is none yet: the first session begins it");
    else if (ledger == NULL || ledger_check(ledger, &error) < 0)
        doctor_note(doctor, "ledger", HEALTH_BAD, NULL, "%s", error.text);
    else if (cannot_be_written(state_dir))
        doctor_note(doctor, "ledger", HEALTH_BAD, NULL,
                    "%s/" LEDGER_FILE " is sound but cannot be written (%s): limits and usage are not kept",
                    state_dir, strerror(errno));
    else
        doctor_note(doctor, "ledger", HEALTH_OK, NULL, "%s/" LEDGER_FILE " is sound", state_dir);
    ledger_close(ledger);
    note_set_aside(doctor, state_dir);
    free(state_dir);
}
