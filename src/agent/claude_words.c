#include "agent/claude_words.h"

#include <string.h>

#include "agent/error_class.h"
#include "agent/tool_line.h"
#include "base/json.h"

#define DIFF_MAX (256 * 1024)

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

const char *claude_error_class(const char *error)
{
    static const struct {
        const char *error, *name;
    } classes[] = {{"authentication_failed", "authentication"},
                   {"oauth_org_not_allowed", "permission"},
                   {"account_on_hold", "permission"},
                   {"verification_required", "permission"},
                   {"cloud_credential_error", "authentication"},
                   {"billing_error", "billing"},
                   {"model_not_found", "not_found"},
                   {"invalid_request", "invalid_request"},
                   {"rate_limit", "rate_limit"},
                   {"overloaded", "overloaded"},
                   {"server_error", "server_error"},
                   {"max_output_tokens", "context_window"},
                   {"prompt_too_long", "context_window"},
                   {"max_turns", "max_turns"},
                   {"error_max_turns", "max_turns"},
                   {"budget_exhausted", "budget"},
                   {"error_max_budget_usd", "budget"}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strcmp(classes[i].error, error) == 0)
            return classes[i].name;
    }
    return NULL;
}

const char *claude_error_class_in(const char *error, const char *text)
{
    const char *class = claude_error_class(error), *told = error_class_of_text(text);
    bool vague = class == NULL || strcmp(class, "invalid_request") == 0 || strcmp(class, "server_error") == 0;

    return vague && (told != NULL || class == NULL) ? told : class;
}

/* ---- files ---- */

static void append_patch(struct buffer *out, const json_t *patch)
{
    const json_t *hunk, *line;
    size_t i, j;

    json_array_foreach(patch, i, hunk)
    {
        buffer_printf(out, "@@ -%lld,%lld +%lld,%lld @@\n",
                      (long long)json_member_integer(hunk, "oldStart", 0),
                      (long long)json_member_integer(hunk, "oldLines", 0),
                      (long long)json_member_integer(hunk, "newStart", 0),
                      (long long)json_member_integer(hunk, "newLines", 0));
        json_array_foreach(json_object_get(hunk, "lines"), j, line)
        {
            if (json_is_string(line) && out->length < DIFF_MAX)
                buffer_printf(out, "%s\n", json_string_value(line));
        }
    }
}

static void append_added(struct buffer *out, const char *text)
{
    while (*text != '\0' && out->length < DIFF_MAX) {
        size_t length = strcspn(text, "\n");
        buffer_append_char(out, '+');
        buffer_append(out, text, length);
        buffer_append_char(out, '\n');
        text += length + (text[length] == '\n');
    }
}

void claude_tell_file(const char *id, const char *parent, const json_t *result,
                      const struct observer *observer)
{
    const json_t *patch = json_object_get(result, "structuredPatch");
    const char *path =
        json_member_string(result, "filePath", json_member_string(result, "notebook_path", NULL));
    bool created = strcmp(word(result, "type"), "create") == 0;
    struct buffer diff;
    json_t *input;

    if (path == NULL || !json_is_array(patch))
        return;
    buffer_init(&diff);
    append_patch(&diff, patch);
    if (created && diff.length == 0)
        append_added(&diff, word(result, "content"));
    input = json_pack("{so}", "diff", json_string_or_null(diff.bytes == NULL ? "" : diff.bytes));
    observer->observe(observer->argument, &(struct observation){.kind = OBSERVED_FILE,
                                                                .id = id,
                                                                .parent = parent,
                                                                .text = path,
                                                                .outcome = created ? "created" : "modified",
                                                                .input = input});
    json_decref(input);
    buffer_finish(&diff);
}

/* ---- questions ---- */

void claude_append_question(struct buffer *out, const json_t *question)
{
    const json_t *option;
    size_t index;

    buffer_append_string(out, word(question, "question"));
    json_array_foreach(json_object_get(question, "options"), index, option)
    {
        buffer_printf(out, "\n%zu. %s", index + 1, word(option, "label"));
        if (*word(option, "description") != '\0')
            buffer_printf(out, ": %s", word(option, "description"));
    }
}

json_t *claude_question_choices(const json_t *question)
{
    json_t *choices = json_array(), *option;
    struct buffer line;
    size_t index;

    json_array_foreach(json_object_get(question, "options"), index, option)
    {
        buffer_init(&line);
        tool_line_append_text(
            &line, json_is_string(option) ? json_string_value(option) : word(option, "label"), TOOL_LINE_MAX);
        json_array_append_new(choices, json_string_or_null(line.bytes == NULL ? "" : line.bytes));
        buffer_finish(&line);
    }
    return choices;
}
