#include "cli/replay_export.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "store/session_dir.h"

struct arguments {
    const char *words[24];
    size_t count;
};

static void add(struct arguments *arguments, const char *option, const char *value)
{
    arguments->words[arguments->count++] = option;
    if (value != NULL)
        arguments->words[arguments->count++] = value;
}

/* The session's last attempt, whose recording `ganger replay` plays too. */
static char *last_attempt(const char *uuid)
{
    struct error error;
    json_t *session = session_dir_read(cli_state_dir(), uuid, &error);
    int64_t number;

    if (session == NULL)
        cli_die("replay", &error);
    number = json_member_integer(session, "attempt", 1);
    json_decref(session);
    return xasprintf("%lld", (long long)(number < 1 ? 1 : number));
}

/* A file of that name, else a session. */
static void add_recording(struct arguments *arguments, const struct replay_export *options,
                          const char *operand)
{
    static char uuid[UUID_SIZE];
    struct stat status = {0};
    struct error error;

    if (stat(operand, &status) == 0 && !S_ISDIR(status.st_mode)) {
        if (options->attempt != NULL)
            cli_usage_error(&command_replay, "--attempt goes with a session, and %s is a file", operand);
        add(arguments, "--", operand);
        return;
    }
    if (strchr(operand, '/') != NULL) {
        error_set(&error, "%s: %s", operand, S_ISDIR(status.st_mode) ? "is a directory" : strerror(errno));
        cli_die("replay", &error);
    }
    cli_find(operand, true, uuid);
    add(arguments, "--state", cli_state_dir());
    add(arguments, "--session", uuid);
    add(arguments, "--attempt", options->attempt != NULL ? options->attempt : last_attempt(uuid));
}

int replay_export(const struct replay_export *options, const char *operand)
{
    struct arguments arguments = {.count = 0};
    struct error error;
    char *program = path_installed("ganger-replay", &error);

    if (program == NULL)
        return cli_error("replay", &error);
    add(&arguments, "ganger-replay", "export");
    add(&arguments, "--output", options->output);
    if (options->format != NULL)
        add(&arguments, "--format", options->format);
    if (options->force)
        add(&arguments, "--force", NULL);
    add_recording(&arguments, options, operand);
    (void)execv(program, (char *const *)(uintptr_t)arguments.words);
    error_errno(&error, "cannot run %s", program);
    return cli_error("replay", &error);
}
