/* Claude's `-p --input-format stream-json --output-format stream-json`, as of 2.1.329. */
#include "agent/stream_claude.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/claude_words.h"
#include "agent/driver.h"
#include "agent/error_class.h"
#include "agent/limit_words.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

#define BLOCKS 64
#define AMOUNT_MAX INT64_C(1000000000000000) /* of anything: tokens, seconds, milliseconds */

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

/* A count, or 0 when it is missing or nonsense. */
static int64_t amount(const json_t *object, const char *key)
{
    int64_t number = json_member_integer(object, key, 0);

    return number >= 0 && number < AMOUNT_MAX ? number : 0;
}

static int small(const json_t *object, const char *key)
{
    int64_t number = amount(object, key);

    return number < INT_MAX ? (int)number : 0;
}

static void observe(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

void claude_send(const struct observer *observer, json_t *message)
{
    struct buffer line;

    buffer_init(&line);
    json_append_value(&line, message);
    buffer_append_char(&line, '\n');
    observer->send(observer->argument, line.bytes, line.length);
    buffer_finish(&line);
    json_decref(message);
}

/* ---- phases ---- */

static void tell_ready(struct claude *claude, const struct observer *observer)
{
    if (!claude->ready && !claude->turn.running)
        stream_turn_phase(&claude->turn, observer, PHASE_IDLE, NULL);
    claude->ready = true;
}

/* The agent works, whoever began it. */
static void begin_turn(struct claude *claude, const struct observer *observer)
{
    claude->ready = true;
    if (!claude->turn.running)
        claude->limited = false;
    stream_turn_begin(&claude->turn, observer, NULL);
}

void claude_tell_phase(struct claude *claude, const struct observer *observer)
{
    const char *id;
    json_t *tool, *asked;

    json_object_foreach(claude->requests, id, asked)
    {
        stream_turn_phase(&claude->turn, observer, PHASE_APPROVAL,
                          text_of(json_object_get(asked, "request"), "tool_name"));
        return;
    }
    json_object_foreach(claude->tools, id, tool)
    {
        stream_turn_tool_phase(&claude->turn, observer, word(tool, "name"), text_of(tool, "line"));
        return;
    }
    if (claude->turn.running)
        stream_turn_phase(&claude->turn, observer, PHASE_CONNECTING, NULL);
}

/* What a subagent's messages say is not what the main loop does. */
static void main_phase(struct claude *claude, const char *parent, const struct observer *observer,
                       enum phase phase)
{
    if (parent == NULL && json_object_size(claude->requests) == 0)
        stream_turn_phase(&claude->turn, observer, phase, NULL);
}

/* ---- messages of the model ---- */

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct claude_message *find_message(struct claude *claude, const char *parent, const char *id)
{
    for (size_t i = 0; i < CLAUDE_MESSAGES; i++) {
        struct claude_message *message = &claude->messages[i];
        if (message->id != NULL && same(message->parent, parent) &&
            (id == NULL || strcmp(message->id, id) == 0))
            return message;
    }
    return NULL;
}

static void forget(struct claude_message *message)
{
    free(message->parent);
    free(message->id);
    *message = (struct claude_message){0};
}

static void message_started(struct claude *claude, const char *parent, const char *id)
{
    struct claude_message *message = find_message(claude, parent, NULL);

    if (message == NULL)
        message = &claude->messages[claude->next_message++ % CLAUDE_MESSAGES];
    forget(message);
    message->parent = parent == NULL ? NULL : xstrdup(parent);
    message->id = xstrdup(id);
}

static void note_context(struct claude *claude, const char *parent, const json_t *usage)
{
    int64_t tokens = amount(usage, "input_tokens") + amount(usage, "cache_read_input_tokens") +
                     amount(usage, "cache_creation_input_tokens") + amount(usage, "output_tokens");

    if (parent == NULL && tokens > 0)
        claude->context_tokens = tokens;
}

static void note_streamed(struct claude *claude, const char *parent, int64_t index)
{
    struct claude_message *message = find_message(claude, parent, NULL);

    if (message != NULL && index >= 0 && index < BLOCKS)
        message->streamed |= UINT64_C(1) << index;
}

static void piece(struct claude *claude, const char *parent, const json_t *event, enum observation_kind kind,
                  const char *text, const struct observer *observer)
{
    if (text == NULL || *text == '\0')
        return;
    note_streamed(claude, parent, json_member_integer(event, "index", -1));
    main_phase(claude, parent, observer, kind == OBSERVED_TEXT ? PHASE_STREAMING : PHASE_THINKING);
    observe(observer, &(struct observation){.kind = kind, .parent = parent, .text = text});
}

static void block_started(struct claude *claude, const char *parent, const json_t *event,
                          const struct observer *observer)
{
    const json_t *block = json_object_get(event, "content_block");
    const char *type = word(block, "type");

    if (strcmp(type, "text") == 0)
        piece(claude, parent, event, OBSERVED_TEXT, text_of(block, "text"), observer);
    else if (strcmp(type, "thinking") == 0)
        main_phase(claude, parent, observer, PHASE_THINKING);
    else if (strcmp(type, "tool_use") == 0)
        main_phase(claude, parent, observer, PHASE_STREAMING);
}

static void stream_event(struct claude *claude, const json_t *message, const struct observer *observer)
{
    const char *parent = text_of(message, "parent_tool_use_id");
    const json_t *event = json_object_get(message, "event"), *started = json_object_get(event, "message");
    const json_t *delta = json_object_get(event, "delta");
    const char *type = word(event, "type");

    begin_turn(claude, observer);
    if (strcmp(type, "message_start") == 0) {
        message_started(claude, parent, word(started, "id"));
        note_context(claude, parent, json_object_get(started, "usage"));
        main_phase(claude, parent, observer, PHASE_THINKING);
    } else if (strcmp(type, "content_block_start") == 0) {
        block_started(claude, parent, event, observer);
    } else if (strcmp(type, "content_block_delta") == 0) {
        if (strcmp(word(delta, "type"), "text_delta") == 0)
            piece(claude, parent, event, OBSERVED_TEXT, text_of(delta, "text"), observer);
        else if (strcmp(word(delta, "type"), "thinking_delta") == 0)
            piece(claude, parent, event, OBSERVED_THINKING, text_of(delta, "thinking"), observer);
    } else if (strcmp(type, "message_delta") == 0) {
        note_context(claude, parent, json_object_get(event, "usage"));
    }
}

/* ---- whole messages ---- */

/* The agent speaks in place of the model: an error of the vendor's. */
static void synthetic(struct claude *claude, const json_t *message, const char *error,
                      const struct observer *observer)
{
    struct buffer text;

    buffer_init(&text);
    claude_append_content(&text, json_object_get(json_object_get(message, "message"), "content"));
    stream_turn_error(&claude->turn, observer, claude_error_class_in(error, text.bytes), error,
                      text.bytes == NULL ? error : text.bytes);
    buffer_finish(&text);
}

static void assistant(struct claude *claude, const json_t *message, const struct observer *observer)
{
    const json_t *body = json_object_get(message, "message"), *blocks = json_object_get(body, "content"),
                 *block;
    const char *parent = text_of(message, "parent_tool_use_id"), *error = text_of(message, "error");
    struct claude_message *streamed = find_message(claude, parent, word(body, "id"));
    size_t index;

    begin_turn(claude, observer);
    if (error != NULL) {
        synthetic(claude, message, error, observer);
        return;
    }
    note_context(claude, parent, json_object_get(body, "usage"));
    json_array_foreach(blocks, index, block)
    {
        bool shown = false;
        if (streamed != NULL && streamed->whole < BLOCKS)
            shown = (streamed->streamed >> streamed->whole++ & 1) != 0;
        claude_content(claude, parent, block, shown, observer);
    }
}

/* ---- the session ---- */

static void initialised(struct claude *claude, const json_t *message, const struct observer *observer)
{
    observe(observer, &(struct observation){.kind = OBSERVED_SESSION,
                                            .id = text_of(message, "session_id"),
                                            .name = text_of(message, "model"),
                                            .text = text_of(message, "claude_code_version")});
    begin_turn(claude, observer);
}

static void retry(struct claude *claude, const json_t *message, const struct observer *observer)
{
    int status = small(message, "error_status");
    const char *error = word(message, "error"), *class = claude_error_class(error);
    int64_t until = clock_realtime_ms() + amount(message, "retry_delay_ms");
    char text[160];

    begin_turn(claude, observer);
    if (class == NULL)
        class = status != 0 ? error_class_of_status(status) : "network";
    if (status != 0)
        (void)snprintf(text, sizeof text, "%.100s (HTTP status %d)", *error == '\0' ? "error" : error,
                       status);
    else
        (void)snprintf(text, sizeof text, "%.100s", *error == '\0' ? "the connection failed" : error);
    observe(observer, &(struct observation){.kind = OBSERVED_RETRY,
                                            .attempt = small(message, "attempt"),
                                            .attempts = small(message, "max_retries"),
                                            .until_ms = until,
                                            .name = class,
                                            .text = text});
    claude->turn.phase = PHASE_RETRYING;
    observe(observer, &(struct observation){
                          .kind = OBSERVED_PHASE, .phase = PHASE_RETRYING, .text = text, .until_ms = until});
}

static const char *window_words(const char *type)
{
    static const struct {
        const char *type, *words;
    } windows[] = {{"five_hour", "5-hour limit"},
                   {"seven_day", "weekly limit"},
                   {"seven_day_opus", "weekly Opus limit"},
                   {"seven_day_sonnet", "weekly Sonnet limit"},
                   {"overage", "extra usage"}};

    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        if (strcmp(windows[i].type, type) == 0)
            return windows[i].words;
    }
    return type;
}

