#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/local_socket.h"

static int run(int argc, char **argv);

const struct command command_proxy = {"proxy", "Plumbing", "a session's socket on standard input and output",
                                      "usage: ganger proxy SESSION\n"
                                      "\n"
                                      "Copies standard input to the session's socket and what comes back to "
                                      "standard output, until either end closes. The\n"
                                      "protocol is in ganger-protocol(7).\n"
                                      "\n"
                                      "example: ssh build ganger proxy api-fix\n",
                                      run};

#define COPY_SIZE 65536

/* One direction: bytes read from one descriptor and not yet written to the other. */
struct copy {
    int from, to;
    struct buffer held;
    bool ended;
};

static int copy_read(struct copy *copy)
{
    ssize_t got = read(copy->from, buffer_reserve(&copy->held, COPY_SIZE), COPY_SIZE);

    if (got > 0)
        copy->held.length += (size_t)got;
    copy->ended = got == 0;
    return got < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

static int copy_write(struct copy *copy)
{
    ssize_t wrote = write(copy->to, copy->held.bytes, copy->held.length);

    if (wrote > 0)
        buffer_consume(&copy->held, (size_t)wrote);
    return wrote < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

static int step(struct copy *in, struct copy *out)
{
    struct pollfd waited[] = {
        {.fd = in->held.length > 0 ? in->to : -1, .events = POLLOUT},
        {.fd = in->held.length == 0 && !in->ended ? in->from : -1, .events = POLLIN},
        {.fd = out->held.length > 0 ? out->to : -1, .events = POLLOUT},
        {.fd = out->held.length == 0 ? out->from : -1, .events = POLLIN},
    };

    if (poll(waited, 4, -1) < 0)
        return errno == EINTR ? 0 : -1;
    if ((waited[0].revents != 0 && copy_write(in) < 0) || (waited[1].revents != 0 && copy_read(in) < 0) ||
        (waited[2].revents != 0 && copy_write(out) < 0) || (waited[3].revents != 0 && copy_read(out) < 0))
        return -1;
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {CLI_HELP_OPTION, {0}};
    char uuid[UUID_SIZE], name[UUID_SIZE + 8];
    struct error error;
    struct copy in = {.from = STDIN_FILENO}, out = {.to = STDOUT_FILENO};
    bool closed = false;
    int connection;

    while (cli_option(&command_proxy, argc, argv, ":h", options) != -1)
        continue;
    cli_operands(&command_proxy, argc, 1, 1);
    cli_find(argv[optind], true, uuid);
    (void)snprintf(name, sizeof name, "%s.sock", uuid);
    connection = local_socket_connect(cli_runtime_dir(), name, &error);
    if (connection < 0)
        return cli_error(argv[optind], &error);
    in.to = out.from = connection;
    while (!out.ended && step(&in, &out) == 0) {
        if (in.ended && in.held.length == 0 && !closed)
            closed = shutdown(connection, SHUT_WR) == 0;
    }
    buffer_finish(&in.held);
    buffer_finish(&out.held);
    close(connection);
    return out.ended && out.held.length == 0 ? EXIT_OK : EXIT_FAILED;
}
