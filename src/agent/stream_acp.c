#include "agent/stream_acp.h"

#include <stdlib.h>
#include <string.h>

#include "agent/driver.h"
#include "agent/error_class.h"
#include "base/json.h"
#include "base/memory.h"

enum { PROTOCOL_VERSION = 1 };

enum purpose { INITIALIZE = 1, LIST, OPEN, PROMPT };

/* ---- memory ---- */

static void *create(enum stream_exec_dialect dialect)
{
    struct acp *acp = xcalloc(1, sizeof *acp);

    json_rpc_init(&acp->rpc, true);
    stream_turn_init(&acp->turn);
    stream_exec_init(&acp->exec, dialect);
    acp->tools = json_object();
    return acp;
}

static void *gemini_create(void)
{
    return create(STREAM_EXEC_GEMINI);
}

static void *opencode_create(void)
{
    return create(STREAM_EXEC_OPENCODE);
}

static void acp_destroy(void *state)
{
    struct acp *acp = state;

    if (acp == NULL)
        return;
    json_rpc_finish(&acp->rpc);
    stream_turn_finish(&acp->turn);
    stream_exec_finish(&acp->exec);
    json_decref(acp->tools);
    free(acp->folder);
    free(acp->resume_id);
    free(acp->session_id);
    free(acp->version);
    free(acp->model);
    free(acp);
}

static void replace(char **kept, const char *text)
{
    char *copy = text != NULL ? xstrdup(text) : NULL;

    free(*kept);
    *kept = copy;
}

/* ---- errors ---- */

/* Gemini CLI passes the vendor's answer on as the message. */
static char *plain_message(const json_t *error)
{
    const json_t *data = json_object_get(error, "data");
    const char *details =
        json_is_string(data) ? json_string_value(data) : json_member_string(data, "details", NULL);
    char *text = error_plain_text(json_member_string(error, "message", "")), *whole;

    if (*text != '\0' && (details == NULL || *details == '\0'))
        return text;
    whole = details != NULL && *details != '\0' ? xasprintf("%s: %s", *text != '\0' ? text : "error", details)
                                                : xstrdup("the agent gave no reason");
    free(text);
    return whole;
}

/* Vendors answer 400 to a wrong key, so what the text says comes first there. */
static const char *error_class(int code, const char *text)
{
    const char *of_text = error_class_of_text(text);

    if (code == JSON_RPC_NOT_LOGGED_IN)
        return "authentication";
    if (code == 400 && of_text != NULL)
        return of_text;
    return code >= 400 && code < 600 ? error_class_refine(error_class_of_status(code), text) : of_text;
}

static void tell_error(struct acp *acp, const json_t *error, const struct observer *observer)
{
    int code = (int)json_member_integer(error, "code", 0);
    char *text = plain_message(error);
    char number[32];

    (void)snprintf(number, sizeof number, "%d", code);
    stream_turn_error(&acp->turn, observer, error_class(code, text), number, text);
    free(text);
}

/* No conversation: nothing can be sent, and the phase is never idle. */
static void give_up(struct acp *acp, const struct observer *observer, const char *name, const char *text)
{
    acp->failed = true;
    stream_turn_error(&acp->turn, observer, name, NULL, text);
}

/* ---- from the start to the first prompt ---- */

bool acp_take_model(struct acp *acp, const char *model)
{
    if (model == NULL || (acp->model != NULL && strcmp(acp->model, model) == 0))
        return false;
    replace(&acp->model, model);
    return true;
}

const char *acp_model_option(const json_t *options)
{
    const json_t *option;
    size_t i;

    json_array_foreach(options, i, option)
    {
        if (strcmp(json_member_string(option, "id", ""), "model") == 0)
            return json_member_string(option, "currentValue", NULL);
    }
    return NULL;
}

void acp_tell_session(const struct acp *acp, const struct observer *observer)
{
    observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_SESSION,
                                                                .id = acp->session_id,
                                                                .name = acp->model,
                                                                .text = acp->version});
}

static void open_session(struct acp *acp, const char *method, const struct observer *observer)
{
    json_t *params = json_object();

    if (acp->session_id != NULL)
        (void)json_object_set_new(params, "sessionId", json_string_or_null(acp->session_id));
    (void)json_object_set_new(params, "cwd", json_string_or_null(acp->folder));
    (void)json_object_set_new(params, "mcpServers", json_array());
    json_rpc_call(&acp->rpc, observer, OPEN, method, params);
}

