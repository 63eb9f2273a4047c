#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/login.h"
#include "store/ledger.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_accounts = {
    "accounts", "Look", "accounts: their login, and what they are used for",
    "usage: ganger accounts [--json] [--all]\n"
    "\n"
    "Lists the accounts of the configuration, and each agent's own login, with what the agents themselves "
    "say of\n"
    "their login; what they keep of it is never read. An agent that cannot be asked is \"unknown\".\n"
    "\n"
    "  --json   an array of objects\n"
    "  --all    also logins that have expired\n"
    "\n"
    "example: ganger accounts --json | jq -r '.[] | select(.login == \"none\") | .account'\n",
    run};

struct row {
    const char *agent, *account; /* account NULL: the agent's own login */
    const struct config *config;
    const json_t *entry; /* accounts.NAME, or NULL */
    struct account_environment environment;
    struct error problem; /* why it cannot be used; text "" when it can */
    char *directory;
    int sessions;
    json_t *limited_until; /* or NULL */
};

struct rows {
    struct row *items;
    size_t count;
};

/* ---- which ---- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int count_sessions(const json_t *sessions, const char *agent, const char *account)
{
    size_t index;
    json_t *session;
    int count = 0;

    json_array_foreach(sessions, index, session)
    {
        count += !session_phase_ended(json_member_string(session, "phase", "")) &&
                 strcmp(json_member_string(session, "agent", ""), agent) == 0 &&
                 same_text(json_member_string(session, "account", NULL), account);
    }
    return count;
}

static void add_row(struct rows *rows, const struct config *config, const json_t *sessions, const char *agent,
                    const char *account)
{
    rows->items = xreallocarray(rows->items, rows->count + 1, sizeof *rows->items);
    rows->items[rows->count++] =
        (struct row){.agent = agent,
                     .account = account,
                     .config = config,
                     .entry = account == NULL ? NULL : config_account(config, account),
                     .sessions = count_sessions(sessions, agent, account)};
}

static void row_finish(struct row *row)
{
    account_environment_finish(&row->environment);
    free(row->directory);
    json_decref(row->limited_until);
}

static void add_own_login(struct rows *rows, const struct config *config, const json_t *sessions,
                          const char *agent)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].account == NULL && strcmp(rows->items[i].agent, agent) == 0)
            return;
    }
    add_row(rows, config, sessions, agent, NULL);
}

static struct rows collect(const struct config *config, const json_t *sessions)
{
    struct rows rows = {NULL, 0};
    size_t count, index;
    const struct agent_entry *agents = agent_catalogue(&count);
    const char *name;
    json_t *entry, *session;

    json_object_foreach((json_t *)(uintptr_t)config_accounts(config), name, entry)
    {
        add_row(&rows, config, sessions, json_member_string(entry, "agent", ""), name);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(agents[i].name, "command") != 0 && login_installed(config, agents[i].name))
            add_own_login(&rows, config, sessions, agents[i].name);
    }
    json_array_foreach(sessions, index, session)
    {
        const char *agent = json_member_string(session, "agent", "");
        if (count_sessions(sessions, agent, NULL) > 0 && strcmp(agent, "command") != 0)
            add_own_login(&rows, config, sessions, agent);
    }
    return rows;
}

/* ---- environments ---- */

static void *resolve(void *argument)
{
    struct row *row = argument;
    int result =
        account_environment_init(&row->environment, row->config, row->agent, row->account, &row->problem);

    if (result == 0)
        result = account_check(&row->environment, row->agent, row->account, &row->problem);
    if (result == 0)
        row->problem.text[0] = '\0';
    row->directory = account_directory(&row->environment, row->agent);
    return NULL;
}

