#include "tui/facts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "term/width.h"
#include "tui/text_line.h"

#define DATE_DIGITS 8 /* of a model's name: "-20250805" */

void facts_init(struct facts *facts)
{
    *facts = (struct facts){.model = xstrdup(""),
                            .hint = xstrdup(""),
                            .tokens = -1,
                            .cost_usd = -1,
                            .context_pct = -1,
                            .queue = json_array(),
                            .waiting_reason = xstrdup(""),
                            .unrecorded = xstrdup("")};
}

void facts_finish(struct facts *facts)
{
    free(facts->model);
    free(facts->hint);
    free(facts->waiting_reason);
    free(facts->unrecorded);
    json_decref(facts->queue);
}

/* ---- taking ---- */

static bool set_number(double *place, double value)
{
    bool changed = *place < value || *place > value;

    *place = value;
    return changed;
}

static int64_t sum_tokens(const json_t *usage)
{
    static const char *const kinds[] = {"input_tokens", "output_tokens", "cache_read_tokens",
                                        "cache_write_tokens"};
    int64_t sum = -1;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        int64_t tokens = json_member_integer(usage, kinds[i], -1);
        if (tokens >= 0 && tokens < INT64_MAX / 8)
            sum = (sum < 0 ? 0 : sum) + tokens;
    }
    return sum;
}

static bool take_usage(struct facts *facts, const json_t *object)
{
    const json_t *usage = json_object_get(object, "usage");
    int64_t tokens = sum_tokens(usage);
    bool changed = tokens != facts->tokens;

    facts->tokens = tokens;
    facts->cost_estimated = strcmp(json_member_string(usage, "cost_basis", ""), "reported") != 0;
    changed |= set_number(&facts->cost_usd, json_member_number(usage, "cost_usd", -1));
    return set_number(&facts->context_pct, json_member_number(object, "context_pct", -1)) || changed;
}

static enum waiting_for find_waiting(const char *name)
{
    static const char *const names[] = {
        [WAITING_NOT] = "",          [WAITING_LIMIT] = "limit",    [WAITING_ORDER] = "order",
        [WAITING_PROBE] = "probe",   [WAITING_CAP] = "cap",        [WAITING_BACKOFF] = "backoff",
        [WAITING_BUDGET] = "budget", [WAITING_ACCOUNT] = "account"};

    for (int kind = 0; kind < WAITING_OTHER; kind++) {
        if (strcmp(names[kind], name) == 0)
            return (enum waiting_for)kind;
    }
    return WAITING_OTHER;
}

static bool take_waiting(struct facts *facts, const json_t *waiting)
{
    enum waiting_for kind = find_waiting(json_member_string(waiting, "for", ""));
    int64_t until = 0;
    bool changed;

    if (clock_parse_rfc3339(json_member_string(waiting, "until", ""), &until) < 0)
        until = 0;
    changed = kind != facts->waiting || until != facts->waiting_until_ms;
    facts->waiting = kind;
    facts->waiting_until_ms = until;
    return text_line_replace(&facts->waiting_reason, json_member_string(waiting, "reason", "")) || changed;
}

bool facts_take_queue(struct facts *facts, const json_t *queue)
{
    json_t *list = json_array(), *prompt;
    size_t index;
    bool changed;

    json_array_foreach(queue, index, prompt)
    {
        if (json_member_string(prompt, "id", NULL) != NULL)
            (void)json_array_append_new(list, json_deep_copy(prompt));
    }
    changed = json_equal(list, facts->queue) == 0;
    json_decref(facts->queue);
    facts->queue = list;
    return changed;
}

bool facts_take(struct facts *facts, const json_t *object)
{
    const json_t *problem = json_object_get(object, "last_error");
    const json_t *recording = json_object_get(object, "recording");
    bool changed = text_line_replace(&facts->model, json_member_string(object, "model", ""));

    changed |= text_line_replace(&facts->hint, json_member_string(problem, "hint", ""));
    changed |= take_usage(facts, object);
    changed |= take_waiting(facts, json_object_get(object, "waiting"));
    changed |= text_line_replace(&facts->unrecorded, json_member_string(recording, "paused", ""));
    return facts_take_queue(facts, json_object_get(object, "queue")) || changed;
}

