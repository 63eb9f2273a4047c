#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TERMINATED_GRACE_MS 5000
#define FORSAKEN_GRACE_MS 5000

static int64_t milliseconds(clockid_t clock)
{
    struct timespec time;

    (void)clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t keeper_now(void)
{
    return milliseconds(CLOCK_MONOTONIC);
}

int64_t keeper_realtime(void)
{
    return milliseconds(CLOCK_REALTIME);
}

void keeper_report(struct keeper *keeper, const char *text)
{
    if (text != NULL)
        (void)dprintf(STDERR_FILENO, "ganger-keeper: %s\n", text);
    if (keeper->ready < 0)
        return;
    if (text != NULL)
        (void)dprintf(keeper->ready, "error %s\n", text);
    else
        (void)dprintf(keeper->ready, "ok %d %d\n", (int)getpid(), (int)keeper->host.pid);
    (void)close(keeper->ready);
    keeper->ready = -1;
}

void keeper_reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void fail(struct keeper *keeper, const char *what, const char *path)
{
    char text[4352];

    (void)snprintf(text, sizeof text, "%s %s: %s", what, path, strerror(errno));
    keeper_report(keeper, text);
    exit(1);
}

static void close_all_but(const int kept[], size_t count)
{
    unsigned from = 3;

    for (size_t i = 0; i < count; i++) {
        if (kept[i] > (int)from)
            (void)close_range(from, (unsigned)kept[i] - 1, 0);
        if (kept[i] >= 0)
            from = (unsigned)kept[i] + 1;
    }
    (void)close_range(from, ~0U, 0);
}

/* Descriptors 0 to 2 exist, those that were given move to 10 and above, all else that was inherited is closed. */
static void settle_descriptors(struct keeper *keeper, const char *ready, const char *lifeline)
{
    int null, host;

    do
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (null >= 0 && null < 3);
    keeper->ready = fcntl(atoi(ready), F_DUPFD_CLOEXEC, 10);
    if (keeper->ready < 0)
        fail(keeper, "no pipe to the starter:", ready);
    host = open(keeper->host_path, O_PATH | O_CLOEXEC);
    keeper->kept_host = host < 0 ? -1 : fcntl(host, F_DUPFD_CLOEXEC, keeper->ready + 1);
    if (keeper->kept_host < 0)
        fail(keeper, "cannot open", keeper->host_path);
    if (lifeline != NULL) {
        keeper->lifeline = fcntl(atoi(lifeline), F_DUPFD_CLOEXEC, keeper->kept_host + 1);
        if (keeper->lifeline < 0)
            fail(keeper, "no lifeline:", lifeline);
    }
    close_all_but((const int[]){keeper->ready, keeper->kept_host, keeper->lifeline}, 3);
}

static int open_in_session(const struct keeper *keeper, const char *name, int flags)
{
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", keeper->session_dir, name);
    return open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Who looks whether the session lives holds a shared lock for an instant: only a lock that stays is another keeper's. */
static bool take_lock(int lock)
{
    const struct timespec pause = {.tv_nsec = 2000000};

    for (int tries = 0; tries < 250; tries++) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/* A session of its own, no terminal, host.log for what it and the host have to say. */
static void detach(struct keeper *keeper)
{
    int lock = open_in_session(keeper, "lock", O_RDWR);
    int log, null;

    if (lock < 0)
        fail(keeper, "cannot open lock in", keeper->session_dir);
    if (!take_lock(lock))
        fail(keeper, "the session is running: cannot lock", keeper->session_dir);
    log = open_in_session(keeper, "host.log", O_WRONLY | O_APPEND);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (log < 0 || null < 0)
        fail(keeper, "cannot open host.log in", keeper->session_dir);
    (void)setsid();
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    (void)close(null);
    (void)close(log);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        fail(keeper, "cannot become the reaper of", keeper->session_dir);
}

static int watch_signals(void)
{
    sigset_t set;

    keeper_reset_signals();
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void reap(struct keeper *keeper)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (pid == keeper->host.pid)
            host_reaped(keeper, status);
        else if (pid == keeper->attempt.leader)
            attempt_leader_reaped(keeper, status);
    }
    ending_tick(keeper, keeper_now());
}

static void take_signals(struct keeper *keeper, int signals)
{
    struct signalfd_siginfo signal;
    bool terminated = false;

    while (read(signals, &signal, sizeof signal) == (ssize_t)sizeof signal)
        terminated = terminated || signal.ssi_signo != SIGCHLD;
    keeper->told = keeper->told || (terminated && keeper->ending.stage == ENDING_NONE);
    reap(keeper);
    if (terminated && !keeper->quit) {
        keeper->leaving = true;
        ending_start(keeper, TERMINATED_GRACE_MS);
    }
}

/* Whoever started the session is gone. */
static void lifeline_closed(struct keeper *keeper)
{
    (void)close(keeper->lifeline);
    keeper->lifeline = -1;
    keeper->forsaken = true;
    host_tell_forsaken(keeper);
    /* What an ended agent was allowed to leave behind stays. */
    if ((keeper->attempt.exit.flags & KEEPER_EXIT_KEPT) == 0)
        ending_start(keeper, FORSAKEN_GRACE_MS);
}

static int next_timeout(const struct keeper *keeper)
{
    int64_t now = keeper_now(), next = keeper->ending.next;

    if (keeper->host.pid > 0 && keeper->host.kill_at < next)
        next = keeper->host.kill_at;
    if (keeper->host.pid == 0 && keeper->host.restart_at < next)
        next = keeper->host.restart_at;
    if (next == KEEPER_NEVER)
        return -1;
    return next <= now ? 0 : next - now > 60000 ? 60000 : (int)(next - now);
}

static void turn(struct keeper *keeper, int signals)
{
    struct attempt *attempt = &keeper->attempt;
    bool behind = keeper->host.out.first != NULL;
    const struct queue *input = attempt->input;
    struct pollfd fds[] = {
        {.fd = attempt->exec_pipe, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
        /* Nothing is taken from a host that does not take its answers. */
        {.fd = keeper->host.socket, .events = behind ? POLLOUT : POLLIN},
        {.fd = input[0].first != NULL ? attempt->fds[KEEPER_DESCRIPTOR_PTY] : -1, .events = POLLOUT},
        {.fd = input[1].first != NULL ? attempt->fds[KEEPER_DESCRIPTOR_STDIN] : -1, .events = POLLOUT},
        /* That it has closed is told in any case; what is written there is of no interest. */
        {.fd = keeper->lifeline},
    };

    if (poll(fds, sizeof fds / sizeof fds[0], next_timeout(keeper)) < 0)
        return;
    if (fds[0].revents != 0)
        attempt_launched(keeper);
    if (behind && fds[2].revents != 0)
        host_flush(keeper);
    else if (fds[2].revents != 0)
        (void)host_receive(keeper);
    if (fds[3].revents != 0)
        input_flush(keeper, KEEPER_CHANNEL_PTY);
    if (fds[4].revents != 0)
        input_flush(keeper, KEEPER_CHANNEL_STDIN);
    if (fds[1].revents != 0)
        take_signals(keeper, signals);
    if (fds[5].revents != 0)
        lifeline_closed(keeper);
    if (!keeper->quit && keeper_now() >= keeper->ending.next)
        ending_tick(keeper, keeper_now());
    if (!keeper->quit)
        host_tick(keeper, keeper_now());
}

int main(int count, char **arguments)
{
    struct keeper keeper = {.ready = -1, .lifeline = -1, .ending = {.next = KEEPER_NEVER}};
    int signals;

    if (count < 5 || count > 6) {
        (void)dprintf(STDERR_FILENO, "ganger-keeper: is started by ganger, not by hand\n");
        return 2;
    }
    keeper.uuid = arguments[1];
    keeper.session_dir = arguments[2];
    keeper.host_path = arguments[3];
    keeper.host = (struct host){.socket = -1, .kill_at = KEEPER_NEVER, .restart_at = KEEPER_NEVER};
    keeper.user_umask = umask(077);
    attempt_init(&keeper.attempt);
    /* Large packets are given back to the system when they are freed. */
    (void)mallopt(M_TOP_PAD, 4096);
    (void)mallopt(M_TRIM_THRESHOLD, 16384);
    (void)mallopt(M_MMAP_THRESHOLD, 16384);
    settle_descriptors(&keeper, arguments[4], arguments[5]);
    detach(&keeper);
    signals = watch_signals();
    if (signals < 0)
        fail(&keeper, "cannot watch signals in", keeper.session_dir);
    host_start(&keeper);
    while (!keeper.quit)
        turn(&keeper, signals);
    if (keeper.host.pid > 0)
        (void)kill(keeper.host.pid, SIGKILL);
    return keeper.exit_code;
}