/* Beside each other: the commands that some values come from may be slow. */
static void resolve_all(struct rows *rows)
{
    pthread_t *threads = xcalloc(rows->count + 1, sizeof *threads);
    bool *begun = xcalloc(rows->count + 1, sizeof *begun);

    for (size_t i = 0; i < rows->count; i++) {
        begun[i] = pthread_create(&threads[i], NULL, resolve, &rows->items[i]) == 0;
        if (!begun[i])
            (void)resolve(&rows->items[i]);
    }
    for (size_t i = 0; i < rows->count; i++) {
        if (begun[i])
            (void)pthread_join(threads[i], NULL);
    }
    free(begun);
    free(threads);
}

static bool is_an_accounts(const struct rows *rows, const struct row *own)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        if (row->account != NULL && own->directory != NULL && strcmp(row->agent, own->agent) == 0 &&
            same_text(row->directory, own->directory))
            return true;
    }
    return false;
}

/* An account that has the agent's own directory is its own login. */
static void drop_doubles(struct rows *rows)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->items[i];
        if (row->account == NULL && row->sessions == 0 && is_an_accounts(rows, row))
            row_finish(row);
        else
            rows->items[kept++] = *row;
    }
    rows->count = kept;
}

/* ---- limits ---- */

static json_t *limited_until(const json_t *limits, const struct row *row)
{
    char *key = ledger_account_key(row->agent, row->account);
    size_t index;
    json_t *account, *until = NULL;

    json_array_foreach(limits, index, account)
    {
        if (strcmp(json_member_string(account, "key", ""), key) == 0)
            until = json_object_get(account, "limited_until");
    }
    free(key);
    return json_incref(until);
}

/* Without a ledger nothing was ever limited. */
static void add_limits(struct rows *rows, int64_t now_ms)
{
    struct error error = {0};
    struct ledger *ledger = ledger_open(cli_state_dir(), LEDGER_READ, &error);
    json_t *limits = ledger == NULL ? NULL : ledger_limits(ledger, now_ms, &error);

    if (limits == NULL && error.code != ENOENT)
        (void)cli_error("accounts", &error);
    for (size_t i = 0; i < rows->count; i++)
        rows->items[i].limited_until = limited_until(limits, &rows->items[i]);
    json_decref(limits);
    ledger_close(ledger);
}

/* ---- showing ---- */

/* A value from a file or a command may be another one at the next start. */
static bool renews(const struct row *row)
{
    const char *name;
    json_t *value;

    json_object_foreach(json_object_get(row->entry, "env"), name, value)
    {
        if (json_is_object(value))
            return true;
    }
    return false;
}

static json_t *object_of(const struct row *row, const struct login *login)
{
    return json_pack("{s:o s:s s:o s:I s:o s:s s:o s:o s:o s:o s:O? s:i s:o}", "account",
                     json_string_or_null(row->account), "agent", row->agent, "label",
                     json_string_or_null(json_member_string(row->entry, "label", NULL)), "priority",
                     (json_int_t)json_member_integer(row->entry, "priority", 0), "directory",
                     json_string_or_null(row->directory), "login", login->state, "method",
                     json_string_or_null(login->method), "plan", json_string_or_null(login->plan), "email",
                     json_string_or_null(login->email), "expires_at", json_time_or_null(login->expires_ms),
                     "limited_until", row->limited_until, "sessions", row->sessions, "problem",
                     json_string_or_null(row->problem.text[0] != '\0' ? row->problem.text : NULL));
}

/* "in 3d02h", or "" when the time is not known or past. */
static void countdown(const json_t *object, const char *key, int64_t now_ms, char *out, size_t size)
{
    char duration[16];
    int64_t at;

    out[0] = '\0';
    if (clock_parse_rfc3339(json_member_string(object, key, ""), &at) < 0)
        return;
    if (at <= now_ms) {
        (void)snprintf(out, size, "past");
        return;
    }
    clock_format_duration((at - now_ms) / 1000, duration, sizeof duration);
    (void)snprintf(out, size, "in %s", duration);
}

