#include "cli/cli.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/event_source.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_events = {
    "events", "Look", "what happened, as JSON lines",
    "usage: ganger events [SESSION…] [--types TYPE,…] [--since SEQ] [-f]\n"
    "\n"
    "Prints the events of the sessions (all of them when none is named), "
    "one JSON object a line, in the order of time. With -f it\n"
    "goes on with what happens, until the sessions have ended; without a name it "
    "also shows sessions that\n"
    "start later, and goes on until it is stopped.\n"
    "\n"
    "  --types T,…   only these types\n"
    "  --since SEQ   only what came after this number\n"
    "  -f            follow\n"
    "\n"
    "example: ganger events api-fix -f --types phase,error\n",
    run};

/* The sessions named, or all: those there are and those that come. */
struct crowd {
    struct event_source *sources;
    size_t count, capacity;
    bool all;
    int inotify; /* of who follows all; or -1 */
    int runtime; /* watch of the folder of the sockets */
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

/* ---- which sessions ---- */

static struct event_source *find(const struct crowd *crowd, const char *uuid)
{
    for (size_t i = 0; i < crowd->count; i++) {
        if (strcmp(crowd->sources[i].uuid, uuid) == 0)
            return &crowd->sources[i];
    }
    return NULL;
}

static struct event_source *add(struct crowd *crowd, const char *uuid, uint64_t since)
{
    struct event_source *source;