static void tell_limit(const char *type, const json_t *window, double utilization, bool ended,
                       const struct observer *observer)
{
    bool rejected = strcmp(word(window, "status"), "rejected") == 0;

    observe(observer, &(struct observation){.kind = OBSERVED_LIMIT,
                                            .name = type,
                                            .text = window_words(type),
                                            .until_ms = limit_epoch_ms(amount(window, "resetsAt")),
                                            .percent = limit_percent(utilization),
                                            .failed = rejected,
                                            .ended = ended && !rejected});
}

static void rate_limit(struct claude *claude, const json_t *message, const struct observer *observer)
{
    const json_t *told = json_object_get(message, "rate_limit_info");
    const json_t *windows = json_object_get(told, "unifiedWindows");
    const char *type = word(told, "rateLimitType"), *name;
    bool rejected = strcmp(word(told, "status"), "rejected") == 0, was = claude->limited;
    json_t *window;

    claude->limited = rejected;
    claude->limited_until_ms = limit_epoch_ms(amount(told, "resetsAt"));
    if (json_object_get(windows, type) == NULL && (*type != '\0' || rejected))
        tell_limit(type, told, json_member_number(told, "utilization", -1), was, observer);
    json_object_foreach((json_t *)(uintptr_t)windows, name, window)
    {
        tell_limit(name, window, json_member_number(window, "utilization", -1), was, observer);
    }
}

