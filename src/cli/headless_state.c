#include "cli/headless_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "policy/errors.h"
#include "store/session_dir.h"

void headless_state_init(struct headless_state *state, const json_t *session)
{
    const json_t *start = json_object_get(session, "start");
    const char *prompt = json_member_string(start, "prompt", NULL);

    *state = (struct headless_state){.tools = json_object(), .files = json_object()};
    (void)strlcpy(state->name, json_member_string(session, "name", ""), sizeof state->name);
    (void)strlcpy(state->agent, json_member_string(session, "agent", ""), sizeof state->agent);
    (void)strlcpy(state->mode, json_member_string(session, "mode", ""), sizeof state->mode);
    (void)strlcpy(state->phase, json_member_string(session, "phase", ""), sizeof state->phase);
    state->folder = xstrdup(json_member_string(session, "cwd", ""));
    state->prompt = prompt == NULL ? NULL : xstrdup(prompt);
}

void headless_state_finish(struct headless_state *state)
{
    free(state->folder);
    free(state->prompt);
    free(state->recording);
    json_decref(state->tools);
    json_decref(state->files);
    json_decref(state->usage);
    json_decref(state->last_error);
}

/* ---- events ---- */

static int64_t time_member(const json_t *event, const char *key)
{
    int64_t at = 0;

    return clock_parse_rfc3339(json_member_string(event, key, ""), &at) == 0 ? at : 0;
}

static void attempt_began(struct headless_state *state, const json_t *event)
{
    (void)event;
    (void)json_object_clear(state->tools);
    state->tool[0] = '\0';
    state->turn_open = false;
}

static void turn_began(struct headless_state *state, const json_t *event)
{
    (void)event;
    state->turn_open = true;
}

static void turn_ended(struct headless_state *state, const json_t *event)
{
    (void)event;
    state->turn_open = false;
    (void)json_object_clear(state->tools);
    state->tool[0] = '\0';
}

static void phase_changed(struct headless_state *state, const json_t *event)
{
    (void)strlcpy(state->phase, json_member_string(event, "phase", ""), sizeof state->phase);
    state->until_ms = time_member(event, "until");
    state->since_ms = state->at_ms;
}

static void tool_began(struct headless_state *state, const json_t *event)
{
    const char *title = json_member_string(event, "tool", "tool");

    (void)strlcpy(state->tool, title, sizeof state->tool);
    state->since_ms = state->at_ms;
    (void)json_object_set_new(
        state->tools, json_member_string(event, "tool_id", ""),
        json_pack("{so sI}", "title", json_string_or_null(title), "at_ms", (json_int_t)state->at_ms));
}

static void tool_ended(struct headless_state *state, const json_t *event)
{
    (void)json_object_del(state->tools, json_member_string(event, "tool_id", ""));
    if (json_object_size(state->tools) == 0)
        state->tool[0] = '\0';
}

static void file_changed(struct headless_state *state, const json_t *event)
{
    const char *path = json_member_string(event, "path", NULL);

    if (path != NULL && json_object_size(state->files) < HEADLESS_FILES_MAX)
        (void)json_object_set_new(state->files, path, json_null());
    else
        state->more += (uint64_t)json_member_integer(event, "count", 1);
}

static void used(struct headless_state *state, const json_t *event)
{
    json_decref(state->usage);
    state->usage = json_incref(json_object_get(event, "usage"));
}

static void session_ended(struct headless_state *state, const json_t *event)
{
    (void)strlcpy(state->outcome, json_member_string(event, "state", "failed"), sizeof state->outcome);
    json_decref(state->last_error);
    state->last_error = json_incref(json_object_get(event, "last_error"));
    state->ended = true;
    state->turn_open = false;
}

void headless_state_event(struct headless_state *state, const json_t *event)
{
    static const struct {
        const char *type;
        void (*take)(struct headless_state *state, const json_t *event);
    } kinds[] = {{"session_started", attempt_began}, {"turn_started", turn_began},
                 {"turn_ended", turn_ended},         {"phase", phase_changed},
                 {"tool_call", tool_began},          {"tool_result", tool_ended},
                 {"file_changed", file_changed},     {"usage", used},
                 {"session_ended", session_ended}};
    const char *type = json_member_string(event, "type", "");
    int64_t at = time_member(event, "time");

    state->at_ms = at > 0 ? at : state->at_ms;
    if (state->began_ms == 0)
        state->began_ms = state->at_ms;
    if (json_member_integer(event, "attempt", 0) > state->attempt)
        state->attempt = (unsigned)json_member_integer(event, "attempt", 0);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) == 0)
            kinds[i].take(state, event);
    }
}

void headless_state_settle(struct headless_state *state, const json_t *session)
{
    const char *phase = json_member_string(session, "phase", "lost");

    /* What was used is known a moment after the end. */
    if (json_is_object(json_object_get(session, "usage"))) {
        json_decref(state->usage);
        state->usage = json_incref(json_object_get(session, "usage"));
    }
    if (state->ended)
        return;
    (void)strlcpy(state->outcome, session_phase_ended(phase) ? phase : "lost", sizeof state->outcome);
    json_decref(state->last_error);
    state->last_error = json_incref(json_object_get(session, "last_error"));
    state->ended = true;
}

void headless_state_fail(struct headless_state *state, const char *why)
{
    (void)strlcpy(state->outcome, "failed", sizeof state->outcome);
    json_decref(state->last_error);
    state->last_error = json_pack("{so}", "message", json_string_or_null(why));
    state->ended = true;
}

/* ---- questions ---- */

bool headless_state_works(const struct headless_state *state)
{
    static const char *const working[] = {"connecting", "thinking", "streaming", "tool"};

    for (size_t i = 0; i < sizeof working / sizeof working[0]; i++) {
        if (strcmp(state->phase, working[i]) == 0)
            return !state->ended;
    }
    return !state->ended && (state->turn_open || strcmp(state->agent, "command") == 0) &&
           (strcmp(state->phase, "unknown") == 0 || strcmp(state->phase, "initializing") == 0);
}

uint64_t headless_state_files(const struct headless_state *state)
{
    return json_object_size(state->files) + state->more;
}

int headless_state_exit(const struct headless_state *state)
{
    const char *class = json_member_string(state->last_error, "class", NULL);
    int code = EXIT_FAILED;

    if (strcmp(state->outcome, "completed") == 0)
        return EXIT_OK;
    if (strcmp(state->outcome, "timeout") == 0)
        return EXIT_TIMED_OUT;
    if (strcmp(state->outcome, "cancelled") == 0)
        return 130;
    if (strcmp(state->outcome, "killed") == 0)
        return 137;
    if (strcmp(state->outcome, "failed") == 0)
        code = error_rule_find(class)->exit_code;
    return code == EXIT_OK ? EXIT_FAILED : code;
}

char *headless_state_tool(const struct headless_state *state, const char *id, int64_t *since_ms)
{
    const json_t *tool = json_object_get(state->tools, id);
    const char *title = json_member_string(tool, "title", NULL);

    *since_ms = json_member_integer(tool, "at_ms", 0);
    return title == NULL ? NULL : xstrdup(title);
}

void headless_state_tokens(int64_t tokens, char text[16])
{
    if (tokens < 0)
        (void)strlcpy(text, "-", 16);
    else if (tokens < 1000)
        (void)snprintf(text, 16, "%d", (int)tokens);
    else if (tokens < 1000000)
        (void)snprintf(text, 16, "%.*fk", tokens < 10000 ? 1 : 0, (double)tokens / 1000);
    else
        (void)snprintf(text, 16, "%.1fM", (double)tokens / 1e6);
}
