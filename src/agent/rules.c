#include "agent/rules.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/rule_set.h"
#include "base/agent_data.h"
#include "base/json.h"
#include "base/memory.h"

#define DEFAULT_LAST 10
#define LAST_MAX 200

/* ---- reading ---- */

/* Where the reader is, for messages: "claude.json: screen[2].any". */
struct place {
    const char *file;
    char path[160];
    struct error *error;
};

static int wrong(const struct place *place, const char *key, const char *expected)
{
    return error_set(place->error, "%s: %s%s%s: %s", place->file, place->path,
                     *place->path == '\0' ? "" : ".", key, expected);
}

static int known_keys(const struct place *place, const json_t *object, const char *const *keys)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL)
            return wrong(place, key, "there is no such key");
    }
    return 0;
}

static int read_patterns(const struct place *place, const json_t *object, const char *key,
                         struct patterns *out)
{
    const json_t *list = json_object_get(object, key);
    size_t index;
    json_t *text;

    if (list == NULL)
        return 0;
    if (!json_is_array(list))
        return wrong(place, key, "expected a list of patterns");
    json_array_foreach(list, index, text)
    {
        char *problem;
        int result = 0;
        if (!json_is_string(text))
            return wrong(place, key, "expected a list of patterns");
        problem = patterns_add(out, json_string_value(text));
        if (problem != NULL)
            result = wrong(place, key, problem);
        free(problem);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int read_text(const struct place *place, const json_t *object, const char *key, char **out)
{
    const json_t *text = json_object_get(object, key);

    if (text == NULL)
        return 0;
    if (!json_is_string(text))
        return wrong(place, key, "expected text");
    *out = xstrdup(json_string_value(text));
    return 0;
}

static int read_number(const struct place *place, const json_t *object, const char *key, int most, int *out)
{
    const json_t *number = json_object_get(object, key);

    if (number == NULL)
        return 0;
    if (!json_is_integer(number) || json_integer_value(number) < 0 || json_integer_value(number) > most)
        return wrong(place, key, "expected a whole number within its range");
    *out = (int)json_integer_value(number);
    return 0;
}

static int read_phase(const struct place *place, const json_t *object, struct rule *rule)
{
    const char *name = json_member_string(object, "phase", "");

    rule->coarse = strcmp(name, "working") == 0;
    rule->phase = rule->coarse ? PHASE_THINKING : phase_parse(name);
    if (rule->phase == PHASE_COUNT || phase_is_end(rule->phase))
        return wrong(place, "phase",
                     "expected initializing, idle, working, connecting, thinking, streaming, tool, "
                     "approval, limited, retrying or unknown");
    return 0;
}

static int read_tools(const struct place *place, const json_t *object, struct rule_question *question)
{
    const json_t *tools = json_object_get(object, "tools");
    const char *text;
    json_t *name;

    if (tools != NULL && !json_is_object(tools))
        return wrong(place, "tools", "expected an object of texts");
    json_object_foreach((json_t *)(uintptr_t)tools, text, name)
    {
        if (!json_is_string(name))
            return wrong(place, "tools", "expected an object of texts");
        question->tools = xreallocarray(question->tools, question->tool_count + 1, sizeof *question->tools);
        question->tools[question->tool_count++] =
            (struct rule_tool){xstrdup(text), xstrdup(json_string_value(name))};
    }
    return 0;
}

static int read_choices(const struct place *place, const json_t *object, struct rule_question *question)
{
    static const char *const names[] = {"digits", "letters", "arrows", "row"};
    const char *name = json_member_string(object, "choices", "digits");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            question->choices = (enum rule_choices)i;
            return 0;
        }
    }
    return wrong(place, "choices", "expected digits, letters, arrows or row");
}

