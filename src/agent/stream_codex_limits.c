#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/error_class.h"
#include "agent/limit_words.h"
#include "agent/stream_codex.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

/* ---- errors ---- */

static const struct {
    const char *code, *class;
} codes[] = {
    {"contextWindowExceeded", "context_window"},
    {"sessionBudgetExceeded", "budget"},
    {"usageLimitExceeded", "rate_limit"},
    {"rateLimitExceeded", "rate_limit"},
    {"flexUnavailable", "overloaded"},
    {"serverOverloaded", "overloaded"},
    {"policyCapacityUnavailable", "overloaded"},
    {"modelNotFound", "not_found"},
    {"inferenceHookDenied", "permission"},
    {"tooManyDenials", "permission"},
    {"cyberPolicy", "invalid_request"},
    {"misalignmentPolicyViolation", "invalid_request"},
    {"internalServerError", "server_error"},
    {"unauthorized", "authentication"},
    {"badRequest", "invalid_request"},
    {"httpConnectionFailed", "network"},
    {"responseStreamConnectionFailed", "network"},
    {"responseStreamDisconnected", "network"},
    {"responseTooManyFailedAttempts", "network"},
};

/* The code is a string, or the only member of an object whose value may have the HTTP status. */
static const char *error_code(const json_t *error, int *status)
{
    json_t *reason = json_object_get(error, "codexErrorInfo");
    void *first = json_is_object(reason) ? json_object_iter(reason) : NULL;

    *status =
        first != NULL ? (int)json_member_integer(json_object_iter_value(first), "httpStatusCode", 0) : 0;
    return first != NULL ? json_object_iter_key(first) : json_string_value(reason);
}

static const char *error_class(const char *code, int status, const char *text)
{
    const char *class = error_class_of_status(status);

    for (size_t i = 0; class == NULL && code != NULL && i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(codes[i].code, code) == 0)
            class = codes[i].class;
    }
    /* A vendor's refusal may come as a connection that failed. */
    if (class == NULL || (strcmp(class, "network") == 0 && error_class_of_text(text) != NULL))
        return error_class_of_text(text);
    return error_class_refine(class, text);
}

/* "Reconnecting... 1/2" */
static void attempts_in(const char *text, int *attempt, int *attempts)
{
    const char *slash = strchr(text, '/'), *digit = slash;

    while (digit != NULL && digit > text && isdigit((unsigned char)digit[-1]))
        digit--;
    *attempt = digit != slash ? (int)strtol(digit, NULL, 10) : 0;
    *attempts = digit != slash ? (int)strtol(slash + 1, NULL, 10) : 0;
}

void codex_retry(struct codex *codex, const json_t *error, const struct observer *observer)
{
    const char *message = json_member_string(error, "message", "");
    const char *text = json_member_string(error, "additionalDetails", message);
    int status, attempt, attempts;
    const char *code = error_code(error, &status), *class = error_class(code, status, text);

    attempts_in(message, &attempt, &attempts);
    observer->observe(
        observer->argument,
        &(struct observation){
            .kind = OBSERVED_RETRY, .name = class, .text = text, .attempt = attempt, .attempts = attempts});
    stream_turn_phase(&codex->turn, observer, PHASE_RETRYING, class);
}

static int64_t full_window_until(const struct codex *codex)
{
    const char *window;
    json_t *limit;
    int64_t until = 0;

    json_object_foreach(codex->limits, window, limit)
    {
        int64_t at = json_member_integer(limit, "until", 0);
        if (json_member_number(limit, "percent", 0) >= 100 && at > until)
            until = at;
    }
    return until;
}

/* The windows may be known to the server only: they are asked for, which costs nothing. */
static void limit_reached(struct codex *codex, const char *text, const struct observer *observer)
{
    int64_t until = codex_reset_time(text, clock_realtime_ms());

    codex->limited = true;
    codex->limited_until_ms = until != 0 ? until : full_window_until(codex);
    observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_LIMIT,
                                                                .text = text,
                                                                .until_ms = codex->limited_until_ms,
                                                                .percent = -1,
                                                                .failed = true});
    if (!codex->one_way && !json_rpc_waits(&codex->rpc, CODEX_LIMITS))
        json_rpc_call(&codex->rpc, observer, CODEX_LIMITS, "account/rateLimits/read", NULL);
}

void codex_error(struct codex *codex, const json_t *error, const struct observer *observer)
{
    const char *message = json_member_string(error, "message", "the agent gave no reason");
    int status;
    const char *code = error_code(error, &status), *class = error_class(code, status, message);

    stream_turn_error(&codex->turn, observer, class, code, message);
    /* A quota that has to be paid has the same code. */
    if (class != NULL && strcmp(class, "billing") == 0)
        return;
    if ((code != NULL && strcmp(code, "usageLimitExceeded") == 0) ||
        (code == NULL && strstr(message, "hit your usage limit") != NULL))
        limit_reached(codex, message, observer);
}

/* ---- when a limit ends ---- */

static const char *read_clock(const char *text, struct tm *when)
{
    const char *rest = strptime(text, "%I:%M %p", when);

    return rest != NULL ? rest : strptime(text, "%H:%M", when);
}

