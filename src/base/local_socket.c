#include "base/local_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Opens the folder and fills the address that names the socket through it. Returns the folder's descriptor or
 * -1. */
static int address_of(const char *folder, const char *name, struct sockaddr_un *address, struct error *error)
{
    int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int length;

    if (descriptor < 0)
        return error_errno(error, "cannot open the folder %s", folder);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", descriptor, name);
    if (length < 0 || (size_t)length >= sizeof address->sun_path) {
        close(descriptor);
        return error_set(error, "the socket name %s is too long", name);
    }
    return descriptor;
}

int local_socket_listen(const char *folder, const char *name, struct error *error)
{
    struct sockaddr_un address;
    int at = address_of(folder, name, &address, error);
    int listener = -1;

    if (at < 0)
        return -1;
    (void)unlinkat(at, name, 0);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(address.sun_path, 0600) < 0 || listen(listener, 64) < 0) {
        error_errno(error, "cannot listen on %s/%s", folder, name);
        if (listener >= 0)
            close(listener);
        listener = -1;
    }
    close(at);
    return listener;
}

int local_socket_connect(const char *folder, const char *name, struct error *error)
{
    struct sockaddr_un address;
    int at = address_of(folder, name, &address, error);
    int connection;

    if (at < 0)
        return -1;
    connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) < 0) {
        error_errno(error, "cannot connect to %s/%s", folder, name);
        if (connection >= 0)
            close(connection);
        connection = -1;
    }
    close(at);
    return connection;
}

int local_socket_peer(int connection, uid_t *uid, pid_t *pid, struct error *error)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return error_errno(error, "cannot tell who connected");
    *uid = peer.uid;
    *pid = peer.pid;
    return 0;
}

int local_socket_wait(int connection, int writing, int timeout_ms)
{
    struct pollfd waited = {.fd = connection, .events = writing ? POLLOUT : POLLIN};
    int ready;

    do {
        ready = poll(&waited, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    return ready;
}
