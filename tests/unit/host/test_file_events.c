/* Events of files that change: whose they are, and how many. */
#include "small_host.h"

#include "base/clock.h"
#include "host/watch.h"

#define WAIT_MS 10000

struct bench {
    struct host *host;
    char *root;
};

static void open_bench(struct bench *bench)
{
    struct host *host = host_open();

    bench->root = scratch_folder();
    bench->host = host;
    host->config = config_load("/dev/null", NULL);
    host->state_dir = scratch_folder();
    host->runtime_dir = scratch_folder();
    json_object_set_new(host->session.object, "cwd", json_string(bench->root));
    host->activity.turn.number = 7;
    host->activity.turn.open = true;
    watch_turn_began(host);
}

static void close_bench(struct bench *bench)
{
    struct host *host = bench->host;

    watch_finish(host);
    config_destroy(host->config);
    free(host->state_dir);
    free(host->runtime_dir);
    host_close(host);
    free(bench->root);
}

static void make_file(const struct bench *bench, const char *name)
{
    free(scratch_file(bench->root, name, "1", 1));
}

static void stop_waiting(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    event_base_loopbreak(argument);
}

/* Runs the loop until so many events were told. */
static bool wait_for(struct bench *bench, uint64_t count)
{
    struct event_base *loop = bench->host->loop;
    struct event *step = event_new(loop, -1, EV_PERSIST, stop_waiting, loop);
    int64_t deadline = clock_monotonic_ns() + WAIT_MS * INT64_C(1000000);

    event_add(step, &(struct timeval){.tv_usec = 5000});
    while (bench->host->events.last < count && clock_monotonic_ns() < deadline)
        (void)event_base_dispatch(loop);
    event_free(step);
    return bench->host->events.last >= count;
}

/* Members of an event as JSON text without its envelope, until the next call. */
static const char *shown(const struct bench *bench, uint64_t seq)
{
    static const char *const envelope[] = {"seq", "time", "id", "session", "attempt"};
    static char text[512];
    json_t *event = told(bench->host, seq);
    char *dump;

    for (size_t i = 0; i < sizeof envelope / sizeof envelope[0]; i++)
        (void)json_object_del(event, envelope[i]);
    dump = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
    (void)snprintf(text, sizeof text, "%s", dump == NULL ? "none" : dump);
    free(dump);
    json_decref(event);
    return text;
}

TEST(what_a_tool_told_is_not_told_again)
{
    struct bench bench;
    char *path;

    open_bench(&bench);
    make_file(&bench, "first");
    path = path_join(bench.root, "first");
    watch_tool_changed(bench.host, path, "created", "Write");
    free(path);
    CHECK_STRING(shown(&bench, 1), "{\"change\":\"created\",\"path\":\"first\",\"source\":\"tool\","
                                   "\"tool\":\"Write\",\"turn\":7,\"type\":\"file_changed\"}");
    make_file(&bench, "second");
    CHECK(wait_for(&bench, 2));
    CHECK_STRING(shown(&bench, 2), "{\"change\":\"created\",\"path\":\"second\",\"source\":\"watch\","
                                   "\"turn\":7,\"type\":\"file_changed\"}");
    make_file(&bench, "first");
    bench.host->activity.turn.open = false;
    make_file(&bench, "second");
    CHECK(wait_for(&bench, 3));
    CHECK_STRING(shown(&bench, 3), "{\"change\":\"modified\",\"path\":\"second\",\"source\":\"watch\","
                                   "\"turn\":null,\"type\":\"file_changed\"}");
    watch_settle(bench.host);
    CHECK_NUMBER(bench.host->events.last, 3);
    close_bench(&bench);
}

TEST(paths_of_tools_are_shown_from_the_working_folder)
{
    struct bench bench;
    char *link, *path;

    open_bench(&bench);
    link = path_join(bench.host->state_dir, "link");
    CHECK(symlink(bench.root, link) == 0);
    json_object_set_new(bench.host->session.object, "cwd", json_string(link));
    path = path_join(bench.root, "sub/file");
    watch_tool_change(bench.host, &(struct tool_change){path, "modified", NULL, 3, 0});
    CHECK_STRING(shown(&bench, 1),
                 "{\"change\":\"modified\",\"lines_added\":3,\"lines_removed\":0,\"path\":\"sub/file\","
                 "\"source\":\"tool\",\"tool\":null,\"turn\":7,\"type\":\"file_changed\"}");
    watch_tool_changed(bench.host, "./a", "deleted", "Bash");
    CHECK(strstr(shown(&bench, 2), "\"path\":\"a\"") != NULL);
    watch_tool_changed(bench.host, "/elsewhere/\xFF", "deleted", "Bash");
    CHECK(strstr(shown(&bench, 3), "\"path\":\"/elsewhere/\xEF\xBF\xBD\"") != NULL);
    free(path);
    free(link);
    close_bench(&bench);
}

TEST(too_many_files_are_a_number)
{
    struct bench bench;
    char name[16];
    json_t *last;

    open_bench(&bench);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof name, "f%03d", i);
        make_file(&bench, name);
    }
    watch_settle(bench.host);
    CHECK_NUMBER(bench.host->events.last, 101);
    last = told(bench.host, 101);
    CHECK_NUMBER(json_integer_value(json_object_get(last, "count")), 200);
    CHECK_NUMBER(json_array_size(json_object_get(last, "paths")), 20);
    CHECK(json_is_null(json_object_get(last, "path")));
    json_decref(last);
    close_bench(&bench);
}

TEST(nothing_is_watched_after_the_end)
{
    struct bench bench;

    open_bench(&bench);
    make_file(&bench, "last");
    watch_stop(bench.host);
    CHECK_NUMBER(bench.host->events.last, 1);
    CHECK(bench.host->watch == NULL);
    watch_settle(bench.host);
    watch_stop(bench.host);
    close_bench(&bench);
}

TEST_MAIN
