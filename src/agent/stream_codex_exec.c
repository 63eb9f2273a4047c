#include <stdlib.h>
#include <string.h>

#include "agent/stream_codex.h"
#include "base/json.h"
#include "base/memory.h"

static void exec_thread(struct codex *codex, const json_t *message, const struct observer *observer)
{
    const char *id = json_member_string(message, "thread_id", NULL);

    free(codex->thread_id);
    codex->thread_id = id != NULL ? xstrdup(id) : NULL;
    codex_tell_session(codex, observer);
}

static void exec_begin(struct codex *codex, const json_t *message, const struct observer *observer)
{
    (void)message;
    stream_turn_begin(&codex->turn, observer, NULL);
}

static void exec_end(struct codex *codex, const json_t *message, const struct observer *observer)
{
    codex_exec_usage(codex, json_object_get(message, "usage"));
    codex_end_turn(codex, "completed", NULL, observer);
}

static void exec_fail(struct codex *codex, const json_t *message, const struct observer *observer)
{
    const json_t *error = json_object_get(message, "error");

    if (!codex->turn.error_told)
        codex_error(codex, error, observer);
    codex_end_turn(codex, "failed", json_member_string(error, "message", NULL), observer);
}

static void exec_error(struct codex *codex, const json_t *message, const struct observer *observer)
{
    if (strncmp(json_member_string(message, "message", ""), "Reconnecting", 12) == 0)
        codex_retry(codex, message, observer);
    else
        codex_error(codex, message, observer);
}

static void exec_item(struct codex *codex, const json_t *message, const struct observer *observer)
{
    const char *type = json_member_string(message, "type", "");

    codex_item(codex, json_object_get(message, "item"), strcmp(type, "item.completed") == 0, NULL, observer);
}

static const struct {
    const char *type;
    void (*take)(struct codex *codex, const json_t *message, const struct observer *observer);
} exec_types[] = {
    {"thread.started", exec_thread}, {"turn.started", exec_begin},  {"turn.completed", exec_end},
    {"turn.failed", exec_fail},      {"error", exec_error},         {"item.started", exec_item},
    {"item.updated", exec_item},     {"item.completed", exec_item},
};

void codex_exec_message(struct codex *codex, const json_t *message, const struct observer *observer)
{
    const char *type = json_member_string(message, "type", "a message without method or type");

    for (size_t i = 0; i < sizeof exec_types / sizeof exec_types[0]; i++) {
        if (strcmp(exec_types[i].type, type) != 0)
            continue;
        codex->one_way = true;
        exec_types[i].take(codex, message, observer);
        return;
    }
    stream_turn_unknown(&codex->turn, observer, type);
}
