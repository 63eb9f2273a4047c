/* The link, with the real keeper at its other end. */
#include <event2/event.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "host/keeper_link.h"
#include "host/ring.h"
#include "keeper/keeper_session.h"
#include "test.h"

struct heard {
    int hellos, starts, exits, losses, written, refused;
    uint32_t attempt;
    uint64_t last_id;
    struct keeper_hello hello;
    struct keeper_attempt started;
    struct keeper_exit exit;
    int error;
    int fds[KEEPER_DESCRIPTORS];
};

static void on_hello(void *argument, const struct keeper_hello *hello, uint32_t attempt)
{
    struct heard *heard = argument;

    heard->hellos++;
    heard->hello = *hello;
    heard->attempt = attempt;
}

static void on_started(void *argument, const struct keeper_attempt *attempt, int error,
                       int fds[KEEPER_DESCRIPTORS])
{
    struct heard *heard = argument;

    heard->starts++;
    heard->started = *attempt;
    heard->error = error;
    for (int i = 0; i < KEEPER_DESCRIPTORS; i++) {
        heard->fds[i] = fds[i];
        fds[i] = -1;
    }
}

static void on_written(void *argument, uint32_t attempt, int channel, uint64_t id, int error)
{
    struct heard *heard = argument;

    (void)attempt;
    (void)channel;
    heard->last_id = id;
    heard->written += error == 0;
    heard->refused += error != 0;
}

static void on_exited(void *argument, const struct keeper_exit *exit)
{
    struct heard *heard = argument;

    heard->exits++;
    heard->exit = *exit;
}

static void on_lost(void *argument)
{
    struct heard *heard = argument;

    heard->losses++;
}

static const struct keeper_calls calls = {
    .hello = on_hello, .started = on_started, .written = on_written, .exited = on_exited, .lost = on_lost};

struct bench {
    struct session session;
    struct event_base *loop;
    struct keeper_link *link;
    struct heard heard;
};

/* The puppet's first HELLO is taken by the session; a second host's is left to the link. */
static void bench_open(struct bench *bench)
{
    *bench = (struct bench){.heard = {.error = -1}};
    session_start(&bench->session);
    bench->loop = event_base_new();
    bench->link = keeper_link_create(bench->loop, fcntl(bench->session.link, F_DUPFD_CLOEXEC, 3), &calls,
                                     &bench->heard);
}

static void close_heard(struct heard *heard)
{
    for (int i = 0; heard->starts > 0 && i < KEEPER_DESCRIPTORS; i++) {
        if (heard->fds[i] >= 0)
            (void)close(heard->fds[i]);
        heard->fds[i] = -1;
    }
}

static int bench_close(struct bench *bench)
{
    close_heard(&bench->heard);
    keeper_link_destroy(bench->link);
    event_base_free(bench->loop);
    return session_finish(&bench->session);
}

/* Runs the loop until the number is reached. */
static bool await_number(struct bench *bench, const int *number, int least)
{
    int64_t deadline = clock_monotonic_ns() + WAIT_MS * 1000000LL;
    const struct timeval slice = {.tv_usec = 20000};

    while (*number < least && clock_monotonic_ns() < deadline) {
        event_base_loopexit(bench->loop, &slice);
        event_base_loop(bench->loop, EVLOOP_ONCE);
    }
    return *number >= least;
}

static int start(struct bench *bench, const char *script, bool stream)
{
    const char *const argv[] = {"sh", "-c", script, NULL}, *const set[] = {"LINK_TEST=set", NULL};
    struct keeper_start what = {
        .folder = "/", .argv = argv, .set = set, .cols = 100, .rows = 30, .stream_mode = stream};
    int before = bench->heard.starts;

    close_heard(&bench->heard);
    if (keeper_link_spawn(bench->link, bench->heard.started.attempt + 1, &what) != 0 ||
        !await_number(bench, &bench->heard.starts, before + 1))
        return -1;
    return bench->heard.error;
}

