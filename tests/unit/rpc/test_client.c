#include "rpc/client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/local_socket.h"
#include "base/memory.h"
#include "rpc/protocol.h"
#include "test.h"

/* A client and the other end of its socket. What the host says is written before it is asked: ids count from 1. */
static struct client *pair(int *host)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    *host = ends[1];
    return client_over(ends[0]);
}

static void say(int host, const char *text)
{
    if (write(host, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
}

TEST(a_call_keeps_the_notifications_before_its_answer)
{
    int host;
    struct client *client = pair(&host);
    struct error error;
    size_t length;
    char *line, sent[200];
    ssize_t got;
    json_t *result;

    say(host, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":1}}\n"
              "{\"method\": \"event\",\"params\":{\"seq\":2}}\nnot json\n"
              "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n"
              "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"seq\":3}}\n"
              "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":4}}\n");
    result = client_call(client, "session.get", json_pack("{s:i}", "a", 1), 5000, &error);
    CHECK(result != NULL);
    CHECK_NUMBER(json_integer_value(json_object_get(result, "seq")), 3);
    json_decref(result);
    got = read(host, sent, sizeof sent - 1);
    CHECK(got > 0);
    sent[got] = '\0';
    CHECK_STRING(sent, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.get\",\"params\":{\"a\":1}}\n");
    for (int seq = 1; seq <= 4; seq++) {
        if (seq == 3)
            continue;
        CHECK_NUMBER(client_next(client, 5000, &line, &length, &error), 1);
        CHECK_NUMBER(line[length - 3] - '0', seq);
    }
    CHECK_NUMBER(client_next(client, 0, &line, &length, &error), 0);
    close(host);
    CHECK_NUMBER(client_next(client, 5000, &line, &length, &error), -1);
    CHECK_NUMBER(error.code, EPIPE);
    client_destroy(client);
}

TEST(errors_time_outs_and_ends_are_told_apart)
{
    int host;
    struct client *client = pair(&host);
    struct error error;

    say(host,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":4,\"message\":\"the attempt has ended\"}}\n");
    CHECK(client_call(client, "session.prompt", NULL, 5000, &error) == NULL);
    CHECK_NUMBER(error.code, RPC_ENDED);
    CHECK_STRING(error.text, "the attempt has ended");
    CHECK(client_call(client, "session.get", NULL, 10, &error) == NULL);
    CHECK_NUMBER(error.code, ETIMEDOUT);
    /* The late answer is passed over. */
    say(host, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":2}\n");
    json_t *result = client_call(client, "session.get", NULL, 5000, &error);
    CHECK_NUMBER(json_integer_value(result), 2);
    json_decref(result);
    close(host);
    CHECK(client_call(client, "session.get", NULL, 5000, &error) == NULL);
    CHECK_NUMBER(error.code, EPIPE);
    client_destroy(client);
}

TEST(lines_before_the_end_are_read)
{
    int host;
    struct client *client = pair(&host);
    struct error error;
    size_t length;
    char *line;

    say(host, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}\nhalf");
    close(host);
    CHECK_NUMBER(client_next(client, 5000, &line, &length, &error), 1);
    CHECK_NUMBER(client_next(client, 5000, &line, &length, &error), -1);
    client_destroy(client);
}

TEST(what_cannot_be_written_waits)
{
    int host, left;
    struct client *client = pair(&host);
    struct buffer lines;
    char block[65536];
    size_t total = 0, wanted = 0;

    buffer_init(&lines);
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 64; i++)
        buffer_append(&lines, block, sizeof block);
    wanted = lines.length;
    client_send_lines(client, &lines);
    buffer_finish(&lines);
    CHECK_NUMBER(client_flush(client), 1);
    do {
        ssize_t got;
        CHECK_NUMBER(local_socket_wait(host, 0, 5000), 1);
        got = read(host, block, sizeof block);
        CHECK(got > 0);
        total += (size_t)got;
        left = client_flush(client);
        CHECK(left >= 0);
    } while (left > 0 || total < wanted);
    CHECK_NUMBER(total, wanted);
    close(host);
    client_destroy(client);
}

TEST(connecting_says_hello)
{
    char folder[] = "/tmp/ganger-test-XXXXXX", *name = xasprintf("%s.sock", "u");
    struct error error;
    int listener;

    CHECK(mkdtemp(folder) != NULL);
    CHECK(client_connect(folder, "u", 1000, &error) == NULL);
    CHECK_NUMBER(error.code, ENOENT);
    listener = local_socket_listen(folder, name, &error);
    CHECK(listener >= 0);
    CHECK(client_connect(folder, "u", 20, &error) == NULL);
    CHECK_NUMBER(error.code, ETIMEDOUT);
    close(listener);
    CHECK(client_connect(folder, "u", 1000, &error) == NULL);
    CHECK_NUMBER(error.code, ECONNREFUSED);
    char *path = xasprintf("%s/%s", folder, name);
    unlink(path);
    rmdir(folder);
    free(path);
    free(name);
}

TEST_MAIN
