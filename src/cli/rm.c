#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "store/retention.h"
#include "store/session_dir.h"
#include "store/session_lost.h"

static int run(int argc, char **argv);

const struct command command_rm = {
    "rm", "Tell", "delete ended sessions",
    "usage: ganger rm SESSION… | --ended [--older AGE] [--dry-run] [--json]\n"
    "       ganger rm --keep | --no-keep SESSION…\n"
    "\n"
    "Deletes the folders of ended sessions: recordings, events and transcript. A running session is refused. "
    "SESSION is a whole\n"
    "name or a UUID, no prefix. Prints what was deleted and how much room that made.\n"
    "\n"
    "  --ended       all sessions that have ended, but those that are kept\n"
    "  --older AGE   of these, those that ended longer ago: 90s, 30m, 12h, 7d, 2w; implies --ended\n"
    "  --dry-run     delete nothing, print what would be\n"
    "  --keep        do not delete these sessions: from now on only `ganger rm SESSION` deletes them, no "
    "limit "
    "and no --ended\n"
    "  --no-keep     as other sessions again\n"
    "  --json        an object: removed [{id, name, bytes}], bytes, errors [{name, message}]\n"
    "\n"
    "example: ganger rm --ended --older 7d --dry-run\n",
    run};

enum { OPTION_KEEP = 256, OPTION_NO_KEEP };

static const struct option options[] = {{"ended", no_argument, NULL, 'e'},
                                        {"older", required_argument, NULL, 'o'},
                                        {"dry-run", no_argument, NULL, 'n'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"keep", no_argument, NULL, OPTION_KEEP},
                                        {"no-keep", no_argument, NULL, OPTION_NO_KEEP},
                                        CLI_HELP_OPTION,
                                        {0}};

struct request {
    bool ended, dry, json, keep, no_keep;
    double older_s;
};

struct outcome {
    json_t *removed, *errors;
    uint64_t bytes;
};

/* ---- what is said ---- */

static void format_bytes(uint64_t bytes, char *text, size_t size)
{
    if (bytes < 1000000)
        (void)snprintf(text, size, "%.0f kB", (double)bytes / 1e3);
    else if (bytes < 1000000000)
        (void)snprintf(text, size, "%.1f MB", (double)bytes / 1e6);
    else
        (void)snprintf(text, size, "%.1f GB", (double)bytes / 1e9);
}

static void note_removed(const struct request *request, struct outcome *outcome, const char *name,
                         const char *uuid, uint64_t bytes)
{
    char size[32], *clean;

    outcome->bytes += bytes;
    (void)json_array_append_new(
        outcome->removed,
        json_pack("{ss so sI}", "id", uuid, "name", json_string_or_null(name), "bytes", (json_int_t)bytes));
    if (request->json)
        return;
    format_bytes(bytes, size, sizeof size);
    clean = cli_clean(name, strlen(name));
    (void)printf("%s%s (%s)\n", request->dry ? "would delete " : "deleted ", clean, size);
    free(clean);
}

static void note_error(const struct request *request, struct outcome *outcome, const char *name,
                       const char *message)
{
    (void)json_array_append_new(outcome->errors, json_pack("{so so}", "name", json_string_or_null(name),
                                                           "message", json_string_or_null(message)));
    if (!request->json)
        (void)cli_errorf(name, "%s", message);
}

static int finish(const struct request *request, struct outcome *outcome)
{
    size_t count = json_array_size(outcome->removed);
    int code = json_array_size(outcome->errors) > 0 ? EXIT_FAILED : EXIT_OK;
    char size[32];

    if (request->json) {
        json_t *told = json_pack("{sO sI sO}", "removed", outcome->removed, "bytes",
                                 (json_int_t)outcome->bytes, "errors", outcome->errors);
        cli_print_json(told);
        json_decref(told);
    } else if (count > 1) {
        format_bytes(outcome->bytes, size, sizeof size);
        (void)printf("%zu sessions, %s\n", count, size);
    } else if (count == 0 && code == EXIT_OK) {
        (void)puts("nothing to delete");
    }
    json_decref(outcome->removed);
    json_decref(outcome->errors);
    return code;
}

/* ---- what is done ---- */

/* A host stays for a few seconds after the end of its session; it is asked to leave. */
static int make_leave(const char *name, const char *uuid, bool dry, struct error *error)
{
    json_t *session;
    bool ended;

    if (session_dir_alive(cli_state_dir(), uuid, NULL) != 1)
        return 0;
    session = cli_session(uuid, CLI_CALL_TIMEOUT_MS, error);
    ended = session != NULL && session_phase_ended(json_member_string(session, "phase", ""));
    json_decref(session);
    if (!ended)
        return error_set(error, "it is running: `ganger kill %s` ends it", name);
    return dry ? 0 : cli_leave(uuid, error);
}

