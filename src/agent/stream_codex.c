#include "agent/stream_codex.h"

#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

/* ---- memory ---- */

static void *codex_create(void)
{
    struct codex *codex = xcalloc(1, sizeof *codex);

    json_rpc_init(&codex->rpc, false);
    stream_turn_init(&codex->turn);
    codex->items = json_object();
    codex->said = json_object();
    codex->agents = json_object();
    codex->limits = json_object();
    return codex;
}

static void codex_destroy(void *state)
{
    struct codex *codex = state;

    if (codex == NULL)
        return;
    json_rpc_finish(&codex->rpc);
    stream_turn_finish(&codex->turn);
    json_decref(codex->items);
    json_decref(codex->said);
    json_decref(codex->agents);
    json_decref(codex->limits);
    free(codex->folder);
    free(codex->resume_id);
    free(codex->thread_id);
    free(codex->turn_id);
    free(codex->model);
    free(codex->version);
    free(codex);
}

static void replace(char **kept, const char *text)
{
    char *copy = text != NULL ? xstrdup(text) : NULL;

    free(*kept);
    *kept = copy;
}

/* ---- from the start to the first prompt ---- */

void codex_tell_session(const struct codex *codex, const struct observer *observer)
{
    observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_SESSION,
                                                                .id = codex->thread_id,
                                                                .name = codex->model,
                                                                .text = codex->version});
}

/* The person's own settings say what needs an approval: none are given here. */
static void open_thread(struct codex *codex, const char *id, const struct observer *observer)
{
    json_t *params = json_object();

    if (id != NULL) {
        (void)json_object_set_new(params, "threadId", json_string_or_null(id));
        (void)json_object_set_new(params, "excludeTurns", json_true());
    }
    (void)json_object_set_new(params, "cwd", json_string_or_null(codex->folder));
    json_rpc_call(&codex->rpc, observer, CODEX_OPEN, id != NULL ? "thread/resume" : "thread/start", params);
}

static void take_initialize(struct codex *codex, const json_t *result, const struct observer *observer)
{
    /* "ganger/0.169.0 (Debian 12.0.0; x86_64) …" */
    const char *agent = json_member_string(result, "userAgent", ""), *slash = strchr(agent, '/');

    if (slash != NULL) {
        free(codex->version);
        codex->version = xstrndup(slash + 1, strcspn(slash + 1, " "));
    }
    json_rpc_notify(&codex->rpc, observer, "initialized", NULL);
    if (codex->resume_id == NULL)
        open_thread(codex, NULL, observer);
    else if (*codex->resume_id != '\0')
        open_thread(codex, codex->resume_id, observer);
    else
        json_rpc_call(&codex->rpc, observer, CODEX_LIST, "thread/list",
                      json_pack("{s:o, s:i, s:s}", "cwd", json_string_or_null(codex->folder), "limit", 1,
                                "sortKey", "updated_at"));
}

static void give_up(struct codex *codex, const struct observer *observer, const char *class, const char *text)
{
    codex->failed = true;
    stream_turn_error(&codex->turn, observer, class, NULL, text);
}

static void take_list(struct codex *codex, const json_t *result, const struct observer *observer)
{
    const json_t *thread = json_array_get(json_object_get(result, "data"), 0);
    const char *id = json_member_string(thread, "id", NULL);

    if (id != NULL)
        open_thread(codex, id, observer);
    else
        give_up(codex, observer, "not_found", "there is no conversation to resume in this folder");
}

static void send_prompt(struct codex *codex, const char *text, const struct observer *observer)
{
    json_t *block = json_pack("{s:s, s:o}", "type", "text", "text", json_string_or_null(text));

    codex->limited = false;
    codex->interrupt_waits = false;
    replace(&codex->turn_id, NULL);
    stream_turn_begin(&codex->turn, observer, text);
    json_rpc_call(&codex->rpc, observer, CODEX_PROMPT, "turn/start",
                  json_pack("{s:s, s:[o]}", "threadId", codex->thread_id, "input", block));
}

/* After a turn: the next prompt, or idle; limited while a limit is known to hold. */
static void go_on(struct codex *codex, const struct observer *observer)
{
    char *text = stream_turn_next(&codex->turn);

    if (text != NULL) {
        send_prompt(codex, text, observer);
    } else if (codex->limited && codex->limited_until_ms > clock_realtime_ms()) {
        codex->turn.phase = PHASE_LIMITED;
        observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_PHASE,
                                                                    .phase = PHASE_LIMITED,
                                                                    .until_ms = codex->limited_until_ms});
    } else {
        stream_turn_phase(&codex->turn, observer, PHASE_IDLE, NULL);
    }
    free(text);
}

