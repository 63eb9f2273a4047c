#include "cli/cli.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "store/event_log.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_events = {"events", "Look", "what happened, as JSON lines",
                                       "usage: ganger events [SESSION…] [--types TYPE,…] [--since SEQ] [-f]\n"
                                       "\n"
                                       "Prints the events of the sessions (all of them when none is named), "
                                       "one JSON object a line, in the order of time. With -f it\n"
                                       "goes on with what happens, until the sessions have ended.\n"
                                       "\n"
                                       "  --types T,…   only these types\n"
                                       "  --since SEQ   only what came after this number\n"
                                       "  -f            follow\n"
                                       "\n"
                                       "example: ganger events api-fix -f --types phase,error\n",
                                       run};

#define BATCH 256 /* events taken from a file at once */

/* A session's events: first those in its file, then those that its host has not written yet. */
struct source {
    char uuid[UUID_SIZE];
    uint64_t seq;  /* of the last event taken */
    json_t *batch; /* taken and not yet printed, from `at` on */
    size_t at;
    bool stored; /* all of the file was taken */
    bool asked;  /* and the host was asked for the rest */
    bool over;   /* the last event taken says that the session has ended */
    struct client *client;
};

struct request {
    const char *types;
    uint64_t since;
    bool follow;
};

static const char *const known_types[] = {"session_started",
                                          "turn_started",
                                          "turn_ended",
                                          "phase",
                                          "title",
                                          "text",
                                          "thinking",
                                          "tool_call",
                                          "tool_result",
                                          "approval_requested",
                                          "approval_resolved",
                                          "prompt_queued",
                                          "prompt_sent",
                                          "rate_limit",
                                          "retry_scheduled",
                                          "account_switched",
                                          "usage",
                                          "progress",
                                          "file_changed",
                                          "stderr",
                                          "resource",
                                          "warning",
                                          "error",
                                          "cancelled",
                                          "host_restarted",
                                          "attempt_ended",
                                          "session_ended",
                                          "gap"};

/* Whether `word` is in the comma-separated list; NULL holds every word. */
static bool listed(const char *list, const char *word)
{
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (strlen(word) == length && strncmp(at, word, length) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return list == NULL;
}

static void check_types(const char *types)
{
    for (const char *at = types; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ","), i = 0, count = sizeof known_types / sizeof known_types[0];
        while (i < count && (strlen(known_types[i]) != length || strncmp(known_types[i], at, length) != 0))
            i++;
        if (i == count)
            cli_usage_error(&command_events, "--types %.*s: no such type", (int)length, at);
        at += length + (at[length] == ',');
    }
}

