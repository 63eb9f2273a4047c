#include "cli/login.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "runner/command.h"

#define OUTPUT_MAX (64 * 1024)
#define TEXT_MAX 254 /* of an e-mail address */

/* ---- reading ---- */

/* A short text without control characters; anything else is no answer. Allocated. */
static char *short_text(const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    if (length == 0 || length > TEXT_MAX || !utf8_valid(text, length))
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return NULL;
    }
    return xstrdup(text);
}

/* Seconds or milliseconds since 1970, or RFC 3339. */
static int64_t time_of(const json_t *value)
{
    int64_t ms = 0;
    double number = json_number_value(value);

    if (json_is_string(value))
        return clock_parse_rfc3339(json_string_value(value), &ms) == 0 ? ms : 0;
    if (!json_is_number(value) || !(number > 0) || number > 1e15)
        return 0;
    return (int64_t)(number < 1e11 ? number * 1000 : number);
}

static const json_t *told(const json_t *answer, const json_t *keys, const char *which)
{
    const char *key = json_member_string(keys, which, NULL);

    return key == NULL ? NULL : json_object_get(answer, key);
}

static void read_object(struct login *login, const json_t *keys, const char *output, size_t length)
{
    const char *begin = memchr(output, '{', length);
    json_t *answer = begin == NULL
                         ? NULL
                         : json_loadb(begin, length - (size_t)(begin - output), JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *ok = told(answer, keys, "ok");

    if (json_is_boolean(ok)) {
        login->state = json_is_true(ok) ? "ok" : "none";
        login->expires_ms = time_of(told(answer, keys, "expires"));
        login->email = short_text(json_string_value(told(answer, keys, "email")));
    }
    if (json_is_true(ok)) {
        login->method = short_text(json_string_value(told(answer, keys, "method")));
        login->plan = short_text(json_string_value(told(answer, keys, "plan")));
    }
    json_decref(answer);
}

static bool begins(const char *line, size_t length, const char *text)
{
    size_t wanted = strlen(text);

    return wanted > 0 && wanted <= length && memcmp(line, text, wanted) == 0;
}

static const char *known_state(const char *state)
{
    static const char *const states[] = {"ok", "none", "expired"};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i], state) == 0)
            return states[i];
    }
    return "unknown";
}

/* The first line that means something; the rest of it may be a part of a key, and is not looked at. */
static void read_line(struct login *login, const json_t *says, const char *line, size_t length)
{
    size_t index;
    json_t *one;

    json_array_foreach(says, index, one)
    {
        if (strcmp(login->state, "unknown") != 0 ||
            !begins(line, length, json_member_string(one, "line", "")))
            continue;
        login->state = known_state(json_member_string(one, "login", ""));
        login->method = short_text(json_member_string(one, "method", NULL));
        return;
    }
}

void login_read(struct login *login, const json_t *asked, const char *output, size_t length, int64_t now_ms)
{
    const json_t *keys = json_object_get(asked, "keys"), *says = json_object_get(asked, "says");

    login->state = "unknown";
    if (output == NULL)
        return;
    if (json_is_object(keys))
        read_object(login, keys, output, length);
    for (size_t at = 0; json_is_array(says) && at < length;) {
        const char *end = memchr(output + at, '\n', length - at);
        size_t line = end == NULL ? length - at : (size_t)(end - output) - at;
        read_line(login, says, output + at, line);
        at += line + 1;
    }
    if (login->expires_ms > 0 && login->expires_ms <= now_ms)
        login->state = "expired";
}

/* A member of a member: "account.email". */
static const json_t *member_at(const json_t *value, const char *path)
{
    char key[64];

    for (size_t length; value != NULL && *path != '\0'; path += length + (path[length] == '.')) {
        length = strcspn(path, ".");
        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        value = json_object_get(value, key);
    }
    return value;
}

/* Fills what is not known yet. */
static void read_member(char **text, const json_t *result, const json_t *keys, const char *which)
{
    const char *path = json_member_string(keys, which, NULL);

    if (path != NULL && *text == NULL)
        *text = short_text(json_string_value(member_at(result, path)));
}

void login_read_more(struct login *login, const json_t *asked, const char *output, size_t length)
{
    const json_t *more = json_object_get(asked, "more"), *keys = json_object_get(more, "keys");

    for (size_t at = 0; output != NULL && at < length;) {
        const char *end = memchr(output + at, '\n', length - at);
        size_t line = end == NULL ? length - at : (size_t)(end - output) - at;
        json_t *message = json_loadb(output + at, line, 0, NULL);
        const json_t *result = json_object_get(message, "result");
        if (json_is_object(result) &&
            json_member_integer(message, "id", -1) == json_member_integer(more, "id", 0)) {
            read_member(&login->email, result, keys, "email");
            read_member(&login->plan, result, keys, "plan");
        }
        json_decref(message);
        at += line + 1;
    }
}

/* ---- asking ---- */

