/*
 * A session with the real keeper, in which the test plays the host: tests/fake/mini_host.c hands over its socket.
 * Every wait ends after WAIT_MS at the latest; what fails ends the test program with a message.
 */
#ifndef TESTS_UNIT_KEEPER_SESSION_H
#define TESTS_UNIT_KEEPER_SESSION_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/keeper_protocol.h"
#include "base/path.h"
#include "runner/local.h"

#define WAIT_MS 15000
#define SESSION_UUID "11111111-2222-4333-8444-555555555555"

struct session {
    char folder[64];
    int listener;
    int slot; /* in session_keepers */
    pid_t keeper, host;
    int puppet; /* connection to mini_host */
    int link;   /* the host's socket to the keeper */
    int fds[KEEPER_DESCRIPTORS];
    struct keeper_message message; /* the last one received */
    struct keeper_hello hello;
    struct keeper_attempt attempt;
    struct keeper_exit exit;
};

static inline int session_receive(struct session *session);
static inline void session_adopt(struct session *session);

/* Keepers that were not finished end with the program. */
static pid_t session_keepers[64];
static int session_keeper_count;

static inline void session_end_keepers(void)
{
    for (int i = 0; i < session_keeper_count; i++) {
        if (session_keepers[i] > 0)
            (void)kill(session_keepers[i], SIGTERM);
    }
}

static inline _Noreturn void session_die(const char *what)
{
    printf("Bail out! %s: %s\n", what, strerror(errno));
    (void)fflush(stdout);
    exit(1);
}

static inline long session_now_ms(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static inline void session_await_readable(int fd, const char *what)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    if (poll(&wait, 1, WAIT_MS) != 1) {
        errno = ETIMEDOUT;
        session_die(what);
    }
}

/* NAME in the build folder of this program, which is BUILD/tests/unit/keeper/test_NAME, or in $GANGER_BUILD. */
static inline void session_program(const char *name, char path[4096])
{
    const char *set = getenv("GANGER_BUILD");
    ssize_t length = readlink("/proc/self/exe", path, 2048);

    path[length > 0 ? length : 0] = '\0';
    for (int i = 0; i < 4 && strrchr(path, '/') != NULL; i++)
        *strrchr(path, '/') = '\0';
    if (set != NULL)
        (void)snprintf(path, 2048, "%s", set);
    (void)snprintf(path + strlen(path), 2000, "/%s", name);
}

/* A folder and a listener; no keeper yet. */
static inline void session_prepare(struct session *session)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    *session = (struct session){.puppet = -1, .link = -1};
    for (int i = 0; i < KEEPER_DESCRIPTORS; i++)
        session->fds[i] = -1;
    (void)snprintf(session->folder, sizeof session->folder, "/tmp/ganger-keeper-XXXXXX");
    if (mkdtemp(session->folder) == NULL)
        session_die("mkdtemp");
    session->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/test.sock", session->folder);
    if (bind(session->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(session->listener, 8) != 0)
        session_die("listen");
}

/* Starts it all and takes HELLO. `lifeline` may be -1. */
static inline void session_start_held(struct session *session, int lifeline)
{
    char keeper[4096], puppet[4096];
    struct error error;
    pid_t host;

    session_prepare(session);
    session_program("ganger-keeper", keeper);
    session_program("mini-host", puppet);
    if (runner_local_launch(keeper, puppet, SESSION_UUID, session->folder, "/", lifeline, &session->keeper,
                            &host, &error) != 0) {
        printf("# %s\n", error.text);
        session_die("runner_local_launch");
    }
    if (session_keeper_count == 0)
        (void)atexit(session_end_keepers);
    session->slot = session_keeper_count++;
    session_keepers[session->slot] = session->keeper;
    session_adopt(session);
    if (session->host != host)
        session_die("the host has another process id");
}

static inline void session_start(struct session *session)
{
    session_start_held(session, -1);
}