/* The session's own name, whatever it was called by. Allocated. */
static char *name_of(const char *reference, const char *uuid)
{
    json_t *session = session_dir_read(cli_state_dir(), uuid, NULL);
    const char *name = json_member_string(session, "name", "");
    char *copy = xstrdup(name_valid(name) ? name : reference);

    json_decref(session);
    return copy;
}

static void remove_session(const struct request *request, struct outcome *outcome, const char *name,
                           const char *uuid)
{
    struct error error = {0};
    uint64_t bytes;

    if (make_leave(name, uuid, request->dry, &error) < 0) {
        note_error(request, outcome, name, error.text);
        return;
    }
    bytes = session_bytes(cli_state_dir(), uuid);
    if (!request->dry && session_dir_remove(cli_state_dir(), uuid, &error) < 0) {
        /* Somebody else was faster. */
        if (!request->ended || error.code != ENOENT)
            note_error(request, outcome, name, error.text);
        return;
    }
    note_removed(request, outcome, name, uuid, bytes);
}

static bool is_older(const json_t *session, double older_s)
{
    int64_t ended;

    if (older_s <= 0)
        return true;
    if (clock_parse_rfc3339(json_member_string(json_object_get(session, "exit"), "at", ""), &ended) < 0 &&
        clock_parse_rfc3339(json_member_string(session, "phase_since", ""), &ended) < 0)
        return false;
    return (double)(clock_realtime_ms() - ended) / 1000 > older_s;
}

static void remove_ended(const struct request *request, struct outcome *outcome)
{
    struct error error;
    unsigned failed = 0;
    json_t *list, *entry;
    size_t index;

    (void)session_lost_settle_all(cli_state_dir());
    list = session_dir_list(cli_state_dir(), NULL, &error);
    if (list == NULL)
        cli_die("rm", &error);
    json_array_foreach(list, index, entry)
    {
        const char *uuid = json_member_string(entry, "id", "");
        if (session_phase_ended(json_member_string(entry, "phase", "")) &&
            !session_kept(cli_state_dir(), uuid) && is_older(entry, request->older_s))
            remove_session(request, outcome, json_member_string(entry, "name", uuid), uuid);
    }
    json_decref(list);
    if (!request->dry)
        (void)retention_remove_leftovers(cli_state_dir(), &failed, &error);
    if (failed > 0)
        note_error(request, outcome, "rm", error.text);
}

/* ---- what is asked ---- */

/* A number alone is refused, since nobody can tell what it counts. */
static double parse_age(const char *text)
{
    double seconds;

    if (!cli_parse_age(text, &seconds))
        cli_usage_error(&command_rm, "%s is no age: 90s, 30m, 12h, 7d and 2w are", text);
    return seconds;
}

static struct request parse(int argc, char **argv)
{
    struct request request = {0};

    for (int option; (option = cli_option(&command_rm, argc, argv, ":h", options)) != -1;) {
        request.ended = request.ended || option == 'e' || option == 'o';
        request.dry = request.dry || option == 'n';
        request.json = request.json || option == 'j';
        request.keep = request.keep || option == OPTION_KEEP;
        request.no_keep = request.no_keep || option == OPTION_NO_KEEP;
        if (option == 'o')
            request.older_s = parse_age(optarg);
    }
    cli_operands(&command_rm, argc, request.ended ? 0 : 1, request.ended ? 0 : -1);
    if (request.keep + request.no_keep + (request.ended || request.dry || request.json) > 1)
        cli_usage_error(&command_rm, "--keep and --no-keep go with sessions alone");
    return request;
}

static int keep_session(const char *name, const char *uuid, bool keep)
{
    struct error error;

    return session_keep(cli_state_dir(), uuid, keep, &error) < 0 ? cli_error(name, &error) : EXIT_OK;
}

static int run(int argc, char **argv)
{
    struct request request = parse(argc, argv);
    struct outcome outcome = {json_array(), json_array(), 0};
    int code = EXIT_OK;

    if (request.ended)
        remove_ended(&request, &outcome);
    for (int i = optind; i < argc; i++) {
        char uuid[UUID_SIZE], *name;
        cli_find(argv[i], false, uuid);
        name = name_of(argv[i], uuid);
        if (request.keep || request.no_keep)
            code |= keep_session(name, uuid, request.keep);
        else
            remove_session(&request, &outcome, name, uuid);
        free(name);
    }
    if (!request.keep && !request.no_keep)
        return finish(&request, &outcome);
    json_decref(outcome.removed);
    json_decref(outcome.errors);
    return code;
}
