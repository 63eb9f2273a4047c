/* Events of opencode's plugin interface, as opencode_plugin.js sends them: {type, properties}. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/driver.h"
#include "agent/error_class.h"
#include "agent/opencode.h"
#include "base/json.h"
#include "base/memory.h"

/* What is remembered of parts and messages of the past; beyond it, it is forgotten. */
#define REMEMBERED 512

static void *create(void)
{
    struct opencode *state = xcalloc(1, sizeof *state);

    state->children = json_object();
    state->usages = json_object();
    state->parts = json_object();
    state->users = json_object();
    state->calls = json_object();
    state->pending = json_object();
    state->phase = state->told_phase = PHASE_COUNT;
    return state;
}

static void destroy(void *argument)
{
    struct opencode *state = argument;

    if (state == NULL)
        return;
    json_decref(state->children);
    json_decref(state->usages);
    json_decref(state->parts);
    json_decref(state->users);
    json_decref(state->calls);
    json_decref(state->pending);
    free(state->queued);
    free(state);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_member_string(object, key, NULL);
}

void opencode_copy(char *to, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    if (length >= size)
        length = size - 1;
    while (length > 0 && text[length] != '\0' && (text[length] & 0xC0) == 0x80)
        length--;
    if (length > 0)
        memcpy(to, text, length);
    to[length] = '\0';
}

void opencode_remember(json_t *memory, const char *key, json_t *value)
{
    if (json_object_size(memory) >= REMEMBERED)
        json_object_clear(memory);
    json_object_set_new(memory, key, value);
}

static void tell(const struct observer *observer, const struct observation *observation)
{
    observer->observe(observer->argument, observation);
}

/* ---- phase ---- */

/* What a person is asked for goes before everything else. */
void opencode_tell_phase(struct opencode *state, const struct observer *observer)
{
    bool asks = json_object_size(state->pending) > 0;
    enum phase phase = asks ? PHASE_APPROVAL : state->phase;
    int64_t until_ms = asks ? 0 : state->until_ms;

    if (phase == PHASE_COUNT || (phase == state->told_phase && until_ms == state->told_until_ms))
        return;
    state->told_phase = phase;
    state->told_until_ms = until_ms;
    tell(observer, &(struct observation){.kind = OBSERVED_PHASE,
                                         .phase = phase,
                                         .text = !asks && state->detail[0] != '\0' ? state->detail : NULL,
                                         .until_ms = until_ms});
}

void opencode_enter(struct opencode *state, enum phase phase, const struct observer *observer)
{
    state->phase = phase;
    state->until_ms = 0;
    state->detail[0] = '\0';
    opencode_tell_phase(state, observer);
}

bool opencode_is_child(const struct opencode *state, const char *session)
{
    return session != NULL && json_object_get(state->children, session) != NULL;
}

bool opencode_is_main(const struct opencode *state, const char *session)
{
    return session != NULL && strcmp(session, state->main) == 0;
}

void opencode_tell_session(const struct opencode *state, const struct observer *observer)
{
    tell(observer, &(struct observation){.kind = OBSERVED_SESSION,
                                         .id = state->main,
                                         .name = state->model[0] != '\0' ? state->model : NULL,
                                         .text = state->version[0] != '\0' ? state->version : NULL});
}

/* A session without a parent that works is the one that the person sees. */
void opencode_take_main(struct opencode *state, const char *session, const struct observer *observer)
{
    if (session == NULL || opencode_is_main(state, session) || opencode_is_child(state, session))
        return;
    opencode_copy(state->main, sizeof state->main, session);
    json_object_clear(state->usages);
    state->asked[0] = state->turn[0] = '\0';
    free(state->queued);
    state->queued = NULL;
    state->working = state->aborted = state->failed = false;
    state->context_used = 0;
    opencode_tell_session(state, observer);
}

/* ---- turns ---- */

static void end_turn(struct opencode *state, const char *reason, const struct observer *observer)
{
    const char *outcome = state->failed ? "failed" : state->aborted ? "cancelled" : "completed";

    if (state->working)
        tell(observer,
             &(struct observation){.kind = OBSERVED_TURN_ENDED, .outcome = outcome, .text = reason});
    state->working = state->aborted = state->failed = false;
    state->turn[0] = '\0';
}

static void begin_turn(struct opencode *state, const char *message, const char *text,
                       const struct observer *observer)
{
    opencode_copy(state->turn, sizeof state->turn, message);
    json_object_clear(state->calls);
    state->working = true;
    tell(observer, &(struct observation){.kind = OBSERVED_TURN_STARTED, .text = text});
    opencode_enter(state, PHASE_CONNECTING, observer);
}

/* A prompt given while another turn runs begins its own when it is answered. */
void opencode_prompted(struct opencode *state, const char *message, const char *text,
                       const struct observer *observer)
{
    if (strcmp(message, state->asked) != 0 || strcmp(message, state->turn) == 0 || state->queued != NULL)
        return;
    if (state->working && state->turn[0] != '\0')
        state->queued = xstrdup(text);
    else
        begin_turn(state, message, text, observer);
}

