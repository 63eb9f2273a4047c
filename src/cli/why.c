#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_why = {
    "why", "Look", "why a session's phase is what it is",
    "usage: ganger why SESSION [--json]\n"
    "\n"
    "Prints what is believed of a session and why: what each source said last, how long ago, which of them "
    "decides, and which\n"
    "is overruled by which. Sources that have said nothing are left out. Lower ranks weigh more:\n"
    "\n"
    "  1 stream, hook, server   the agent's own JSON, hooks, session file or server\n"
    "  2 status                 OSC 7501, the program's own report\n"
    "  3 title                  the window's title and progress (OSC 0, 2, 9;4)\n"
    "  4 screen                 the bottom of the screen, read by rules\n"
    "  5 process                whether it runs, and whether it writes\n"
    "    user                   keys typed and prompts sent through ganger\n"
    "\n"
    "  --json   the same for scripts\n"
    "\n"
    "example: ganger why api-fix\n",
    run};

/* A session without a host has its last evidence in its object. */
static json_t *from_object(const json_t *session)
{
    json_t *evidence = json_object_get(session, "evidence"), *link = json_object(), *chain = json_array();

    if (json_is_object(evidence)) {
        (void)json_object_update(link, evidence);
        (void)json_object_set(link, "phase", json_object_get(session, "phase"));
        (void)json_object_set_new(link, "deciding", json_true());
        (void)json_object_set_new(link, "overruled_by", json_null());
        (void)json_object_set_new(link, "why", json_null());
        (void)json_array_append(chain, link);
    }
    json_decref(link);
    return json_pack("{s:O?, s:O?, s:o, s:i, s:n}", "phase", json_object_get(session, "phase"), "since",
                     json_object_get(session, "phase_since"), "chain", chain, "subagents", 0, "rules");
}

static json_t *ask(const char *uuid, struct error *error)
{
    json_t *session, *answer;

    if (session_dir_alive(cli_state_dir(), uuid, NULL) == 1)
        return cli_call(uuid, "session.why", NULL, error);
    session = cli_session(uuid, 0, error);
    if (session == NULL)
        return NULL;
    answer = from_object(session);
    json_decref(session);
    return answer;
}

static void ago(const char *at, char out[32])
{
    int64_t then;

    out[0] = '\0';
    if (clock_parse_rfc3339(at, &then) == 0)
        clock_format_duration((clock_realtime_ms() - then) / 1000, out, 32);
}

static void add_link(struct table *table, const json_t *link)
{
    const char *by = json_member_string(link, "overruled_by", NULL),
               *why = json_member_string(link, "why", NULL);
    bool deciding = json_member_bool(link, "deciding", 0) != 0;
    char since[32], rank[24];
    char *standing =
        deciding     ? xstrdup("decides")
        : by == NULL ? xstrdup("")
                     : xasprintf("overruled by %s%s%s", by, why == NULL ? "" : ": ", why == NULL ? "" : why);

    ago(json_member_string(link, "at", ""), since);
    (void)snprintf(rank, sizeof rank, "%lld", (long long)json_member_integer(link, "rank", 0));
    table_add(table, (const char *const[]){json_member_string(link, "source", "?"), rank,
                                           json_member_string(link, "phase", "?"), since, standing,
                                           json_member_string(link, "detail", "")});
    free(standing);
}

static void print_rules(const json_t *rules)
{
    const char *seen = json_member_string(rules, "seen", ""),
               *file = json_member_string(rules, "file", "built in");
    char *text, *line;

    if (!json_is_object(rules))
        return;
    text = xasprintf("rules of %s, version %lld%s%s, %s", json_member_string(rules, "agent", "?"),
                     (long long)json_member_integer(rules, "version", 0),
                     seen[0] == '\0' ? "" : ", made for ", seen, file);
    line = cli_clean(text, strlen(text));
    (void)puts(line);
    free(line);
    free(text);
}

/* ganger's own part in it. */
static void print_waiting(const json_t *waiting)
{
    int64_t until;
    char left[32] = "";

    if (!json_is_object(waiting))
        return;
    if (clock_parse_rfc3339(json_member_string(waiting, "until", ""), &until) == 0)
        clock_format_duration((until - clock_realtime_ms() + 999) / 1000, left, sizeof left);
    (void)printf("ganger holds a prompt back: %s%s%s\n\n", json_member_string(waiting, "reason", ""),
                 left[0] == '\0' ? "" : ", for ", left);
}

static void print_answer(const char *name, const json_t *answer)
{
    static const char *const headings[] = {"SOURCE", "RANK", "SAYS", "FOR", "STANDING", "WHAT IT SAW"};
    const json_t *chain = json_object_get(answer, "chain");
    long long subagents = (long long)json_member_integer(answer, "subagents", 0);
    struct table *table;
    char since[32];
    size_t index;
    json_t *link;

    ago(json_member_string(answer, "since", ""), since);
    (void)printf("%s: %s%s%s\n\n", name, json_member_string(answer, "phase", "unknown"),
                 since[0] == '\0' ? "" : " for ", since);
    print_waiting(json_object_get(answer, "waiting"));
    table = table_create(sizeof headings / sizeof headings[0], headings);
    json_array_foreach(chain, index, link)
    {
        add_link(table, link);
    }
    table_print(table);
    if (json_array_size(chain) == 0)
        (void)puts("no source has said anything");
    (void)putchar('\n');
    if (subagents > 0)
        (void)printf("%lld subagent%s at work\n", subagents, subagents == 1 ? "" : "s");
    print_rules(json_object_get(answer, "rules"));
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    char uuid[UUID_SIZE];
    bool json = false;
    struct error error;
    json_t *answer;

    for (int option; (option = cli_option(&command_why, argc, argv, ":h", options)) != -1;)
        json = option == 'j' || json;
    cli_operands(&command_why, argc, 1, 1);
    cli_find(argv[optind], true, uuid);
    answer = ask(uuid, &error);
    if (answer == NULL)
        return cli_error(argv[optind], &error);
    if (json)
        cli_print_json(answer);
    else
        print_answer(argv[optind], answer);
    json_decref(answer);
    return EXIT_OK;
}