static inline void session_close_descriptors(struct session *session)
{
    for (int i = 0; i < KEEPER_DESCRIPTORS; i++) {
        if (session->fds[i] >= 0)
            (void)close(session->fds[i]);
        session->fds[i] = -1;
    }
}

/* Receives bytes, and descriptors into fds. */
static inline ssize_t session_receive_from(int from, void *bytes, size_t size, int *fds, size_t count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * KEEPER_DESCRIPTORS)];
    struct iovec part = {bytes, size};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got;

    session_await_readable(from, "nothing came");
    got = recvmsg(from, &header, MSG_CMSG_CLOEXEC);
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&header); at != NULL; at = CMSG_NXTHDR(&header, at)) {
        size_t length = at->cmsg_len - CMSG_LEN(0);
        if (length > count * sizeof(int))
            session_die("too many descriptors");
        memcpy(fds, CMSG_DATA(at), length);
    }
    return got;
}

/* Takes over the next host the keeper starts, and its HELLO. */
static inline void session_adopt(struct session *session)
{
    int pid;

    if (session->puppet >= 0)
        (void)close(session->puppet);
    if (session->link >= 0)
        (void)close(session->link);
    session_await_readable(session->listener, "no host came");
    session->puppet = accept4(session->listener, NULL, NULL, SOCK_CLOEXEC);
    if (session_receive_from(session->puppet, &pid, sizeof pid, &session->link, 1) != (ssize_t)sizeof pid)
        session_die("the host hands over nothing");
    session->host = pid;
    if (session_receive(session) != KEEPER_HELLO)
        session_die("the first message is not HELLO");
}

/* Ends the keeper and removes the folder. Returns the keeper's wait status. */
static inline int session_finish(struct session *session)
{
    int status = -1;
    long deadline = session_now_ms() + WAIT_MS;

    session_close_descriptors(session);
    session_keepers[session->slot] = 0;
    if (session->keeper > 0) {
        (void)kill(session->keeper, SIGTERM);
        while (waitpid(session->keeper, &status, WNOHANG) == 0 && session_now_ms() < deadline)
            (void)poll(NULL, 0, 5);
    }
    if (session->puppet >= 0)
        (void)close(session->puppet);
    if (session->link >= 0)
        (void)close(session->link);
    (void)close(session->listener);
    (void)path_remove_tree(session->folder, NULL);
    return status;
}

static inline void session_send(struct session *session, struct keeper_message message, const void *payload,
                                size_t length)
{
    struct iovec parts[] = {{&message, sizeof message}, {(void *)(uintptr_t)payload, length}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};

    message.version = KEEPER_PROTOCOL_VERSION;
    message.length = (uint32_t)length;
    if (sendmsg(session->link, &header, MSG_NOSIGNAL) < 0)
        session_die("cannot send to the keeper");
}

/* The next message, which must come within WAIT_MS; its payload is kept in hello, attempt and fds, or exit. */
static inline int session_receive(struct session *session)
{
    char packet[4096];
    int fds[KEEPER_DESCRIPTORS] = {-1, -1, -1, -1, -1, -1, -1};
    ssize_t got = session_receive_from(session->link, packet, sizeof packet, fds, KEEPER_DESCRIPTORS);
    const char *payload = packet + sizeof session->message;

    if (got < (ssize_t)sizeof session->message)
        session_die("the keeper is gone");
    memcpy(&session->message, packet, sizeof session->message);
    if (session->message.type == KEEPER_HELLO)
        memcpy(&session->hello, payload, sizeof session->hello);
    if (session->message.type == KEEPER_EXITED)
        memcpy(&session->exit, payload, sizeof session->exit);
    if (session->message.type == KEEPER_FDS) {
        session_close_descriptors(session);
        memcpy(&session->attempt, payload, sizeof session->attempt);
        memcpy(session->fds, fds, sizeof fds);
    }
    return session->message.type;
}

/* Drops messages until one of the type comes. */
static inline void session_await(struct session *session, int type)
{
    while (session_receive(session) != type)
        continue;
}