/* "Nov 21st, 2026 " */
static const char *read_date(const char *text, struct tm *when)
{
    const char *rest = strptime(text, "%b %d", when);

    if (rest == NULL)
        return NULL;
    rest += strspn(rest, "sthnrd");
    return strptime(rest, ", %Y ", when);
}

int64_t codex_reset_time(const char *text, int64_t now_ms)
{
    static const char words[] = "try again at ";
    const char *at = strstr(text, words), *date;
    time_t now = (time_t)(now_ms / 1000), then;
    struct tm when;

    if (at == NULL || localtime_r(&now, &when) == NULL)
        return 0;
    at += strlen(words);
    date = read_date(at, &when);
    /* The text leaves the seconds out: at the end of that minute it is over for certain. */
    when.tm_sec = 59;
    when.tm_isdst = -1;
    if (read_clock(date != NULL ? date : at, &when) == NULL)
        return 0;
    then = mktime(&when);
    /* A time without a date that is over is tomorrow's. */
    if (date == NULL && then < now) {
        when.tm_mday++;
        when.tm_isdst = -1;
        then = mktime(&when);
    }
    return then > 0 ? (int64_t)then * 1000 : 0;
}

/* ---- limits ---- */

static char *window_name(const char *limit, int64_t minutes)
{
    bool own = limit != NULL && *limit != '\0' && strcmp(limit, "codex") != 0;
    const char *before = own ? limit : "", *dot = own ? ":" : "";

    if (minutes == 300)
        return xasprintf("%s%sfive_hour", before, dot);
    if (minutes == 10080)
        return xasprintf("%s%sseven_day", before, dot);
    if (minutes > 0 && minutes % 60 == 0)
        return xasprintf("%s%s%lld_hour", before, dot, (long long)minutes / 60);
    return xasprintf("%s%s%lld_minute", before, dot, (long long)minutes);
}

/* Tells a window unless nothing about it changed. */
static void take_window(struct codex *codex, const char *limit, const json_t *window,
                        const struct observer *observer)
{
    double used = json_member_number(window, "usedPercent", -1);
    int64_t resets = json_member_integer(window, "resetsAt", 0);
    double percent = used > 100 ? 100 : used;
    int64_t until = limit_epoch_ms(resets);
    char *name;
    const json_t *told;

    if (!json_is_object(window) || !(percent >= 0))
        return;
    name = window_name(limit, json_member_integer(window, "windowDurationMins", 0));
    told = json_object_get(codex->limits, name);
    if (json_member_number(told, "percent", -1) != percent ||
        json_member_integer(told, "until", -1) != until) {
        bool was_full = json_member_number(told, "percent", 0) >= 100;
        (void)json_object_set_new(codex->limits, name,
                                  json_pack("{s:f, s:I}", "percent", percent, "until", (json_int_t)until));
        observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_LIMIT,
                                                                    .name = name,
                                                                    .until_ms = until,
                                                                    .percent = percent,
                                                                    .failed = percent >= 100,
                                                                    .ended = was_full && percent < 100});
    }
    free(name);
}

void codex_limits(struct codex *codex, const json_t *limits, const struct observer *observer)
{
    const char *limit = json_member_string(limits, "limitId", NULL);

    if (json_object_size(codex->limits) > 32)
        (void)json_object_clear(codex->limits);
    take_window(codex, limit, json_object_get(limits, "primary"), observer);
    take_window(codex, limit, json_object_get(limits, "secondary"), observer);
}

/* ---- usage ---- */

/* The vendor counts cached tokens among the input; here they are apart. */
static void take_counts(struct codex *codex, int64_t input, int64_t cached, int64_t written, int64_t output)
{
    int64_t apart = (cached > 0 ? cached : 0) + (written > 0 ? written : 0);

    codex->turn.usage.input_tokens = input >= apart ? input - apart : input;
    codex->turn.usage.output_tokens = output;
    codex->turn.usage.cache_read_tokens = cached;
    codex->turn.usage.cache_write_tokens = written;
}

void codex_usage(struct codex *codex, const json_t *usage, const struct observer *observer)
{
    const json_t *total = json_object_get(usage, "total"), *last = json_object_get(usage, "last");
    double window = json_member_number(usage, "modelContextWindow", 0);
    double used = json_member_number(last, "totalTokens", -1);

    if (!json_is_object(total))
        return;
    take_counts(codex, json_member_integer(total, "inputTokens", -1),
                json_member_integer(total, "cachedInputTokens", -1),
                json_member_integer(total, "cacheWriteInputTokens", -1),
                json_member_integer(total, "outputTokens", -1));
    if (window > 0 && used >= 0)
        codex->turn.usage.context_pct = used >= window ? 100 : used / window * 100;
    stream_turn_usage(&codex->turn, observer);
}

void codex_exec_usage(struct codex *codex, const json_t *usage)
{
    if (json_is_object(usage))
        take_counts(codex, json_member_integer(usage, "input_tokens", -1),
                    json_member_integer(usage, "cached_input_tokens", -1),
                    json_member_integer(usage, "cache_write_input_tokens", -1),
                    json_member_integer(usage, "output_tokens", -1));
}