static void take_thread(struct codex *codex, const json_t *result, const struct observer *observer)
{
    const json_t *thread = json_object_get(result, "thread");
    const char *id = json_member_string(thread, "id", NULL);

    if (id == NULL) {
        give_up(codex, observer, "invalid_request", "the agent named no conversation");
        return;
    }
    replace(&codex->thread_id, id);
    replace(&codex->model, json_member_string(result, "model", json_member_string(thread, "model", NULL)));
    codex->ready = true;
    codex_tell_session(codex, observer);
    if (!codex->turn.running)
        go_on(codex, observer);
}

/* ---- turns ---- */

static void send_interrupt(struct codex *codex, const struct observer *observer)
{
    codex->interrupt_waits = false;
    json_rpc_call(&codex->rpc, observer, CODEX_INTERRUPT, "turn/interrupt",
                  json_pack("{s:s, s:s}", "threadId", codex->thread_id, "turnId", codex->turn_id));
}

static void take_turn(struct codex *codex, const json_t *turn, const struct observer *observer)
{
    const char *id = json_member_string(turn, "id", NULL);

    if (id == NULL || !codex->turn.running)
        return;
    replace(&codex->turn_id, id);
    if (codex->interrupt_waits)
        send_interrupt(codex, observer);
}

void codex_end_turn(struct codex *codex, const char *outcome, const char *why,
                    const struct observer *observer)
{
    stream_turn_end(&codex->turn, observer, outcome, why);
    (void)json_object_clear(codex->items);
    (void)json_object_clear(codex->said);
    codex->interrupt_waits = false;
    replace(&codex->turn_id, NULL);
    if (!codex->one_way)
        go_on(codex, observer);
}

static void take_turn_started(struct codex *codex, const json_t *params, const char *parent,
                              const struct observer *observer)
{
    if (parent != NULL)
        return;
    stream_turn_begin(&codex->turn, observer, NULL);
    take_turn(codex, json_object_get(params, "turn"), observer);
}

static void take_turn_completed(struct codex *codex, const json_t *params, const char *parent,
                                const struct observer *observer)
{
    const json_t *turn = json_object_get(params, "turn"), *error = json_object_get(turn, "error");
    const char *id = json_member_string(turn, "id", ""),
               *status = json_member_string(turn, "status", "completed");
    const char *text = json_member_string(error, "message", NULL);
    bool failed = strcmp(status, "failed") == 0;

    if (parent != NULL || !codex->turn.running || (codex->turn_id != NULL && strcmp(codex->turn_id, id) != 0))
        return;
    /* Requests of the turn are answered by its end. */
    codex_drop_requests(codex, false, observer);
    if (failed && !codex->turn.error_told)
        codex_error(codex, error, observer);
    codex_end_turn(codex,
                   failed                               ? "failed"
                   : strcmp(status, "interrupted") == 0 ? "cancelled"
                                                        : "completed",
                   text, observer);
}

/* ---- answers ---- */

static void take_failure(struct codex *codex, int purpose, const json_t *error,
                         const struct observer *observer)
{
    const char *text = json_member_string(error, "message", "the agent gave no reason");
    char code[32];

    (void)snprintf(code, sizeof code, "%lld", (long long)json_member_integer(error, "code", 0));
    if (purpose == CODEX_PROMPT) {
        stream_turn_error(&codex->turn, observer, NULL, code, text);
        codex_end_turn(codex, codex->turn.interrupted ? "cancelled" : "failed", text, observer);
    } else if (purpose == CODEX_INITIALIZE || purpose == CODEX_LIST || purpose == CODEX_OPEN) {
        codex->failed = true;
        stream_turn_error(&codex->turn, observer, NULL, code, text);
    } else if (purpose == CODEX_STEER) {
        stream_turn_say(observer, OBSERVED_NOTE, "not taken", text);
    }
}

static void take_answer(struct codex *codex, const json_t *message, const struct observer *observer)
{
    const json_t *result = json_object_get(message, "result"), *error = json_object_get(message, "error");
    int purpose = json_rpc_answered(&codex->rpc, message);

    if (json_is_object(error)) {
        take_failure(codex, purpose, error, observer);
        return;
    }
    switch ((enum codex_call)purpose) {
    case CODEX_INITIALIZE:
        take_initialize(codex, result, observer);
        break;
    case CODEX_LIST:
        take_list(codex, result, observer);
        break;
    case CODEX_OPEN:
        take_thread(codex, result, observer);
        break;
    case CODEX_PROMPT:
        take_turn(codex, json_object_get(result, "turn"), observer);
        break;
    case CODEX_LIMITS:
        codex_limits(codex, json_object_get(result, "rateLimits"), observer);
        break;
    case CODEX_INTERRUPT:
    case CODEX_STEER:
        break;
    }
}