/* EXITED with all these flags. */
static inline void session_await_exit(struct session *session, uint32_t flags)
{
    do
        session_await(session, KEEPER_EXITED);
    while ((session->exit.flags & flags) != flags);
}

/* SPAWN; `set` is one NAME=VALUE or NULL. Takes the answer and returns its error. */
static inline int session_spawn(struct session *session, const char *const argv[], const char *folder,
                                const char *set, bool stream)
{
    struct keeper_spawn spawn = {
        .cols = 80, .rows = 24, .stream_mode = stream, .set = set != NULL ? 2 : 1, .unset = 1};
    struct buffer payload;
    uint32_t attempt = session->attempt.attempt + 1;

    while (argv[spawn.arguments] != NULL)
        spawn.arguments++;
    buffer_init(&payload);
    buffer_append(&payload, &spawn, sizeof spawn);
    buffer_append(&payload, folder, strlen(folder) + 1);
    for (uint32_t i = 0; i < spawn.arguments; i++)
        buffer_append(&payload, argv[i], strlen(argv[i]) + 1);
    buffer_append(&payload, "KEEPER_TEST_UNSET", sizeof "KEEPER_TEST_UNSET");
    buffer_append(&payload, "KEEPER_TEST_SET=yes", sizeof "KEEPER_TEST_SET=yes");
    if (set != NULL)
        buffer_append(&payload, set, strlen(set) + 1);
    session_send(session, (struct keeper_message){.type = KEEPER_SPAWN, .attempt = attempt}, payload.bytes,
                 payload.length);
    buffer_finish(&payload);
    session_await(session, KEEPER_FDS);
    return session->message.error;
}

/* sh -c SCRIPT on the terminal. */
static inline void session_shell(struct session *session, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};

    if (session_spawn(session, argv, session->folder, NULL, false) != 0)
        session_die("sh does not start");
}

static inline void session_write(struct session *session, uint64_t id, const void *bytes, size_t length)
{
    struct keeper_message message = {.type = KEEPER_WRITE, .id = id, .attempt = session->attempt.attempt};

    message.channel = session->attempt.stream_mode ? KEEPER_CHANNEL_STDIN : KEEPER_CHANNEL_PTY;
    session_send(session, message, bytes, length);
}

static inline void session_end(struct session *session, int grace_ms)
{
    session_send(session, (struct keeper_message){.type = KEEPER_END, .value = grace_ms}, NULL, 0);
}

/* Reads a descriptor until `text` was seen in it; what was read is in `seen` (of `size` bytes). */
static inline void session_expect(int fd, const char *text, char *seen, size_t size)
{
    size_t length = 0;

    seen[0] = '\0';
    while (strstr(seen, text) == NULL) {
        ssize_t got;
        session_await_readable(fd, text);
        got = read(fd, seen + length, size - 1 - length);
        if (got <= 0) {
            printf("# read \"%s\"\n", seen);
            session_die(text);
        }
        length += (size_t)got;
        seen[length] = '\0';
    }
}

/* Sends SIGKILL to the host. */
static inline void session_kill_host(struct session *session)
{
    (void)kill(session->host, SIGKILL);
}

/* How many processes have `mark` in their command line. */
static inline int session_count(const char *mark)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    int found = 0;

    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        char path[300], text[4096];
        int file;
        ssize_t got;
        (void)snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || (file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
            continue;
        got = read(file, text, sizeof text);
        (void)close(file);
        found += got > 0 && atoi(entry->d_name) != getpid() &&
                 memmem(text, (size_t)got, mark, strlen(mark)) != NULL;
    }
    if (proc != NULL)
        (void)closedir(proc);
    return found;
}

/* Deadline loop: true when `mark` has `count` processes in time. */
static inline bool session_await_count(const char *mark, int count)
{
    long deadline = session_now_ms() + WAIT_MS;

    while (session_count(mark) != count) {
        if (session_now_ms() > deadline)
            return false;
        (void)poll(NULL, 0, 10);
    }
    return true;
}

#endif