static int read_question(const struct place *place, const json_t *object, struct rule *rule)
{
    static const char *const keys[] = {"choices", "top",       "skip",  "approve",
                                       "deny",    "deny_keys", "tools", NULL};
    struct rule_question *question;

    if (object == NULL)
        return 0;
    if (!json_is_object(object))
        return wrong(place, "question", "expected an object");
    question = rule->question = xcalloc(1, sizeof *question);
    return known_keys(place, object, keys) < 0 || read_choices(place, object, question) < 0 ||
                   read_patterns(place, object, "top", &question->top) < 0 ||
                   read_number(place, object, "skip", 9, &question->skip) < 0 ||
                   read_patterns(place, object, "approve", &question->approve) < 0 ||
                   read_patterns(place, object, "deny", &question->deny) < 0 ||
                   read_text(place, object, "deny_keys", &question->deny_keys) < 0 ||
                   read_tools(place, object, question) < 0
               ? -1
               : 0;
}

static int read_rules(const struct place *above, const json_t *object, const char *key, struct rule **out,
                      size_t *count);

static int read_rule(const struct place *place, const json_t *object, struct rule *rule)
{
    static const char *const keys[] = {"phase", "kind",  "last",   "any",      "all",     "none",
                                       "same",  "block", "within", "without",  "growing", "while_working",
                                       "wait",  "clock", "then",   "question", NULL};

    rule->last = DEFAULT_LAST;
    rule->growing = json_member_bool(object, "growing", 0);
    rule->while_working = json_member_bool(object, "while_working", 0);
    if (!json_is_object(object))
        return wrong(place, "", "expected an object");
    return known_keys(place, object, keys) < 0 || read_phase(place, object, rule) < 0 ||
                   read_text(place, object, "kind", &rule->kind) < 0 ||
                   read_number(place, object, "last", LAST_MAX, &rule->last) < 0 ||
                   read_patterns(place, object, "any", &rule->any) < 0 ||
                   read_patterns(place, object, "all", &rule->all) < 0 ||
                   read_patterns(place, object, "none", &rule->none) < 0 ||
                   read_patterns(place, object, "same", &rule->same) < 0 ||
                   read_patterns(place, object, "block", &rule->block) < 0 ||
                   read_patterns(place, object, "within", &rule->within) < 0 ||
                   read_patterns(place, object, "without", &rule->without) < 0 ||
                   read_text(place, object, "wait", &rule->wait) < 0 ||
                   read_text(place, object, "clock", &rule->clock) < 0 ||
                   read_rules(place, object, "then", &rule->then, &rule->then_count) < 0 ||
                   read_question(place, json_object_get(object, "question"), rule) < 0
               ? -1
               : 0;
}

static int read_rules(const struct place *above, const json_t *object, const char *key, struct rule **out,
                      size_t *count)
{
    const json_t *list = json_object_get(object, key);
    size_t index;
    json_t *entry;

    if (list == NULL)
        return 0;
    if (!json_is_array(list))
        return wrong(above, key, "expected a list of rules");
    *out = xcalloc(json_array_size(list) + 1, sizeof **out);
    json_array_foreach(list, index, entry)
    {
        struct place place = {.file = above->file, .error = above->error};
        (void)snprintf(place.path, sizeof place.path, "%.100s%s%s[%zu]", above->path,
                       *above->path == '\0' ? "" : ".", key, index);
        *count = index + 1;
        if (read_rule(&place, entry, &(*out)[index]) < 0)
            return -1;
    }
    return 0;
}

static int read_proofs(const struct place *place, const json_t *object, struct phase_proofs *proofs)
{
    const json_t *times = json_object_get(object, "proofs");

    *proofs = phase_proofs_default;
    return read_number(place, times, "dialog_gone_ms", 60000, &proofs->dialog_gone_ms) < 0 ||
                   read_number(place, times, "quiet_ms", 600000, &proofs->quiet_ms) < 0 ||
                   read_number(place, times, "turning_ms", 60000, &proofs->turning_ms) < 0 ||
                   read_number(place, times, "unsaid_ms", 60000, &proofs->unsaid_ms) < 0
               ? -1
               : 0;
}