    if (crowd->count == crowd->capacity) {
        crowd->capacity = crowd->capacity == 0 ? 16 : crowd->capacity * 2;
        crowd->sources = xreallocarray(crowd->sources, crowd->capacity, sizeof *crowd->sources);
    }
    source = &crowd->sources[crowd->count++];
    event_source_init(source, uuid, since);
    return source;
}

/* Those that are not there yet. */
static void add_all(struct crowd *crowd, uint64_t since)
{
    struct error error;
    json_t *list = session_dir_list(cli_state_dir(), NULL, &error), *session;
    size_t index;

    if (list == NULL)
        cli_die("events", &error);
    json_array_foreach(list, index, session)
    {
        const char *uuid = json_member_string(session, "id", "");
        if (find(crowd, uuid) == NULL)
            (void)add(crowd, uuid, since);
    }
    json_decref(list);
}

static void choose(struct crowd *crowd, int argc, char **argv, uint64_t since)
{
    char uuid[UUID_SIZE];

    crowd->all = optind == argc;
    for (int i = optind; i < argc; i++) {
        cli_find(argv[i], true, uuid);
        if (find(crowd, uuid) == NULL)
            (void)add(crowd, uuid, since);
    }
    if (crowd->all)
        add_all(crowd, since);
}

/* ---- printing ---- */

/* Prints what there is, in the order of time; of one session always in the order of seq. */
static void print_merged(struct crowd *crowd, const struct event_request *request)
{
    while (ferror(stdout) == 0) {
        struct event_source *earliest = NULL;
        const char *least = NULL;
        for (size_t i = 0; i < crowd->count; i++) {
            const json_t *event = event_source_next(&crowd->sources[i], request);
            const char *at = json_member_string(event, "time", "");
            if (event == NULL || (least != NULL && strcmp(at, least) >= 0))
                continue;
            earliest = &crowd->sources[i];
            least = at;
        }
        if (earliest == NULL)
            return;
        print_event(event_source_next(earliest, request));
        event_source_taken(earliest);
    }
}

/* ---- sessions that come ---- */

static void watch_sockets(struct crowd *crowd)
{
    crowd->runtime =
        inotify_add_watch(crowd->inotify, cli_runtime_dir(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

/* The host of a session that has ended stays for a while, and may begin another attempt. */
static void watch_ended(struct crowd *crowd, struct event_source *source)
{
    char *folder, *path;

    if (crowd->inotify < 0 || !source->over || source->watch != 0)
        return;
    source->watch = -1;
    if (session_dir_alive(cli_state_dir(), source->uuid, NULL) != 1)
        return;
    folder = session_dir_path(cli_state_dir(), source->uuid);
    path = path_join(folder, SESSION_EVENTS);
    source->watch = inotify_add_watch(crowd->inotify, path, IN_MODIFY);
    free(path);
    free(folder);
    /* What came before the watch. */
    event_source_grown(source);
}

static void socket_came(struct crowd *crowd, const char *name)
{
    static const char ending[] = ".sock";
    char uuid[UUID_SIZE];
    struct event_source *source;
    int folder;

    if (strlen(name) != UUID_SIZE - 1 + sizeof ending - 1 || strcmp(name + UUID_SIZE - 1, ending) != 0)
        return;
    (void)snprintf(uuid, sizeof uuid, "%.*s", UUID_SIZE - 1, name);
    source = find(crowd, uuid);
    if (source != NULL) {
        event_source_host(source);
        return;
    }
    /* Sessions of another state folder may have their sockets here too. */
    folder = uuid_valid(uuid) ? session_dir_open(cli_state_dir(), uuid, NULL) : -1;
    if (folder < 0)
        return;
    close(folder);
    (void)add(crowd, uuid, 0);
}

static void take_news(struct crowd *crowd, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        add_all(crowd, 0);
    } else if (event->wd != crowd->runtime) {
        for (size_t i = 0; i < crowd->count; i++) {
            if (crowd->sources[i].watch != event->wd)
                continue;
            if (event->mask & IN_IGNORED)
                crowd->sources[i].watch = -1;
            else
                event_source_grown(&crowd->sources[i]);
        }
    } else if (event->mask & IN_IGNORED) {
        /* The folder went, at a log-out say. */
        free(path_runtime_dir(NULL));
        watch_sockets(crowd);
        add_all(crowd, 0);
    } else if (event->len > 0) {
        socket_came(crowd, event->name);
    }
}

static void read_news(struct crowd *crowd)
{
    union {
        struct inotify_event event;
        char bytes[16384];
    } space;
    ssize_t got;

    while (crowd->inotify >= 0 && (got = read(crowd->inotify, space.bytes, sizeof space.bytes)) > 0) {
        for (size_t at = 0; at < (size_t)got;) {
            const struct inotify_event *event = (const void *)(space.bytes + at);
            take_news(crowd, event);
            at += sizeof *event + event->len;
        }
    }
}

/* ---- following ---- */

/* Waits until something came. False when nobody reads what is printed. */
static bool wait_for_news(struct crowd *crowd)
{
    struct pollfd *waited = xcalloc(crowd->count + 2, sizeof *waited);
    int timeout = -1;
    bool read_by_nobody;

    for (size_t i = 0; i < crowd->count; i++) {
        int due = event_source_due(&crowd->sources[i]);
        waited[i] = (struct pollfd){.fd = event_source_descriptor(&crowd->sources[i]), .events = POLLIN};
        if (due >= 0 && (timeout < 0 || due < timeout))
            timeout = due;
    }
    waited[crowd->count] = (struct pollfd){.fd = crowd->inotify, .events = POLLIN};
    waited[crowd->count + 1] = (struct pollfd){.fd = STDOUT_FILENO};
    (void)poll(waited, crowd->count + 2, timeout);
    read_by_nobody = (waited[crowd->count + 1].revents & POLLERR) != 0;
    free(waited);
    return !read_by_nobody;
}

static void follow(struct crowd *crowd, const struct event_request *request)
{
    bool goes_on = true;

    while (goes_on) {
        goes_on = crowd->all;
        read_news(crowd);
        for (size_t i = 0; i < crowd->count; i++) {
            event_source_receive(&crowd->sources[i], request);
            watch_ended(crowd, &crowd->sources[i]);
        }
        print_merged(crowd, request);
        for (size_t i = 0; i < crowd->count; i++)
            goes_on = goes_on || !crowd->sources[i].over || !crowd->sources[i].stored;
        if (fflush(stdout) != 0 || (goes_on && !wait_for_news(crowd)))
            return;
    }
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"types", required_argument, NULL, 't'},
                                            {"since", required_argument, NULL, 's'},
                                            {"follow", no_argument, NULL, 'f'},
                                            {"json", no_argument, NULL, 'j'},
                                            CLI_HELP_OPTION,
                                            {0}};
    struct event_request request = {0};
    struct crowd crowd = {.inotify = -1};

    for (int option; (option = cli_option(&command_events, argc, argv, ":fh", options)) != -1;) {
        if (option == 't')
            request.types = optarg;
        else if (option == 's')
            request.since = cli_number(&command_events, optarg);
        else if (option == 'f')
            request.follow = true;
    }
    check_types(request.types);
    if (request.follow && optind == argc) {
        /* Before the sessions are listed, so that none is missed in between. */
        crowd.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        watch_sockets(&crowd);
    }
    choose(&crowd, argc, argv, request.since);
    print_merged(&crowd, &request);
    if (request.follow)
        follow(&crowd, &request);
    for (size_t i = 0; i < crowd.count; i++)
        event_source_finish(&crowd.sources[i]);
    free(crowd.sources);
    if (crowd.inotify >= 0)
        close(crowd.inotify);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
