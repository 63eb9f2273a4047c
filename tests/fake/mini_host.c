/*
 * A host that is a puppet: it hands its socket to the test that listens on SESSION_DIR/test.sock, together with its
 * process id, says READY unless SESSION_DIR/hang exists, and waits. A byte sent to it on that connection makes it exit
 * with the byte as its status; it also leaves with 0 on SIGTERM, and with 9 when SESSION_DIR/fail exists.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/keeper_protocol.h"

static _Noreturn void leave(int signal)
{
    (void)signal;
    _exit(0);
}

static int connect_test(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/test.sock", folder);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0)
        _exit(8);
    return connection;
}

static void hand_over(int connection)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    int pid = getpid(), keeper = KEEPER_HOST_FD;
    struct iovec part = {&pid, sizeof pid};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

    *rights = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(rights), &keeper, sizeof keeper);
    if (sendmsg(connection, &header, 0) < 0)
        _exit(8);
}

static int exists(const char *folder, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

int main(int count, char **arguments)
{
    struct keeper_message ready = {.version = KEEPER_PROTOCOL_VERSION, .type = KEEPER_READY};
    unsigned char status;
    int connection;

    if (count != 3 || getenv("GANGER_SESSION") != NULL)
        return 7;
    if (exists(arguments[2], "fail"))
        return 9;
    (void)signal(SIGTERM, leave);
    if (!exists(arguments[2], "hang") &&
        send(KEEPER_HOST_FD, &ready, sizeof ready, MSG_NOSIGNAL) != (ssize_t)sizeof ready)
        return 6;
    connection = connect_test(arguments[2]);
    hand_over(connection);
    if (read(connection, &status, 1) == 1)
        return status;
    for (;;)
        (void)pause();
}