/* ---- telling ---- */

bool facts_used(const struct facts *facts)
{
    return facts->tokens >= 0 || facts->cost_usd >= 0 || facts->context_pct >= 0 || facts->model[0] != '\0';
}

static size_t without_date(const char *model, size_t length)
{
    size_t digits = 0;

    while (digits < length && isdigit((unsigned char)model[length - digits - 1]))
        digits++;
    return digits == DATE_DIGITS && length > digits + 1 && model[length - digits - 1] == '-'
               ? length - digits - 1
               : length;
}

const char *facts_model(const struct facts *facts, const char *agent, size_t *length)
{
    const char *slash = strrchr(facts->model, '/');
    const char *model = slash == NULL || slash[1] == '\0' ? facts->model : slash + 1;
    size_t prefix = strlen(agent);

    if (prefix > 0 && strncmp(model, agent, prefix) == 0 && model[prefix] == '-' && model[prefix + 1] != '\0')
        model += prefix + 1;
    *length = without_date(model, strlen(model));
    return model;
}

void facts_waiting_text(const struct facts *facts, const char *key, bool brief, char *out, size_t size)
{
    static const struct {
        const char *before, *after; /* of the account's key */
        const char *brief;          /* NULL: the key alone */
    } words[] = {[WAITING_LIMIT] = {"waits for ", "", NULL},
                 [WAITING_ACCOUNT] = {"waits for ", "", NULL},
                 [WAITING_ORDER] = {"in line for ", "", "in line"},
                 [WAITING_PROBE] = {"another tries ", " first", "another tries"},
                 [WAITING_CAP] = {"waits for a turn on ", "", "turns are full"},
                 [WAITING_BACKOFF] = {"waits to try again", NULL, "to try again"},
                 [WAITING_BUDGET] = {"its budget is spent", NULL, "budget spent"},
                 [WAITING_OTHER] = {"waits", NULL, "waits"}};
    const char *before = words[facts->waiting].before, *after = words[facts->waiting].after;
    bool told = facts->waiting == WAITING_BUDGET || facts->waiting == WAITING_OTHER;

    if (facts->waiting == WAITING_NOT)
        out[0] = '\0';
    else if (brief)
        (void)snprintf(out, size, "%s",
                       words[facts->waiting].brief == NULL ? key : words[facts->waiting].brief);
    else if (told && facts->waiting_reason[0] != '\0')
        (void)snprintf(out, size, "%s", facts->waiting_reason);
    else
        (void)snprintf(out, size, "%s%s%s", before, after == NULL ? "" : key, after == NULL ? "" : after);
}

size_t facts_next(const struct facts *facts)
{
    size_t count = json_array_size(facts->queue);

    for (size_t i = 0; i < count; i++) {
        const char *state = json_member_string(json_array_get(facts->queue, i), "state", "queued");
        if (strcmp(state, "queued") == 0 || strcmp(state, "sending") == 0)
            return i;
    }
    return count;
}

/* Where the first command of ganger begins and ends, without its quotes. NULL: there is none. */
static const char *find_command(const char *hint, size_t *length)
{
    const char *at = strstr(hint, "ganger ");

    while (at != NULL && at > hint && strchr(" `", at[-1]) == NULL)
        at = strstr(at + 1, "ganger ");
    if (at != NULL)
        *length = strcspn(at, at > hint && at[-1] == '`' ? "`" : ";");
    return at;
}

void facts_hint_row(const char *hint, int cols, char *out, size_t size)
{
    size_t length = 0;
    const char *command = find_command(hint, &length);

    if (command == NULL || width_of_text(hint, strlen(hint)) <= cols ||
        width_of_text(hint, (size_t)(command - hint) + length) < cols)
        (void)snprintf(out, size, "%s", hint);
    else
        (void)snprintf(out, size, "%.*s · %s", (int)length, command, hint);
}
