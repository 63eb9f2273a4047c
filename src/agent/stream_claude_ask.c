/* What Claude asks of a person: permissions, questions, plans (control_request can_use_tool). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/claude_words.h"
#include "agent/stream_claude.h"
#include "agent/tool_line.h"
#include "base/json.h"
#include "base/memory.h"

#define REQUESTS_MAX 64
#define DENIED "The person does not want this to be done."

static const char *word(const json_t *object, const char *key)
{
    return json_member_string(object, key, "");
}

static bool is_question(const json_t *request)
{
    return strcmp(word(request, "tool_name"), "AskUserQuestion") == 0 &&
           json_array_size(json_object_get(json_object_get(request, "input"), "questions")) > 0;
}

static bool is_plan(const json_t *request)
{
    return strcmp(word(request, "tool_name"), "ExitPlanMode") == 0;
}

static const json_t *question(const json_t *request, size_t index)
{
    return json_array_get(json_object_get(json_object_get(request, "input"), "questions"), index);
}

/* ---- choices ---- */

/* "Bash(npm test:*), Read" of the rules that a suggestion adds. */
static void append_rules(struct buffer *out, const json_t *rules)
{
    const json_t *rule;
    size_t index;

    json_array_foreach(rules, index, rule)
    {
        const char *content = json_member_string(rule, "ruleContent", NULL);
        buffer_printf(out, "%s%s", index > 0 ? ", " : "", word(rule, "toolName"));
        if (content != NULL)
            buffer_printf(out, "(%s)", content);
    }
}

/* What agreeing with a suggestion means; false when that is not known. */
static bool append_suggestion(struct buffer *out, const json_t *suggestion)
{
    const char *type = word(suggestion, "type"), *mode = word(suggestion, "mode");
    bool session = strcmp(word(suggestion, "destination"), "session") == 0;

    if (strcmp(type, "addRules") == 0 && strcmp(word(suggestion, "behavior"), "allow") == 0) {
        buffer_append_string(out, session ? "Yes, for this session: " : "Yes, always: ");
        append_rules(out, json_object_get(suggestion, "rules"));
    } else if (strcmp(type, "addDirectories") == 0) {
        const char *folder = json_string_value(json_array_get(json_object_get(suggestion, "directories"), 0));
        buffer_printf(out, "Yes, and always allow access to %s", folder == NULL ? "that folder" : folder);
    } else if (strcmp(type, "setMode") == 0 && strcmp(mode, "acceptEdits") == 0) {
        buffer_append_string(out, "Yes, and accept all edits in this session");
    } else if (strcmp(type, "setMode") == 0) {
        buffer_printf(out, "Yes, and go on in the mode %s", mode);
    } else {
        return false;
    }
    return true;
}

static void add_choice(json_t *choices, const char *text)
{
    struct buffer line;

    buffer_init(&line);
    tool_line_append_text(&line, text, TOOL_LINE_MAX);
    json_array_append_new(choices, json_string_or_null(line.bytes == NULL ? "" : line.bytes));
    buffer_finish(&line);
}

/* The suggestion behind a choice, counted from 1 among those that are offered; NULL when there is none. */
static json_t *suggestion_at(const json_t *request, size_t number)
{
    json_t *suggestion;
    size_t index;

    json_array_foreach(json_object_get(request, "permission_suggestions"), index, suggestion)
    {
        struct buffer text;
        bool offered;
        buffer_init(&text);
        offered = append_suggestion(&text, suggestion);
        buffer_finish(&text);
        if (offered && --number == 0)
            return suggestion;
    }
    return NULL;
}

static json_t *permission_choices(const json_t *request)
{
    json_t *choices = json_array(), *suggestion;
    size_t index;

    add_choice(choices, "Yes");
    json_array_foreach(json_object_get(request, "permission_suggestions"), index, suggestion)
    {
        struct buffer text;
        buffer_init(&text);
        if (append_suggestion(&text, suggestion))
            add_choice(choices, text.bytes);
        buffer_finish(&text);
    }
    add_choice(choices, is_plan(request) ? "No, keep planning" : "No");
    return choices;
}

/* ---- asking ---- */

