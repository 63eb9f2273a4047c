#include "agent/error_class.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

const char *error_class_of_status(int status)
{
    static const struct {
        int status;
        const char *name;
    } classes[] = {{400, "invalid_request"}, {401, "authentication"},  {402, "billing"},
                   {403, "permission"},      {404, "not_found"},       {408, "connect_timeout"},
                   {413, "invalid_request"}, {422, "invalid_request"}, {429, "rate_limit"},
                   {503, "overloaded"},      {504, "connect_timeout"}, {529, "overloaded"}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (classes[i].status == status)
            return classes[i].name;
    }
    return status >= 500 && status < 600 ? "server_error" : NULL;
}

/* The first that occurs decides: the more particular words come first. */
static const struct {
    const char *words, *name;
} phrases[] = {
    {"prompt is too long", "context_window"},
    {"context window", "context_window"},
    {"context length", "context_window"},
    {"maximum context", "context_window"},
    {"too many tokens", "context_window"},
    {"billing", "billing"},
    {"credit", "billing"},
    {"quota exceeded", "billing"},
    {"insufficient_quota", "billing"},
    {"api key", "authentication"},
    {"api_key", "authentication"},
    {"unauthorized", "authentication"},
    {"unauthenticated", "authentication"},
    {"authenticat", "authentication"},
    {"not logged in", "authentication"},
    {"log in", "authentication"},
    {"login", "authentication"},
    {"overloaded", "overloaded"},
    {"high demand", "overloaded"},
    {"unavailable", "overloaded"},
    {"usage limit", "rate_limit"},
    {"rate limit", "rate_limit"},
    {"rate_limit", "rate_limit"},
    {"too many requests", "rate_limit"},
    {"resource_exhausted", "rate_limit"},
    {"quota", "rate_limit"},
    {"permission", "permission"},
    {"forbidden", "permission"},
    {"no space left", "disk_full"},
    {"enospc", "disk_full"},
    {"emfile", "too_many_files"},
    {"too many open files", "too_many_files"},
    {"out of memory", "out_of_memory"},
    {"enomem", "out_of_memory"},
    {"timed out", "connect_timeout"},
    {"timeout", "connect_timeout"},
    {"stream disconnected", "network"},
    {"connection", "network"},
    {"econnre", "network"},
    {"enotfound", "network"},
    {"fetch failed", "network"},
    {"network", "network"},
    {"no previous session", "not_found"},
    {"internal error", "server_error"},
    {"internal server", "server_error"},
    {"server error", "server_error"},
    {"server had an error", "server_error"},
    {"not found", "not_found"},
    {"no such", "not_found"},
    {"aborted", "cancelled"},
    {"cancelled", "cancelled"},
    {"interrupted", "cancelled"},
    {"invalid", "invalid_request"},
};

/* "status: 429", "status 401", "status":503 */
static int status_in(const char *text)
{
    for (const char *at = text; (at = strcasestr(at, "status")) != NULL; at++) {
        const char *digit = at + strlen("status");
        while (*digit != '\0' && strchr("\": Ccode=", *digit) != NULL)
            digit++;
        if (isdigit((unsigned char)*digit)) {
            long status = strtol(digit, NULL, 10);
            if (status >= 400 && status < 600)
                return (int)status;
        }
    }
    return 0;
}

const char *error_class_of_text(const char *text)
{
    const char *name;

    if (text == NULL)
        return NULL;
    name = error_class_of_status(status_in(text));
    for (size_t i = 0; name == NULL && i < sizeof phrases / sizeof phrases[0]; i++) {
        if (strcasestr(text, phrases[i].words) != NULL)
            name = phrases[i].name;
    }
    return name;
}

const char *error_class_refine(const char *name, const char *text)
{
    static const char *const spent[] = {
        "credits are used up", "credit balance is too low", "insufficient credits",
        "insufficient_quota",  "insufficient_g1_credits",   "quota exceeded. check your plan and billing"};

    if (name == NULL || text == NULL || strcmp(name, "rate_limit") != 0)
        return name;
    if (strcasestr(text, "overloaded") != NULL)
        return "overloaded";
    for (size_t i = 0; i < sizeof spent / sizeof spent[0]; i++) {
        if (strcasestr(text, spent[i]) != NULL)
            return "billing";
    }
    return name;
}

char *error_plain_text(const char *text)
{
    const char *start = strstr(text, "{\"error\"");
    json_t *answer = start != NULL ? json_loads(start, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    const char *message = json_member_string(json_object_get(answer, "error"), "message", NULL);
    char *plain = xstrdup(message != NULL && *message != '\0' ? message : text);

    json_decref(answer);
    return plain;
}
