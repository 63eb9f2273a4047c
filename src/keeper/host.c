#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 10000
#define LEAVE_MS 5000
#define LIVED_MS 10000 /* a host that lived so long starts a new count of failures */
#define BACKOFF_MS 50
#define BACKOFF_MAX_MS 1000
#define FAILURES_FIRST 3 /* before any READY: the starter is told */
#define FAILURES_IDLE 60 /* while no agent runs */
#define SOCKET_BYTES (2 * KEEPER_PACKET_MAX)

/* An installed host that keeps failing gives way to the one the session started with. */
static bool takes_installed(const struct host *host)
{
    return host->unproven ? host->failures == 0 : host->failures < 3 || host->failures % 2 == 0;
}

static _Noreturn void run_host(const struct keeper *keeper, int socket)
{
    const char *argv[] = {"ganger-host", keeper->uuid, keeper->session_dir, NULL};
    char **arguments = (char **)(uintptr_t)argv;

    keeper_reset_signals();
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (dup2(socket, KEEPER_HOST_FD) != KEEPER_HOST_FD || fcntl(KEEPER_HOST_FD, F_SETFD, 0) != 0)
        _exit(126);
    (void)unsetenv("GANGER_SESSION");
    if (takes_installed(&keeper->host))
        (void)execv(keeper->host_path, arguments);
    (void)fexecve(keeper->kept_host, arguments, environ);
    (void)execv(keeper->host_path, arguments);
    (void)dprintf(STDERR_FILENO, "ganger-keeper: cannot run %s: %s\n", keeper->host_path, strerror(errno));
    _exit(127);
}

static void say_hello(struct keeper *keeper)
{
    struct keeper_hello hello = {
        .keeper_pid = getpid(), .hosts = keeper->host.hosts, .last_status = keeper->host.last_status};
    struct keeper_message message = {
        .type = KEEPER_HELLO, .attempt = keeper->attempt.number, .length = sizeof hello};

    (void)snprintf(hello.session, sizeof hello.session, "%s", keeper->uuid);
    host_send(keeper, &message, &hello);
    attempt_announce(keeper);
    host_tell_forsaken(keeper);
}

static void give_up(struct keeper *keeper, const char *text)
{
    keeper_report(keeper, text);
    keeper->quit = true;
    keeper->exit_code = 1;
}

static void schedule_restart(struct keeper *keeper)
{
    struct host *host = &keeper->host;
    int64_t now = keeper_now(), wait = 0;

    host->failures = now - host->started > LIVED_MS ? 1 : host->failures + 1;
    if (host->failures > 1)
        wait = host->failures > 6 ? BACKOFF_MAX_MS : BACKOFF_MS << (host->failures - 2);
    host->restart_at = now + (wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
    if (keeper->attempt.leader != 0 || keeper->ending.stage != ENDING_NONE)
        return;
    if (!host->ever_ready && host->failures >= FAILURES_FIRST)
        give_up(keeper, "the host ended before it was ready: see host.log in the session's folder");
    else if (host->failures >= FAILURES_IDLE)
        give_up(keeper, "the host keeps ending");
}

void host_start(struct keeper *keeper)
{
    struct host *host = &keeper->host;
    const int bytes = SOCKET_BYTES;
    int pair[2];

    host->restart_at = KEEPER_NEVER;
    host->started = keeper_now();
    host->ready = false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        schedule_restart(keeper);
        return;
    }
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 2; i++)
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    host->pid = fork();
    if (host->pid == 0)
        run_host(keeper, pair[1]);
    (void)close(pair[1]);
    if (host->pid < 0) {
        host->pid = 0;
        (void)close(pair[0]);
        schedule_restart(keeper);
        return;
    }
    host->socket = pair[0];
    host->hosts++;
    host->kill_at = host->started + READY_MS;
    say_hello(keeper);
}

void host_tell_forsaken(struct keeper *keeper)
{
    const struct keeper_message message = {.type = KEEPER_FORSAKEN};

    if (keeper->forsaken)
        host_send(keeper, &message, NULL);
}

void host_send(struct keeper *keeper, const struct keeper_message *message, const void *payload)
{
    struct packet *packet;

    if (keeper->host.socket < 0)
        return;
    packet = malloc(sizeof *packet + message->length);
    if (packet == NULL)
        return;
    packet->message = *message;
    packet->message.version = KEEPER_PROTOCOL_VERSION;
    if (message->length > 0)
        memcpy(packet->payload, payload, message->length);
    queue_add(&keeper->host.out, packet);
    host_flush(keeper);
}

static void attach_descriptors(const struct attempt *attempt, struct msghdr *header)
{
    size_t bytes = sizeof(int) * (attempt->answer.stream_mode ? KEEPER_DESCRIPTORS : 2);
    struct cmsghdr *control;

    header->msg_controllen = CMSG_SPACE(bytes);
    control = CMSG_FIRSTHDR(header);
    *control =
        (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(bytes)};
    memcpy(CMSG_DATA(control), attempt->fds, bytes);
}

