#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "config/config.h"
#include "store/ledger.h"

#define BAR_CELLS 10

static int run(int argc, char **argv);

const struct command command_limits = {
    "limits", "Look", "limits of the accounts: used, resets, how fast",
    "usage: ganger limits [--json] [--all]\n"
    "\n"
    "Lists the limit windows of the accounts as the agents told them, accounts at their limit first. What is "
    "marked\n"
    "with ~ is an estimate; what no agent has told is unknown.\n"
    "\n"
    "  --json   an array of objects\n"
    "  --all    also accounts that are not in the configuration any more\n"
    "\n"
    "example: ganger limits --json | jq -r '.[].windows[] | \"\\(.window) \\(.percent)\"'\n",
    run};

/* ---- which ---- */

/* Accounts of the configuration and the agents' own logins. */
static bool is_known(const struct config *config, const json_t *limit)
{
    const char *account = json_member_string(limit, "account", NULL);

    return account == NULL || strcmp(json_member_string(config_account(config, account), "agent", ""),
                                     json_member_string(limit, "agent", "")) == 0;
}

static bool listed(const json_t *limits, const char *key)
{
    size_t index;
    json_t *limit;

    json_array_foreach(limits, index, limit)
    {
        if (strcmp(json_member_string(limit, "key", ""), key) == 0)
            return true;
    }
    return false;
}

static void add_unknown(json_t *limits, const char *agent, const char *account)
{
    char *key = ledger_account_key(agent, account);

    if (!listed(limits, key))
        (void)json_array_append_new(limits, json_pack("{s:s s:s s:s s:n s:n s:i s:i s:n s:n s:[]}", "account",
                                                      account, "agent", agent, "key", key, "limited_until",
                                                      "limited_since", "waiting", 0, "running", 0,
                                                      "next_release", "probe", "windows"));
    free(key);
}

static json_t *choose(json_t *limits, const struct config *config, bool all)
{
    json_t *chosen = json_array(), *limit, *account;
    const char *name;
    size_t index;

    json_array_foreach(limits, index, limit)
    {
        if (all || is_known(config, limit))
            (void)json_array_append(chosen, limit);
    }
    json_object_foreach((json_t *)(uintptr_t)config_accounts(config), name, account)
    {
        add_unknown(chosen, json_member_string(account, "agent", ""), name);
    }
    json_array_foreach(chosen, index, limit)
    {
        const json_t *entry = config_account(config, json_member_string(limit, "account", ""));
        (void)json_object_set_new(limit, "label",
                                  json_string_or_null(json_member_string(entry, "label", NULL)));
    }
    return chosen;
}

static int64_t time_member(const json_t *object, const char *key)
{
    int64_t at;

    return clock_parse_rfc3339(json_member_string(object, key, ""), &at) == 0 ? at : 0;
}

static bool is_limited(const json_t *limit)
{
    return time_member(limit, "limited_until") > 0 || json_member_integer(limit, "waiting", 0) > 0;
}

/* Those at their limit first, the one that is free soonest before the others. */
static int by_limit(const void *left, const void *right)
{
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    int64_t a_ends = time_member(a, "limited_until"), b_ends = time_member(b, "limited_until");

    if (is_limited(a) != is_limited(b))
        return is_limited(a) ? -1 : 1;
    if (a_ends != b_ends)
        return a_ends < b_ends ? -1 : 1;
    return strcmp(json_member_string(a, "key", ""), json_member_string(b, "key", ""));
}

static json_t *sorted(const json_t *limits)
{
    size_t count = json_array_size(limits);
    json_t **items = xcalloc(count + 1, sizeof *items), *array = json_array();

    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(limits, i);
    qsort(items, count, sizeof(json_t *), by_limit);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append(array, items[i]);
    free(items);
    return array;
}

/* ---- words ---- */

