#include <stdlib.h>
#include <string.h>

#include "agent/stream_codex.h"
#include "agent/tool_line.h"
#include "base/json.h"
#include "base/memory.h"

/*
 * A request in the making. A choice is {name, outcome, result}: the result is what is sent when it is chosen.
 * `approve` and `deny` are numbers of choices, from 1; 0: there is none.
 */
struct question {
    const json_t *params;
    const char *tool, *kind; /* kind: as in an observation's `request` */
    struct buffer text;
    json_t *input, *choices;
    json_t *refusal; /* the result that refuses when no choice does */
    int approve, deny;
};

/* Takes the reference to `result`. Returns the number of the choice. */
static int add_choice(struct question *question, const char *name, const char *outcome, json_t *result)
{
    json_t *choice = json_object();

    (void)json_object_set_new(choice, "name", json_string(name));
    (void)json_object_set_new(choice, "outcome", json_string(outcome));
    (void)json_object_set_new(choice, "result", result);
    (void)json_array_append_new(question->choices, choice);
    return (int)json_array_size(question->choices);
}

static const char *asked(const struct question *question, const char *name)
{
    return json_member_string(question->params, name, NULL);
}

static void take_input(struct question *question, const char *name)
{
    const char *text = asked(question, name);

    if (text != NULL)
        (void)json_object_set_new(question->input, name, json_string(text));
}

static void add_line(struct question *question, const char *before, const char *text)
{
    if (text != NULL && *text != '\0')
        buffer_printf(&question->text, "%s%s%s", question->text.length > 0 ? "\n" : "", before, text);
}

/* ---- decisions: a command, a change of files ---- */

static json_t *decision_result(json_t *decision)
{
    return json_pack("{s:O}", "decision", decision);
}

static int add_decision(struct question *question, const char *name, const char *outcome,
                        const char *decision)
{
    return add_choice(question, name, outcome, json_pack("{s:s}", "decision", decision));
}

static const struct {
    const char *decision, *name, *outcome;
} decisions[] = {
    {"accept", "Approve", "approved"},
    {"acceptForSession", "Approve for this session", "approved"},
    {"decline", "Deny", "denied"},
    {"cancel", "Deny and end the turn", "denied"},
};

static void add_amendment(struct question *question, json_t *decision)
{
    const json_t *accept = json_object_get(decision, "acceptWithExecpolicyAmendment");
    const json_t *network = json_object_get(decision, "applyNetworkPolicyAmendment"), *word;
    const json_t *rule = json_object_get(network, "network_policy_amendment");
    bool allow = strcmp(json_member_string(rule, "action", ""), "allow") == 0;
    struct buffer name;
    size_t i;

    buffer_init(&name);
    if (accept != NULL) {
        buffer_append_string(&name, "Approve, and every command that begins with:");
        json_array_foreach(json_object_get(accept, "execpolicy_amendment"), i, word)
        {
            buffer_printf(&name, " %s", json_is_string(word) ? json_string_value(word) : "?");
        }
        (void)add_choice(question, name.bytes, "approved", decision_result(decision));
    } else if (network != NULL) {
        buffer_printf(&name, "%s %s from now on", allow ? "Allow" : "Refuse",
                      json_member_string(rule, "host", "the host"));
        (void)add_choice(question, name.bytes, allow ? "approved" : "denied", decision_result(decision));
    }
    buffer_finish(&name);
}

static void add_known_decision(struct question *question, const char *decision)
{
    for (size_t i = 0; i < sizeof decisions / sizeof decisions[0]; i++) {
        int number;
        if (strcmp(decisions[i].decision, decision) != 0)
            continue;
        number = add_decision(question, decisions[i].name, decisions[i].outcome, decision);
        if (strcmp(decision, "accept") == 0)
            question->approve = number;
        else if (strcmp(decision, "decline") == 0)
            question->deny = number;
    }
}

/* What the request offers, else all; "decline" is taken though it is not always offered. */
static void add_decisions(struct question *question)
{
    const json_t *offered = json_object_get(question->params, "availableDecisions");
    json_t *decision;
    size_t i;

    if (json_array_size(offered) == 0) {
        for (i = 0; i < sizeof decisions / sizeof decisions[0]; i++)
            add_known_decision(question, decisions[i].decision);
        return;
    }
    json_array_foreach(offered, i, decision)
    {
        const char *word = json_string_value(decision);
        if (word != NULL && strcmp(word, "cancel") == 0 && question->deny == 0)
            add_known_decision(question, "decline");
        if (word != NULL)
            add_known_decision(question, word);
        else
            add_amendment(question, decision);
    }
    if (question->deny == 0)
        add_known_decision(question, "decline");
}