static void state_changed(struct claude *claude, const char *state, const struct observer *observer)
{
    if (strcmp(state, "running") == 0 && !claude->turn.running)
        begin_turn(claude, observer);
    else if (strcmp(state, "idle") == 0 && !claude->turn.running && !claude->limited)
        stream_turn_phase(&claude->turn, observer, PHASE_IDLE, NULL);
}

static void status(struct claude *claude, const char *what, const struct observer *observer)
{
    if (strcmp(what, "requesting") == 0) {
        begin_turn(claude, observer);
        main_phase(claude, NULL, observer, PHASE_CONNECTING);
    } else if (strcmp(what, "compacting") == 0) {
        begin_turn(claude, observer);
        stream_turn_say(observer, OBSERVED_NOTE, "compacting", "the conversation is summarised to make room");
        main_phase(claude, NULL, observer, PHASE_THINKING);
    }
}

static void system_message(struct claude *claude, const json_t *message, const struct observer *observer)
{
    static const char *const ignored[] = {"thinking_tokens",  "hook_started",        "hook_response",
                                          "hook_progress",    "permission_denied",   "files_persisted",
                                          "commands_changed", "local_command_output"};
    const char *subtype = word(message, "subtype");
    char kind[80];

    if (strcmp(subtype, "init") == 0)
        initialised(claude, message, observer);
    else if (strcmp(subtype, "status") == 0)
        status(claude, word(message, "status"), observer);
    else if (strcmp(subtype, "api_retry") == 0)
        retry(claude, message, observer);
    else if (strcmp(subtype, "session_state_changed") == 0)
        state_changed(claude, word(message, "state"), observer);
    else if (strcmp(subtype, "compact_boundary") == 0)
        stream_turn_say(observer, OBSERVED_NOTE, "compacted", "what came before is a summary for the agent");
    else if (strcmp(subtype, "notification") == 0)
        stream_turn_say(observer, OBSERVED_NOTE, "notice",
                        json_member_string(message, "text", text_of(message, "message")));
    else if (strncmp(subtype, "task_", 5) == 0)
        claude_task(claude, subtype, message, observer);
    else {
        for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
            if (strcmp(subtype, ignored[i]) == 0)
                return;
        }
        (void)snprintf(kind, sizeof kind, "system %.60s", subtype);
        stream_turn_unknown(&claude->turn, observer, kind);
    }
}

