#include "agent/rollout_words.h"

#include <stdio.h>
#include <string.h>

#include "agent/error_class.h"
#include "base/json.h"

const char *rollout_error_code(const json_t *kind)
{
    return json_is_object(kind) ? json_object_iter_key(json_object_iter((json_t *)(uintptr_t)kind))
                                : json_string_value(kind);
}

const char *rollout_error_class(const json_t *kind)
{
    static const struct {
        const char *code, *class;
    } classes[] = {{"usage_limit_exceeded", "rate_limit"},
                   {"rate_limit_exceeded", "rate_limit"},
                   {"server_overloaded", "overloaded"},
                   {"internal_server_error", "server_error"},
                   {"http_connection_failed", "network"},
                   {"response_stream_connection_failed", "network"},
                   {"response_stream_disconnected", "network"},
                   {"response_too_many_failed_attempts", "network"},
                   {"unauthorized", "authentication"},
                   {"bad_request", "invalid_request"},
                   {"cyber_policy", "invalid_request"},
                   {"quota_exceeded", "billing"},
                   {"usage_not_included", "billing"},
                   {"sandbox_error", "permission"},
                   {"context_window_exceeded", "context_window"},
                   {"session_budget_exceeded", "budget"}};
    const char *code = rollout_error_code(kind), *by_status;
    const json_t *cause = code == NULL ? NULL : json_object_get(kind, code);

    by_status = error_class_of_status((int)json_member_integer(cause, "http_status_code", 0));
    if (by_status != NULL)
        return by_status;
    for (size_t i = 0; code != NULL && i < sizeof classes / sizeof classes[0]; i++) {
        if (strcmp(classes[i].code, code) == 0)
            return classes[i].class;
    }
    return NULL;
}

void rollout_window_name(const char *limit, int64_t minutes, char *name, size_t size)
{
    char window[40];
    bool usual = strcmp(limit, "codex") == 0 || strcmp(limit, "primary") == 0;

    if (minutes == 300)
        (void)snprintf(window, sizeof window, "five_hour");
    else if (minutes == 10080)
        (void)snprintf(window, sizeof window, "seven_day");
    else if (minutes > 0 && minutes % 60 == 0)
        (void)snprintf(window, sizeof window, "%lld_hour", (long long)minutes / 60);
    else
        (void)snprintf(window, sizeof window, "%lld_minute", (long long)minutes);
    (void)snprintf(name, size, "%.60s%s%s", usual ? "" : limit, usual ? "" : ":", window);
}

bool rollout_usage(const json_t *counts, struct observed_usage *usage)
{
    const json_t *total = json_object_get(counts, "total_token_usage");
    const json_t *last = json_object_get(counts, "last_token_usage");
    int64_t window = json_member_integer(counts, "model_context_window", 0);
    int64_t used = json_member_integer(last, "total_tokens", 0);
    int64_t input = json_member_integer(total, "input_tokens", 0);

    if (!json_is_object(total))
        return false;
    usage->cache_read_tokens = json_member_integer(total, "cached_input_tokens", 0);
    usage->cache_write_tokens = json_member_integer(total, "cache_write_input_tokens", 0);
    usage->input_tokens = input - usage->cache_read_tokens - usage->cache_write_tokens;
    if (usage->input_tokens < 0)
        usage->input_tokens = input;
    usage->output_tokens = json_member_integer(total, "output_tokens", 0);
    usage->cost_usd = -1;
    if (window > 0 && used > 0)
        usage->context_pct = 100.0 * (double)used / (double)window;
    return true;
}

/* ---- files ---- */

static const char *kind_of(const json_t *change)
{
    const json_t *kind = json_object_get(change, "kind");
    const char *type = json_member_string(change, "type", json_string_value(kind));

    if (type == NULL)
        type = json_member_string(kind, "type", NULL);
    if (type == NULL)
        type = json_object_get(change, "add") != NULL      ? "add"
               : json_object_get(change, "delete") != NULL ? "delete"
                                                           : "update";
    return type;
}

static void tell_change(const char *path, const json_t *change, const struct observer *observer)
{
    const char *kind = kind_of(change);
    const json_t *inner = json_object_get(change, kind) != NULL ? json_object_get(change, kind) : change;
    const char *diff = json_member_string(inner, "unified_diff", json_member_string(inner, "diff", NULL));
    json_t *input = diff == NULL ? NULL : json_pack("{ss}", "diff", diff);

    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_FILE,
                                            .name = "apply_patch",
                                            .text = path,
                                            .outcome = strcmp(kind, "add") == 0      ? "created"
                                                       : strcmp(kind, "delete") == 0 ? "deleted"
                                                                                     : "modified",
                                            .input = input});
    json_decref(input);
}

void rollout_tell_changes(const json_t *changes, const struct observer *observer)
{
    const char *path;
    json_t *change;
    size_t index;

    json_object_foreach((json_t *)(uintptr_t)changes, path, change)
    {
        tell_change(path, change, observer);
    }
    json_array_foreach(changes, index, change)
    {
        path = json_member_string(change, "path", NULL);
        if (path != NULL)
            tell_change(path, change, observer);
    }
}
