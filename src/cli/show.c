#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/pending.h"

static int run(int argc, char **argv);

const struct command command_show = {
    "show", "Look", "one session in detail",
    "usage: ganger show SESSION [--json]\n"
    "\n"
    "Prints what is known of a session. SESSION is a name, a unique prefix of one, or a UUID.\n"
    "\n"
    "  --json   the session object, as scripts want it\n"
    "\n"
    "example: ganger show api-fix\n",
    run};

static void print_member(const json_t *session, const char *key, const char *label)
{
    const json_t *value = json_object_get(session, key);

    if (json_is_string(value))
        (void)printf("%-12s %s\n", label, json_string_value(value));
    else if (json_is_integer(value))
        (void)printf("%-12s %lld\n", label, (long long)json_integer_value(value));
}

static void print_phase(const json_t *session)
{
    char elapsed[16] = "";
    int64_t since;
    const json_t *evidence = json_object_get(session, "evidence");

    if (clock_parse_rfc3339(json_member_string(session, "phase_since", ""), &since) == 0)
        clock_format_duration((clock_realtime_ms() - since) / 1000, elapsed, sizeof elapsed);
    (void)printf("%-12s %s for %s", "phase", json_member_string(session, "phase", "unknown"), elapsed);
    if (json_is_object(evidence)) {
        const char *detail = json_member_string(evidence, "detail", ""),
                   *source = json_member_string(evidence, "source", "?");
        size_t length = strlen(source);
        /* Some details begin with their source. */
        bool doubled = strncmp(detail, source, length) == 0 && detail[length] == ':';
        (void)printf(" (%s%s%s)", doubled ? "" : source, doubled || *detail == '\0' ? "" : ": ", detail);
    }
    (void)putchar('\n');
}

static void print_waiting(const json_t *session)
{
    const json_t *waiting = json_object_get(session, "waiting");
    int64_t until, now = clock_realtime_ms();
    char *when;

    if (clock_parse_rfc3339(json_member_string(waiting, "until", ""), &until) < 0 || until <= now)
        return;
    when = cli_when(until, now, "");
    (void)printf("%-12s in %s\n", "goes on", when);
    free(when);
}

static void print_usage(const json_t *session)
{
    const json_t *usage = json_object_get(session, "usage"), *cost = json_object_get(usage, "cost_usd"),
                 *context = json_object_get(session, "context_pct");
    const char *basis = json_member_string(usage, "cost_basis", "");

    if (json_is_object(usage)) {
        (void)printf("%-12s %lld in, %lld out, %lld from caches, %lld to caches", "tokens",
                     (long long)json_member_integer(usage, "input_tokens", 0),
                     (long long)json_member_integer(usage, "output_tokens", 0),
                     (long long)json_member_integer(usage, "cache_read_tokens", 0),
                     (long long)json_member_integer(usage, "cache_write_tokens", 0));
        if (json_is_number(cost))
            (void)printf("; %s$%.2f", strcmp(basis, "computed") == 0 ? "~" : "", json_number_value(cost));
        (void)putchar('\n');
    }
    if (json_is_number(context))
        (void)printf("%-12s %.0f%% full\n", "context", json_number_value(context));
}

/* CPU time as top shows it: 100% is one processor. */
static void print_resources(const json_t *session)
{
    const json_t *resources = json_object_get(session, "resources");
    int64_t processes = json_member_integer(resources, "processes", 0);

    if (json_is_object(resources))
        (void)printf("%-12s %.0f%% CPU, %.0f MB in %lld process%s\n", "uses",
                     json_member_number(resources, "cpu_pct", 0),
                     json_member_number(resources, "rss_bytes", 0) / 1e6, (long long)processes,
                     processes == 1 ? "" : "es");
}

static void print_end(const json_t *session)
{
    const json_t *exit_state = json_object_get(session, "exit"),
                 *error = json_object_get(session, "last_error");

    if (json_is_object(exit_state)) {
        (void)printf("%-12s %s", "ended", json_member_string(exit_state, "state", "?"));
        if (json_is_integer(json_object_get(exit_state, "code")))
            (void)printf(", exit code %lld", (long long)json_member_integer(exit_state, "code", 0));
        if (json_is_integer(json_object_get(exit_state, "signal")))
            (void)printf(", signal %lld", (long long)json_member_integer(exit_state, "signal", 0));
        (void)printf(" at %s\n", json_member_string(exit_state, "at", "?"));
    }
    if (json_is_object(error)) {
        (void)printf("%-12s %s\n", "error", json_member_string(error, "message", "?"));
        if (json_member_string(error, "hint", NULL) != NULL)
            (void)printf("%-12s %s\n", "", json_member_string(error, "hint", ""));
    }
}

static void print_queue(const json_t *session)
{
    size_t index;
    json_t *prompt;

    json_array_foreach(json_object_get(session, "queue"), index, prompt)
    {
        (void)printf("%-12s [%s] %s\n", index == 0 ? "queue" : "",
                     json_member_string(prompt, "priority", "?"), json_member_string(prompt, "text", ""));
    }
}

static void print_session(const json_t *session)
{
    const json_t *recording = json_object_get(session, "recording");
    const char *paused = json_member_string(recording, "paused", NULL);

    print_member(session, "name", "name");
    print_member(session, "id", "id");
    print_member(session, "agent", "agent");
    print_member(session, "account", "account");
    print_phase(session);
    print_waiting(session);
    pending_print(session);
    print_end(session);
    print_member(session, "title", "title");
    print_member(session, "cwd", "folder");
    print_member(session, "attempt", "attempt");
    print_member(session, "pid", "process");
    print_resources(session);
    (void)printf("%-12s %lldx%lld\n", "size", (long long)json_member_integer(session, "cols", 0),
                 (long long)json_member_integer(session, "rows", 0));
    print_member(session, "created_at", "created");
    print_member(session, "agent_session_id", "conversation");
    print_member(session, "model", "model");
    print_usage(session);
    print_queue(session);
    if (json_is_object(recording))
        (void)printf("%-12s %s%s%s\n", "recording", json_member_string(recording, "path", "?"),
                     paused == NULL ? "" : ", paused: ", paused == NULL ? "" : paused);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, CLI_HELP_OPTION, {0}};
    char uuid[UUID_SIZE];
    bool json = false;
    struct error error;
    json_t *session;

    for (int option; (option = cli_option(&command_show, argc, argv, ":h", options)) != -1;)
        json = option == 'j' || json;
    cli_operands(&command_show, argc, 1, 1);
    cli_find(argv[optind], true, uuid);
    session = cli_session(uuid, CLI_CALL_TIMEOUT_MS, &error);
    if (session == NULL)
        return cli_error(argv[optind], &error);
    if (json)
        cli_print_json(session);
    else
        print_session(session);
    json_decref(session);
    return EXIT_OK;
}
