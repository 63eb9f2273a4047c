#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/headless.h"
#include "cli/headless_own.h"
#include "cli/up.h"

static char *recording_path(const struct up *up, const struct up_member *member)
{
    return up->options.folder == NULL ? NULL
                                      : xasprintf("%s/%s.cast", up->options.folder, member->session->name);
}

static bool is_file(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Makes a recording's file, or says why it cannot be. */
static int make_file(const struct up *up, const char *file, struct error *error)
{
    if (!up->options.force && is_file(file))
        return error_set(
            error, "the folder %s has recordings, as %s: give another folder, or --force to replace them",
            up->options.folder, strrchr(file, '/') + 1);
    return headless_check_file(file, up->options.force, error);
}

/* Everything that can be known before is: nothing runs in vain. */
static int check(const struct up *up, struct error *error)
{
    for (size_t i = 0; i < up->crew->count; i++) {
        const struct up_member *member = &up->members[i];
        if (member->state == STATE_RUNNING)
            return error_set(error, "%s is running: `ganger down` ends the crew", member->session->name);
        if (member->state == STATE_FAILED)
            return error_set(error, "%s: %s", member->session->name, member->text);
    }
    if (up->options.folder != NULL && path_make_dirs(up->options.folder, 0777, error) < 0)
        return -1;
    for (size_t i = 0; i < up->crew->count && up->options.folder != NULL; i++) {
        char *file = recording_path(up, &up->members[i]);
        int fit = make_file(up, file, error);
        free(file);
        if (fit < 0) {
            while (i-- > 0) {
                file = recording_path(up, &up->members[i]);
                headless_drop_file(file);
                free(file);
            }
            return -1;
        }
    }
    return 0;
}

static char **own_files(const struct up *up)
{
    const char **files = xcalloc(up->crew->count + 1, sizeof *files);
    char **own;

    for (size_t i = 0; i < up->crew->count; i++)
        files[i] = recording_path(up, &up->members[i]);
    own = headless_own_files(files);
    for (size_t i = 0; i < up->crew->count; i++)
        free((char *)(uintptr_t)files[i]);
    free((void *)files);
    return own;
}

static int follow(const struct up *up)
{
    struct headless_session *sessions = xcalloc(up->crew->count, sizeof *sessions);
    int code;

    for (size_t i = 0; i < up->crew->count; i++) {
        const struct up_member *member = &up->members[i];
        bool made = member->uuid[0] != '\0';
        char *file = recording_path(up, member);
        memcpy(sessions[i].uuid, member->uuid, sizeof member->uuid);
        (void)strlcpy(sessions[i].name, member->session->name, sizeof sessions[i].name);
        sessions[i].file = file;
        /* Of one that was made and did not start the events say why. */
        sessions[i].failure = made ? NULL : member->text;
        if (!made)
            headless_drop_file(file);
    }
    code = headless_follow(sessions, up->crew->count, up->options.json);
    for (size_t i = 0; i < up->crew->count; i++)
        free((char *)(uintptr_t)sessions[i].file);
    free(sessions);
    return code;
}

int up_headless(struct up *up, int lock)
{
    struct error error;
    int lifeline;

    if (check(up, &error) < 0 || (lifeline = headless_lifeline(&error)) < 0)
        return cli_error("up", &error);
    up->own_files = own_files(up);
    up_start(up, lifeline);
    headless_own_free(up->own_files);
    up->own_files = NULL;
    close(lifeline);
    close(lock);
    return follow(up);
}