/* Loading tells the whole conversation again, resuming does not. */
static void resume_session(struct acp *acp, const char *id, const struct observer *observer)
{
    if (!acp->can_resume && !acp->can_load) {
        give_up(acp, observer, "invalid_request", "this agent cannot resume a conversation in stream mode");
        return;
    }
    replace(&acp->session_id, id);
    acp->loaded = !acp->can_resume;
    open_session(acp, acp->can_resume ? "session/resume" : "session/load", observer);
}

static void take_initialize(struct acp *acp, const json_t *result, const struct observer *observer)
{
    const json_t *abilities = json_object_get(result, "agentCapabilities");
    const json_t *sessions = json_object_get(abilities, "sessionCapabilities");

    acp->can_load = json_is_true(json_object_get(abilities, "loadSession"));
    acp->can_resume = json_is_object(json_object_get(sessions, "resume"));
    acp->can_list = json_is_object(json_object_get(sessions, "list"));
    replace(&acp->version, json_member_string(json_object_get(result, "agentInfo"), "version", NULL));
    if (json_member_integer(result, "protocolVersion", PROTOCOL_VERSION) != PROTOCOL_VERSION)
        give_up(acp, observer, "invalid_request",
                "the agent speaks another version of the Agent Client Protocol");
    else if (acp->resume_id == NULL)
        open_session(acp, "session/new", observer);
    else if (*acp->resume_id != '\0')
        resume_session(acp, acp->resume_id, observer);
    else if (acp->can_list)
        json_rpc_call(&acp->rpc, observer, LIST, "session/list", json_pack("{s:s}", "cwd", acp->folder));
    else
        give_up(acp, observer, "not_found",
                "in stream mode this agent resumes a conversation by its id only");
}

/* The one that was changed last; times are RFC 3339 texts of one form. */
static void take_list(struct acp *acp, const json_t *result, const struct observer *observer)
{
    const json_t *session;
    const char *latest = NULL, *when = "";
    size_t i;

    json_array_foreach(json_object_get(result, "sessions"), i, session)
    {
        const char *at = json_member_string(session, "updatedAt", "");
        const char *folder = json_member_string(session, "cwd", acp->folder);
        if (strcmp(folder, acp->folder) == 0 && (latest == NULL || strcmp(at, when) > 0)) {
            latest = json_member_string(session, "sessionId", latest);
            when = at;
        }
    }
    if (latest != NULL)
        resume_session(acp, latest, observer);
    else
        give_up(acp, observer, "not_found", "there is no conversation to resume in this folder");
}

static void send_prompt(struct acp *acp, const char *text, const struct observer *observer)
{
    json_t *block = json_pack("{s:s, s:o}", "type", "text", "text", json_string_or_null(text));

    stream_turn_begin(&acp->turn, observer, text);
    json_rpc_call(&acp->rpc, observer, PROMPT, "session/prompt",
                  json_pack("{s:s, s:[o]}", "sessionId", acp->session_id, "prompt", block));
}

/* After a turn: the next prompt, or idle. */
static void go_on(struct acp *acp, const struct observer *observer)
{
    char *text = stream_turn_next(&acp->turn);

    if (text != NULL)
        send_prompt(acp, text, observer);
    else
        stream_turn_phase(&acp->turn, observer, PHASE_IDLE, NULL);
    free(text);
}

/* Gemini CLI answers session/load first and tells the history then; its commands come last. */
static void make_ready(struct acp *acp, const struct observer *observer)
{
    if (acp->ready || (acp->loaded && acp->exec.dialect == STREAM_EXEC_GEMINI && !acp->commands_told))
        return;
    acp->ready = true;
    go_on(acp, observer);
}

static void take_session(struct acp *acp, const json_t *result, const struct observer *observer)
{
    const char *id = json_member_string(result, "sessionId", acp->session_id);
    const json_t *models = json_object_get(result, "models");

    if (id == NULL) {
        give_up(acp, observer, "invalid_request", "the agent named no conversation");
        return;
    }
    if (acp->session_id == NULL)
        replace(&acp->session_id, id);
    (void)acp_take_model(acp, json_member_string(models, "currentModelId", NULL));
    (void)acp_take_model(acp, acp_model_option(json_object_get(result, "configOptions")));
    acp->opened = true;
    acp_tell_session(acp, observer);
    make_ready(acp, observer);
}

