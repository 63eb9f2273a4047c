#include "host/observe.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "host/accounting.h"
#include "host/host.h"
#include "host/turn.h"
#include "host/watch.h"
#include "policy/errors.h"

#define OUTPUT_MAX 16384 /* bytes of a tool's output in an event */

/* ---- pieces ---- */

/* Text of at most OUTPUT_MAX bytes, whole characters. */
static json_t *bounded(const char *text)
{
    size_t length;

    if (text == NULL)
        return json_null();
    length = strlen(text);
    if (length > OUTPUT_MAX)
        length = OUTPUT_MAX - utf8_incomplete_tail(text, OUTPUT_MAX);
    return json_stringn(text, length);
}

static json_t *number_or_null(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *real_or_null(double number)
{
    return number < 0 ? json_null() : json_real(number);
}

/* ---- kinds ---- */

static void session_known(struct host *host, enum evidence_source source,
                          const struct observation *observation)
{
    (void)source;
    const char *before = json_member_string(host->session.object, "agent_session_id", NULL);
    json_t *older = json_object_get(host->session.object, "agent_session_ids");

    if (observation->id != NULL && *observation->id != '\0' &&
        (before == NULL || strcmp(before, observation->id) != 0)) {
        if (before != NULL)
            json_array_append_new(older, json_string(before));
        session_set(host, "agent_session_id", json_string_or_null(observation->id));
    }
    if (observation->name != NULL)
        session_set(host, "model", json_string_or_null(observation->name));
    session_changed(host, false);
}

static void phase_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    /* A hook says that a step begins; what the agent makes of it until the next, the screen may know better. */
    bool coarse = source != EVIDENCE_STREAM &&
                  (observation->phase == PHASE_THINKING || observation->phase == PHASE_CONNECTING);

    activity_observe(host, source, observation->phase, coarse,
                     observation->text == NULL ? "" : observation->text, observation->until_ms);
}

static void turn_started(struct host *host, enum evidence_source source,
                         const struct observation *observation)
{
    (void)source;
    if (turn_is_past(host, observation->at_ms) || host->activity.turn.open)
        return;
    turn_begin(host, NULL);
    if (observation->at_ms != 0)
        host->activity.turn.changed_ms = observation->at_ms;
}

static void turn_ended(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)source;
    if (turn_is_past(host, observation->at_ms))
        return;
    host->activity.turn.told = true;
    turn_end(host, observation->outcome == NULL ? "completed" : observation->outcome);
}

static void tool_called(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)source;
    retrying_progress(host);
    (void)events_emit(host, "tool_call",
                      json_pack("{so so so sO? so}", "tool_id", json_string_or_null(observation->id), "tool",
                                json_string_or_null(observation->name), "summary", bounded(observation->text),
                                "input", observation->input, "parent",
                                json_string_or_null(observation->parent)));
}

static void tool_answered(struct host *host, enum evidence_source source,
                          const struct observation *observation)
{
    (void)source;
    (void)events_emit(host, "tool_result",
                      json_pack("{so so sb so}", "tool_id", json_string_or_null(observation->id), "output",
                                bounded(observation->text), "failed", observation->failed, "parent",
                                json_string_or_null(observation->parent)));
}

static void subagent_seen(struct host *host, enum evidence_source source,
                          const struct observation *observation)
{
    (void)source;
    unsigned *count = &host->activity.subagents;

    if (!observation->ended)
        (*count)++;
    else if (*count > 0)
        (*count)--;
    session_set(host, "subagents", json_integer((json_int_t)*count));
    session_changed(host, false);
}

static void retry_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)events_emit(host, "retry_scheduled",
                      json_pack("{ss si so so so so}", "by", "agent", "number", observation->attempt, "of",
                                observation->attempts > 0 ? json_integer(observation->attempts) : json_null(),
                                "until", json_time_or_null(observation->until_ms), "class",
                                json_string_or_null(observation->name), "message",
                                bounded(observation->text)));
    retrying_agent(host, observation->until_ms);
    activity_observe(host, source, PHASE_RETRYING, false, observation->text == NULL ? "" : observation->text,
                     observation->until_ms);
}

static void limit_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)events_emit(host, "rate_limit",
                      json_pack("{so so so so sb}", "window", json_string_or_null(observation->name),
                                "percent", real_or_null(observation->percent), "resets_at",
                                json_time_or_null(observation->until_ms), "message",
                                bounded(observation->text), "refused", observation->failed));
    accounting_limit(host, source, observation);
    if (!observation->failed && observation->percent >= 100)
        retrying_window(host, observation->until_ms);
    if (observation->failed)
        retrying_limit(host, observation->until_ms);
    if (observation->failed)
        activity_observe(host, source, PHASE_LIMITED, false,
                         observation->text == NULL ? "" : observation->text, observation->until_ms);
}

