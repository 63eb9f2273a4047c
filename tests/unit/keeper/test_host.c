/* Deaths and restarts of the host, and what the keeper itself costs. */
#include "keeper_session.h"
#include "test.h"

static void make_file(const struct session *session, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", session->folder, name);
    (void)close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int launch(struct session *session, struct error *error)
{
    char keeper[4096], puppet[4096];
    pid_t host;

    session_program("ganger-keeper", keeper);
    session_program("mini-host", puppet);
    return runner_local_launch(keeper, puppet, SESSION_UUID, session->folder, "/", -1, &session->keeper,
                               &host, error);
}

TEST(next_host_finds_the_agent_running)
{
    struct session session;
    char seen[256];

    session_start(&session);
    session_shell(&session, "exec cat");
    session_write(&session, 4, "one\n", 4);
    session_expect(session.fds[0], "one\r\none\r\n", seen, sizeof seen);
    for (unsigned hosts = 2; hosts <= 6; hosts++) {
        session_kill_host(&session);
        session_adopt(&session);
        CHECK_NUMBER(session.hello.hosts, hosts);
        CHECK_NUMBER(WTERMSIG(session.hello.last_status), SIGKILL);
        CHECK_NUMBER(session.message.attempt, 1);
        session_await(&session, KEEPER_FDS);
        CHECK_NUMBER(session.message.error, 0);
        CHECK(session.attempt.last_write >= 4);
        session_write(&session, 4 + hosts, "two\n", 4);
        session_expect(session.fds[0], "two\r\ntwo\r\n", seen, sizeof seen);
    }
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(first_restart_is_at_once)
{
    struct session session;
    long start;

    session_start(&session);
    start = session_now_ms();
    session_kill_host(&session);
    session_adopt(&session);
    CHECK(session_now_ms() - start < 800);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(exit_is_repeated_to_the_next_host)
{
    struct session session;

    session_start(&session);
    session_shell(&session, "exit 6");
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    session_kill_host(&session);
    session_adopt(&session);
    session.exit.flags = 0;
    CHECK_NUMBER(session_receive(&session), KEEPER_FDS);
    CHECK_NUMBER(session_receive(&session), KEEPER_EXITED);
    CHECK_NUMBER(session.exit.flags, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(WEXITSTATUS(session.exit.status), 6);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(agent_may_end_while_no_host_is_there)
{
    struct session session;

    session_start(&session);
    session_shell(&session, "read go; exit 8");
    /* Said just before its death, and done after it. */
    (void)kill(session.host, SIGSTOP);
    session_write(&session, 1, "go\n", 3);
    session_kill_host(&session);
    session_adopt(&session);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(WEXITSTATUS(session.exit.status), 8);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(host_that_exits_with_an_error_is_replaced)
{
    struct session session;

    session_start(&session);
    CHECK_NUMBER(write(session.puppet, "\5", 1), 1);
    session_adopt(&session);
    CHECK_NUMBER(WEXITSTATUS(session.hello.last_status), 5);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(hand_overs_are_no_failures)
{
    struct session session;
    char status = KEEPER_HANDOVER_STATUS;
    long start;

    session_start(&session);
    session_shell(&session, "exec cat");
    start = session_now_ms();
    for (unsigned hosts = 2; hosts <= 8; hosts++) {
        CHECK_NUMBER(write(session.puppet, &status, 1), 1);
        session_adopt(&session);
        CHECK_NUMBER(session.hello.hosts, hosts);
        CHECK_NUMBER(WEXITSTATUS(session.hello.last_status), KEEPER_HANDOVER_STATUS);
        session_await(&session, KEEPER_FDS);
    }
    /* As many failures would wait for seconds. */
    CHECK(session_now_ms() - start < 2000);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(host_that_leaves_before_it_is_ready_is_replaced)
{
    struct session session;

    session_start(&session);
    session_shell(&session, "exec cat");
    make_file(&session, "hang");
    session_kill_host(&session);
    session_adopt(&session);
    CHECK_NUMBER(write(session.puppet, "", 1), 1);
    session_adopt(&session);
    CHECK_NUMBER(session.hello.last_status, 0);
    session_await(&session, KEEPER_FDS);
    CHECK_NUMBER(session.message.error, 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(host_that_reads_nothing_blocks_nothing)
{
    struct session session;
    uint64_t id = 0;

    session_start(&session);
    session_shell(&session, "stty raw -echo; exec cat >/dev/null");
    /* Answers pile up; the keeper stops taking requests, not taking care. */
    while (id < 20000) {
        struct keeper_message message = {
            .version = KEEPER_PROTOCOL_VERSION, .type = KEEPER_WRITE, .id = ++id, .attempt = 1, .channel = 7};
        if (send(session.link, &message, sizeof message, MSG_DONTWAIT) < 0)
            break;
    }
    CHECK_NUMBER(errno, EAGAIN);
    session_kill_host(&session);
    session_adopt(&session);
    session_end(&session, 0);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(host_that_cannot_start_is_reported)
{
    struct session session;
    struct error error;

    session_prepare(&session);
    make_file(&session, "fail");
    CHECK_NUMBER(launch(&session, &error), -1);
    CHECK(strstr(error.text, "host.log") != NULL);
    session.keeper = 0;
    (void)session_finish(&session);
}

TEST(host_that_hangs_is_given_up)
{
    struct session session;
    struct error error;
    long start = session_now_ms();

    session_prepare(&session);
    make_file(&session, "hang");
    CHECK_NUMBER(launch(&session, &error), -1);
    CHECK(strstr(error.text, "not ready within 10 s") != NULL);
    CHECK(session_now_ms() - start >= 9900);
    session.keeper = 0;
    (void)session_finish(&session);
}

TEST(second_keeper_of_a_session_is_refused)
{
    struct session session;
    struct error error;
    pid_t first;

    session_start(&session);
    first = session.keeper;
    CHECK_NUMBER(launch(&session, &error), -1);
    CHECK(strstr(error.text, "the session is running") != NULL);
    session.keeper = first;
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(missing_executables_and_folders_are_named)
{
    struct session session;
    struct error error;
    char keeper[4096];
    pid_t one, other;

    session_prepare(&session);
    session_program("ganger-keeper", keeper);
    CHECK_NUMBER(runner_local_launch("/no/keeper", "/no/host", SESSION_UUID, session.folder, "/", -1, &one,
                                     &other, &error),
                 -1);
    CHECK_STRING(error.text, "cannot run /no/keeper: No such file or directory");
    CHECK_NUMBER(
        runner_local_launch(keeper, "/no/host", SESSION_UUID, session.folder, "/", -1, &one, &other, &error),
        -1);
    CHECK_STRING(error.text, "cannot open /no/host: No such file or directory");
    CHECK_NUMBER(runner_local_launch(keeper, "/no/host", SESSION_UUID, session.folder, "/no", -1, &one,
                                     &other, &error),
                 -1);
    CHECK_STRING(error.text, "cannot enter /no: No such file or directory");
    (void)session_finish(&session);
}

/* What /proc/PID/FILE says behind KEY, a number. */
static long read_number(pid_t pid, const char *name, const char *key)
{
    char path[64], text[8192];
    int file;
    ssize_t got;
    const char *at;

    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    got = read(file, text, sizeof text - 1);
    (void)close(file);
    text[got > 0 ? got : 0] = '\0';
    at = strstr(text, key);
    return at != NULL ? strtol(at + strlen(key), NULL, 10) : -1;
}

TEST(keeper_is_detached_and_small)
{
    struct session session;
    char *bytes = calloc(1, 100 * 1024), seen[256];
    long own;

    memset(bytes, 'x', 100 * 1024);
    session_start(&session);
    session_shell(&session, "stty raw -echo; echo ready; exec cat >/dev/null");
    session_expect(session.fds[0], "ready", seen, sizeof seen);
    session_write(&session, 1, bytes, 100 * 1024);
    session_await(&session, KEEPER_WRITE);
    free(bytes);
    session_end(&session, 0);
    session_await_exit(&session, KEEPER_EXIT_ALL_GONE);
    /* What it shares with others, libc most of all, depends on how many others there are. */
    own = read_number(session.keeper, "smaps_rollup", "Pss_Anon:");
    printf("# the keeper's own memory: %ld kB; PSS: %ld kB\n", own,
           read_number(session.keeper, "smaps_rollup", "Pss:"));
    CHECK(own > 0 && own < 150);
    CHECK_NUMBER(getsid(session.keeper), session.keeper);
    CHECK(getpgid(session.keeper) != getpgid(0));
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST_MAIN