static void append_permission(struct buffer *out, const json_t *request)
{
    const char *name = json_member_string(request, "display_name", word(request, "tool_name"));
    const char *reason = word(request, "decision_reason"), *path = word(request, "blocked_path");

    buffer_printf(out, "%s  ", name);
    tool_line_append(out, json_object_get(request, "input"));
    if (*word(request, "description") != '\0')
        buffer_printf(out, "\n%s", word(request, "description"));
    if (*reason != '\0')
        buffer_printf(out, "\n%s", reason);
    if (*path != '\0')
        buffer_printf(out, "\nIt reaches %s.", path);
}

/* The id under which a request is told: a second question of the same one has its own. */
static void told_id(const char *id, size_t index, char *out, size_t size)
{
    if (index == 0)
        (void)snprintf(out, size, "%s", id);
    else
        (void)snprintf(out, size, "%s/%zu", id, index + 1);
}

static void tell_request(const char *id, const json_t *entry, const struct observer *observer)
{
    const json_t *request = json_object_get(entry, "request");
    size_t index = (size_t)json_member_integer(entry, "question", 0);
    struct observation told = {.kind = OBSERVED_APPROVAL,
                               .name = word(request, "tool_name"),
                               .request = "permission",
                               .input = json_object_get(request, "input")};
    struct buffer text;
    char name[160];
    json_t *choices;

    buffer_init(&text);
    if (is_question(request)) {
        told.request = "question";
        claude_append_question(&text, question(request, index));
        choices = claude_question_choices(question(request, index));
    } else {
        if (is_plan(request)) {
            told.request = "plan";
            buffer_append_string(&text, word(told.input, "plan"));
        } else {
            append_permission(&text, request);
        }
        choices = permission_choices(request);
    }
    told_id(id, index, name, sizeof name);
    told.id = name;
    told.text = text.bytes;
    told.choices = choices;
    observer->observe(observer->argument, &told);
    json_decref(choices);
    buffer_finish(&text);
}

static void refuse(const char *id, const char *subtype, const struct observer *observer)
{
    char why[120];

    (void)snprintf(why, sizeof why, "ganger does not know the request %.60s", subtype);
    claude_send(observer, json_pack("{ss s{ss ss ss}}", "type", "control_response", "response", "subtype",
                                    "error", "request_id", id, "error", why));
}

void claude_asked(struct claude *claude, const json_t *message, const struct observer *observer)
{
    json_t *request = json_object_get(message, "request");
    const char *id = word(message, "request_id"), *subtype = word(request, "subtype");
    char kind[80];

    if (strcmp(subtype, "can_use_tool") != 0 || *id == '\0' ||
        json_object_size(claude->requests) >= REQUESTS_MAX) {
        (void)snprintf(kind, sizeof kind, "request %.60s", subtype);
        stream_turn_unknown(&claude->turn, observer, kind);
        refuse(id, subtype, observer);
        return;
    }
    json_object_set_new(claude->requests, id,
                        json_pack("{sO si s{}}", "request", request, "question", 0, "answers"));
    tell_request(id, json_object_get(claude->requests, id), observer);
    claude_tell_phase(claude, observer);
}

static void resolved(struct claude *claude, const char *id, const char *outcome,
                     const struct observer *observer)
{
    size_t index = (size_t)json_member_integer(json_object_get(claude->requests, id), "question", 0);
    char name[160];

    told_id(id, index, name, sizeof name);
    observer->observe(
        observer->argument,
        &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .id = name, .outcome = outcome});
}

void claude_unasked(struct claude *claude, const char *request, const struct observer *observer)
{
    const char *id;
    json_t *entry;
    void *next;

    json_object_foreach_safe(claude->requests, next, id, entry)
    {
        if (request != NULL && strcmp(id, request) != 0)
            continue;
        resolved(claude, id, "gone", observer);
        (void)json_object_del(claude->requests, id);
    }
    if (request != NULL)
        claude_tell_phase(claude, observer);
}

void claude_tool_settled(struct claude *claude, const char *tool, const struct observer *observer)
{
    const char *id;
    json_t *entry;
    void *next;

    json_object_foreach_safe(claude->requests, next, id, entry)
    {
        if (strcmp(word(json_object_get(entry, "request"), "tool_use_id"), tool) != 0)
            continue;
        resolved(claude, id, "gone", observer);
        (void)json_object_del(claude->requests, id);
    }
}