static bool ask_command(struct codex *codex, struct question *question)
{
    const json_t *network = json_object_get(question->params, "networkApprovalContext");

    (void)codex;
    question->tool = "shell";
    add_line(question,
             strcmp(json_member_string(question->params, "kind", ""), "writeStdin") == 0 ? "input for: " : "",
             asked(question, "command"));
    add_line(question, "in ", asked(question, "cwd"));
    add_line(question, "network access to ", json_member_string(network, "host", NULL));
    add_line(question, "reason: ", asked(question, "reason"));
    take_input(question, "command");
    take_input(question, "cwd");
    take_input(question, "reason");
    add_decisions(question);
    return true;
}

static bool ask_change(struct codex *codex, struct question *question)
{
    const json_t *item = json_object_get(codex->items, json_member_string(question->params, "itemId", ""));
    const json_t *changes = json_object_get(item, "changes"), *change;
    json_t *files = json_array();
    struct buffer diff;
    size_t i;

    question->tool = "edit";
    json_array_foreach(changes, i, change)
    {
        (void)json_array_append_new(files, json_string(json_member_string(change, "path", "file")));
    }
    buffer_init(&diff);
    buffer_append(&diff, "", 0);
    codex_changes_append(&diff, changes);
    add_line(question, "change ", json_member_string(item, "line", "files"));
    add_line(question, "reason: ", asked(question, "reason"));
    add_line(question, "and whatever is below ", asked(question, "grantRoot"));
    add_line(question, "", diff.bytes);
    (void)json_object_set_new(question->input, "files", files);
    (void)json_object_set_new(question->input, "diff", json_string(diff.bytes));
    take_input(question, "grantRoot");
    add_decisions(question);
    buffer_finish(&diff);
    return true;
}

/* ---- more rights ---- */

/* What is granted has no nulls, unlike what is asked. */
static json_t *granted(const json_t *permissions, const char *scope)
{
    json_t *rights = json_object(), *value = json_object_get(permissions, "network");

    if (json_is_object(value))
        (void)json_object_set(rights, "network", value);
    value = json_object_get(permissions, "fileSystem");
    if (json_is_object(value))
        (void)json_object_set(rights, "fileSystem", value);
    return json_pack("{s:o, s:s}", "permissions", rights, "scope", scope);
}

static bool ask_rights(struct codex *codex, struct question *question)
{
    json_t *permissions = json_object_get(question->params, "permissions");
    struct buffer rights;

    (void)codex;
    question->tool = "permissions";
    buffer_init(&rights);
    json_append_value(&rights, permissions);
    add_line(question, "more rights: ", rights.bytes);
    add_line(question, "in ", asked(question, "cwd"));
    add_line(question, "reason: ", asked(question, "reason"));
    (void)json_object_set(question->input, "permissions", permissions);
    question->approve = add_choice(question, "Allow for this turn", "approved", granted(permissions, "turn"));
    (void)add_choice(question, "Allow for this session", "approved", granted(permissions, "session"));
    question->deny = add_choice(question, "Deny", "denied", granted(NULL, "turn"));
    buffer_finish(&rights);
    return true;
}

/* ---- questions ---- */

static json_t *answers_result(const char *id, const char *answer)
{
    return json_pack("{s:{s:{s:[s]}}}", "answers", id, "answers", answer);
}

static bool ask_questions(struct codex *codex, struct question *question)
{
    const json_t *questions = json_object_get(question->params, "questions"), *one, *option;
    size_t i, k;

    (void)codex;
    question->tool = "question";
    question->kind = "question";
    json_array_foreach(questions, i, one)
    {
        const json_t *options = json_object_get(one, "options");
        add_line(question, "", json_member_string(one, "question", json_member_string(one, "header", NULL)));
        json_array_foreach(options, k, option)
        {
            const char *label = json_member_string(option, "label", "");
            buffer_printf(&question->text, "\n- %s: %s", label,
                          json_member_string(option, "description", ""));
            if (json_array_size(questions) == 1)
                (void)add_choice(question, label, "answered",
                                 answers_result(json_member_string(one, "id", ""), label));
        }
    }
    if (json_array_size(questions) > 1)
        add_line(question, "", "Answer with one line for each question.");
    (void)json_object_set(question->input, "questions", json_object_get(question->params, "questions"));
    question->refusal = json_pack("{s:{}}", "answers");
    return json_array_size(questions) > 0;
}

/* The lines of a text in the order of the questions; the last takes what is left. NULL: nothing can be said. */
static json_t *answers_of_text(const json_t *questions, const char *text)
{
    size_t count = json_array_size(questions);
    json_t *answers = json_object();

    for (size_t i = 0; i < count; i++) {
        size_t length = i + 1 < count ? strcspn(text, "\n") : strlen(text);
        char *line = xstrndup(text, length);
        const char *id = json_member_string(json_array_get(questions, i), "id", "");
        json_t *said = json_array();
        (void)json_array_append_new(said, json_string_or_null(line));
        (void)json_object_set_new(answers, id, json_pack("{s:o}", "answers", said));
        text += length + (text[length] == '\n');
        free(line);
    }
    return json_pack("{s:o}", "answers", answers);
}

