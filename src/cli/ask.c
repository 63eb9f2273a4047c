#include "cli/ask.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/local_socket.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "rpc/protocol.h"

struct question {
    size_t index; /* in the array */
    uint64_t id;  /* of the request whose answer is the session */
    struct client *client;
};

/* Hello and the question go out together. */
static struct client *ask(const char *uuid, uint64_t *id)
{
    char name[UUID_SIZE + 8];
    struct error error;
    struct client *client;
    int connection;

    (void)snprintf(name, sizeof name, "%s.sock", uuid);
    connection = local_socket_connect(cli_runtime_dir(), name, &error);
    if (connection < 0)
        return NULL;
    client = client_over(connection);
    (void)client_send(client, "hello", json_pack("{s:i}", "protocol", RPC_PROTOCOL));
    *id = client_send(client, "session.get", NULL);
    if (client_flush(client) == 0)
        return client;
    client_destroy(client);
    return NULL;
}

static size_t ask_living(json_t *sessions, struct question *questions)
{
    size_t count = 0, index;
    json_t *entry;

    json_array_foreach(sessions, index, entry)
    {
        struct question *question = &questions[count];
        bool alive = json_member_bool(entry, "alive", 0);
        (void)json_object_del(entry, "alive");
        if (!alive)
            continue;
        question->index = index;
        question->client = ask(json_member_string(entry, "id", ""), &question->id);
        count += question->client != NULL;
    }
    return count;
}

/* Takes the lines that came. True when there is nothing more to wait for. */
static bool take_answer(struct question *question, json_t *sessions)
{
    bool gone = client_receive(question->client) < 0, answered = false;
    char *line;
    size_t length;

    while (!answered && client_line(question->client, &line, &length)) {
        json_t *message = json_loadb(line, length, 0, NULL);
        json_t *result = json_object_get(message, "result");
        answered = json_member_integer(message, "id", -1) == (int64_t)question->id;
        if (answered && json_is_object(result))
            (void)json_array_set(sessions, question->index, result);
        json_decref(message);
    }
    return answered || gone;
}

void ask_all(json_t *sessions, int timeout_ms)
{
    int64_t deadline = clock_monotonic_ns() + timeout_ms * 1000000LL, left;
    struct question *questions = xcalloc(json_array_size(sessions), sizeof *questions);
    size_t count = ask_living(sessions, questions), open = count;
    struct pollfd *waited = xcalloc(count, sizeof *waited);

    for (size_t i = 0; i < count; i++)
        waited[i] = (struct pollfd){.fd = client_descriptor(questions[i].client), .events = POLLIN};
    while (open > 0 && (left = (deadline - clock_monotonic_ns()) / 1000000) > 0) {
        if (poll(waited, count, (int)left) <= 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            if (waited[i].fd < 0 || waited[i].revents == 0 || !take_answer(&questions[i], sessions))
                continue;
            waited[i].fd = -1;
            open--;
        }
    }
    for (size_t i = 0; i < count; i++)
        client_destroy(questions[i].client);
    free(questions);
    free(waited);
}