void acp_commands_told(struct acp *acp, const struct observer *observer)
{
    acp->commands_told = true;
    if (acp->opened)
        make_ready(acp, observer);
}

/* ---- the end of a turn ---- */

static void add_count(int64_t *total, int64_t more)
{
    if (more >= 0)
        *total = (*total > 0 ? *total : 0) + more;
}

/* Each prompt is answered with what it took; the names are the protocol's and Gemini CLI's. */
static void take_tokens(struct acp *acp, const json_t *result)
{
    const json_t *usage = json_object_get(result, "usage");
    const json_t *quota = json_object_get(json_object_get(result, "_meta"), "quota");
    const json_t *count = json_object_get(quota, "token_count");
    struct observed_usage *total = &acp->turn.usage;

    add_count(&total->input_tokens,
              json_member_integer(usage, "inputTokens", json_member_integer(count, "input_tokens", -1)));
    add_count(&total->output_tokens,
              json_member_integer(usage, "outputTokens", json_member_integer(count, "output_tokens", -1)));
    add_count(&total->cache_read_tokens, json_member_integer(usage, "cachedReadTokens", -1));
    add_count(&total->cache_write_tokens, json_member_integer(usage, "cachedWriteTokens", -1));
}

static const struct {
    const char *reason, *outcome, *error, *text;
} ends[] = {
    {"end_turn", "completed", NULL, NULL},
    {"cancelled", "cancelled", NULL, NULL},
    {"max_tokens", "failed", "context_window", "the answer reached the most tokens that it may have"},
    {"max_turn_requests", "failed", "max_turns", "the turn made as many requests as it may"},
    {"refusal", "failed", "invalid_request", "the model refuses to answer"},
};

static void end_turn(struct acp *acp, const char *outcome, const char *why, const struct observer *observer)
{
    acp_withdraw(acp, NULL, observer);
    (void)json_object_clear(acp->tools);
    stream_turn_end(&acp->turn, observer, outcome, why);
    go_on(acp, observer);
}

static void take_prompt_result(struct acp *acp, const json_t *result, const struct observer *observer)
{
    const char *reason = json_member_string(result, "stopReason", "");
    const char *outcome = acp->turn.interrupted ? "cancelled" : "completed";

    take_tokens(acp, result);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (strcmp(ends[i].reason, reason) != 0)
            continue;
        if (ends[i].error != NULL)
            stream_turn_error(&acp->turn, observer, ends[i].error, reason, ends[i].text);
        end_turn(acp, ends[i].outcome, ends[i].text, observer);
        return;
    }
    end_turn(acp, outcome, *reason != '\0' ? reason : NULL, observer);
}

static void take_prompt_error(struct acp *acp, const json_t *error, const struct observer *observer)
{
    char *text = plain_message(error);

    if (!acp->turn.interrupted)
        tell_error(acp, error, observer);
    end_turn(acp, acp->turn.interrupted ? "cancelled" : "failed", text, observer);
    free(text);
}

/* ---- messages ---- */

static void take_answer(struct acp *acp, const json_t *message, const struct observer *observer)
{
    const json_t *result = json_object_get(message, "result"), *error = json_object_get(message, "error");
    int purpose = json_rpc_answered(&acp->rpc, message);

    if (purpose == PROMPT && json_is_object(error)) {
        take_prompt_error(acp, error, observer);
    } else if (purpose != 0 && json_is_object(error)) {
        acp->failed = true;
        tell_error(acp, error, observer);
    } else if (purpose == INITIALIZE) {
        take_initialize(acp, result, observer);
    } else if (purpose == LIST) {
        take_list(acp, result, observer);
    } else if (purpose == OPEN) {
        take_session(acp, result, observer);
    } else if (purpose == PROMPT) {
        take_prompt_result(acp, result, observer);
    }
}