TEST(attempt_is_spawned_written_to_and_ended)
{
    struct bench bench;
    char seen[512];

    bench_open(&bench);
    CHECK_NUMBER(keeper_link_ready(bench.link), 0);
    CHECK_NUMBER(start(&bench, "stty size; echo $LINK_TEST; exec cat", false), 0);
    CHECK_NUMBER(bench.heard.started.attempt, 1);
    session_expect(bench.heard.fds[KEEPER_DESCRIPTOR_PTY], "30 100\r\nset\r\n", seen, sizeof seen);
    CHECK_NUMBER(keeper_link_write(bench.link, 1, 9, KEEPER_CHANNEL_PTY, "word\n", 5), 0);
    CHECK(await_number(&bench, &bench.heard.written, 1));
    CHECK_NUMBER(bench.heard.last_id, 9);
    session_expect(bench.heard.fds[KEEPER_DESCRIPTOR_PTY], "word\r\nword\r\n", seen, sizeof seen);
    CHECK_NUMBER(bench.heard.fds[KEEPER_DESCRIPTOR_STDIN], -1);
    CHECK_NUMBER(keeper_link_signal(bench.link, SIGTERM), 0);
    CHECK(await_number(&bench, &bench.heard.exits, 2));
    CHECK_NUMBER(bench.heard.exit.flags, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(WTERMSIG(bench.heard.exit.status), SIGTERM);
    CHECK_NUMBER(start(&bench, "trap '' INT TERM; while :; do sleep 100; done", true), 0);
    CHECK(bench.heard.fds[KEEPER_DESCRIPTOR_STDERR_RING] >= 0);
    CHECK_NUMBER(keeper_link_end(bench.link, 0), 0);
    CHECK(await_number(&bench, &bench.heard.exits, 4));
    CHECK_NUMBER(bench.heard.exit.attempt, 2);
    CHECK_NUMBER(bench_close(&bench), 0);
}

TEST(spawn_that_fails_says_why)
{
    struct bench bench;
    const char *const argv[] = {"/no/such/agent", NULL};
    struct keeper_start what = {.folder = "/", .argv = argv, .cols = 80, .rows = 24};

    bench_open(&bench);
    CHECK_NUMBER(keeper_link_spawn(bench.link, 1, &what), 0);
    CHECK(await_number(&bench, &bench.heard.starts, 1));
    CHECK_NUMBER(bench.heard.error, ENOENT);
    CHECK_NUMBER(bench.heard.started.exec_step, 'e');
    CHECK_NUMBER(bench_close(&bench), 0);
}

TEST(many_requests_wait_without_blocking)
{
    struct bench bench;
    char *bytes = calloc(1, 8192);

    bench_open(&bench);
    CHECK_NUMBER(start(&bench, "stty raw -echo; echo ready; exec cat >/dev/null", false), 0);
    (void)kill(bench.session.keeper, SIGSTOP);
    memset(bytes, 'x', 8192);
    for (uint64_t id = 1; id <= 200; id++)
        CHECK_NUMBER(keeper_link_write(bench.link, 1, id, KEEPER_CHANNEL_PTY, bytes, id % 2 == 0 ? 8192 : 1),
                     0);
    (void)kill(bench.session.keeper, SIGCONT);
    while (bench.heard.written + bench.heard.refused < 200)
        CHECK(await_number(&bench, &bench.heard.written, bench.heard.written + 1) || bench.heard.refused > 0);
    CHECK_NUMBER(bench.heard.last_id > 0, 1);
    errno = 0;
    CHECK_NUMBER(keeper_link_write(bench.link, 1, 201, KEEPER_CHANNEL_PTY, bytes, KEEPER_PACKET_MAX), -1);
    CHECK_NUMBER(errno, EMSGSIZE);
    free(bytes);
    CHECK_NUMBER(bench_close(&bench), 0);
}

TEST(next_host_takes_over)
{
    struct bench bench;
    struct error error;
    struct ring *ring;
    struct pollfd wait = {.events = POLLIN};

    bench_open(&bench);
    CHECK_NUMBER(start(&bench, "echo first; exec sleep 1000", false), 0);
    wait.fd = bench.heard.fds[KEEPER_DESCRIPTOR_PTY];
    ring = ring_attach(bench.heard.fds[KEEPER_DESCRIPTOR_RING], false, &error);
    bench.heard.fds[KEEPER_DESCRIPTOR_RING] = -1;
    while (ring_head(ring) < 7) {
        CHECK_NUMBER(poll(&wait, 1, WAIT_MS), 1);
        CHECK(ring_read(ring, wait.fd) > 0);
    }
    ring_detach(ring);
    keeper_link_destroy(bench.link);
    close_heard(&bench.heard);
    session_kill_host(&bench.session);
    session_adopt(&bench.session);
    CHECK_NUMBER(bench.session.hello.hosts, 2);
    bench.link =
        keeper_link_create(bench.loop, fcntl(bench.session.link, F_DUPFD_CLOEXEC, 3), &calls, &bench.heard);
    CHECK(await_number(&bench, &bench.heard.starts, 2));
    CHECK_NUMBER(bench.heard.error, 0);
    ring = ring_attach(bench.heard.fds[KEEPER_DESCRIPTOR_RING], true, &error);
    bench.heard.fds[KEEPER_DESCRIPTOR_RING] = -1;
    CHECK_NUMBER(ring_head(ring), 7);
    CHECK(memcmp(ring_bytes(ring, 0), "first\r\n", 7) == 0);
    ring_detach(ring);
    CHECK_NUMBER(bench_close(&bench), 0);
}

TEST(hello_is_passed_on)
{
    struct heard heard = {0};
    struct event_base *loop = event_base_new();
    struct keeper_hello hello = {.session = SESSION_UUID, .hosts = 3};
    struct keeper_message message = {
        .version = KEEPER_PROTOCOL_VERSION, .type = KEEPER_HELLO, .attempt = 8, .length = sizeof hello};
    struct iovec parts[] = {{&message, sizeof message}, {&hello, sizeof hello}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    struct keeper_link *link;
    int pair[2];

    CHECK_NUMBER(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    link = keeper_link_create(loop, pair[0], &calls, &heard);
    CHECK(sendmsg(pair[1], &header, 0) > 0);
    /* Too short, and of another version: dropped. */
    CHECK_NUMBER(send(pair[1], &message, sizeof message, 0), sizeof message);
    message.version = 2;
    CHECK(sendmsg(pair[1], &header, 0) > 0);
    event_base_loop(loop, EVLOOP_ONCE);
    CHECK_NUMBER(heard.hellos, 1);
    CHECK_NUMBER(heard.attempt, 8);
    CHECK_NUMBER(heard.hello.hosts, 3);
    (void)close(pair[1]);
    event_base_loop(loop, EVLOOP_ONCE);
    CHECK_NUMBER(heard.losses, 1);
    CHECK_NUMBER(keeper_link_ready(link), -1);
    CHECK_NUMBER(errno, EPIPE);
    keeper_link_destroy(link);
    event_base_free(loop);
}

TEST(keeper_that_dies_is_noticed)
{
    struct bench bench;

    bench_open(&bench);
    (void)kill(bench.session.keeper, SIGKILL);
    CHECK(waitpid(bench.session.keeper, NULL, 0) == bench.session.keeper);
    bench.session.keeper = 0;
    CHECK(await_number(&bench, &bench.heard.losses, 1));
    (void)kill(bench.session.host, SIGKILL);
    (void)waitpid(bench.session.host, NULL, 0);
    (void)bench_close(&bench);
}

TEST_MAIN
