/* Starting an agent: what it gets, what is said when it cannot start, what is written to it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper_session.h"
#include "test.h"

#define LARGE (100 * 1024)

static int spawn_error(struct session *session, const char *program, const char *folder)
{
    const char *const argv[] = {program, NULL};

    return session_spawn(session, argv, folder, NULL, false);
}

TEST(hello_names_the_session)
{
    struct session session;

    session_start(&session);
    CHECK_STRING(session.hello.session, SESSION_UUID);
    CHECK_NUMBER(session.hello.keeper_pid, session.keeper);
    CHECK_NUMBER(session.hello.hosts, 1);
    CHECK_NUMBER(session.message.attempt, 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(exec_failure_names_step_and_reason)
{
    struct session session;
    char script[128];
    int file;

    session_start(&session);
    CHECK_NUMBER(spawn_error(&session, "no-such-program", "/"), ENOENT);
    CHECK_NUMBER(session.attempt.exec_step, 'e');
    CHECK_NUMBER(session.attempt.pid, 0);
    CHECK_NUMBER(session.fds[0], -1);
    CHECK_NUMBER(spawn_error(&session, "/etc/passwd", "/"), EACCES);
    CHECK_NUMBER(spawn_error(&session, "true", "/no/such/folder"), ENOENT);
    CHECK_NUMBER(session.attempt.exec_step, 'd');
    /* No shell steps in for a file without #!. */
    (void)snprintf(script, sizeof script, "%s/script", session.folder);
    file = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    CHECK_NUMBER(write(file, "true\n", 5), 5);
    (void)close(file);
    CHECK_NUMBER(spawn_error(&session, script, "/"), ENOEXEC);
    CHECK_NUMBER(spawn_error(&session, "true", "/"), 0);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK(WIFEXITED(session.exit.status) && WEXITSTATUS(session.exit.status) == 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(malformed_spawn_is_refused)
{
    struct session session;
    struct keeper_spawn spawn = {.arguments = 1000000, .cols = 80, .rows = 24};

    session_start(&session);
    session_send(&session, (struct keeper_message){.type = KEEPER_SPAWN, .attempt = 1}, "x", 1);
    session_await(&session, KEEPER_FDS);
    CHECK_NUMBER(session.message.error, EINVAL);
    session_send(&session, (struct keeper_message){.type = KEEPER_SPAWN, .attempt = 1}, &spawn, sizeof spawn);
    session_await(&session, KEEPER_FDS);
    CHECK_NUMBER(session.message.error, EINVAL);
    CHECK_NUMBER(session_finish(&session), 0);
}

/* A mask of /proc/self/status without the C library's own two signals, which only it can change. */
static unsigned long long signals_of(const char *text, const char *field)
{
    const char *at = strstr(text, field);

    return at == NULL ? 1 : strtoull(at + strlen(field), NULL, 16) & ~(3ULL << 31);
}

TEST(agent_gets_terminal_environment_and_nothing_else)
{
    struct session session;
    char seen[4096];

    (void)setenv("KEEPER_TEST_UNSET", "there", 1);
    session_start(&session);
    session_shell(&session,
                  "stty size; tty; pwd; echo fds=$(ls /proc/self/fd | wc -l) "
                  "id=$GANGER_SESSION set=$KEEPER_TEST_SET unset=${KEEPER_TEST_UNSET-gone} "
                  "oom=$(cat /proc/self/oom_score_adj) umask=$(umask); "
                  "cd /proc/$$/fd; ls -l | sed -n 's/.*-> /fd /p'; grep Sig[BI] /proc/self/status; echo end");
    session_expect(session.fds[0], "end\r\n", seen, sizeof seen);
    CHECK(strstr(seen, "24 80\r\n/dev/pts/") != NULL);
    CHECK(strstr(seen, session.folder) != NULL);
    CHECK(strstr(seen, "id=" SESSION_UUID " set=yes unset=gone oom=300 ") != NULL);
    /* ls itself has its standard three, with the pipe, and the folder it lists. */
    CHECK(strstr(seen, "fds=4 ") != NULL);
    if (signals_of(seen, "SigBlk:") != 0 || signals_of(seen, "SigIgn:") != 0)
        TEST_FAIL("signals are blocked or ignored in: %s", seen);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(users_umask_is_kept_for_the_agent)
{
    struct session session;
    char seen[256];
    mode_t old = umask(027);

    session_start(&session);
    (void)umask(old);
    session_shell(&session, "umask");
    session_expect(session.fds[0], "0027", seen, sizeof seen);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(echo_through_cat)
{
    struct session session;
    char seen[256];

    session_start(&session);
    session_shell(&session, "exec cat");
    session_write(&session, 7, "hello\n", 6);
    session_expect(session.fds[0], "hello\r\nhello\r\n", seen, sizeof seen);
    session_await(&session, KEEPER_WRITE);
    CHECK_NUMBER(session.message.id, 7);
    CHECK_NUMBER(session.message.error, 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

static char *numbers(size_t length)
{
    char *bytes = malloc(length + 16);

    for (size_t at = 0; at < length; at += 8)
        (void)snprintf(bytes + at, 16, "%07u\n", (unsigned)at % 10000000);
    return bytes;
}

TEST(large_write_arrives_whole_and_in_order)
{
    struct session session;
    char seen[256], *bytes = numbers(LARGE);
    char *got = malloc(LARGE);
    char path[128];
    int file;

    session_start(&session);
    session_shell(&session, "stty raw -echo; echo ready; head -c 102400 > got; head -c 5 > tail; echo done");
    session_expect(session.fds[0], "ready", seen, sizeof seen);
    session_write(&session, 1, bytes, LARGE);
    session_write(&session, 2, "after", 5);
    session_expect(session.fds[0], "done", seen, sizeof seen);
    session_await(&session, KEEPER_WRITE);
    CHECK_NUMBER(session.message.id, 1);
    session_await(&session, KEEPER_WRITE);
    CHECK_NUMBER(session.message.id, 2);
    (void)snprintf(path, sizeof path, "%s/got", session.folder);
    file = open(path, O_RDONLY | O_CLOEXEC);
    CHECK_NUMBER(read(file, got, LARGE), LARGE);
    CHECK(memcmp(got, bytes, LARGE) == 0);
    (void)close(file);
    free(got);
    free(bytes);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(reader_that_stopped_blocks_nothing)
{
    ssize_t length;
    struct session session;
    char seen[256], *bytes = numbers(LARGE), path[64], text[512];
    uint64_t id = 0;
    unsigned long user, system;
    int file;

    session_start(&session);
    session_shell(&session, "echo ready; exec sleep 1000");
    session_expect(session.fds[0], "ready", seen, sizeof seen);
    do
        session_write(&session, ++id, bytes, 20 * 1024);
    while (id < 20);
    /* 64 KiB or so fit into the terminal, KEEPER_INPUT_MAX are held, the rest is refused. */
    do
        session_await(&session, KEEPER_WRITE);
    while (session.message.error == 0);
    CHECK_NUMBER(session.message.error, EAGAIN);
    session_kill_host(&session);
    session_adopt(&session);
    session_await(&session, KEEPER_FDS);
    CHECK_NUMBER(session.attempt.refused_write, 20);
    CHECK(session.attempt.accepted_write > session.attempt.last_write);
    /* A turned down terminal costs no time either. */
    (void)poll(NULL, 0, 300);
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)session.keeper);
    file = open(path, O_RDONLY | O_CLOEXEC);
    length = read(file, text, sizeof text - 1);
    CHECK(length > 0);
    text[length] = '\0';
    (void)close(file);
    CHECK_NUMBER(sscanf(strrchr(text, ')') + 1, " %*c%*d%*d%*d%*d%*d%*u%*u%*u%*u%*u%lu%lu", &user, &system),
                 2);
    CHECK(user + system < 15);
    session_end(&session, 0);
    session_await(&session, KEEPER_WRITE);
    CHECK_NUMBER(session.message.error, ECANCELED);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    free(bytes);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(write_without_an_agent_is_refused)
{
    struct session session;

    session_start(&session);
    session_write(&session, 3, "x", 1);
    session_await(&session, KEEPER_WRITE);
    CHECK_NUMBER(session.message.id, 3);
    CHECK_NUMBER(session.message.error, ECANCELED);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(stream_mode_has_pipes_beside_the_terminal)
{
    struct session session;
    const char *const argv[] = {
        "sh", "-c", "stty size </dev/tty; read a; echo out $a; echo err >&2; cat; echo bye", NULL};
    char seen[256];

    session_start(&session);
    CHECK_NUMBER(session_spawn(&session, argv, "/", NULL, true), 0);
    CHECK_NUMBER(session.attempt.stream_mode, 1);
    CHECK(session.fds[KEEPER_DESCRIPTOR_STDERR_RING] >= 0);
    session_write(&session, 1, "word\n", 5);
    session_expect(session.fds[KEEPER_DESCRIPTOR_STDOUT], "24 80\nout word\n", seen, sizeof seen);
    session_expect(session.fds[KEEPER_DESCRIPTOR_STDERR], "err\n", seen, sizeof seen);
    /* The end of the input: the keeper's end and ours are closed. */
    (void)close(session.fds[KEEPER_DESCRIPTOR_STDIN]);
    session.fds[KEEPER_DESCRIPTOR_STDIN] = -1;
    session_write(&session, 2, NULL, 0);
    session_expect(session.fds[KEEPER_DESCRIPTOR_STDOUT], "bye\n", seen, sizeof seen);
    session_await_exit(&session, KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(signal_reaches_the_foreground_group)
{
    struct session session;
    char seen[256];

    session_start(&session);
    session_shell(&session, "trap 'echo caught; exit 3' INT; echo ready; sleep 1000 & wait");
    session_expect(session.fds[0], "ready", seen, sizeof seen);
    session_send(&session, (struct keeper_message){.type = KEEPER_SIGNAL, .value = SIGINT}, NULL, 0);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(WEXITSTATUS(session.exit.status), 3);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST_MAIN