static int read_document(const struct place *place, const json_t *document, struct rules *rules)
{
    static const char *const keys[] = {
        "$schema",   "version",        "agent",  "title",    "seen",  "command", "install",
        "interrupt", "enter_delay_ms", "home",   "scrubbed", "login", "ready",   "turn",
        "identify",  "proofs",         "titles", "screen",   NULL};
    const json_t *identify = json_object_get(document, "identify");

    if (json_member_integer(document, "version", 0) != RULES_VERSION)
        return wrong(place, "version", "expected 2");
    return known_keys(place, document, keys) < 0 || read_text(place, document, "seen", &rules->seen) < 0 ||
                   read_patterns(place, document, "ready", &rules->ready) < 0 ||
                   read_patterns(place, document, "turn", &rules->turn) < 0 ||
                   read_patterns(place, identify, "titles", &rules->identify_titles) < 0 ||
                   read_patterns(place, identify, "screen", &rules->identify_screen) < 0 ||
                   read_proofs(place, document, &rules->proofs) < 0 ||
                   read_rules(place, document, "titles", &rules->titles, &rules->title_count) < 0 ||
                   read_rules(place, document, "screen", &rules->screen, &rules->screen_count) < 0
               ? -1
               : 0;
}

static struct rules *read_rules_of(const char *agent, const json_t *document, const char *name,
                                   struct error *error)
{
    struct place place = {.file = name, .error = error};
    struct rules *rules = xcalloc(1, sizeof *rules);

    rules->agent = xstrdup(agent);
    if (read_document(&place, document, rules) == 0)
        return rules;
    rules_destroy(rules);
    return NULL;
}

static struct rules *parse(const char *agent, const char *text, const char *name, struct error *error)
{
    json_error_t problem;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    struct rules *rules = NULL;

    if (document == NULL)
        error_set(error, "%s:%d: %s", name, problem.line, problem.text);
    else
        rules = read_rules_of(agent, document, name, error);
    json_decref(document);
    return rules;
}

struct rules *rules_load(const char *agent, const char *text, const char *name, struct error *error)
{
    const json_t *document;

    if (text != NULL)
        return parse(agent, text, name, error);
    document = agent_data(agent);
    return read_rules_of(agent, document != NULL ? document : agent_data("command"), agent, error);
}

/* ---- the end ---- */

static void question_finish(struct rule_question *question)
{
    if (question == NULL)
        return;
    patterns_finish(&question->top);
    patterns_finish(&question->approve);
    patterns_finish(&question->deny);
    for (size_t i = 0; i < question->tool_count; i++) {
        free(question->tools[i].text);
        free(question->tools[i].name);
    }
    free(question->tools);
    free(question->deny_keys);
    free(question);
}

static void rules_finish(struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rule *rule = &rules[i];
        struct patterns *all[] = {&rule->any,   &rule->all,    &rule->none,   &rule->same,
                                  &rule->block, &rule->within, &rule->without};
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
            patterns_finish(all[k]);
        free(rule->kind);
        free(rule->wait);
        free(rule->clock);
        rules_finish(rule->then, rule->then_count);
        question_finish(rule->question);
    }
    free(rules);
}

void rules_destroy(struct rules *rules)
{
    if (rules == NULL)
        return;
    patterns_finish(&rules->ready);
    patterns_finish(&rules->turn);
    patterns_finish(&rules->identify_titles);
    patterns_finish(&rules->identify_screen);
    rules_finish(rules->titles, rules->title_count);
    rules_finish(rules->screen, rules->screen_count);
    free(rules->agent);
    free(rules->seen);
    free(rules);
}

const char *rules_seen(const struct rules *rules)
{
    return rules->seen != NULL ? rules->seen : "";
}

const struct phase_proofs *rules_proofs(const struct rules *rules)
{
    return &rules->proofs;
}

/* ---- titles ---- */

struct rules_title rules_title(const struct rules *rules, const char *title)
{
    while (*title == ' ')
        title++;
    for (size_t i = 0; i < rules->title_count && *title != '\0'; i++) {
        if (patterns_match(&rules->titles[i].any, title))
            return (struct rules_title){rules->titles[i].phase, rules->titles[i].coarse};
    }
    return (struct rules_title){PHASE_COUNT, false};
}