void opencode_answers(struct opencode *state, const char *message, const struct observer *observer)
{
    char *text = state->queued;

    if (text == NULL || message == NULL || strcmp(message, state->asked) != 0)
        return;
    state->queued = NULL;
    end_turn(state, NULL, observer);
    begin_turn(state, message, text, observer);
    free(text);
}

/* ---- sessions ---- */

static int64_t tokens_of(const json_t *tokens, const char *key)
{
    return json_member_integer(tokens, key, 0);
}

void opencode_tell_usage(struct opencode *state, const struct observer *observer)
{
    struct observed_usage sum = {.context_pct = -1};
    const char *session;
    json_t *info;

    if (json_object_size(state->usages) == 0)
        return;
    json_object_foreach(state->usages, session, info)
    {
        const json_t *tokens = json_object_get(info, "tokens"), *cache = json_object_get(tokens, "cache");
        sum.input_tokens += tokens_of(tokens, "input");
        sum.output_tokens += tokens_of(tokens, "output") + tokens_of(tokens, "reasoning");
        sum.cache_read_tokens += tokens_of(cache, "read");
        sum.cache_write_tokens += tokens_of(cache, "write");
        sum.cost_usd += json_member_number(info, "cost", 0);
    }
    if (state->context > 0 && state->context_used > 0)
        sum.context_pct = 100.0 * (double)state->context_used / (double)state->context;
    tell(observer, &(struct observation){.kind = OBSERVED_USAGE, .usage = sum});
}

static void subagent(struct opencode *state, const char *session, bool works, const char *name,
                     const struct observer *observer)
{
    if (json_is_true(json_object_get(state->children, session)) == works)
        return;
    json_object_set_new(state->children, session, json_boolean(works));
    tell(observer,
         &(struct observation){.kind = OBSERVED_SUBAGENT, .id = session, .name = name, .ended = !works});
}

static void session_seen(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    const json_t *info = json_object_get(properties, "info"), *known, *tokens;
    const char *id = text_of(info, "id");

    if (id == NULL)
        return;
    opencode_copy(state->version, sizeof state->version, text_of(info, "version"));
    if (text_of(info, "parentID") != NULL && !opencode_is_child(state, id)) {
        opencode_remember(state->children, id, json_false());
        subagent(state, id, true, json_member_string(info, "agent", text_of(info, "title")), observer);
    }
    if (!opencode_is_main(state, id) && !opencode_is_child(state, id))
        return;
    known = json_object_get(state->usages, id);
    tokens = json_object_get(info, "tokens");
    if (tokens == NULL || json_equal(json_object_get(known, "tokens"), tokens) ||
        (known == NULL && tokens_of(tokens, "input") + tokens_of(tokens, "output") == 0))
        return;
    opencode_remember(state->usages, id,
                      json_pack("{sO sf}", "tokens", tokens, "cost", json_member_number(info, "cost", 0)));
    opencode_tell_usage(state, observer);
}

static void came_to_rest(struct opencode *state, const char *session, const struct observer *observer)
{
    if (opencode_is_child(state, session)) {
        subagent(state, session, false, NULL, observer);
        opencode_forget_requests(state, session, observer);
        opencode_tell_phase(state, observer);
        return;
    }
    if (session == NULL || (state->main[0] != '\0' && !opencode_is_main(state, session)))
        return;
    opencode_forget_requests(state, session, observer);
    /* Interrupted while it waited to try again. */
    if (state->phase == PHASE_RETRYING || state->phase == PHASE_LIMITED)
        state->aborted = true;
    end_turn(state, NULL, observer);
    opencode_enter(state, PHASE_IDLE, observer);
}

/* Of an answer that is asked for again; nothing but its words is told. */
static const char *class_of_message(const char *text)
{
    const char *class = error_class_of_text(text);

    if (text != NULL && (strcasestr(text, "quota") != NULL || strcasestr(text, "limit reached") != NULL))
        return "rate_limit";
    return class != NULL ? class : "server_error";
}

static void retries(struct opencode *state, const json_t *status, const struct observer *observer)
{
    const json_t *action = json_object_get(status, "action");
    const char *reason = text_of(action, "reason");
    const char *message = json_member_string(status, "message", text_of(action, "message"));
    int64_t next = json_member_integer(status, "next", 0);

    state->limited = reason != NULL &&
                     (strcmp(reason, "account_rate_limit") == 0 || strcmp(reason, "free_tier_limit") == 0);
    if (state->limited)
        tell(observer, &(struct observation){.kind = OBSERVED_LIMIT,
                                             .name = reason,
                                             .text = message,
                                             .until_ms = next,
                                             .percent = -1,
                                             .failed = true});
    else
        tell(observer, &(struct observation){.kind = OBSERVED_RETRY,
                                             .name = class_of_message(message),
                                             .text = message,
                                             .until_ms = next,
                                             .attempt = (int)json_member_integer(status, "attempt", 0)});
    state->phase = state->limited ? PHASE_LIMITED : PHASE_RETRYING;
    state->until_ms = next;
    opencode_copy(state->detail, sizeof state->detail, message);
    opencode_tell_phase(state, observer);
}