/* ---- notifications ---- */

typedef void take(struct codex *codex, const json_t *params, const char *parent,
                  const struct observer *observer);

static void take_started(struct codex *codex, const json_t *params, const char *parent,
                         const struct observer *observer)
{
    codex_item(codex, json_object_get(params, "item"), false, parent, observer);
}

static void take_completed(struct codex *codex, const json_t *params, const char *parent,
                           const struct observer *observer)
{
    codex_item(codex, json_object_get(params, "item"), true, parent, observer);
}

static void take_text(struct codex *codex, const json_t *params, const char *parent,
                      const struct observer *observer)
{
    codex_piece(codex, params, OBSERVED_TEXT, parent, observer);
}

static void take_reasoning(struct codex *codex, const json_t *params, const char *parent,
                           const struct observer *observer)
{
    codex_piece(codex, params, OBSERVED_THINKING, parent, observer);
}

static void take_part(struct codex *codex, const json_t *params, const char *parent,
                      const struct observer *observer)
{
    json_t *piece;

    if (json_member_integer(params, "summaryIndex", 0) == 0)
        return;
    piece = json_pack("{s:s, s:s}", "itemId", json_member_string(params, "itemId", ""), "delta", "\n\n");
    codex_piece(codex, piece, OBSERVED_THINKING, parent, observer);
    json_decref(piece);
}

static void take_plan(struct codex *codex, const json_t *params, const char *parent,
                      const struct observer *observer)
{
    (void)codex;
    if (parent == NULL)
        stream_turn_todo(observer, json_object_get(params, "plan"));
}

static void take_usage(struct codex *codex, const json_t *params, const char *parent,
                       const struct observer *observer)
{
    if (parent == NULL)
        codex_usage(codex, json_object_get(params, "tokenUsage"), observer);
}

static void take_limits(struct codex *codex, const json_t *params, const char *parent,
                        const struct observer *observer)
{
    (void)parent;
    codex_limits(codex, json_object_get(params, "rateLimits"), observer);
}

static void take_error(struct codex *codex, const json_t *params, const char *parent,
                       const struct observer *observer)
{
    const json_t *error = json_object_get(params, "error");

    if (parent != NULL)
        stream_turn_say(observer, OBSERVED_NOTE, "error of a subagent",
                        json_member_string(error, "message", NULL));
    else if (json_is_true(json_object_get(params, "willRetry")))
        codex_retry(codex, error, observer);
    else
        codex_error(codex, error, observer);
}

static void take_resolved(struct codex *codex, const json_t *params, const char *parent,
                          const struct observer *observer)
{
    char *key = json_rpc_key(json_object_get(params, "requestId"));

    (void)parent;
    if (json_rpc_held(&codex->rpc, key) != NULL)
        codex_request_gone(codex, json_object_get(params, "requestId"), observer);
    free(key);
}

static void take_warning(struct codex *codex, const json_t *params, const char *parent,
                         const struct observer *observer)
{
    (void)codex;
    (void)parent;
    stream_turn_say(observer, OBSERVED_NOTE, "warning",
                    json_member_string(params, "message", json_member_string(params, "summary", NULL)));
}

static void take_model(struct codex *codex, const json_t *params, const char *parent,
                       const struct observer *observer)
{
    const char *model = json_member_string(params, "toModel", NULL);

    if (parent != NULL || model == NULL)
        return;
    replace(&codex->model, model);
    codex_tell_session(codex, observer);
}

static void take_server(struct codex *codex, const json_t *params, const char *parent,
                        const struct observer *observer)
{
    (void)codex;
    (void)parent;
    if (strcmp(json_member_string(params, "status", ""), "failed") == 0)
        stream_turn_say(observer, OBSERVED_NOTE, json_member_string(params, "name", "mcp"),
                        json_member_string(params, "error", "the server did not start"));
}

static const struct {
    const char *method;
    take *take;
} notifications[] = {
    {"turn/started", take_turn_started},
    {"turn/completed", take_turn_completed},
    {"item/started", take_started},
    {"item/completed", take_completed},
    {"item/agentMessage/delta", take_text},
    {"item/plan/delta", take_text},
    {"item/reasoning/summaryTextDelta", take_reasoning},
    {"item/reasoning/textDelta", take_reasoning},
    {"item/reasoning/summaryPartAdded", take_part},
    {"turn/plan/updated", take_plan},
    {"thread/tokenUsage/updated", take_usage},
    {"account/rateLimits/updated", take_limits},
    {"error", take_error},
    {"serverRequest/resolved", take_resolved},
    {"warning", take_warning},
    {"configWarning", take_warning},
    {"guardianWarning", take_warning},
    {"deprecationNotice", take_warning},
    {"model/rerouted", take_model},
    {"mcpServer/startupStatus/updated", take_server},
};