/* ---- the end of a turn ---- */

/* Totals of the conversation, of all models. */
static void take_usage(struct claude *claude, const json_t *message)
{
    struct observed_usage *usage = &claude->turn.usage;
    struct observed_usage sum = {.cost_usd = json_member_number(message, "total_cost_usd", -1),
                                 .context_pct = -1};
    const char *name;
    json_t *model;

    json_object_foreach(json_object_get(message, "modelUsage"), name, model)
    {
        sum.input_tokens += amount(model, "inputTokens");
        sum.output_tokens += amount(model, "outputTokens");
        sum.cache_read_tokens += amount(model, "cacheReadInputTokens");
        sum.cache_write_tokens += amount(model, "cacheCreationInputTokens");
        if (amount(model, "contextWindow") > 0)
            claude->context_window = amount(model, "contextWindow");
    }
    if (claude->context_window > 0 && claude->context_tokens > 0)
        sum.context_pct = 100.0 * (double)claude->context_tokens / (double)claude->context_window;
    *usage = sum;
}

static void tell_failure(struct claude *claude, const json_t *message, const struct observer *observer)
{
    const char *subtype = word(message, "subtype"), *reason = word(message, "terminal_reason");
    const json_t *errors = json_object_get(message, "errors");
    const char *text = json_member_string(message, "result", json_string_value(json_array_get(errors, 0)));
    int code = small(message, "api_error_status");
    const char *class = claude_error_class(subtype);

    if (claude->turn.error_told)
        return;
    if (class == NULL)
        class = claude_error_class(reason);
    if (class == NULL)
        class = error_class_of_status(code);
    stream_turn_error(&claude->turn, observer, class, strcmp(subtype, "success") == 0 ? reason : subtype,
                      text == NULL || *text == '\0' ? subtype : text);
}

static void result(struct claude *claude, const json_t *message, const struct observer *observer)
{
    bool failed = json_is_true(json_object_get(message, "is_error")) ||
                  strncmp(word(message, "subtype"), "error", 5) == 0;
    bool aborted = claude->turn.interrupted || strncmp(word(message, "terminal_reason"), "aborted", 7) == 0;
    const char *outcome = !failed ? "completed" : aborted ? "cancelled" : "failed";

    if (!claude->turn.running)
        begin_turn(claude, observer);
    claude_unasked(claude, NULL, observer);
    json_object_clear(claude->tools);
    if (failed && !aborted)
        tell_failure(claude, message, observer);
    take_usage(claude, message);
    stream_turn_usage(&claude->turn, observer);
    claude->turn.running = claude->turn.interrupted = false;
    observe(observer, &(struct observation){.kind = OBSERVED_TURN_ENDED,
                                            .outcome = outcome,
                                            .duration_ms = amount(message, "duration_ms")});
    if (failed && claude->limited && claude->limited_until_ms > clock_realtime_ms()) {
        claude->turn.phase = PHASE_LIMITED;
        observe(observer, &(struct observation){.kind = OBSERVED_PHASE,
                                                .phase = PHASE_LIMITED,
                                                .until_ms = claude->limited_until_ms});
        return;
    }
    stream_turn_phase(&claude->turn, observer, PHASE_IDLE, NULL);
}

