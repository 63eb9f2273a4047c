#include "agent/rules.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"

#define RULES_VERSION 1
#define RULES_FILE_MAX (1024 * 1024)

EMBED(rules_claude, "src/agent/rules/claude.json");
EMBED(rules_codex, "src/agent/rules/codex.json");
EMBED(rules_gemini, "src/agent/rules/gemini.json");
EMBED(rules_opencode, "src/agent/rules/opencode.json");
EMBED(rules_command, "src/agent/rules/command.json");

static const struct {
    const char *agent;
    const char *text;
} built_in[] = {
    {"claude", rules_claude},     {"codex", rules_codex},     {"gemini", rules_gemini},
    {"opencode", rules_opencode}, {"command", rules_command},
};

struct rules {
    json_t *document;
};

/* Each title rule: {"phase": NAME, "prefix": [TEXT…] and/or "contains": [TEXT…], or "any": true}. */
static int check_titles(const json_t *titles, const char *name, struct error *error)
{
    size_t index;
    json_t *rule;

    json_array_foreach(titles, index, rule)
    {
        if (phase_parse(json_member_string(rule, "phase", "")) == PHASE_COUNT)
            return error_set(error, "%s: titles[%zu].phase: expected the name of a phase", name, index);
    }
    return 0;
}

static struct rules *rules_parse(const char *text, const char *name, struct error *error)
{
    json_error_t problem;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    struct rules *rules;

    if (document == NULL) {
        error_set(error, "%s:%d: %s", name, problem.line, problem.text);
        return NULL;
    }
    if (json_member_integer(document, "version", 0) != RULES_VERSION) {
        error_set(error, "%s: version: expected %d", name, RULES_VERSION);
        json_decref(document);
        return NULL;
    }
    if (check_titles(json_object_get(document, "titles"), name, error) < 0) {
        json_decref(document);
        return NULL;
    }
    rules = xmalloc(sizeof *rules);
    rules->document = document;
    return rules;
}

struct rules *rules_load(const char *agent, const char *override, struct error *error)
{
    char *text;
    size_t length;
    struct rules *rules;

    if (override != NULL) {
        if (path_read_file(override, RULES_FILE_MAX, &text, &length, error) < 0)
            return NULL;
        rules = rules_parse(text, override, error);
        free(text);
        return rules;
    }
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
        if (strcmp(built_in[i].agent, agent) == 0)
            return rules_parse(built_in[i].text, agent, error);
    }
    return rules_parse(rules_command, agent, error);
}

void rules_destroy(struct rules *rules)
{
    if (rules == NULL)
        return;
    json_decref(rules->document);
    free(rules);
}

static bool any_prefix(const json_t *patterns, const char *title)
{
    size_t index;
    json_t *pattern;

    json_array_foreach(patterns, index, pattern)
    {
        const char *text = json_string_value(pattern);
        if (text != NULL && strncmp(title, text, strlen(text)) == 0)
            return true;
    }
    return false;
}

static bool any_within(const json_t *patterns, const char *title)
{
    size_t index;
    json_t *pattern;

    json_array_foreach(patterns, index, pattern)
    {
        const char *text = json_string_value(pattern);
        if (text != NULL && strstr(title, text) != NULL)
            return true;
    }
    return false;
}

bool rules_ready(const struct rules *rules, const char *screen)
{
    const json_t *patterns = json_object_get(rules->document, "ready");

    return json_array_size(patterns) == 0 || any_within(patterns, screen);
}

enum phase rules_title_phase(const struct rules *rules, const char *title)
{
    size_t index;
    json_t *rule;

    while (*title == ' ')
        title++;
    if (*title == '\0')
        return PHASE_COUNT;
    json_array_foreach(json_object_get(rules->document, "titles"), index, rule)
    {
        if (json_member_bool(rule, "any", 0) || any_prefix(json_object_get(rule, "prefix"), title) ||
            any_within(json_object_get(rule, "contains"), title))
            return phase_parse(json_member_string(rule, "phase", ""));
    }
    return PHASE_COUNT;
}
