/*
 * Codex' own record of a conversation, sessions/YYYY/MM/DD/rollout-TIME-UUID.jsonl: {timestamp, type, payload} a line, written
 * as it happens. What the model said and called is in items ("response_item"), how turns and commands went in messages
 * ("event_msg"). Totals of tokens are of the whole conversation; input_tokens has the cached ones in it. What a person is
 * asked is not recorded.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "agent/error_class.h"
#include "agent/limit_words.h"
#include "agent/rollout_words.h"
#include "agent/stream_codex.h"
#include "agent/tool_line.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

/* Results of commands that wait for their call's. */
#define OUTPUTS_MAX 64
/* Windows of limits whose last state is known. */
#define WINDOWS_MAX 16
/* A reset that moves less than this is the same. */
#define RESET_SLACK_MS 120000

struct rollout {
    char session[80], model[80], version[32];
    json_t *outputs; /* id of a call -> {output, failed} */
    json_t *windows; /* name of a limit -> {percent, until} */
    json_t *calls;   /* ids of the calls that run -> true */
    struct observed_usage usage;
    int64_t now_ms;     /* when the line was written */
    int64_t reached_ms; /* when a limit that was reached ends; 0: not known */
    bool turn, limited;
};

static void *create(void)
{
    struct rollout *state = xcalloc(1, sizeof *state);

    state->outputs = json_object();
    state->windows = json_object();
    state->calls = json_object();
    state->usage = (struct observed_usage){-1, -1, -1, -1, -1, -1};
    return state;
}