void host_flush(struct keeper *keeper)
{
    struct host *host = &keeper->host;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * KEEPER_DESCRIPTORS)];

    for (; host->out.first != NULL; queue_drop_first(&host->out)) {
        struct packet *packet = host->out.first;
        struct iovec part = {&packet->message, sizeof packet->message + packet->message.length};
        struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
        if (packet->message.type == KEEPER_FDS && packet->message.error == 0)
            attach_descriptors(&keeper->attempt, &header);
        else
            header.msg_control = NULL;
        if (sendmsg(host->socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
            (errno == EAGAIN || errno == EINTR))
            return;
    }
}

static void take_ready(struct keeper *keeper)
{
    keeper->host.ready = keeper->host.ever_ready = true;
    keeper->host.unproven = false;
    if (!keeper->leaving || keeper->ending.stage != ENDING_NONE)
        keeper->host.kill_at = KEEPER_NEVER;
    keeper_report(keeper, NULL);
}

/* Takes the packet. */
static void handle(struct keeper *keeper, struct packet *packet)
{
    const struct keeper_message *message = &packet->message;

    if (message->type == KEEPER_WRITE) {
        input_take(keeper, packet);
        return;
    }
    if (message->type == KEEPER_READY)
        take_ready(keeper);
    else if (message->type == KEEPER_SPAWN)
        attempt_spawn(keeper, packet);
    else if (message->type == KEEPER_SIGNAL)
        attempt_signal(keeper, message->value);
    else if (message->type == KEEPER_END)
        ending_start(keeper, message->value);
    free(packet);
}

static void close_socket(struct host *host)
{
    if (host->socket >= 0)
        (void)close(host->socket);
    host->socket = -1;
    queue_clear(&host->out);
}

bool host_receive(struct keeper *keeper)
{
    struct host *host = &keeper->host;
    ssize_t size;
    struct packet *packet;

    if (host->socket < 0)
        return false;
    /* A host that died with answers unread leaves one ECONNRESET in front of what it still said. */
    do
        size = recv(host->socket, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    while (size < 0 && errno == ECONNRESET);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (size <= 0) {
        /* It is dying; one that lives on without its keeper is of no use. */
        close_socket(host);
        if (host->kill_at > keeper_now() + 1000)
            host->kill_at = keeper_now() + 1000;
        return false;
    }
    packet = malloc(sizeof *packet + (size_t)size);
    if (packet == NULL)
        return false;
    packet->written = 0;
    size = recv(host->socket, &packet->message, (size_t)size, MSG_DONTWAIT);
    if (size >= (ssize_t)sizeof packet->message && size <= KEEPER_PACKET_MAX &&
        packet->message.version == KEEPER_PROTOCOL_VERSION &&
        packet->message.length == (size_t)size - sizeof packet->message)
        handle(keeper, packet);
    else
        free(packet);
    return true;
}

void host_reaped(struct keeper *keeper, int status)
{
    struct host *host = &keeper->host;

    /* What it said before its end counts. */
    while (host_receive(keeper))
        continue;
    close_socket(host);
    host->pid = 0;
    host->last_status = status;
    host->kill_at = KEEPER_NEVER;
    if (host->ready && WIFEXITED(status) && WEXITSTATUS(status) == KEEPER_HANDOVER_STATUS &&
        !keeper->leaving) {
        host->unproven = true;
        host->failures = 0;
        host->restart_at = keeper_now();
        return;
    }
    if (host->ready && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        host->done = true;
        keeper->leaving = true;
        if ((keeper->attempt.exit.flags & KEEPER_EXIT_KEPT) != 0)
            keeper->quit = true;
        else
            ending_start(keeper, LEAVE_MS);
        return;
    }
    (void)dprintf(STDERR_FILENO, "ganger-keeper: host %u ended, %s %d\n", host->hosts,
                  WIFSIGNALED(status) ? "signal" : "status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (keeper->leaving && keeper->ending.stage == ENDING_NONE)
        keeper->quit = true;
    else
        schedule_restart(keeper);
}

void host_dismiss(struct keeper *keeper)
{
    struct host *host = &keeper->host;

    if (host->pid == 0) {
        keeper->quit = true;
        return;
    }
    (void)kill(host->pid, SIGTERM);
    host->kill_at = keeper_now() + LEAVE_MS;
}

void host_tick(struct keeper *keeper, int64_t now)
{
    struct host *host = &keeper->host;

    if (host->pid > 0 && now >= host->kill_at) {
        (void)kill(host->pid, SIGKILL);
        host->kill_at = KEEPER_NEVER;
        if (!host->ever_ready && keeper->attempt.leader == 0)
            give_up(keeper, "the host was not ready within 10 s: see host.log in the session's folder");
    }
    if (host->pid == 0 && !host->done && now >= host->restart_at)
        host_start(keeper);
}