/* ---- the channel ---- */

static void *create(void)
{
    struct claude *claude = xcalloc(1, sizeof *claude);

    stream_turn_init(&claude->turn);
    claude->tools = json_object();
    claude->requests = json_object();
    claude->tasks = json_object();
    return claude;
}

static void destroy(void *state)
{
    struct claude *claude = state;

    stream_turn_finish(&claude->turn);
    for (size_t i = 0; i < CLAUDE_MESSAGES; i++)
        forget(&claude->messages[i]);
    json_decref(claude->tools);
    json_decref(claude->requests);
    json_decref(claude->tasks);
    free(claude);
}

static void message(void *state, const json_t *json, const struct observer *observer)
{
    struct claude *claude = state;
    const char *type = word(json, "type");
    char kind[80];

    if (strcmp(type, "stream_event") == 0)
        stream_event(claude, json, observer);
    else if (strcmp(type, "assistant") == 0)
        assistant(claude, json, observer);
    else if (strcmp(type, "user") == 0)
        claude_results(claude, json, observer);
    else if (strcmp(type, "system") == 0)
        system_message(claude, json, observer);
    else if (strcmp(type, "result") == 0)
        result(claude, json, observer);
    else if (strcmp(type, "rate_limit_event") == 0)
        rate_limit(claude, json, observer);
    else if (strcmp(type, "control_request") == 0)
        claude_asked(claude, json, observer);
    else if (strcmp(type, "control_cancel_request") == 0)
        claude_unasked(claude, word(json, "request_id"), observer);
    else if (strcmp(type, "control_response") == 0)
        tell_ready(claude, observer);
    else if (strcmp(type, "keep_alive") != 0) {
        (void)snprintf(kind, sizeof kind, "message %.60s", *type == '\0' ? "without a type" : type);
        stream_turn_unknown(&claude->turn, observer, kind);
    }
}

/* Sends {"type": "control_request"}; steals the request. */
static void request(struct claude *claude, const struct observer *observer, json_t *wanted)
{
    char id[32];

    (void)snprintf(id, sizeof id, "ganger-%u", ++claude->sent);
    claude_send(observer,
                json_pack("{ss ss so}", "type", "control_request", "request_id", id, "request", wanted));
}

static void begin(void *state, const char *resume_id, const char *folder, const struct observer *observer)
{
    (void)resume_id;
    (void)folder;
    request(state, observer, json_pack("{ss sn}", "subtype", "initialize", "hooks"));
}

static void prompt(void *state, const char *text, const struct observer *observer)
{
    struct claude *claude = state;

    claude->turn.running = false;
    claude->limited = false;
    stream_turn_begin(&claude->turn, observer, text);
    claude_send(observer, json_pack("{ss s{ss s[{ss so}]}}", "type", "user", "message", "role", "user",
                                    "content", "type", "text", "text", json_string_or_null(text)));
}

static void interrupt(void *state, const struct observer *observer)
{
    struct claude *claude = state;

    claude->turn.interrupted = claude->turn.running;
    request(claude, observer, json_pack("{ss}", "subtype", "interrupt"));
}

const struct agent_channel claude_stream = {.create = create,
                                            .destroy = destroy,
                                            .message = message,
                                            .begin = begin,
                                            .prompt = prompt,
                                            .interrupt = interrupt,
                                            .answer = claude_answer};
