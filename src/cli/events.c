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
                                       "one JSON object a line, session after session. With -f it\n"
                                       "goes on with what happens, until the sessions have ended.\n"
                                       "\n"
                                       "  --types T,…   only these types\n"
                                       "  --since SEQ   only what came after this number\n"
                                       "  -f            follow\n"
                                       "\n"
                                       "example: ganger events api-fix -f --types phase,error\n",
                                       run};

struct source {
    char uuid[UUID_SIZE];
    uint64_t seq; /* of the last event printed */
    struct client *client;
};

struct request {
    const char *types;
    uint64_t since;
    bool follow;
};

static bool type_wanted(const char *types, const char *type)
{
    size_t length = strlen(type);

    for (const char *at = types; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, type, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return types == NULL;
}

static void print_event(const json_t *event, const char *types)
{
    if (!type_wanted(types, json_member_string(event, "type", "")))
        return;
    (void)json_dumpf(event, stdout, JSON_COMPACT);
    (void)putchar('\n');
}

struct stored {
    struct source *source;
    const char *types;
};

static int print_stored(void *argument, uint64_t seq, const char *text, size_t length)
{
    struct stored *stored = argument;
    json_t *event = json_loadb(text, length, 0, NULL);

    print_event(event, stored->types);
    json_decref(event);
    stored->source->seq = seq;
    return ferror(stdout) != 0;
}

/* What is on disk: all of an ended session, and of a living one all but the last moments. */
static void print_log(struct source *source, const struct request *request)
{
    struct stored stored = {source, request->types};
    struct error error;
    int folder = session_dir_open(cli_state_dir(), source->uuid, &error);

    source->seq = request->since;
    if (folder < 0 || event_log_read(folder, source->seq, print_stored, &stored, &error) < 0)
        (void)cli_error("events", &error);
    if (folder >= 0)
        close(folder);
}

/* Takes the connection's next line; -1 when the connection is gone. */
static int take_line(struct source *source, const struct request *request, int timeout_ms)
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
        print_event(event, request->types);
        source->seq = (uint64_t)json_member_integer(event, "seq", (int64_t)source->seq);
    }
    json_decref(message);
    return 1;
}

/* Connects and asks for what is not on disk yet; without -f reads only that. */
static void go_live(struct source *source, const struct request *request)
{
    struct error error;
    json_t *result;
    uint64_t end;

    source->client = session_dir_alive(cli_state_dir(), source->uuid, NULL) == 1
                         ? cli_connect(source->uuid, &error)
                         : NULL;
    if (source->client == NULL)
        return;
    result = client_call(source->client, "session.subscribe",
                         json_pack("{s:I}", "since", (json_int_t)source->seq), CLI_CALL_TIMEOUT_MS, &error);
    end = (uint64_t)json_member_integer(result, "seq", 0);
    json_decref(result);
    while (!request->follow && source->seq < end && take_line(source, request, CLI_CALL_TIMEOUT_MS) > 0)
        continue;
    if (!request->follow || result == NULL) {
        client_destroy(source->client);
        source->client = NULL;
    }
}

/* A host that was killed comes back; one that left has ended its session. */
static void renew(struct source *source, const struct request *request)
{
    client_destroy(source->client);
    source->client = NULL;
    go_live(source, request);
}

static void follow(struct source *sources, size_t count, const struct request *request)
{
    struct pollfd *waited = xcalloc(count, sizeof *waited);

    for (;;) {
        size_t living = 0;
        for (size_t i = 0; i < count; i++) {
            struct source *source = &sources[i];
            int got = 1;
            while (source->client != NULL && got > 0)
                got = take_line(source, request, 0);
            if (got < 0)
                renew(source, request);
            waited[i] = (struct pollfd){.fd = source->client == NULL ? -1 : client_descriptor(source->client),
                                        .events = POLLIN};
            living += source->client != NULL;
        }
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
    sources = choose(argc, argv, &count);
    for (size_t i = 0; i < count; i++) {
        print_log(&sources[i], &request);
        go_live(&sources[i], &request);
    }
    if (request.follow)
        follow(sources, count, &request);
    for (size_t i = 0; i < count; i++)
        client_destroy(sources[i].client);
    free(sources);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
