#include "runner/local.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

#define START_NS (15 * 1000000000LL)
#define READY_FD 3
#define READY_FD_TEXT "3"
#define LIFELINE_FD 4
#define LIFELINE_FD_TEXT "4"
#define LINE_MAX_BYTES 480

/* A copy that no other of the two can be made over. */
static int out_of_the_way(int descriptor)
{
    return descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, LIFELINE_FD + 1);
}

static void hand_over(int descriptor, int as)
{
    if (descriptor >= 0 && dup2(descriptor, as) >= 0)
        (void)fcntl(as, F_SETFD, 0);
}

static _Noreturn void run_keeper(const char *const arguments[], const char *keeper_path,
                                 const char *working_dir, int lifeline, int ready)
{
    const char *what = "enter", *on = working_dir;
    sigset_t none;

    (void)setsid();
    if (chdir(working_dir) == 0) {
        (void)dprintf(ready, "pid %d\n", (int)getpid());
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        ready = out_of_the_way(ready);
        lifeline = out_of_the_way(lifeline);
        (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        hand_over(ready, READY_FD);
        hand_over(lifeline, LIFELINE_FD);
        (void)execv(keeper_path, (char *const *)(uintptr_t)arguments);
        what = "run";
        on = keeper_path;
        ready = READY_FD;
    }
    (void)dprintf(ready, "error cannot %s %s: %s\n", what, on, strerror(errno));
    _exit(127);
}

/* Returns the end on which the keeper reports, or -1. */
static int start_detached(const char *const arguments[], const char *keeper_path, const char *working_dir,
                          int lifeline, struct error *error)
{
    int report[2];
    pid_t between;

    if (pipe2(report, O_CLOEXEC) != 0)
        return error_errno(error, "cannot make a pipe");
    between = fork();
    if (between == 0) {
        pid_t child = fork();
        if (child == 0)
            run_keeper(arguments, keeper_path, working_dir, lifeline, report[1]);
        _exit(child < 0);
    }
    (void)close(report[1]);
    if (between > 0) {
        int status;
        while (waitpid(between, &status, 0) < 0 && errno == EINTR)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            return report[0];
        errno = EAGAIN;
    }
    (void)close(report[0]);
    return error_errno(error, "cannot fork for the keeper");
}

/* Reads a line without its \n. Returns -1 at the end of file or of the time. */
static int read_line(int pipe, char line[LINE_MAX_BYTES], int64_t deadline_ns)
{
    size_t length = 0;

    for (;;) {
        int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;
        struct pollfd wait = {.fd = pipe, .events = POLLIN};
        char byte;
        int ready = poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || read(pipe, &byte, 1) <= 0)
            return -1;
        if (byte == '\n')
            break;
        if (length < LINE_MAX_BYTES - 1)
            line[length++] = byte;
    }
    line[length] = '\0';
    return 0;
}

static int await_ready(int report, pid_t *keeper, pid_t *host, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + START_NS;
    char line[LINE_MAX_BYTES];
    int keeper_pid = 0, host_pid = 0;

    while (read_line(report, line, deadline) == 0) {
        if (sscanf(line, "ok %d %d", &keeper_pid, &host_pid) == 2) {
            *keeper = keeper_pid;
            *host = host_pid;
            return 0;
        }
        if (strncmp(line, "error ", 6) == 0)
            return error_set(error, "%s", line + 6);
        (void)sscanf(line, "pid %d", &keeper_pid);
    }
    if (clock_monotonic_ns() < deadline)
        return error_set(error,
                         "the keeper ended before its host was ready: see host.log in the session's folder");
    if (keeper_pid > 0)
        (void)kill(keeper_pid, SIGKILL);
    return error_set(error, "the session did not start within 15 s: see host.log in its folder");
}

int runner_local_launch(const char *keeper_path, const char *host_path, const char *uuid,
                        const char *session_dir, const char *working_dir, int lifeline, pid_t *keeper,
                        pid_t *host, struct error *error)
{
    const char *const arguments[] = {"ganger-keeper",
                                     uuid,
                                     session_dir,
                                     host_path,
                                     READY_FD_TEXT,
                                     lifeline >= 0 ? LIFELINE_FD_TEXT : NULL,
                                     NULL};
    int report, result;

    report = start_detached(arguments, keeper_path, working_dir, lifeline, error);
    if (report < 0)
        return -1;
    result = await_ready(report, keeper, host, error);
    (void)close(report);
    return result;
}

int runner_local_start(const char *uuid, const char *session_dir, const char *working_dir, int lifeline,
                       pid_t *keeper, pid_t *host, struct error *error)
{
    char *keeper_path = path_installed("ganger-keeper", error);
    char *host_path = keeper_path != NULL ? path_installed("ganger-host", error) : NULL;
    int result = -1;

    if (host_path != NULL)
        result = runner_local_launch(keeper_path, host_path, uuid, session_dir, working_dir, lifeline, keeper,
                                     host, error);
    free(keeper_path);
    free(host_path);
    return result;
}