static bool shows_blocks(void)
{
    (void)setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* "████░░░░░░  42%" */
static char *bar(const json_t *percent, bool blocks)
{
    double value = json_number_value(percent);
    struct buffer out = {0};

    if (!json_is_number(percent))
        return xstrdup("unknown");
    value = value < 0 ? 0 : value > 100 ? 100 : value;
    for (int i = 0; i < BAR_CELLS; i++) {
        bool full = i < (int)(value * BAR_CELLS / 100 + 0.5);
        buffer_append_string(&out, blocks ? (full ? "\u2588" : "\u2591") : full ? "#" : ".");
    }
    buffer_printf(&out, " %3.0f%%", value);
    return buffer_steal(&out);
}

static char *burn(const json_t *window)
{
    const json_t *rate = json_object_get(window, "burn_pct_per_h");

    return json_is_number(rate) ? xasprintf("~%.1f%%/h", json_number_value(rate)) : xstrdup("unknown");
}

static char *seen(const json_t *window, int64_t now_ms)
{
    int64_t at = time_member(window, "observed_at");
    char duration[16];

    if (at == 0)
        return xstrdup("unknown");
    clock_format_duration((now_ms - at) / 1000, duration, sizeof duration);
    return xasprintf("%s ago, %s%s", duration, json_member_string(window, "source", "?"),
                     json_member_bool(window, "stale", 0) ? ", old" : "");
}

/* ---- the table ---- */

struct sheet {
    struct table *table;
    int64_t now_ms;
    bool blocks;
};

/* By its name, which the commands take, and not by its label. */
static const char *name_of(const json_t *limit)
{
    return json_member_string(limit, "account", "-");
}

static void add_limited(const struct sheet *sheet, const json_t *limit)
{
    int64_t until = time_member(limit, "limited_until"), next = time_member(limit, "next_release");
    int64_t waiting = json_member_integer(limit, "waiting", 0);
    char *free_at = cli_when(until, sheet->now_ms, "");
    char *waits =
        waiting == 0 ? xstrdup("")
                     : xasprintf("%" PRId64 " %s", waiting, waiting == 1 ? "session waits" : "sessions wait");
    char *goes_on = next > sheet->now_ms ? cli_when(next, sheet->now_ms, "goes on in ") : xstrdup("");

    table_add(sheet->table,
              (const char *const[]){name_of(limit), json_member_string(limit, "agent", "?"),
                                    until > 0 ? "at its limit" : "waiting", waits, free_at, "", "", goes_on});
    free(goes_on);
    free(waits);
    free(free_at);
}

static void add_window(const struct sheet *sheet, const json_t *limit, const json_t *window)
{
    char *used = bar(json_object_get(window, "percent"), sheet->blocks);
    char *resets = cli_when(time_member(window, "resets_at"), sheet->now_ms, ""), *rate = burn(window);
    char *out = cli_when(time_member(window, "exhausted_at"), sheet->now_ms, "~");
    char *age = seen(window, sheet->now_ms);

    table_add(sheet->table,
              (const char *const[]){name_of(limit), json_member_string(limit, "agent", "?"),
                                    json_member_string(window, "window", "?"), used, resets, rate, out, age});
    free(age);
    free(out);
    free(rate);
    free(resets);
    free(used);
}

static void print_table(const json_t *limits, int64_t now_ms)
{
    static const char *const headings[] = {"ACCOUNT",   "AGENT", "WINDOW",      "USED",
                                           "RESETS IN", "BURN",  "RUNS OUT IN", "SEEN"};
    struct sheet sheet = {.now_ms = now_ms, .blocks = shows_blocks()};
    size_t index, which;
    json_t *limit, *window;

    sheet.table = table_create(sizeof headings / sizeof headings[0], headings);
    json_array_foreach(limits, index, limit)
    {
        const json_t *windows = json_object_get(limit, "windows");
        if (is_limited(limit))
            add_limited(&sheet, limit);
        json_array_foreach(windows, which, window)
        {
            add_window(&sheet, limit, window);
        }
        if (json_array_size(windows) == 0 && !is_limited(limit))
            table_add(sheet.table,
                      (const char *const[]){name_of(limit), json_member_string(limit, "agent", "?"), "-",
                                            "unknown", "unknown", "unknown", "unknown", "never"});
    }
    table_print(sheet.table);
}

static bool knows_nothing(const json_t *limits)
{
    size_t index;
    json_t *limit;

    json_array_foreach(limits, index, limit)
    {
        if (is_limited(limit) || json_array_size(json_object_get(limit, "windows")) > 0)
            return false;
    }
    return true;
}

/* ---- the command ---- */

/* An empty list when there is no ledger. */
static json_t *read_limits(int64_t now_ms)
{
    struct error error = {0};
    struct ledger *ledger = ledger_open(cli_state_dir(), LEDGER_READ, &error);
    json_t *limits = ledger == NULL ? NULL : ledger_limits(ledger, now_ms, &error);

    ledger_close(ledger);
    if (limits == NULL && error.code != ENOENT)
        cli_die("limits", &error);
    return limits != NULL ? limits : json_array();
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
    json_t *kept, *chosen, *limits;

    for (int option; (option = cli_option(&command_limits, argc, argv, ":", longs)) != -1;) {
        json |= option == 'j';
        all |= option == 'a';
    }
    cli_operands(&command_limits, argc, 0, 0);
    config = config_load(NULL, &error);
    if (config == NULL)
        cli_die("configuration", &error);
    kept = read_limits(now_ms);
    chosen = choose(kept, config, all);
    limits = sorted(chosen);
    if (json)
        cli_print_json(limits);
    else if (json_array_size(limits) > 0)
        print_table(limits, now_ms);
    if (!json && knows_nothing(limits))
        (void)puts("no agent has told a limit yet: they do after the first answer, on a subscription");
    json_decref(limits);
    json_decref(chosen);
    json_decref(kept);
    config_destroy(config);
    return EXIT_OK;
}
