/* What the host of a headless run is asked when the run is to end. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/headless_stop.h"
#include "test.h"

/* A connection to a host that `*host` stands for. */
static struct client *connection(int *host)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        abort();
    *host = ends[1];
    return client_over(ends[0]);
}

/* Whether the host was asked this. */
static bool asked(int host, const char *words)
{
    char bytes[1024] = "";
    ssize_t got = read(host, bytes, sizeof bytes - 1);

    return got > 0 && strstr(bytes, words) != NULL;
}

TEST(a_host_is_asked_once)
{
    struct headless_stop stop = {.wanted = STOP_SESSION};
    int host;
    struct client *client = connection(&host);

    headless_stop_go_on(&stop, client, false);
    CHECK(asked(host, "\"session\""));
    CHECK_NUMBER(headless_stop_due(&stop), -1);
    headless_stop_go_on(&stop, client, false);
    CHECK(!asked(host, "\"session\""));
    stop.wanted = STOP_KILL;
    headless_stop_go_on(&stop, client, false);
    CHECK(asked(host, "session.kill"));
    client_destroy(client);
    close(host);
}

/* The host dies, and another takes its place: what that is asked. */
static bool asked_again(struct headless_stop *stop, const char *words)
{
    int host;
    struct client *client = connection(&host);
    bool again;

    headless_stop_go_on(stop, client, false);
    (void)asked(host, "");
    client_destroy(client);
    close(host);
    headless_stop_go_on(stop, NULL, false);
    again = headless_stop_due(stop) >= 0;
    client = connection(&host);
    headless_stop_go_on(stop, client, false);
    again = asked(host, words) && again;
    client_destroy(client);
    close(host);
    return again;
}

TEST(the_host_that_follows_is_asked_again)
{
    struct headless_stop stop = {.wanted = STOP_SESSION};

    CHECK(asked_again(&stop, "\"session\""));
    stop.wanted = STOP_KILL;
    CHECK(asked_again(&stop, "session.kill"));
}

TEST_MAIN
