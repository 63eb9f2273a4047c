#include "runner/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define INPUT_MAX 4096 /* less than a pipe holds */

extern char **environ;

/* A command that runs. */
struct child {
    struct command_run *run;
    pid_t pid;                  /* 0: it does not run, or no more */
    int process, output, input; /* descriptors; -1 */
    bool answered;              /* what was waited for came */
};

/* ---- starting ---- */

static int spawn(const struct command_run *run, int input, int output, pid_t *pid)
{
    char *const *argv = (char *const *)(uintptr_t)run->argv;
    char *const *env = run->env == NULL ? environ : (char *const *)(uintptr_t)run->env;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int result;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_init(&actions);
    if (input >= 0)
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (run->with_errors)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    result = posix_spawnp(pid, argv[0], &actions, &attributes, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

/* A pipe that holds the input, its end for reading; the other end stays open in the child's entry. */
static int open_input(struct child *child, const char *text)
{
    size_t length = strlen(text);
    int ends[2];

    if (length > INPUT_MAX) {
        errno = E2BIG;
        return -1;
    }
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    child->input = ends[1];
    if (write(ends[1], text, length) == (ssize_t)length)
        return ends[0];
    close(ends[0]);
    return -1;
}

static int start_with(struct child *child, int output)
{
    const char *text = child->run->input;
    int input = text == NULL ? -1 : open_input(child, text), result;

    if (text != NULL && input < 0)
        return errno;
    result = spawn(child->run, input, output, &child->pid);
    if (input >= 0)
        close(input);
    return result;
}

static void start(struct child *child, struct command_run *run)
{
    int ends[2];

    *child = (struct child){.run = run, .process = -1, .output = -1, .input = -1};
    buffer_init(&run->output);
    run->exit = -1;
    run->problem = pipe2(ends, O_CLOEXEC) < 0 ? errno : 0;
    if (run->problem != 0)
        return;
    run->problem = start_with(child, ends[1]);
    close(ends[1]);
    child->output = ends[0];
    if (run->problem != 0) {
        child->pid = 0;
        return;
    }
    (void)fcntl(child->output, F_SETFL, O_NONBLOCK);
    child->process = pidfd_open(child->pid, 0);
    if (child->process < 0)
        run->problem = errno;
}

/* ---- while it runs ---- */

static bool has_line(const struct buffer *output, const char *text)
{
    const char *found = text == NULL || output->length == 0 ? NULL : strstr(output->bytes, text);

    return found != NULL && strchr(found, '\n') != NULL;
}

/* Takes what there is; closes the output at its end. */
static void take_output(struct child *child)
{
    char bytes[4096];
    ssize_t got;

    while (child->output >= 0) {
        got = read(child->output, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            break;
        if (got <= 0) {
            close(child->output);
            child->output = -1;
        } else if (child->run->output.length < child->run->limit) {
            size_t room = child->run->limit - child->run->output.length;
            buffer_append(&child->run->output, bytes, (size_t)got < room ? (size_t)got : room);
        }
    }
    explicit_bzero(bytes, sizeof bytes);
    child->answered = has_line(&child->run->output, child->run->until);
}

/* Its group dies before it is reaped: until then no other group can have the number. */
static void reap(struct child *child)
{
    int status = 0;

    (void)kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    take_output(child);
    if (child->run->problem == 0)
        child->run->exit = child->answered     ? 0
                           : WIFEXITED(status) ? WEXITSTATUS(status)
                                               : 128 + WTERMSIG(status);
    child->pid = 0;
}

static void close_all(struct child *child)
{
    if (child->process >= 0)
        close(child->process);
    if (child->output >= 0)
        close(child->output);
    if (child->input >= 0)
        close(child->input);
}

/* Waits for one event of any; false: the time is over. */
static bool wait_for_one(struct child *children, size_t count, struct pollfd *waited, int64_t deadline_ns)
{
    int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / 1000000;

    for (size_t i = 0; i < count; i++) {
        waited[2 * i] =
            (struct pollfd){.fd = children[i].pid != 0 ? children[i].process : -1, .events = POLLIN};
        waited[2 * i + 1] =
            (struct pollfd){.fd = children[i].pid != 0 ? children[i].output : -1, .events = POLLIN};
    }
    if (left_ms <= 0)
        return false;
    if (poll(waited, 2 * count, (int)left_ms) <= 0)
        return errno == EINTR;
    for (size_t i = 0; i < count; i++) {
        if (waited[2 * i + 1].revents != 0)
            take_output(&children[i]);
        if (waited[2 * i].revents != 0 || (children[i].pid != 0 && children[i].answered))
            reap(&children[i]);
    }
    return true;
}

static bool any_runs(const struct child *children, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (children[i].pid != 0)
            return true;
    }
    return false;
}

void command_run_all(struct command_run *runs, size_t count, int timeout_ms)
{
    int64_t deadline_ns = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000;
    struct child *children = xcalloc(count + 1, sizeof *children);
    struct pollfd *waited = xcalloc(2 * count + 1, sizeof *waited);

    for (size_t i = 0; i < count; i++) {
        start(&children[i], &runs[i]);
        if (children[i].pid != 0 && children[i].process < 0)
            reap(&children[i]);
    }
    while (any_runs(children, count)) {
        errno = 0;
        if (!wait_for_one(children, count, waited, deadline_ns))
            break;
    }
    for (size_t i = 0; i < count; i++) {
        if (children[i].pid != 0) {
            runs[i].problem = ETIMEDOUT;
            reap(&children[i]);
        }
        close_all(&children[i]);
    }
    free(waited);
    free(children);
}

void command_run_finish(struct command_run *run)
{
    if (run->output.bytes != NULL)
        explicit_bzero(run->output.bytes, run->output.capacity);
    buffer_finish(&run->output);
}