/* The program and its first arguments, as a session starts it; NULL-terminated, the words are borrowed. */
static const char **words_of(const struct config *config, const struct agent_entry *agent, const json_t *more)
{
    const json_t *command = json_object_get(config_agent(config, agent->name), "command");
    size_t first = json_is_array(command) ? json_array_size(command) : 1, count = json_array_size(more);
    const char **words = xcalloc(first + count + 1, sizeof *words);

    words[0] = agent->program;
    for (size_t i = 0; json_is_array(command) && i < first; i++)
        words[i] = json_string_value(json_array_get(command, i));
    for (size_t i = 0; i < count; i++)
        words[first + i] = json_string_value(json_array_get(more, i));
    return words;
}

bool login_installed(const struct config *config, const char *agent)
{
    const struct agent_entry *entry = agent_catalogue_find(agent);
    const char **words;
    char *path;

    if (entry == NULL || (entry->program == NULL && config_agent(config, agent) == NULL))
        return false;
    words = words_of(config, entry, NULL);
    path = words[0] == NULL ? NULL : program_path(words[0]);
    free(path);
    free(words);
    return path != NULL;
}

/* A question to many agents at once. */
struct question {
    /* Fills the command that asks; false: this one is not asked. */
    bool (*prepare)(const struct login *login, const struct agent_entry *agent, const struct config *config,
                    struct command_run *run);
    void (*read)(struct login *login, const struct agent_entry *agent, const struct buffer *output,
                 int64_t now_ms);
};

static bool prepare_status(const struct login *login, const struct agent_entry *agent,
                           const struct config *config, struct command_run *run)
{
    const json_t *status = json_object_get(agent->login, "status");

    (void)login;
    if (json_array_size(status) == 0)
        return false;
    run->argv = words_of(config, agent, status);
    run->with_errors = json_is_array(json_object_get(agent->login, "says"));
    return true;
}

static void read_status(struct login *login, const struct agent_entry *agent, const struct buffer *output,
                        int64_t now_ms)
{
    login_read(login, agent->login, output->bytes, output->length, now_ms);
}

static bool prepare_more(const struct login *login, const struct agent_entry *agent,
                         const struct config *config, struct command_run *run)
{
    const json_t *more = json_object_get(agent->login, "more"), *send = json_object_get(more, "send"), *line;
    struct buffer input = {0};
    size_t index;

    if (more == NULL || strcmp(login->state, "ok") != 0)
        return false;
    json_array_foreach(send, index, line)
    {
        json_append_value(&input, line);
        buffer_append_char(&input, '\n');
    }
    run->argv = words_of(config, agent, json_object_get(more, "arguments"));
    run->input = buffer_steal(&input);
    run->until = xasprintf("\"id\":%" PRId64 ",", json_member_integer(more, "id", 0));
    return true;
}

static void read_more(struct login *login, const struct agent_entry *agent, const struct buffer *output,
                      int64_t now_ms)
{
    (void)now_ms;
    login_read_more(login, agent->login, output->bytes, output->length);
}

static void ask(const struct question *question, struct login *logins, size_t count,
                const struct config *config, int64_t now_ms)
{
    struct command_run *runs = xcalloc(count + 1, sizeof *runs);
    struct login **asked = xcalloc(count + 1, sizeof(struct login *));
    size_t questions = 0;

    for (size_t i = 0; i < count; i++) {
        const struct agent_entry *agent = agent_catalogue_find(logins[i].agent);
        struct command_run run = {.limit = OUTPUT_MAX};
        if (agent == NULL || logins[i].environment == NULL || !login_installed(config, logins[i].agent) ||
            !question->prepare(&logins[i], agent, config, &run))
            continue;
        run.env = (const char *const *)account_environ(logins[i].environment);
        asked[questions] = &logins[i];
        runs[questions++] = run;
    }
    command_run_all(runs, questions, LOGIN_ASK_MS);
    for (size_t i = 0; i < questions; i++) {
        if (runs[i].problem == 0)
            question->read(asked[i], agent_catalogue_find(asked[i]->agent), &runs[i].output, now_ms);
        command_run_finish(&runs[i]);
        account_environ_free((char **)(uintptr_t)runs[i].env);
        free((void *)(uintptr_t)runs[i].argv);
        free((void *)(uintptr_t)runs[i].input);
        free((void *)(uintptr_t)runs[i].until);
    }
    free(asked);
    free(runs);
}

void login_ask(struct login *logins, size_t count, const struct config *config, int64_t now_ms)
{
    static const struct question status = {prepare_status, read_status}, more = {prepare_more, read_more};

    for (size_t i = 0; i < count; i++) {
        logins[i].state = "unknown";
        logins[i].method = logins[i].plan = logins[i].email = NULL;
        logins[i].expires_ms = 0;
    }
    ask(&status, logins, count, config, now_ms);
    ask(&more, logins, count, config, now_ms);
}

void login_finish(struct login *login)
{
    free(login->method);
    free(login->plan);
    free(login->email);
    login->method = login->plan = login->email = NULL;
}