static void session_status(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    const json_t *status = json_object_get(properties, "status");
    const char *session = text_of(properties, "sessionID"), *type = json_member_string(status, "type", "");

    if (strcmp(type, "idle") == 0) {
        came_to_rest(state, session, observer);
        return;
    }
    if (opencode_is_child(state, session)) {
        subagent(state, session, true, NULL, observer);
        return;
    }
    opencode_take_main(state, session, observer);
    if (!opencode_is_main(state, session))
        return;
    state->working = true;
    if (strcmp(type, "retry") == 0)
        retries(state, status, observer);
    else if (strcmp(type, "busy") == 0 && !phase_is_working(state->phase))
        opencode_enter(state, PHASE_CONNECTING, observer);
}

static void session_idle(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    came_to_rest(state, text_of(properties, "sessionID"), observer);
}

static void session_deleted(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    const char *id = text_of(json_object_get(properties, "info"), "id");

    came_to_rest(state, id, observer);
    if (id != NULL)
        json_object_del(state->children, id);
}

/* ---- errors ---- */

static const char *class_of_status(int64_t status, bool retryable)
{
    static const struct {
        int64_t status;
        const char *name;
    } classes[] = {{400, "invalid_request"}, {401, "authentication"},  {402, "billing"},
                   {403, "permission"},      {404, "not_found"},       {408, "timeout"},
                   {413, "context_window"},  {422, "invalid_request"}, {429, "rate_limit"},
                   {503, "overloaded"},      {529, "overloaded"}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (classes[i].status == status)
            return classes[i].name;
    }
    if (status >= 500)
        return "server_error";
    return status == 0 && retryable ? "network" : NULL;
}

static const char *class_of_error(const char *name, const json_t *details)
{
    static const struct {
        const char *name, *class;
    } classes[] = {{"ProviderAuthError", "authentication"},
                   {"MessageOutputLengthError", "context_window"},
                   {"ContextOverflowError", "context_window"},
                   {"ContentFilterError", "invalid_request"},
                   {"StructuredOutputError", "invalid_request"}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strcmp(classes[i].name, name) == 0)
            return classes[i].class;
    }
    return class_of_status(json_member_integer(details, "statusCode", 0),
                           json_member_bool(details, "isRetryable", 0));
}

static void session_error(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    const char *session = text_of(properties, "sessionID");
    const json_t *error = json_object_get(properties, "error"), *details = json_object_get(error, "data");
    const char *name = json_member_string(error, "name", "error");
    int64_t status = json_member_integer(details, "statusCode", 0);
    char *code;

    if (session != NULL && !opencode_is_main(state, session))
        return;
    if (strcmp(name, "MessageAbortedError") == 0) {
        state->aborted = true;
        return;
    }
    code = status != 0 ? xasprintf("%d", (int)status) : xstrdup(name);
    state->failed = true;
    tell(observer, &(struct observation){.kind = OBSERVED_ERROR,
                                         .name = class_of_error(name, details),
                                         .outcome = code,
                                         .text = json_member_string(details, "message", name)});
    free(code);
}

/* ---- the rest ---- */

/* What the model can hold, as opencode says when it asks it. */
static void model_seen(struct opencode *state, const json_t *properties, const struct observer *observer)
{
    (void)observer;
    if (opencode_is_main(state, text_of(properties, "sessionID")))
        state->context = json_member_integer(properties, "context", 0);
}

static const struct {
    const char *type;
    void (*read)(struct opencode *state, const json_t *properties, const struct observer *observer);
} readers[] = {
    {"message.part.delta", opencode_part_delta},
    {"message.part.updated", opencode_part_updated},
    {"message.updated", opencode_message_updated},
    {"session.status", session_status},
    {"session.idle", session_idle},
    {"session.error", session_error},
    {"session.created", session_seen},
    {"session.updated", session_seen},
    {"session.deleted", session_deleted},
    {"permission.asked", opencode_permission_asked},
    {"permission.updated", opencode_permission_asked},
    {"permission.replied", opencode_request_replied},
    {"question.asked", opencode_question_asked},
    {"question.replied", opencode_request_replied},
    {"question.rejected", opencode_question_rejected},
    {"todo.updated", opencode_todo_updated},
    {"file.edited", opencode_file_edited},
    {"ganger.model", model_seen},
};

static void message(void *argument, const json_t *event, const struct observer *observer)
{
    const char *type = json_member_string(event, "type", "");
    const json_t *properties = json_object_get(event, "properties");

    for (size_t i = 0; i < sizeof readers / sizeof readers[0] && json_is_object(properties); i++) {
        if (strcmp(readers[i].type, type) == 0) {
            readers[i].read(argument, properties, observer);
            return;
        }
    }
}

const struct agent_channel opencode_hooks = {.create = create, .destroy = destroy, .message = message};
