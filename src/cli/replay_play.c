#include "cli/replay_play.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "store/session_dir.h"

/* ---- which recording ---- */

static bool is_file(const char *operand, const char *attempt)
{
    struct stat status = {0};
    char uuid[UUID_SIZE];
    struct error error;

    if (stat(operand, &status) == 0 && !S_ISDIR(status.st_mode)) {
        if (attempt != NULL)
            cli_usage_error(&command_replay, "--attempt goes with a session, and %s is a file", operand);
        return true;
    }
    if (!S_ISDIR(status.st_mode) && errno != ENOENT && errno != ENOTDIR)
        error_errno(&error, "%s", operand);
    else if (strpbrk(operand, "./") == NULL && !S_ISDIR(status.st_mode))
        return false;
    else if (strchr(operand, '/') == NULL &&
             session_dir_find(cli_state_dir(), operand, true, uuid, NULL) != -1)
        return false;
    else if (S_ISDIR(status.st_mode))
        error_set(&error, "%s is a directory: name a session, or a recording in it", operand);
    else
        error_set(&error, "%s is neither a file nor a session", operand);
    cli_die("replay", &error);
}

void replay_find(struct replay_origin *origin, const char *operand, const char *attempt)
{
    struct error error;
    json_t *session;
    int64_t last;

    *origin = (struct replay_origin){.file = NULL};
    if (is_file(operand, attempt)) {
        origin->file = xstrdup(operand);
        return;
    }
    cli_find(operand, true, origin->uuid);
    session = session_dir_read(cli_state_dir(), origin->uuid, &error);
    if (session == NULL)
        cli_die(operand, &error);
    last = json_member_integer(session, "attempt", 1);
    if (attempt != NULL && strcmp(attempt, "all") == 0)
        origin->attempt = xstrdup(attempt);
    else if (attempt != NULL)
        origin->attempt = xasprintf("%llu", (unsigned long long)cli_number(&command_replay, attempt));
    else
        origin->attempt = xasprintf("%lld", (long long)(last < 1 ? 1 : last)); /* 0: it has just begun */
    origin->agent = xstrdup(json_member_string(session, "agent", "command"));
    json_decref(session);
}

void replay_origin_finish(struct replay_origin *origin)
{
    free(origin->file);
    free(origin->attempt);
    free(origin->agent);
    *origin = (struct replay_origin){.file = NULL};
}

/* ---- playing ---- */

struct words {
    const char *words[32];
    size_t count;
};

static void add(struct words *words, const char *option, const char *value)
{
    if (value == NULL)
        return;
    words->words[words->count++] = option;
    words->words[words->count++] = value;
}

int replay_play(const struct replay_play *play, const struct replay_origin *origin, const char *operand)
{
    struct words words = {.words = {"ganger-replay", "play"}, .count = 2};
    struct error error;
    char *program = path_installed("ganger-replay", &error);

    if (program == NULL)
        return cli_error("replay", &error);
    add(&words, "--speed", play->speed);
    add(&words, "--at", play->at);
    add(&words, "--idle", play->idle);
    add(&words, "--size", play->size);
    add(&words, "--name", operand);
    if (play->raw)
        words.words[words.count++] = "--raw";
    if (origin->file != NULL) {
        add(&words, "--", origin->file);
    } else {
        add(&words, "--state", cli_state_dir());
        add(&words, "--session", origin->uuid);
        add(&words, "--attempt", origin->attempt);
    }
    (void)execv(program, (char *const *)(uintptr_t)words.words);
    error_errno(&error, "cannot run %s", program);
    return cli_error("replay", &error);
}