static void add_line(struct table *table, const json_t *object, int64_t now_ms)
{
    const char *method = json_member_string(object, "method", NULL),
               *login = json_member_string(object, "login", "?");
    const char *plan = json_member_string(object, "plan", NULL);
    char *state = xasprintf("%s%s%s%s%s", login, method != NULL ? ", " : "", method != NULL ? method : "",
                            plan != NULL ? " " : "", plan != NULL ? plan : "");
    char expires[24], limited[24], sessions[24], priority[24];

    countdown(object, "expires_at", now_ms, expires, sizeof expires);
    countdown(object, "limited_until", now_ms, limited, sizeof limited);
    (void)snprintf(sessions, sizeof sessions, "%" PRId64, json_member_integer(object, "sessions", 0));
    (void)snprintf(priority, sizeof priority, "%" PRId64, json_member_integer(object, "priority", 0));
    table_add(table, (const char *const[]){json_member_string(object, "account", "-"),
                                           json_member_string(object, "agent", "?"), state, expires, sessions,
                                           limited, priority, json_member_string(object, "label", ""),
                                           json_member_string(object, "email", ""),
                                           json_member_string(object, "directory", "")});
    free(state);
}

static void print_table(const json_t *objects, int64_t now_ms)
{
    static const char *const headings[] = {"ACCOUNT", "AGENT",    "LOGIN", "EXPIRES", "SESSIONS",
                                           "LIMITED", "PRIORITY", "LABEL", "E-MAIL",  "DIRECTORY"};
    struct table *table = table_create(sizeof headings / sizeof headings[0], headings);
    size_t index;
    json_t *object;

    json_array_foreach(objects, index, object)
    {
        add_line(table, object, now_ms);
    }
    table_print(table);
    json_array_foreach(objects, index, object)
    {
        const char *problem = json_member_string(object, "problem", NULL);
        if (problem != NULL)
            (void)cli_errorf("accounts", "%s", problem);
    }
}

static json_t *ask(struct rows *rows, const struct config *config, bool all, int64_t now_ms)
{
    struct login *logins = xcalloc(rows->count + 1, sizeof *logins);
    json_t *objects = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        logins[i].agent = rows->items[i].agent;
        logins[i].environment = rows->items[i].problem.text[0] == '\0' ? &rows->items[i].environment : NULL;
    }
    login_ask(logins, rows->count, config, now_ms);
    for (size_t i = 0; i < rows->count; i++) {
        if (all || strcmp(logins[i].state, "expired") != 0 || renews(&rows->items[i]))
            (void)json_array_append_new(objects, object_of(&rows->items[i], &logins[i]));
        login_finish(&logins[i]);
    }
    free(logins);
    return objects;
}

static int run(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"all", no_argument, NULL, 'a'},
                                          CLI_HELP_OPTION,
                                          {NULL, 0, NULL, 0}};
    bool json = false, all = false;
    int64_t now_ms = clock_realtime_ms();
    struct error error;
    struct config *config;
    json_t *sessions, *objects;
    struct rows rows;

    for (int option; (option = cli_option(&command_accounts, argc, argv, ":", longs)) != -1;) {
        json |= option == 'j';
        all |= option == 'a';
    }
    cli_operands(&command_accounts, argc, 0, 0);
    config = config_load(NULL, &error);
    if (config == NULL)
        cli_die("configuration", &error);
    sessions = session_dir_list(cli_state_dir(), NULL, &error);
    if (sessions == NULL)
        cli_die("accounts", &error);
    rows = collect(config, sessions);
    resolve_all(&rows);
    drop_doubles(&rows);
    add_limits(&rows, now_ms);
    objects = ask(&rows, config, all, now_ms);
    if (json)
        cli_print_json(objects);
    else if (json_array_size(objects) == 0)
        (void)puts("no account: no agent is installed, and accounts.NAME is not in the configuration (ganger "
                   "config path)");
    else
        print_table(objects, now_ms);
    for (size_t i = 0; i < rows.count; i++)
        row_finish(&rows.items[i]);
    free(rows.items);
    json_decref(objects);
    json_decref(sessions);
    config_destroy(config);
    return EXIT_OK;
}