/* ---- servers of tools ---- */

static json_t *elicited(const char *action, json_t *content)
{
    return json_pack("{s:s, s:o, s:n}", "action", action, "content", content, "_meta");
}

/* A form without fields is a question of yes or no; one with fields is not for a line of text. */
static bool ask_server(struct codex *codex, struct question *question)
{
    const json_t *schema = json_object_get(question->params, "requestedSchema");
    const json_t *fields = json_object_get(schema, "properties");
    bool form = strcmp(json_member_string(question->params, "mode", "form"), "url") != 0;

    (void)codex;
    question->tool = asked(question, "serverName") != NULL ? asked(question, "serverName") : "mcp";
    question->kind = form ? "question" : "auth";
    add_line(question, "", asked(question, "message"));
    add_line(question, "", asked(question, "url"));
    take_input(question, "message");
    take_input(question, "url");
    if (!form || json_object_size(fields) == 0)
        question->approve = add_choice(question, "Accept", "approved",
                                       elicited("accept", form ? json_object() : json_null()));
    else
        add_line(question, "", "It wants a form to be filled in, which is not possible here.");
    question->deny = add_choice(question, "Decline", "denied", elicited("decline", json_null()));
    return true;
}

static const struct {
    const char *method;
    bool (*ask)(struct codex *codex, struct question *question);
} methods[] = {
    {"item/commandExecution/requestApproval", ask_command}, {"item/fileChange/requestApproval", ask_change},
    {"item/permissions/requestApproval", ask_rights},       {"item/tool/requestUserInput", ask_questions},
    {"mcpServer/elicitation/request", ask_server},
};

/* ---- asking ---- */

static json_t *request_fields(const struct question *question)
{
    json_t *fields = json_object(), *questions = json_object_get(question->input, "questions");
    struct buffer line;

    buffer_init(&line);
    buffer_printf(&line, "%s ", question->tool);
    tool_line_append_text(&line, question->text.bytes, TOOL_LINE_MAX);
    (void)json_object_set_new(fields, "line", json_string(line.bytes));
    (void)json_object_set_new(fields, "item",
                              json_string(json_member_string(question->params, "itemId", "")));
    (void)json_object_set(fields, "choices", question->choices);
    (void)json_object_set_new(fields, "approve", json_integer(question->approve));
    (void)json_object_set_new(fields, "deny", json_integer(question->deny));
    if (question->refusal != NULL)
        (void)json_object_set(fields, "refusal", question->refusal);
    if (questions != NULL)
        (void)json_object_set(fields, "questions", questions);
    buffer_finish(&line);
    return fields;
}

static void tell_question(struct codex *codex, const char *key, const struct question *question,
                          const struct observer *observer)
{
    const char *thread = json_member_string(question->params, "threadId", NULL);
    json_t *names = json_array();
    const json_t *choice;
    size_t i;

    json_array_foreach(question->choices, i, choice)
    {
        (void)json_array_append(names, json_object_get(choice, "name"));
    }
    observer->observe(observer->argument,
                      &(struct observation){.kind = OBSERVED_APPROVAL,
                                            .id = key,
                                            .parent = thread != NULL && codex->thread_id != NULL &&
                                                              strcmp(thread, codex->thread_id) != 0
                                                          ? thread
                                                          : NULL,
                                            .name = question->tool,
                                            .request = question->kind,
                                            .text = question->text.bytes,
                                            .input = question->input,
                                            .choices = names});
    json_decref(names);
}

static bool put_question(struct codex *codex, const json_t *message, struct question *question, size_t method,
                         const struct observer *observer)
{
    const json_t *id = json_object_get(message, "id");
    char *key = json_rpc_key(id);
    bool held;

    question->params = json_object_get(message, "params");
    held = key != NULL && json_rpc_held(&codex->rpc, key) == NULL && !codex->turn.interrupted &&
           methods[method].ask(codex, question) && json_rpc_hold(&codex->rpc, id, request_fields(question));
    if (held) {
        tell_question(codex, key, question, observer);
        codex_settle(codex, observer);
    }
    free(key);
    return held;
}

