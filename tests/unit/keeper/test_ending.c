/* Ending: nothing that an agent started goes on, however it hides. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper_session.h"
#include "test.h"

/* A command line argument to recognise the processes of one test by. */
static const char *mark_of(const struct session *session)
{
    static char mark[96];

    (void)snprintf(mark, sizeof mark, "mark-%s", session->folder + sizeof "/tmp/ganger-keeper-" - 1);
    return mark;
}

/* sh -c SCRIPT MARK, so that $0 is the mark. */
static int start_marked(struct session *session, const char *script, const char *set)
{
    const char *const argv[] = {"sh", "-c", script, mark_of(session), NULL};

    return session_spawn(session, argv, session->folder, set, false);
}

TEST(exit_status_is_reported)
{
    struct session session;

    session_start(&session);
    session_shell(&session, "exit 42");
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(WEXITSTATUS(session.exit.status), 42);
    CHECK_NUMBER(session.exit.attempt, 1);
    session_shell(&session, "kill -9 $$");
    CHECK_NUMBER(session.attempt.attempt, 2);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(WTERMSIG(session.exit.status), SIGKILL);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(second_spawn_is_refused_while_the_first_runs)
{
    struct session session;
    const char *const argv[] = {"true", NULL};

    session_start(&session);
    session_shell(&session, "exec sleep 1000");
    CHECK_NUMBER(session_spawn(&session, argv, "/", NULL, false), EBUSY);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(polite_agent_ends_at_the_interrupt)
{
    struct session session;
    char seen[256];

    session_start(&session);
    session_shell(&session, "trap 'exit 5' INT; echo ready; sleep 1000 & wait");
    session_expect(session.fds[0], "ready", seen, sizeof seen);
    session_end(&session, 60000);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(WEXITSTATUS(session.exit.status), 5);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(nothing_survives_the_end)
{
    struct session session;
    char seen[256];

    session_start(&session);
    /* Ignores what can be ignored, has a daemon (two forks, a session of its own), a stopped child, and one that
     * starts itself again and again. */
    CHECK_NUMBER(
        start_marked(&session,
                     "trap '' INT TERM HUP\n"
                     "if [ -n \"$1\" ]; then sleep .02; setsid sh -c \"$SELF\" $0 again & exit; fi\n"
                     "(setsid sh -c 'trap \"\" INT TERM HUP; (while :; do sleep 1000; done) & exit' $0 &)\n"
                     "sh -c 'kill -STOP $$; sleep 1000' $0 &\n"
                     "export SELF='trap \"\" INT TERM HUP; sleep .02; setsid sh -c \"$SELF\" $0 & exit'\n"
                     "sh -c \"$SELF\" $0 &\n"
                     "echo ready; while :; do sleep 1000; done",
                     NULL),
        0);
    session_expect(session.fds[0], "ready", seen, sizeof seen);
    CHECK(session_count(mark_of(&session)) >= 3);
    session_end(&session, 150);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session_count(mark_of(&session)), 0);
    CHECK_NUMBER(WTERMSIG(session.exit.status), SIGKILL);
    /* The host is not among them, and the session goes on. */
    session_shell(&session, "exit 0");
    session_await_exit(&session, KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(a_repeat_only_shortens_the_wait)
{
    struct session session;
    char seen[256];
    long start;

    session_start(&session);
    session_shell(&session, "trap '' INT TERM; echo ready; while :; do sleep 1000; done");
    session_expect(session.fds[0], "ready", seen, sizeof seen);
    start = session_now_ms();
    session_end(&session, 60000);
    session_end(&session, 100);
    session_end(&session, 60000);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK(session_now_ms() - start >= 180);
    CHECK(session_now_ms() - start < 5000);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(end_without_an_agent_is_answered)
{
    struct session session;

    session_start(&session);
    session_end(&session, 1000);
    session_await_exit(&session, KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session.exit.attempt, 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(a_lifeline_that_closes_ends_the_session)
{
    struct session session;
    int ends[2];

    CHECK_NUMBER(pipe2(ends, O_CLOEXEC), 0);
    session_start_held(&session, ends[0]);
    (void)close(ends[0]);
    CHECK_NUMBER(start_marked(&session, "trap '' INT; while :; do sleep 1000; done", NULL), 0);
    /* What is written there means nothing. */
    CHECK_NUMBER(write(ends[1], "x", 1), 1);
    CHECK(session_await_count(mark_of(&session), 1));
    session_end(&session, 60000);
    (void)close(ends[1]);
    session_await(&session, KEEPER_FORSAKEN);
    session_end(&session, 100);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session_count(mark_of(&session)), 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(a_lifeline_that_closes_leaves_alone_what_an_agent_left_behind)
{
    struct session session;
    int ends[2];

    CHECK_NUMBER(pipe2(ends, O_CLOEXEC), 0);
    session_start_held(&session, ends[0]);
    (void)close(ends[0]);
    CHECK_NUMBER(start_marked(&session,
                              "setsid sh -c 'touch away; sleep 1000; :' $0 & "
                              "while ! [ -e away ]; do sleep .01; done; exit 0",
                              "GANGER_KEEP_CHILDREN=1"),
                 0);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE | KEEPER_EXIT_KEPT);
    (void)close(ends[1]);
    session_await(&session, KEEPER_FORSAKEN);
    CHECK(session_await_count(mark_of(&session), 1));
    session_end(&session, 0);
    session_await_exit(&session, KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session_count(mark_of(&session)), 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(leftovers_of_a_leader_are_ended)
{
    struct session session;

    session_start(&session);
    CHECK_NUMBER(
        start_marked(&session,
                     "setsid sh -c 'sleep 1000; :' $0 & "
                     "setsid sh -c 'trap \"\" HUP TERM; touch armed; while :; do sleep 1000; done' $0 & "
                     "while ! [ -e armed ]; do sleep .01; done; exit 3",
                     NULL),
        0);
    session_await_exit(&session, KEEPER_EXIT_LEADER);
    CHECK_NUMBER(WEXITSTATUS(session.exit.status), 3);
    CHECK(session_await_count(mark_of(&session), 1));
    session_await_exit(&session, KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session_count(mark_of(&session)), 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(children_are_kept_when_asked_for)
{
    struct session session;

    session_start(&session);
    CHECK_NUMBER(start_marked(&session,
                              "setsid sh -c 'touch away; sleep 1000; :' $0 & "
                              "while ! [ -e away ]; do sleep .01; done; exit 0",
                              "GANGER_KEEP_CHILDREN=1"),
                 0);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE | KEEPER_EXIT_KEPT);
    CHECK(session_await_count(mark_of(&session), 1));
    /* Asked to end they end. */
    session_end(&session, 0);
    session_await_exit(&session, KEEPER_EXIT_ALL_GONE);
    CHECK_NUMBER(session.exit.flags & KEEPER_EXIT_KEPT, 0);
    CHECK_NUMBER(session_count(mark_of(&session)), 0);
    CHECK_NUMBER(session_finish(&session), 0);
}

TEST(terminated_keeper_ends_agent_and_host)
{
    struct session session;
    int status;

    session_start(&session);
    CHECK_NUMBER(start_marked(&session, "sleep 1000; :", NULL), 0);
    (void)kill(session.keeper, SIGTERM);
    session_await_exit(&session, KEEPER_EXIT_LEADER | KEEPER_EXIT_ALL_GONE | KEEPER_EXIT_TOLD);
    CHECK(waitpid(session.keeper, &status, 0) == session.keeper);
    CHECK_NUMBER(status, 0);
    CHECK_NUMBER(session_count(mark_of(&session)), 0);
    CHECK(kill(session.host, 0) != 0);
    session.keeper = 0;
    (void)session_finish(&session);
}

TEST(keeper_leaves_with_its_host)
{
    struct session session;
    int status;

    session_start(&session);
    CHECK_NUMBER(start_marked(&session, "sleep 1000; :", NULL), 0);
    CHECK_NUMBER(write(session.puppet, "", 1), 1);
    CHECK(waitpid(session.keeper, &status, 0) == session.keeper);
    CHECK_NUMBER(status, 0);
    CHECK_NUMBER(session_count(mark_of(&session)), 0);
    session.keeper = 0;
    (void)session_finish(&session);
}

TEST_MAIN
