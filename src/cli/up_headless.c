#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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
        int fit = headless_check_file(file, up->options.force, error);
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

/* All that were made: of one that did not start the events say why. */
static size_t take_made(const struct up *up, struct headless_session *sessions)
{
    size_t count = 0;

    for (size_t i = 0; i < up->crew->count; i++) {
        const struct up_member *member = &up->members[i];
        char *file = recording_path(up, member);
        if (member->uuid[0] == '\0') {
            headless_drop_file(file);
            free(file);
            continue;
        }
        memcpy(sessions[count].uuid, member->uuid, sizeof member->uuid);
        (void)strlcpy(sessions[count].name, member->session->name, sizeof sessions[count].name);
        sessions[count++].file = file;
    }
    return count;
}

static int follow(const struct up *up)
{
    struct headless_session *sessions = xcalloc(up->crew->count, sizeof *sessions);
    size_t count = take_made(up, sessions);
    int code = count > 0 ? headless_follow(sessions, count, up->options.json) : EXIT_FAILED;

    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)sessions[i].file);
    free(sessions);
    return code == EXIT_OK && count < up->crew->count ? EXIT_FAILED : code;
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