bool codex_ask(struct codex *codex, const json_t *message, const struct observer *observer)
{
    const char *method = json_member_string(message, "method", "");
    struct question question = {.kind = "permission", .input = json_object(), .choices = json_array()};
    bool held = false, known = false;

    buffer_init(&question.text);
    buffer_append(&question.text, "", 0);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0] && !known; i++) {
        known = strcmp(methods[i].method, method) == 0;
        held = known && put_question(codex, message, &question, i, observer);
    }
    /* Of two requests with one id neither is approved; one that crosses an interrupt is refused. */
    if (known && !held) {
        codex_request_gone(codex, json_object_get(message, "id"), observer);
        json_rpc_refuse(&codex->rpc, observer, json_object_get(message, "id"), JSON_RPC_BAD_PARAMETERS,
                        "refused");
    }
    buffer_finish(&question.text);
    json_decref(question.input);
    json_decref(question.choices);
    json_decref(question.refusal);
    return known;
}

/* ---- answering ---- */

/* What to send, a reference of the caller's, and how it ends; NULL: there is no such answer. */
static json_t *result_of(const json_t *request, const struct approval_answer *answer, const char **outcome)
{
    const json_t *questions = json_object_get(request, "questions"), *choice;
    int64_t number = answer->choice;

    if (number == 0)
        number = json_member_integer(request, answer->approve ? "approve" : "deny", 0);
    choice = number > 0 ? json_array_get(json_object_get(request, "choices"), (size_t)number - 1) : NULL;
    *outcome = json_member_string(choice, "outcome", "answered");
    if (choice != NULL)
        return json_incref(json_object_get(choice, "result"));
    if (answer->choice == 0 && answer->approve && questions != NULL && answer->text != NULL)
        return answers_of_text(questions, answer->text);
    *outcome = "denied";
    return answer->choice == 0 && !answer->approve ? json_incref(json_object_get(request, "refusal")) : NULL;
}

static void tell_resolved(const char *key, const char *outcome, const struct observer *observer)
{
    observer->observe(
        observer->argument,
        &(struct observation){.kind = OBSERVED_APPROVAL_RESOLVED, .id = key, .outcome = outcome});
}

/* Words with a refusal are for the turn that goes on. */
static void say_more(struct codex *codex, const char *text, const struct observer *observer)
{
    json_t *block = json_pack("{s:s, s:o}", "type", "text", "text", json_string_or_null(text));

    json_rpc_call(&codex->rpc, observer, CODEX_STEER, "turn/steer",
                  json_pack("{s:s, s:s, s:[o]}", "threadId", codex->thread_id, "expectedTurnId",
                            codex->turn_id, "input", block));
}

/* What was refused is no running tool. */
static void not_running(struct codex *codex, const json_t *request)
{
    (void)json_object_del(json_object_get(codex->items, json_member_string(request, "item", "")), "main");
}

int codex_answer(struct codex *codex, const char *key, const struct approval_answer *answer,
                 const struct observer *observer)
{
    json_t *request = json_rpc_held(&codex->rpc, key), *result;
    const char *outcome;
    bool goes_on;

    result = request != NULL ? result_of(request, answer, &outcome) : NULL;
    if (result == NULL)
        return -1;
    request = json_rpc_take(&codex->rpc, key);
    goes_on = strcmp(outcome, "denied") == 0 && answer->choice == 0;
    json_rpc_reply(&codex->rpc, observer, json_object_get(request, "id"), result);
    tell_resolved(json_member_string(request, "key", ""), outcome, observer);
    if (strcmp(outcome, "denied") == 0)
        not_running(codex, request);
    if (goes_on && answer->text != NULL && *answer->text != '\0' && codex->thread_id != NULL &&
        codex->turn_id != NULL)
        say_more(codex, answer->text, observer);
    codex_settle(codex, observer);
    json_decref(request);
    return 0;
}

void codex_request_gone(struct codex *codex, const json_t *id, const struct observer *observer)
{
    char *key = json_rpc_key(id);
    json_t *request = json_rpc_take(&codex->rpc, key);

    if (request != NULL) {
        tell_resolved(key, "gone", observer);
        codex_settle(codex, observer);
    }
    json_decref(request);
    free(key);
}

/* The result that refuses the request; NULL: none does. */
static json_t *refusal_of(const json_t *request)
{
    const char *outcome;

    return result_of(request, &(struct approval_answer){.approve = false}, &outcome);
}

void codex_drop_requests(struct codex *codex, bool refuse, const struct observer *observer)
{
    while (json_rpc_held_count(&codex->rpc) > 0) {
        json_t *request =
            json_rpc_take(&codex->rpc, json_member_string(json_rpc_first_held(&codex->rpc), "key", ""));
        json_t *result = refuse ? refusal_of(request) : NULL;
        if (result != NULL)
            json_rpc_reply(&codex->rpc, observer, json_object_get(request, "id"), result);
        tell_resolved(json_member_string(request, "key", ""), "gone", observer);
        not_running(codex, request);
        json_decref(request);
    }
}
