/*
 * Codex takes hooks as configuration of one run, -c 'hooks.EVENT=[…]'; they join the user's own. It runs a hook of the
 * user, or of a project, only after the user has trusted its very words, noted as a SHA-256 in hooks.state; for the hooks
 * of the command line the note may stand there too. Only our own are noted: the others keep the state that they have.
 * Hooks of the command line run beside each other, and Codex waits for them.
 */
#include <sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"

#define TIMEOUT_S 3 /* the most that SessionEnd may have */

static const struct {
    const char *name, *key;
} events[] = {
    {"SessionStart", "session_start"}, {"UserPromptSubmit", "user_prompt_submit"},
    {"PreToolUse", "pre_tool_use"},    {"PermissionRequest", "permission_request"},
    {"PostToolUse", "post_tool_use"},  {"Stop", "stop"},
    {"Interrupt", "interrupt"},        {"SubagentStart", "subagent_start"},
    {"SubagentStop", "subagent_stop"}, {"SessionEnd", "session_end"},
};

/* A string of TOML has the escapes of JSON. */
static void append_string(struct buffer *out, const char *text)
{
    json_append_quoted(out, text, strlen(text));
}

/* What Codex takes the digest of: names in order, no blanks. */
static void append_digest(struct buffer *out, const char *key, const char *command)
{
    json_t *words = json_pack("{ss s[{sb ss si ss}]}", "event_name", key, "hooks", "async", 0, "command",
                              command, "timeout", TIMEOUT_S, "type", "command");
    char *text = json_dumps(words, JSON_SORT_KEYS | JSON_COMPACT), digest[SHA256_DIGEST_STRING_LENGTH];

    (void)SHA256Data((const uint8_t *)text, strlen(text), digest);
    buffer_printf(out, "\"sha256:%s\"", digest);
    free(text);
    json_decref(words);
}

static void add_option(struct arguments *argv, struct buffer *value)
{
    arguments_add(argv, "-c");
    arguments_add(argv, value->bytes);
    buffer_clear(value);
}

/* The user's own hooks of the command line stay; two sets would not join. */
static bool has_hooks(const struct arguments *argv)
{
    for (size_t i = 1; i < argv->count; i++) {
        const char *words = strstr(argv->items[i], "hooks");
        if (words != NULL && (words[5] == '=' || words[5] == '.'))
            return true;
    }
    return false;
}

void codex_inject(const struct agent_side *side)
{
    struct buffer hook, state;
    json_t *valid = json_string(side->hook);

    if (valid == NULL || has_hooks(side->argv)) {
        json_decref(valid);
        return;
    }
    json_decref(valid);
    buffer_init(&hook);
    buffer_init(&state);
    buffer_append_string(&state, "hooks.state={");
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        buffer_printf(&hook, "hooks.%s=[{hooks=[{type=\"command\",command=", events[i].name);
        append_string(&hook, side->hook);
        buffer_printf(&hook, ",timeout=%d}]}]", TIMEOUT_S);
        add_option(side->argv, &hook);
        buffer_printf(&state, "%s\"/<session-flags>/config.toml:%s:0:0\"={trusted_hash=", i > 0 ? "," : "",
                      events[i].key);
        append_digest(&state, events[i].key, side->hook);
        buffer_append_char(&state, '}');
    }
    buffer_append_char(&state, '}');
    add_option(side->argv, &state);
    buffer_finish(&hook);
    buffer_finish(&state);
}