static void destroy(void *argument)
{
    struct rollout *state = argument;

    if (state == NULL)
        return;
    json_decref(state->outputs);
    json_decref(state->windows);
    json_decref(state->calls);
    free(state);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

static void tell(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

static void tell_phase(const struct observer *observer, enum phase phase)
{
    tell(observer, &(struct observation){.kind = OBSERVED_PHASE, .phase = phase});
}

static void keep(char *to, size_t size, const char *text)
{
    if (text != NULL && strlen(text) < size)
        memcpy(to, text, strlen(text) + 1);
}

/* ---- the conversation ---- */

static void tell_session(const struct rollout *state, const struct observer *observer)
{
    tell(observer, &(struct observation){.kind = OBSERVED_SESSION,
                                         .id = state->session[0] != '\0' ? state->session : NULL,
                                         .name = state->model[0] != '\0' ? state->model : NULL,
                                         .text = state->version[0] != '\0' ? state->version : NULL});
}

static void session_meta(struct rollout *state, const json_t *payload, const struct observer *observer)
{
    /* A fork repeats the head of what it came from. */
    if (state->session[0] != '\0')
        return;
    keep(state->session, sizeof state->session, text_of(payload, "id"));
    keep(state->version, sizeof state->version, text_of(payload, "cli_version"));
    tell_session(state, observer);
}

static void turn_context(struct rollout *state, const json_t *payload, const struct observer *observer)
{
    const char *model = text_of(payload, "model");

    if (model == NULL || strcmp(model, state->model) == 0)
        return;
    keep(state->model, sizeof state->model, model);
    tell_session(state, observer);
}

/* ---- items ---- */

/* The texts of a list of {type, text}, joined. Allocated. */
static char *texts_of(const json_t *list)
{
    struct buffer text;
    size_t index;
    json_t *piece;

    buffer_init(&text);
    buffer_append_string(&text, "");
    json_array_foreach(list, index, piece)
    {
        const char *words = text_of(piece, "text");
        if (words != NULL && text.length > 0)
            buffer_append_string(&text, "\n\n");
        if (words != NULL)
            buffer_append_string(&text, words);
    }
    return buffer_steal(&text);
}

static void words(const json_t *list, enum observation_kind kind, enum phase phase,
                  const struct observer *observer)
{
    char *text = texts_of(list);

    if (*text != '\0') {
        tell_phase(observer, phase);
        tell(observer, &(struct observation){.kind = kind, .text = text, .whole = true});
    }
    free(text);
}

static void item_message(struct rollout *state, const json_t *item, const struct observer *observer)
{
    if (state->turn && strcmp(json_member_string(item, "role", ""), "assistant") == 0)
        words(json_object_get(item, "content"), OBSERVED_TEXT, PHASE_STREAMING, observer);
}

static void item_reasoning(struct rollout *state, const json_t *item, const struct observer *observer)
{
    if (state->turn)
        words(json_object_get(item, "summary"), OBSERVED_THINKING, PHASE_THINKING, observer);
}

static void plan_updated(const json_t *input, const struct observer *observer)
{
    json_t *items = json_array(), *step;
    size_t index;

    json_array_foreach(json_object_get(input, "plan"), index, step)
    {
        const char *status = json_member_string(step, "status", "");
        json_array_append_new(items,
                              json_pack("{ss ss}", "text", json_member_string(step, "step", ""), "state",
                                        strcmp(status, "completed") == 0     ? "done"
                                        : strcmp(status, "in_progress") == 0 ? "active"
                                                                             : "pending"));
    }
    tell(observer, &(struct observation){.kind = OBSERVED_TODO, .input = items});
    json_decref(items);
}

static void call(struct rollout *state, const char *id, const char *name, const json_t *input,
                 const struct observer *observer)
{
    struct buffer summary;

    if (json_object_size(state->calls) >= OUTPUTS_MAX)
        json_object_clear(state->calls);
    if (id != NULL)
        json_object_set_new(state->calls, id, json_true());
    buffer_init(&summary);
    tool_line_append(&summary, input);
    tell(observer,
         &(struct observation){
             .kind = OBSERVED_TOOL_CALL, .id = id, .name = name, .text = summary.bytes, .input = input});
    buffer_finish(&summary);
    if (strcmp(name, "update_plan") == 0)
        plan_updated(input, observer);
    tell_phase(observer, PHASE_TOOL);
}

static void item_function_call(struct rollout *state, const json_t *item, const struct observer *observer)
{
    const char *arguments = json_member_string(item, "arguments", "");
    json_t *input = json_loads(arguments, 0, NULL);

    if (input == NULL && *arguments != '\0')
        input = json_pack("{ss}", "arguments", arguments);
    call(state, text_of(item, "call_id"), json_member_string(item, "name", "tool"), input, observer);
    json_decref(input);
}

static void item_custom_call(struct rollout *state, const json_t *item, const struct observer *observer)
{
    json_t *input = json_pack("{ss}", "input", json_member_string(item, "input", ""));

    call(state, text_of(item, "call_id"), json_member_string(item, "name", "tool"), input, observer);
    json_decref(input);
}

static void item_shell_call(struct rollout *state, const json_t *item, const struct observer *observer)
{
    const char *id = json_member_string(item, "call_id", text_of(item, "id"));

    call(state, id, "shell", json_object_get(item, "action"), observer);
}

/* A search runs at the vendor and is over when it is recorded. */
static void item_web_search(struct rollout *state, const json_t *item, const struct observer *observer)
{
    (void)state;
    tell(observer, &(struct observation){.kind = OBSERVED_TOOL_CALL,
                                         .id = text_of(item, "id"),
                                         .name = "web_search",
                                         .input = json_object_get(item, "action"),
                                         .server = true});
}

/* The output is text, {"output": text, "metadata": {"exit_code": n}} as text, or a list of texts. */
static void item_call_output(struct rollout *state, const json_t *item, const struct observer *observer)
{
    const char *id = text_of(item, "call_id");
    const json_t *output = json_object_get(item, "output");
    const json_t *known = id == NULL ? NULL : json_object_get(state->outputs, id);
    bool failed = json_is_false(json_object_get(output, "success"));
    json_t *inner = NULL;
    char *text = NULL;

    if (known != NULL) {
        text = xstrdup(json_member_string(known, "output", ""));
        failed = json_member_bool(known, "failed", 0);
    } else if (json_is_string(output)) {
        inner = json_loads(json_string_value(output), 0, NULL);
        text = xstrdup(json_member_string(inner, "output", json_string_value(output)));
        failed = json_member_integer(json_object_get(inner, "metadata"), "exit_code", 0) != 0;
    } else if (json_is_object(output)) {
        text = xstrdup(json_member_string(output, "content", ""));
    } else {
        text = texts_of(output);
    }
    tell(observer,
         &(struct observation){.kind = OBSERVED_TOOL_RESULT, .id = id, .text = text, .failed = failed});
    if (id != NULL) {
        json_object_del(state->outputs, id);
        json_object_del(state->calls, id);
    }
    json_decref(inner);
    free(text);
    if (state->turn && json_object_size(state->calls) == 0)
        tell_phase(observer, PHASE_THINKING);
}

/* ---- limits and tokens ---- */

/* Every answer tells the windows; a little more is told with what follows. */
static bool is_near(double told, double percent)
{
    return percent - told < 0.5 && told - percent < 0.5 && (told >= 100) == (percent >= 100);
}

static void window_seen(struct rollout *state, const json_t *limits, const char *key,
                        const struct observer *observer)
{
    const json_t *window = json_object_get(limits, key), *known;
    int64_t minutes = json_member_integer(window, "window_minutes", 0);
    int64_t until_ms = limit_epoch_ms(json_member_integer(window, "resets_at", 0));
    double percent = json_member_number(window, "used_percent", -1);
    const char *limit = json_member_string(limits, "limit_id", "codex");
    char name[120];

    if (!(percent >= 0 && percent <= 1000))
        return;
    if (percent > 100)
        percent = 100;
    rollout_window_name(limit, minutes, name, sizeof name);
    known = json_object_get(state->windows, name);
    if (known != NULL && is_near(json_member_number(known, "percent", -1), percent) &&
        llabs(json_member_integer(known, "until", 0) - until_ms) < RESET_SLACK_MS)
        return;
    if (json_object_size(state->windows) >= WINDOWS_MAX)
        json_object_clear(state->windows);
    json_object_set_new(state->windows, name,
                        json_pack("{sf sI}", "percent", percent, "until", (json_int_t)until_ms));
    if (percent >= 100 && until_ms > state->reached_ms)
        state->reached_ms = until_ms;
    tell(observer, &(struct observation){
                       .kind = OBSERVED_LIMIT, .name = name, .percent = percent, .until_ms = until_ms});
}

static void message_token_count(struct rollout *state, const json_t *message, const struct observer *observer)
{
    const json_t *info = json_object_get(message, "info"), *limits = json_object_get(message, "rate_limits");

    if (json_is_object(info) && rollout_usage(info, &state->usage))
        tell(observer, &(struct observation){.kind = OBSERVED_USAGE, .usage = state->usage});
    if (!json_is_object(limits))
        return;
    state->reached_ms = 0;
    window_seen(state, limits, "primary", observer);
    window_seen(state, limits, "secondary", observer);
}

/* ---- turns ---- */

static void message_task_started(struct rollout *state, const json_t *message,
                                 const struct observer *observer)
{
    (void)message;
    state->turn = true;
    state->limited = false;
    json_object_clear(state->calls);
    json_object_clear(state->outputs);
    tell(observer, &(struct observation){.kind = OBSERVED_TURN_STARTED});
    tell_phase(observer, PHASE_CONNECTING);
}

static void error_seen(struct rollout *state, const json_t *error, const struct observer *observer)
{
    const char *text = text_of(error, "message");
    const json_t *kind = json_object_get(error, "codex_error_info");
    const char *code = rollout_error_code(kind);
    char *plain = text == NULL ? NULL : error_plain_text(text);
    const char *class = error_class_refine(rollout_error_class(kind), plain);
    int64_t until_ms;

    /* A quota that has to be paid has the same code. */
    state->limited = code != NULL && strcmp(code, "usage_limit_exceeded") == 0 &&
                     (class == NULL || strcmp(class, "billing") != 0);
    until_ms = state->limited && plain != NULL ? codex_reset_time(plain, state->now_ms) : 0;
    if (state->limited)
        tell(observer, &(struct observation){.kind = OBSERVED_LIMIT,
                                             .text = plain,
                                             .until_ms = until_ms != 0 ? until_ms : state->reached_ms,
                                             .percent = -1,
                                             .failed = true});
    tell(observer,
         &(struct observation){.kind = OBSERVED_ERROR,
                               .name = class != NULL || plain == NULL ? class : error_class_of_text(plain),
                               .outcome = code,
                               .text = plain});
    free(plain);
}

static void end_turn(struct rollout *state, const char *outcome, const char *reason,
                     const struct observer *observer)
{
    state->turn = false;
    json_object_clear(state->calls);
    tell(observer, &(struct observation){.kind = OBSERVED_TURN_ENDED, .outcome = outcome, .text = reason});
    if (!state->limited)
        tell_phase(observer, PHASE_IDLE);
}

static void message_task_complete(struct rollout *state, const json_t *message,
                                  const struct observer *observer)
{
    const json_t *error = json_object_get(message, "error");
    bool failed = json_is_object(error);

    if (failed)
        error_seen(state, error, observer);
    end_turn(state, failed ? "failed" : "completed", failed ? text_of(error, "message") : NULL, observer);
}

static void message_turn_aborted(struct rollout *state, const json_t *message,
                                 const struct observer *observer)
{
    end_turn(state, "cancelled", text_of(message, "reason"), observer);
}

static void message_error(struct rollout *state, const json_t *message, const struct observer *observer)
{
    error_seen(state, message, observer);
}

/* "Reconnecting... 2/5" */
static void message_stream_error(struct rollout *state, const json_t *message,
                                 const struct observer *observer)
{
    const char *text = json_member_string(message, "message", ""), *slash = strchr(text, '/');
    const char *number = slash;

    (void)state;
    while (number != NULL && number > text && number[-1] >= '0' && number[-1] <= '9')
        number--;
    tell(observer,
         &(struct observation){.kind = OBSERVED_RETRY,
                               .name = rollout_error_class(json_object_get(message, "codex_error_info")),
                               .text = text,
                               .attempt = number == NULL ? 0 : atoi(number),
                               .attempts = slash == NULL ? 0 : atoi(slash + 1)});
}

static void message_compacted(struct rollout *state, const json_t *message, const struct observer *observer)
{
    (void)state;
    (void)message;
    tell(observer, &(struct observation){
                       .kind = OBSERVED_NOTE, .name = "compacted", .text = "the conversation was compacted"});
}

/* ---- what commands and patches did ---- */

static void command_done(struct rollout *state, const char *id, const json_t *done)
{
    if (id == NULL)
        return;
    if (json_object_size(state->outputs) >= OUTPUTS_MAX)
        json_object_clear(state->outputs);
    json_object_set_new(state->outputs, id,
                        json_pack("{ss sb}", "output", json_member_string(done, "aggregated_output", ""),
                                  "failed", json_member_integer(done, "exit_code", 0) != 0));
}

static void message_exec_end(struct rollout *state, const json_t *message, const struct observer *observer)
{
    (void)observer;
    command_done(state, text_of(message, "call_id"), message);
}

static void message_patch_end(struct rollout *state, const json_t *message, const struct observer *observer)
{
    (void)state;
    if (json_member_bool(message, "success", 1))
        rollout_tell_changes(json_object_get(message, "changes"), observer);
}

static void message_item_completed(struct rollout *state, const json_t *message,
                                   const struct observer *observer)
{
    const json_t *item = json_object_get(message, "item");
    const char *type = json_member_string(item, "type", "");

    if (strcmp(type, "CommandExecution") == 0)
        command_done(state, text_of(item, "id"), item);
    else if (strcmp(type, "FileChange") == 0 &&
             strcmp(json_member_string(item, "status", "completed"), "completed") == 0)
        rollout_tell_changes(json_object_get(item, "changes"), observer);
    else if (strcmp(type, "ContextCompaction") == 0)
        message_compacted(state, message, observer);
}

/* ---- lines ---- */

struct reader {
    const char *type;
    void (*read)(struct rollout *state, const json_t *payload, const struct observer *observer);
};

static const struct reader items[] = {
    {"message", item_message},
    {"reasoning", item_reasoning},
    {"function_call", item_function_call},
    {"custom_tool_call", item_custom_call},
    {"local_shell_call", item_shell_call},
    {"web_search_call", item_web_search},
    {"function_call_output", item_call_output},
    {"custom_tool_call_output", item_call_output},
    {"local_shell_call_output", item_call_output},
};

static const struct reader messages[] = {
    {"item_completed", message_item_completed}, {"token_count", message_token_count},
    {"task_started", message_task_started},     {"task_complete", message_task_complete},
    {"turn_started", message_task_started},     {"turn_complete", message_task_complete},
    {"turn_aborted", message_turn_aborted},     {"error", message_error},
    {"stream_error", message_stream_error},     {"exec_command_end", message_exec_end},
    {"patch_apply_end", message_patch_end},     {"context_compacted", message_compacted},
};

static void read_by_type(const struct reader *readers, size_t count, struct rollout *state,
                         const json_t *payload, const struct observer *observer)
{
    const char *type = json_member_string(payload, "type", "");

    for (size_t i = 0; i < count; i++) {
        if (strcmp(readers[i].type, type) == 0) {
            readers[i].read(state, payload, observer);
            return;
        }
    }
}

static void message(void *argument, const json_t *line, const struct observer *observer)
{
    struct rollout *state = argument;
    const char *type = json_member_string(line, "type", "");
    const json_t *payload = json_object_get(line, "payload");

    if (!json_is_object(payload))
        return;
    if (clock_parse_rfc3339(json_member_string(line, "timestamp", ""), &state->now_ms) < 0)
        state->now_ms = 0;
    if (strcmp(type, "response_item") == 0)
        read_by_type(items, sizeof items / sizeof items[0], state, payload, observer);
    else if (strcmp(type, "event_msg") == 0)
        read_by_type(messages, sizeof messages / sizeof messages[0], state, payload, observer);
    else if (strcmp(type, "session_meta") == 0)
        session_meta(state, payload, observer);
    else if (strcmp(type, "turn_context") == 0)
        turn_context(state, payload, observer);
}

const struct agent_channel codex_rollout = {.create = create, .destroy = destroy, .message = message};

/* ---- the file ---- */

/* A UUID of version 7 begins with the time. */
static int64_t id_ms(const char *id)
{
    static const char values[] = "0123456789abcdef";
    int64_t ms = 0;

    for (int digits = 0; digits < 12; id++) {
        const char *digit = *id == '\0' ? NULL : strchr(values, *id);
        if (*id == '-')
            continue;
        if (digit == NULL)
            return -1;
        ms = ms * 16 + (digit - values);
        digits++;
    }
    return ms;
}

/* rollout-TIME-UUID.jsonl; the time is local. */
static int64_t begun_ms(const char *path)
{
    const char *name = strrchr(path, '/');
    size_t length;

    name = name == NULL ? path : name + 1;
    length = strlen(name);
    if (strncmp(name, "rollout-", 8) != 0 || length < 8 + 36 + 6 || strcmp(name + length - 6, ".jsonl") != 0)
        return -1;
    return id_ms(name + length - 6 - 36);
}

/* "source" of a subagent's is an object. */
static bool is_of(const json_t *first, const char *folder)
{
    const json_t *meta = json_object_get(first, "payload");

    return strcmp(json_member_string(first, "type", ""), "session_meta") == 0 &&
           strcmp(json_member_string(meta, "cwd", ""), folder) == 0 &&
           !json_is_object(json_object_get(meta, "source"));
}

const struct agent_file codex_rollout_file = {.channel = &codex_rollout,
                                              .grows = true,
                                              .home_variable = "CODEX_HOME",
                                              .home = ".codex",
                                              .by_day = "sessions",
                                              .id_ms = id_ms,
                                              .begun_ms = begun_ms,
                                              .is_of = is_of};