static void usage_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)source;
    const struct observed_usage *usage = &observation->usage;
    json_t *object =
        json_pack("{so so so so so so}", "input_tokens", number_or_null(usage->input_tokens), "output_tokens",
                  number_or_null(usage->output_tokens), "cache_read_tokens",
                  number_or_null(usage->cache_read_tokens), "cache_write_tokens",
                  number_or_null(usage->cache_write_tokens), "cost_usd", real_or_null(usage->cost_usd),
                  "cost_basis", usage->cost_usd < 0 ? json_null() : json_string("reported"));
    const json_t *before = json_object_get(host->session.object, "usage");
    json_t *context = real_or_null(usage->context_pct);

    if (usage->input_tokens < 0 && usage->output_tokens < 0 && usage->cost_usd < 0 &&
        usage->context_pct < 0) {
        json_decref(object);
        json_decref(context);
        return;
    }
    /* A cost that was computed stands until the next one is. */
    if (usage->cost_usd < 0 && json_object_get(before, "cost_usd") != NULL) {
        (void)json_object_set(object, "cost_usd", json_object_get(before, "cost_usd"));
        (void)json_object_set(object, "cost_basis", json_object_get(before, "cost_basis"));
    }
    if (!json_equal(object, json_object_get(host->session.object, "usage")) ||
        !json_equal(context, json_object_get(host->session.object, "context_pct"))) {
        (void)events_emit(host, "usage", json_pack("{sO sO}", "usage", object, "context_pct", context));
        session_set(host, "usage", json_incref(object));
        session_set(host, "context_pct", json_incref(context));
        session_changed(host, false);
    }
    json_decref(object);
    json_decref(context);
}

static void error_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)source;
    const char *class = observation->name == NULL ? "agent" : observation->name;
    const char *code = observation->outcome == NULL ? class : observation->outcome;
    char *hint =
        error_hint(error_rule_find(strcmp(code, "session_timeout") == 0 ? code : class), host->driver->name,
                   session_name(&host->session), json_member_string(host->session.object, "account", NULL));

    host->activity.error_ms = host_now_ms();
    session_set_error(host, class, code, observation->text, hint);
    session_changed(host, false);
    (void)events_emit(host, "error",
                      json_pack("{ss ss so so}", "class", class, "code", code, "message",
                                bounded(observation->text), "hint", json_string_or_null(hint)));
    free(hint);
    retrying_error(host, class);
}

static void file_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)source;
    if (observation->text != NULL)
        watch_tool_changed(host, observation->text,
                           observation->outcome == NULL ? "modified" : observation->outcome,
                           observation->name);
}

/* An agent version nobody has seen: said once per kind of message. */
static void not_understood(struct host *host, enum evidence_source source,
                           const struct observation *observation)
{
    (void)source;
    struct activity *activity = &host->activity;
    const char *what = observation->text == NULL ? "" : observation->text;

    for (size_t i = 0; i < activity->unknown_count; i++) {
        if (strcmp(activity->unknown[i], what) == 0)
            return;
    }
    if (activity->unknown_count == ACTIVITY_UNKNOWN_MAX)
        return;
    activity->unknown[activity->unknown_count++] = strdup(what);
    host_warn(host, "unknown_message", "the agent sends what this version of ganger does not know: %.200s",
              what);
}

/* ---- all ---- */

static void observe_words(struct host *host, enum evidence_source source,
                          const struct observation *observation)
{
    (void)source;
    if (observation->text == NULL)
        return;
    retrying_progress(host);
    if (observation->kind == OBSERVED_TEXT)
        coalesce_text(host, observation->text, strlen(observation->text));
    else
        coalesce_thinking(host, observation->text, strlen(observation->text));
}

static void approval_settled(struct host *host, enum evidence_source source,
                             const struct observation *observation)
{
    (void)source;
    approvals_settled(host, observation->id, observation->outcome);
}

static void todo_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)source;
    session_set(host, "todo", json_deep_copy(observation->input));
    session_changed(host, false);
}

static void note_seen(struct host *host, enum evidence_source source, const struct observation *observation)
{
    (void)source;
    (void)events_emit(host, "notification",
                      json_pack("{so so}", "title", json_string_or_null(observation->name), "text",
                                bounded(observation->text)));
}

void observe_agent(struct host *host, enum evidence_source source, const struct observation *observation)
{
    static void (*const kinds[])(struct host * host, enum evidence_source source,
                                 const struct observation *observation) = {
        [OBSERVED_SESSION] = session_known,
        [OBSERVED_PHASE] = phase_seen,
        [OBSERVED_TURN_STARTED] = turn_started,
        [OBSERVED_TURN_ENDED] = turn_ended,
        [OBSERVED_TEXT] = observe_words,
        [OBSERVED_THINKING] = observe_words,
        [OBSERVED_TOOL_CALL] = tool_called,
        [OBSERVED_TOOL_RESULT] = tool_answered,
        [OBSERVED_APPROVAL] = approvals_asked,
        [OBSERVED_APPROVAL_RESOLVED] = approval_settled,
        [OBSERVED_SUBAGENT] = subagent_seen,
        [OBSERVED_RETRY] = retry_seen,
        [OBSERVED_LIMIT] = limit_seen,
        [OBSERVED_USAGE] = usage_seen,
        [OBSERVED_ERROR] = error_seen,
        [OBSERVED_TODO] = todo_seen,
        [OBSERVED_FILE] = file_seen,
        [OBSERVED_NOTE] = note_seen,
        [OBSERVED_UNKNOWN] = not_understood,
    };

    if (!host->attempt.replaying)
        turn_timer_observed(host, observation);
    if (!host->attempt.replaying)
        kinds[observation->kind](host, source, observation);
}