/* ---- answering ---- */

static void respond(const char *id, json_t *decision, const struct observer *observer)
{
    claude_send(observer, json_pack("{ss s{ss ss so}}", "type", "control_response", "response", "subtype",
                                    "success", "request_id", id, "response", decision));
}

static json_t *allow(const json_t *request, const json_t *input)
{
    return json_pack("{ss sO? ss?}", "behavior", "allow", "updatedInput", input, "toolUseID",
                     json_member_string(request, "tool_use_id", NULL));
}

static json_t *deny(const char *text)
{
    return json_pack("{ss so}", "behavior", "deny", "message",
                     json_string_or_null(text == NULL || *text == '\0' ? DENIED : text));
}

static void settle(struct claude *claude, const char *id, json_t *decision, const char *outcome,
                   const struct observer *observer)
{
    respond(id, decision, observer);
    resolved(claude, id, outcome, observer);
    (void)json_object_del(claude->requests, id);
    claude_tell_phase(claude, observer);
}

static int answer_permission(struct claude *claude, const char *id, const json_t *request,
                             const struct approval_answer *answer, const struct observer *observer)
{
    const json_t *choices = permission_choices(request);
    size_t count = json_array_size(choices), choice = (size_t)answer->choice;
    json_t *decision, *suggestion;
    bool approve = choice == 0 ? answer->approve : choice < count;

    json_decref((json_t *)(uintptr_t)choices);
    if (answer->choice < 0 || choice > count)
        return -1;
    if (!approve) {
        settle(claude, id, deny(answer->text), "denied", observer);
        return 0;
    }
    decision = allow(request, json_object_get(request, "input"));
    suggestion = choice > 1 ? suggestion_at(request, choice - 1) : NULL;
    if (suggestion != NULL)
        json_object_set_new(decision, "updatedPermissions", json_pack("[O]", suggestion));
    settle(claude, id, decision, "approved", observer);
    return 0;
}

/* The person's words for one question; NULL when there is no such choice. */
static const char *answer_words(const json_t *asked, const struct approval_answer *answer)
{
    const json_t *options = json_object_get(asked, "options");

    if (answer->choice > 0)
        return json_member_string(json_array_get(options, (size_t)answer->choice - 1), "label", NULL);
    if (answer->text != NULL && *answer->text != '\0')
        return answer->text;
    return json_member_string(json_array_get(options, 0), "label", NULL);
}

static int answer_question(struct claude *claude, const char *id, json_t *entry,
                           const struct approval_answer *answer, const struct observer *observer)
{
    const json_t *request = json_object_get(entry, "request"), *asked;
    size_t index = (size_t)json_member_integer(entry, "question", 0);
    json_t *answers = json_object_get(entry, "answers"), *input;
    const char *words;

    if (!answer->approve && answer->choice == 0) {
        settle(claude, id, deny(answer->text), "denied", observer);
        return 0;
    }
    asked = question(request, index);
    words = answer_words(asked, answer);
    if (words == NULL)
        return -1;
    json_object_set_new(answers, word(asked, "question"), json_string_or_null(words));
    if (question(request, index + 1) != NULL) {
        resolved(claude, id, "answered", observer);
        json_object_set_new(entry, "question", json_integer((json_int_t)index + 1));
        tell_request(id, entry, observer);
        return 0;
    }
    input = json_copy(json_object_get(request, "input"));
    json_object_set(input, "answers", answers);
    settle(claude, id, allow(request, input), "answered", observer);
    json_decref(input);
    return 0;
}

int claude_answer(void *state, const char *request, const struct approval_answer *answer,
                  const struct observer *observer)
{
    struct claude *claude = state;
    const char *id;
    json_t *entry;
    char name[160], *key;
    int result;

    json_object_foreach(claude->requests, id, entry)
    {
        told_id(id, (size_t)json_member_integer(entry, "question", 0), name, sizeof name);
        if (strcmp(name, request) != 0)
            continue;
        key = xstrdup(id);
        json_incref(entry);
        if (is_question(json_object_get(entry, "request")))
            result = answer_question(claude, key, entry, answer, observer);
        else
            result = answer_permission(claude, key, json_object_get(entry, "request"), answer, observer);
        json_decref(entry);
        free(key);
        return result;
    }
    return -1;
}
