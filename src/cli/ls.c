#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/ask.h"
#include "cli/upgrade.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

/* All hosts together are asked for this long; one that does not answer is shown as session.json has it. */
#define ASK_TOTAL_MS 500

static int run(int argc, char **argv);

const struct command command_ls = {
    "ls", "Look", "all sessions, the most urgent first",
    "usage: ganger ls [--json]\n"
    "\n"
    "Lists all sessions, those that need a person first.\n"
    "\n"
    "  --json   an array of session objects, oldest first\n"
    "\n"
    "example: ganger ls --json | jq -r '.[] | select(.phase == \"approval\") | .name'\n",
    run};

/* A person first, then what went wrong, what waits, what works, what rests, what ended. */
static int urgency(const char *phase)
{
    static const char *const order[] = {
        "approval",  "failed", "lost",    "timeout", "limited",      "retrying",  "connecting", "thinking",
        "streaming", "tool",   "unknown", "idle",    "initializing", "cancelled", "killed",     "completed"};
    int place = 0;

    while (place < (int)(sizeof order / sizeof order[0]) && strcmp(order[place], phase) != 0)
        place++;
    return place;
}

static int by_urgency(const void *left, const void *right)
{
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    int difference =
        urgency(json_member_string(a, "phase", "")) - urgency(json_member_string(b, "phase", ""));

    return difference != 0
               ? difference
               : strcmp(json_member_string(a, "created_at", ""), json_member_string(b, "created_at", ""));
}

/* What ganger waits for, in place of the title: "goes on in 25s (12:17): the account is at its limit". Allocated. */
static char *title_of(const json_t *session)
{
    const json_t *waiting = json_object_get(session, "waiting");
    const char *reason = json_member_string(waiting, "reason", NULL);
    int64_t until, now = clock_realtime_ms();
    char *when, *title;

    if (reason == NULL)
        return xstrdup(json_member_string(session, "title", ""));
    if (clock_parse_rfc3339(json_member_string(waiting, "until", ""), &until) < 0 || until <= now)
        return xstrdup(reason);
    when = cli_when(until, now, "goes on in ");
    title = xasprintf("%s: %s", when, reason);
    free(when);
    return title;
}

static void add_row(struct table *table, const json_t *session)
{
    const char *account = json_member_string(session, "account", NULL);
    const char *short_name = json_member_string(session, "name", "?");
    char elapsed[16] = "", *title = title_of(session);
    int64_t since;

    if (clock_parse_rfc3339(json_member_string(session, "phase_since", ""), &since) == 0)
        clock_format_duration((clock_realtime_ms() - since) / 1000, elapsed, sizeof elapsed);
    table_add(table, (const char *const[]){short_name, json_member_string(session, "agent", "?"),
                                           account != NULL ? account : "-",
                                           json_member_string(session, "phase", "?"), elapsed, title});
    free(title);
}

static void print_table(json_t *sessions)
{
    static const char *const headings[] = {"NAME", "AGENT", "ACCOUNT", "PHASE", "FOR", "TITLE"};
    size_t count = json_array_size(sessions);
    json_t **sorted = calloc(count + 1, sizeof *sorted);
    struct table *table = table_create(6, headings);

    for (size_t i = 0; sorted != NULL && i < count; i++)
        sorted[i] = json_array_get(sessions, i);
    if (sorted != NULL && count > 0)
        qsort(sorted, count, sizeof *sorted, by_urgency);
    for (size_t i = 0; sorted != NULL && i < count; i++)
        add_row(table, sorted[i]);
    free(sorted);
    table_print(table);
}

static size_t count_lost(const json_t *sessions)
{
    size_t index, lost = 0;
    json_t *session;

    json_array_foreach(sessions, index, session)
    {
        lost += strcmp(json_member_string(session, "phase", ""), "lost") == 0;
    }
    return lost;
}

/* What a person would have to know to look for. */
static void print_hints(const json_t *sessions)
{
    size_t lost = count_lost(sessions);
    unsigned outdated = upgrade_outdated(sessions);

    if (lost > 0)
        (void)printf("%zu session%s lost: `ganger resume --all` goes on with %s\n", lost,
                     lost == 1 ? " is" : "s are", lost == 1 ? "it" : "them");
    if (outdated > 0)
        (void)printf("%u session%s another version than the installed one: `ganger upgrade` moves %s to it\n",
                     outdated, outdated == 1 ? " runs" : "s run", outdated == 1 ? "it" : "them");
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    json_t *sessions;
    bool json = false;
    int damaged = 0;
    struct error error;

    for (int option; (option = cli_option(&command_ls, argc, argv, ":h", options)) != -1;)
        json = option == 'j' || json;
    cli_operands(&command_ls, argc, 0, 0);
    (void)session_lost_settle_all(cli_state_dir());
    sessions = session_dir_list(cli_state_dir(), &damaged, &error);
    if (sessions == NULL)
        cli_die("ls", &error);
    ask_all(sessions, ASK_TOTAL_MS);
    if (json)
        cli_print_json(sessions);
    else if (json_array_size(sessions) == 0)
        (void)puts("no session: `ganger run` starts one, `ganger demo` shows a crew");
    else {
        print_table(sessions);
        print_hints(sessions);
    }
    if (damaged > 0)
        (void)cli_errorf("ls", "%d session folder%s cannot be read; `ganger doctor` says why", damaged,
                         damaged == 1 ? "" : "s");
    json_decref(sessions);
    return EXIT_OK;
}