/* Known, and of no interest here. */
static const char *const silent[] = {
    "thread/",
    "turn/diff/updated",
    "turn/moderationMetadata",
    "item/",
    "hook/",
    "account/",
    "skills/",
    "app/",
    "project/",
    "remoteControl/",
    "mcpServer/",
    "externalAgentConfig/",
    "rawResponse",
    "fs/",
    "process/",
    "command/exec/",
    "model/",
    "modelProvider/",
    "fuzzyFileSearch/",
    "windows",
};

static bool is_silent(const char *method)
{
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        if (strncmp(silent[i], method, strlen(silent[i])) == 0)
            return true;
    }
    return false;
}

static void take_notification(struct codex *codex, const json_t *message, const struct observer *observer)
{
    const char *method = json_member_string(message, "method", "");
    const json_t *params = json_object_get(message, "params");
    const char *thread = json_member_string(params, "threadId", NULL);
    const char *parent =
        thread != NULL && codex->thread_id != NULL && strcmp(thread, codex->thread_id) != 0 ? thread : NULL;

    for (size_t i = 0; i < sizeof notifications / sizeof notifications[0]; i++) {
        if (strcmp(notifications[i].method, method) != 0)
            continue;
        notifications[i].take(codex, params, parent, observer);
        return;
    }
    if (!is_silent(method))
        stream_turn_unknown(&codex->turn, observer, method);
}

/* ---- the channel ---- */

static void codex_message(void *state, const json_t *message, const struct observer *observer)
{
    struct codex *codex = state;
    const json_t *id = json_object_get(message, "id");

    if (json_is_string(json_object_get(message, "method")) && id != NULL) {
        if (codex_ask(codex, message, observer))
            return;
        stream_turn_unknown(&codex->turn, observer, json_member_string(message, "method", ""));
        json_rpc_refuse(&codex->rpc, observer, id, JSON_RPC_NO_METHOD, "not supported");
    } else if (json_is_string(json_object_get(message, "method"))) {
        take_notification(codex, message, observer);
    } else if (id != NULL &&
               (json_object_get(message, "result") != NULL || json_object_get(message, "error") != NULL)) {
        take_answer(codex, message, observer);
    } else {
        codex_exec_message(codex, message, observer);
    }
}

static void codex_begin(void *state, const char *resume_id, const char *folder,
                        const struct observer *observer)
{
    struct codex *codex = state;

    replace(&codex->resume_id, resume_id);
    replace(&codex->folder, folder != NULL ? folder : "/");
    stream_turn_phase(&codex->turn, observer, PHASE_INITIALIZING, NULL);
    json_rpc_call(&codex->rpc, observer, CODEX_INITIALIZE, "initialize",
                  json_pack("{s:{s:s, s:s, s:s}}", "clientInfo", "name", "ganger", "title", "ganger",
                            "version", GANGER_VERSION));
}

static void codex_prompt(void *state, const char *text, const struct observer *observer)
{
    struct codex *codex = state;

    if (codex->failed || codex->one_way)
        stream_turn_error(&codex->turn, observer, "invalid_request", NULL,
                          "the agent takes no prompt: it opened no conversation");
    else if (codex->ready && !codex->turn.running)
        send_prompt(codex, text, observer);
    else if (!stream_turn_queue(&codex->turn, text))
        stream_turn_error(&codex->turn, observer, "invalid_request", NULL, "too many prompts wait");
}

/* The end of the turn, as "interrupted", is what the agent says next. */
static void codex_interrupt(void *state, const struct observer *observer)
{
    struct codex *codex = state;

    if (!codex->turn.running || codex->thread_id == NULL || codex->one_way)
        return;
    codex->turn.interrupted = true;
    if (codex->turn_id != NULL)
        send_interrupt(codex, observer);
    else
        codex->interrupt_waits = true;
    codex_drop_requests(codex, true, observer);
    if (codex->turn.phase == PHASE_APPROVAL)
        codex_settle(codex, observer);
}

static int answer(void *state, const char *request, const struct approval_answer *given,
                  const struct observer *observer)
{
    return codex_answer(state, request, given, observer);
}

const struct agent_channel codex_stream = {.create = codex_create,
                                           .destroy = codex_destroy,
                                           .message = codex_message,
                                           .begin = codex_begin,
                                           .prompt = codex_prompt,
                                           .interrupt = codex_interrupt,
                                           .answer = answer};
