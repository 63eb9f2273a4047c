#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/ring.h"

void attempt_init(struct attempt *attempt)
{
    *attempt = (struct attempt){.slave = -1, .exec_pipe = -1};
    for (int i = 0; i < KEEPER_DESCRIPTORS; i++)
        attempt->fds[i] = -1;
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void release(struct attempt *attempt)
{
    for (int i = 0; i < KEEPER_DESCRIPTORS; i++)
        close_if_open(&attempt->fds[i]);
    close_if_open(&attempt->slave);
    close_if_open(&attempt->exec_pipe);
    queue_clear(&attempt->input[KEEPER_CHANNEL_PTY]);
    queue_clear(&attempt->input[KEEPER_CHANNEL_STDIN]);
    attempt_init(attempt);
}

static int ring_make(void)
{
    struct ring_header header = {.magic = RING_MAGIC, .size = RING_SIZE};
    unsigned char guard[RING_GUARD];
    int ring = memfd_create("ganger-ring", MFD_CLOEXEC);

    if (ring < 0)
        return -1;
    memset(guard, 0xFF, sizeof guard);
    if (ftruncate(ring, RING_HEADER_SIZE + RING_SIZE) == 0 &&
        pwrite(ring, &header, sizeof header, 0) == (ssize_t)sizeof header &&
        pwrite(ring, guard, sizeof guard, RING_HEADER_SIZE) == (ssize_t)sizeof guard)
        return ring;
    (void)close(ring);
    return -1;
}

static int open_terminal(struct attempt *attempt, const struct keeper_spawn *spawn)
{
    struct winsize size = {.ws_col = spawn->cols, .ws_row = spawn->rows};
    int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    struct termios modes;

    attempt->fds[KEEPER_DESCRIPTOR_PTY] = pty;
    if (pty < 0 || grantpt(pty) != 0 || unlockpt(pty) != 0)
        return -1;
    attempt->slave = ioctl(pty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (attempt->slave < 0 || tcgetattr(attempt->slave, &modes) != 0)
        return -1;
    modes.c_iflag |= IUTF8;
    if (tcsetattr(attempt->slave, TCSANOW, &modes) != 0 || ioctl(pty, TIOCSWINSZ, &size) != 0)
        return -1;
    attempt->fds[KEEPER_DESCRIPTOR_RING] = ring_make();
    return attempt->fds[KEEPER_DESCRIPTOR_RING] < 0 ? -1 : 0;
}

/* Our end does not block; the agent's does. */
static int open_pipes(struct attempt *attempt, int stdio[3])
{
    for (int i = 0; i < 3; i++) {
        int ends[2], ours = i == 0 ? 1 : 0;
        if (pipe2(ends, O_CLOEXEC) != 0)
            return -1;
        attempt->fds[KEEPER_DESCRIPTOR_STDIN + i] = ends[ours];
        stdio[i] = ends[1 - ours];
        if (fcntl(ends[ours], F_SETFL, O_NONBLOCK) != 0)
            return -1;
    }
    attempt->fds[KEEPER_DESCRIPTOR_STDOUT_RING] = ring_make();
    attempt->fds[KEEPER_DESCRIPTOR_STDERR_RING] = ring_make();
    return attempt->fds[KEEPER_DESCRIPTOR_STDOUT_RING] < 0 || attempt->fds[KEEPER_DESCRIPTOR_STDERR_RING] < 0
               ? -1
               : 0;
}

/* Returns 0, or the step that failed with errno set. */
static int start(struct keeper *keeper, const struct launch *launch, const struct keeper_spawn *spawn,
                 int stdio[3])
{
    struct attempt *attempt = &keeper->attempt;
    int report[2];

    if (open_terminal(attempt, spawn) != 0 || (spawn->stream_mode && open_pipes(attempt, stdio) != 0) ||
        pipe2(report, O_CLOEXEC) != 0)
        return 'p';
    if (!spawn->stream_mode)
        stdio[0] = stdio[1] = stdio[2] = attempt->slave;
    attempt->exec_pipe = report[0];
    attempt->leader = fork();
    if (attempt->leader == 0)
        launch_run(keeper, launch, attempt->slave, stdio, report[1]);
    (void)close(report[1]);
    if (attempt->leader < 0)
        attempt->leader = 0;
    return attempt->leader == 0 ? 'f' : 0;
}

static void send_answer(struct keeper *keeper, int error)
{
    struct keeper_message message = {.type = KEEPER_FDS,
                                     .attempt = keeper->attempt.number,
                                     .error = error,
                                     .length = sizeof keeper->attempt.answer};

    host_send(keeper, &message, &keeper->attempt.answer);
}

static void refuse(struct keeper *keeper, uint32_t number, int step, int error)
{
    struct keeper_attempt answer = {.attempt = number, .exec_step = step};
    struct keeper_message message = {
        .type = KEEPER_FDS, .attempt = number, .error = error, .length = sizeof answer};

    host_send(keeper, &message, &answer);
}

static bool keeps_children(const struct launch *launch)
{
    bool keep = false;

    for (char **entry = launch->set; *entry != NULL; entry++)
        keep = keep || strcmp(*entry, "GANGER_KEEP_CHILDREN=1") == 0;
    return keep;
}

void attempt_spawn(struct keeper *keeper, const struct packet *packet)
{
    struct attempt *attempt = &keeper->attempt;
    uint32_t number = packet->message.attempt;
    int stdio[3] = {-1, -1, -1}, step, error;
    struct keeper_spawn spawn;
    struct launch launch;

    if (attempt->leader != 0 || keeper->ending.stage != ENDING_NONE || keeper->leaving) {
        refuse(keeper, number, 's', EBUSY);
        return;
    }
    if (number == 0 || launch_parse(&launch, packet) != 0) {
        refuse(keeper, number, 's', EINVAL);
        return;
    }
    memcpy(&spawn, packet->payload, sizeof spawn);
    release(attempt);
    attempt->number = number;
    attempt->keep_children = keeps_children(&launch);
    step = start(keeper, &launch, &spawn, stdio);
    error = errno;
    launch_finish(&launch);
    for (int i = 0; spawn.stream_mode && i < 3; i++)
        close_if_open(&stdio[i]);
    if (step != 0) {
        refuse(keeper, number, step, error);
        release(attempt);
        return;
    }
    if (!spawn.stream_mode)
        close_if_open(&attempt->slave);
    attempt->answer = (struct keeper_attempt){.attempt = number,
                                              .pid = attempt->leader,
                                              .stream_mode = spawn.stream_mode != 0,
                                              .started_ms = keeper_realtime()};
    attempt->exit.attempt = number;
}

void attempt_launched(struct keeper *keeper)
{
    struct attempt *attempt = &keeper->attempt;
    int report[2];
    ssize_t got;

    do
        got = read(attempt->exec_pipe, report, sizeof report);
    while (got < 0 && errno == EINTR);
    close_if_open(&attempt->exec_pipe);
    if (got != (ssize_t)sizeof report) {
        send_answer(keeper, 0);
        return;
    }
    input_cancel(keeper, ECANCELED);
    refuse(keeper, attempt->number, report[0], report[1]);
    release(attempt);
}

void attempt_announce(struct keeper *keeper)
{
    if (keeper->attempt.number == 0 || keeper->attempt.exec_pipe >= 0)
        return;
    send_answer(keeper, 0);
    if (keeper->attempt.exit.flags != 0)
        attempt_send_exit(keeper);
}

void attempt_send_exit(struct keeper *keeper)
{
    struct keeper_message message = {
        .type = KEEPER_EXITED, .attempt = keeper->attempt.number, .length = sizeof keeper->attempt.exit};

    host_send(keeper, &message, &keeper->attempt.exit);
}

void attempt_leader_reaped(struct keeper *keeper, int status)
{
    struct attempt *attempt = &keeper->attempt;

    if (attempt->exec_pipe >= 0)
        attempt_launched(keeper);
    if (attempt->leader == 0)
        return;
    attempt->leader = 0;
    attempt->exit.status = status;
    attempt->exit.flags |= KEEPER_EXIT_LEADER | (keeper->told ? (uint32_t)KEEPER_EXIT_TOLD : 0);
    attempt->exit.at_ms = keeper_realtime();
    input_cancel(keeper, ECANCELED);
    attempt_send_exit(keeper);
    if (keeper->ending.stage == ENDING_NONE)
        ending_leftovers(keeper);
}

void attempt_gone(struct keeper *keeper, bool kept)
{
    struct attempt *attempt = &keeper->attempt;

    attempt->exit.flags &= ~(uint32_t)KEEPER_EXIT_KEPT;
    attempt->exit.flags |= KEEPER_EXIT_ALL_GONE | (kept ? (uint32_t)KEEPER_EXIT_KEPT : 0);
    if (!kept)
        close_if_open(&attempt->slave);
    attempt_send_exit(keeper);
}

void attempt_signal(struct keeper *keeper, int signal)
{
    const struct attempt *attempt = &keeper->attempt;
    pid_t group;

    if (attempt->leader == 0 || signal <= 0)
        return;
    group = tcgetpgrp(attempt->fds[KEEPER_DESCRIPTOR_PTY]);
    if (group <= 0 || descendants_signal(keeper, group, signal) == 0)
        (void)kill(attempt->leader, signal);
}