static void print_event(const json_t *event)
{
    (void)json_dumpf(event, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
    (void)putchar('\n');
}

/* ---- taking events of one session ---- */

struct stored {
    struct source *source;
    const char *types;
    int count;
};

/* Adds an event to the batch if its type is asked for. */
static void take_event(struct source *source, json_t *event, const char *types)
{
    const char *type = json_member_string(event, "type", "");

    source->over = strcmp(type, "session_ended") == 0;
    if (listed(types, type))
        (void)json_array_append(source->batch, event);
}

static int take_stored(void *argument, uint64_t seq, const char *text, size_t length)
{
    struct stored *stored = argument;
    json_t *event = json_loadb(text, length, 0, NULL);

    take_event(stored->source, event, stored->types);
    json_decref(event);
    stored->source->seq = seq;
    return ++stored->count == BATCH;
}

static void take_from_file(struct source *source, const char *types)
{
    struct stored stored = {source, types, 0};
    struct error error;
    int folder = session_dir_open(cli_state_dir(), source->uuid, &error);

    if (folder < 0 || event_log_read(folder, source->seq, take_stored, &stored, &error) < 0)
        (void)cli_error("events", &error);
    if (folder >= 0)
        close(folder);
    source->stored = stored.count < BATCH;
}

/* Takes the connection's next line into the batch: 1, 0 on time-out, -1 when the connection is gone. */
static int take_line(struct source *source, const char *types, int timeout_ms)
{
    char *line;
    size_t length;
    struct error error;
    int got = client_next(source->client, timeout_ms, &line, &length, &error);
    json_t *message, *event;

    if (got <= 0)
        return got;
    message = json_loadb(line, length, 0, NULL);
    event = json_object_get(message, "params");
    if (strcmp(json_member_string(message, "method", ""), "event") == 0) {
        take_event(source, event, types);
        source->seq = (uint64_t)json_member_integer(event, "seq", (int64_t)source->seq);
    }
    json_decref(message);
    return 1;
}

static void hang_up(struct source *source)
{
    client_destroy(source->client);
    source->client = NULL;
}

/* Connects and takes what is not in the file; stays connected to follow. */
static void take_from_host(struct source *source, const struct request *request)
{
    struct error error;
    json_t *result;
    uint64_t end;

    source->asked = true;
    if (session_dir_alive(cli_state_dir(), source->uuid, NULL) == 1)
        source->client = cli_connect(source->uuid, &error);
    if (source->client == NULL)
        return;
    result = client_call(source->client, "session.subscribe",
                         json_pack("{s:I}", "since", (json_int_t)source->seq), CLI_CALL_TIMEOUT_MS, &error);
    end = (uint64_t)json_member_integer(result, "seq", 0);
    while (source->seq < end && take_line(source, request->types, CLI_CALL_TIMEOUT_MS) > 0)
        continue;
    if (!request->follow || result == NULL)
        hang_up(source);
    json_decref(result);
}

/* The next event not yet printed, or NULL when there is none at the moment. */
static const json_t *next_event(struct source *source, const struct request *request)
{
    while (source->at == json_array_size(source->batch)) {
        (void)json_array_clear(source->batch);
        source->at = 0;
        if (!source->stored)
            take_from_file(source, request->types);
        else if (!source->asked)
            take_from_host(source, request);
        else
            return NULL;
    }
    return json_array_get(source->batch, source->at);
}

/* ---- all of them ---- */

/* Prints what there is, in the order of time; of one session always in the order of seq. */
static void print_merged(struct source *sources, size_t count, const struct request *request)
{
    while (ferror(stdout) == 0) {
        struct source *earliest = NULL;
        const char *least = NULL;
        for (size_t i = 0; i < count; i++) {
            const json_t *event = next_event(&sources[i], request);
            const char *at = json_member_string(event, "time", "");
            if (event == NULL || (least != NULL && strcmp(at, least) >= 0))
                continue;
            earliest = &sources[i];
            least = at;
        }
        if (earliest == NULL)
            return;
        print_event(json_array_get(earliest->batch, earliest->at++));
    }
}

/* A host that was killed comes back; one that left has ended its session. */
static void follow(struct source *sources, size_t count, const struct request *request)
{
    struct pollfd *waited = xcalloc(count, sizeof *waited);

    for (;;) {
        size_t living = 0;
        for (size_t i = 0; i < count; i++) {
            struct source *source = &sources[i];
            int got = 1;
            while (source->client != NULL && got > 0)
                got = take_line(source, request->types, 0);
            if (got < 0 || source->over)
                hang_up(source);
            if (got < 0 && !source->over)
                take_from_host(source, request);
            waited[i] = (struct pollfd){.fd = source->client == NULL ? -1 : client_descriptor(source->client),
                                        .events = POLLIN};
            living += source->client != NULL;
        }
        print_merged(sources, count, request);
        if (fflush(stdout) != 0 || living == 0)
            break;
        (void)poll(waited, count, -1);
    }
    free(waited);
}

/* The sessions named, or all. */
static struct source *choose(int argc, char **argv, size_t *count)
{
    struct source *sources;
    struct error error;
    json_t *list;

    *count = (size_t)(argc - optind);
    sources = xcalloc(*count + 1, sizeof *sources);
    for (size_t i = 0; i < *count; i++)
        cli_find(argv[optind + (int)i], true, sources[i].uuid);
    if (*count > 0)
        return sources;
    list = session_dir_list(cli_state_dir(), NULL, &error);
    if (list == NULL)
        cli_die("events", &error);
    *count = json_array_size(list);
    sources = xreallocarray(sources, *count + 1, sizeof *sources);
    for (size_t i = 0; i < *count; i++) {
        sources[i] = (struct source){0};
        (void)snprintf(sources[i].uuid, UUID_SIZE, "%s",
                       json_member_string(json_array_get(list, i), "id", ""));
    }
    json_decref(list);
    return sources;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"types", required_argument, NULL, 't'},
                                            {"since", required_argument, NULL, 's'},
                                            {"follow", no_argument, NULL, 'f'},
                                            {"json", no_argument, NULL, 'j'},
                                            CLI_HELP_OPTION,
                                            {0}};
    struct request request = {0};
    struct source *sources;
    size_t count;

    for (int option; (option = cli_option(&command_events, argc, argv, ":fh", options)) != -1;) {
        if (option == 't')
            request.types = optarg;
        else if (option == 's')
            request.since = cli_number(&command_events, optarg);
        else if (option == 'f')
            request.follow = true;
    }
    check_types(request.types);
    sources = choose(argc, argv, &count);
    for (size_t i = 0; i < count; i++) {
        sources[i].seq = request.since;
        sources[i].batch = json_array();
    }
    print_merged(sources, count, &request);
    if (request.follow)
        follow(sources, count, &request);
    for (size_t i = 0; i < count; i++) {
        client_destroy(sources[i].client);
        json_decref(sources[i].batch);
    }
    free(sources);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