static void take_request(struct acp *acp, const json_t *message, const struct observer *observer)
{
    const char *method = json_member_string(message, "method", "");
    const json_t *id = json_object_get(message, "id"), *params = json_object_get(message, "params");

    if (strcmp(method, "session/request_permission") == 0) {
        acp_ask(acp, id, params, observer);
        return;
    }
    /* File and terminal requests are known and refused: the agent has its own ways. */
    if (strncmp(method, "fs/", 3) != 0 && strncmp(method, "terminal/", 9) != 0)
        stream_turn_unknown(&acp->turn, observer, method);
    json_rpc_refuse(&acp->rpc, observer, id, JSON_RPC_NO_METHOD, "not supported");
}

static void take_notification(struct acp *acp, const json_t *message, const struct observer *observer)
{
    const char *method = json_member_string(message, "method", "");
    const json_t *params = json_object_get(message, "params");

    if (strcmp(method, "session/update") == 0)
        acp_update(acp, params, observer);
    else if (strcmp(method, "$/cancel_request") == 0)
        acp_request_gone(acp, json_object_get(params, "requestId"), observer);
    else
        stream_turn_unknown(&acp->turn, observer, method);
}

static void acp_message(void *state, const json_t *message, const struct observer *observer)
{
    struct acp *acp = state;
    bool has_id = json_object_get(message, "id") != NULL;

    if (json_is_string(json_object_get(message, "method"))) {
        if (has_id)
            take_request(acp, message, observer);
        else
            take_notification(acp, message, observer);
    } else if (has_id &&
               (json_object_get(message, "result") != NULL || json_object_get(message, "error") != NULL)) {
        take_answer(acp, message, observer);
    } else if (!stream_exec_message(&acp->exec, &acp->turn, message, observer)) {
        stream_turn_unknown(&acp->turn, observer, "a message without method or type");
    }
}

/* ---- what the person does ---- */

static void acp_begin(void *state, const char *resume_id, const char *folder, const struct observer *observer)
{
    struct acp *acp = state;
    json_t *files = json_pack("{s:b, s:b}", "readTextFile", 0, "writeTextFile", 0);

    replace(&acp->resume_id, resume_id);
    replace(&acp->folder, folder != NULL ? folder : "/");
    stream_turn_phase(&acp->turn, observer, PHASE_INITIALIZING, NULL);
    json_rpc_call(&acp->rpc, observer, INITIALIZE, "initialize",
                  json_pack("{s:i, s:{s:o, s:b}, s:{s:s, s:s, s:s}}", "protocolVersion", PROTOCOL_VERSION,
                            "clientCapabilities", "fs", files, "terminal", 0, "clientInfo", "name", "ganger",
                            "title", "ganger", "version", GANGER_VERSION));
}

static void acp_prompt(void *state, const char *text, const struct observer *observer)
{
    struct acp *acp = state;

    if (acp->failed || acp->exec.spoken)
        stream_turn_error(&acp->turn, observer, "invalid_request", NULL,
                          "the agent takes no prompt: it opened no conversation");
    else if (acp->ready && !acp->turn.running)
        send_prompt(acp, text, observer);
    else if (!stream_turn_queue(&acp->turn, text))
        stream_turn_error(&acp->turn, observer, "invalid_request", NULL, "too many prompts wait");
}

/* The answer to the prompt, which says "cancelled", ends the turn. */
static void acp_interrupt(void *state, const struct observer *observer)
{
    struct acp *acp = state;

    if (!acp->turn.running || acp->session_id == NULL)
        return;
    acp->turn.interrupted = true;
    acp_withdraw(acp, NULL, observer);
    json_rpc_notify(&acp->rpc, observer, "session/cancel", json_pack("{s:s}", "sessionId", acp->session_id));
    if (acp->turn.phase == PHASE_APPROVAL)
        acp_settle(acp, observer);
}

static int answer(void *state, const char *request, const struct approval_answer *given,
                  const struct observer *observer)
{
    return acp_answer(state, request, given, observer);
}

const struct agent_channel gemini_stream = {.create = gemini_create,
                                            .destroy = acp_destroy,
                                            .message = acp_message,
                                            .begin = acp_begin,
                                            .prompt = acp_prompt,
                                            .interrupt = acp_interrupt,
                                            .answer = answer};

const struct agent_channel opencode_stream = {.create = opencode_create,
                                              .destroy = acp_destroy,
                                              .message = acp_message,
                                              .begin = acp_begin,
                                              .prompt = acp_prompt,
                                              .interrupt = acp_interrupt,
                                              .answer = answer};
