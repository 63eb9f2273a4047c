/*
 * Called by an agent for every hook of it, so what counts is that it is quick, silent and never fails: a hook that exits
 * with 2 would stop the agent's work.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/local_socket.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/cli.h"
#include "rpc/protocol.h"

#define READ_MS 1000   /* for the payload, which the agent writes */
#define SILENT_MS 10   /* for a host that takes nothing */
#define PATIENCE_MS 50 /* in all, for one that takes a long message bit by bit */
#define ENVELOPE 512   /* room for what surrounds a payload in its line */
#define PAYLOAD_MAX (RPC_LINE_MAX - ENVELOPE)
#define STRING_MAX (16 * 1024) /* of strings in a payload that is too long */
#define STRING_LEAST 512       /* if it is still too long then, without what is nested */

static int run(int argc, char **argv);

const struct command command_hook = {"hook", "Plumbing", "report an agent's hook to its session",
                                     "usage: ganger hook AGENT [PAYLOAD]\n"
                                     "\n"
                                     "Sends the JSON object on stdin (or PAYLOAD) to the session within "
                                     "which it runs. Agents that ganger starts are "
                                     "given this\n"
                                     "as a hook; there is no need to call it. It prints nothing, waits for "
                                     "nobody and exits 0, also outside of a "
                                     "session.\n"
                                     "\n"
                                     "example: ganger hook claude < payload.json\n",
                                     run};

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

/* ---- the payload ---- */

/* What does not fit verbatim is kept in two forms, of which the fuller one that fits is sent. */
struct payload {
    struct buffer whole;
    struct json_trim shorter, shortest;
    bool too_long;
};

static void add(struct payload *payload, const char *bytes, size_t length)
{
    if (!payload->too_long && payload->whole.length + length <= PAYLOAD_MAX) {
        buffer_append(&payload->whole, bytes, length);
        return;
    }
    if (!payload->too_long) {
        payload->too_long = true;
        json_trim_add(&payload->shorter, payload->whole.bytes, payload->whole.length);
        json_trim_add(&payload->shortest, payload->whole.bytes, payload->whole.length);
        buffer_finish(&payload->whole);
    }
    json_trim_add(&payload->shorter, bytes, length);
    json_trim_add(&payload->shortest, bytes, length);
}

/* Everything is read, also what is not kept: an agent that cannot write to its hook may complain. */
static void read_payload(struct payload *payload)
{
    int64_t deadline = now_ms() + READ_MS, left;
    char piece[65536];

    while ((left = deadline - now_ms()) > 0) {
        struct pollfd waited = {.fd = STDIN_FILENO, .events = POLLIN};
        ssize_t got;
        if (poll(&waited, 1, (int)left) < 0 && errno != EINTR)
            return;
        if (waited.revents == 0)
            continue;
        got = read(STDIN_FILENO, piece, sizeof piece);
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            return;
        if (got > 0)
            add(payload, piece, (size_t)got);
    }
}

static bool append_trimmed(struct buffer *line, const struct json_trim *trim)
{
    const char *begin = trim->out.length == 0 ? NULL : memchr(trim->out.bytes, '{', trim->out.length);

    if (trim->overflowed || begin == NULL)
        return false;
    buffer_append_string(line, "{\"truncated\":true,");
    buffer_append(line, begin + 1, trim->out.length - (size_t)(begin + 1 - trim->out.bytes));
    return true;
}

/* A line break can only stand between values, where a space means the same. */
static void append_on_one_line(struct buffer *line, const struct buffer *text)
{
    size_t from = line->length;

    buffer_append(line, text->bytes, text->length);
    for (size_t i = from; i < line->length; i++) {
        if (line->bytes[i] == '\n' || line->bytes[i] == '\r')
            line->bytes[i] = ' ';
    }
}

static bool append_payload(struct buffer *line, const struct payload *payload)
{
    if (payload->too_long)
        return append_trimmed(line, &payload->shorter) || append_trimmed(line, &payload->shortest);
    if (payload->whole.length == 0)
        return false;
    append_on_one_line(line, &payload->whole);
    return true;
}

/* ---- sending ---- */

static void send_line(int connection, const struct buffer *line)
{
    int64_t end = now_ms() + PATIENCE_MS, silent = now_ms() + SILENT_MS;
    size_t done = 0;

    while (done < line->length && now_ms() < end && now_ms() < silent) {
        ssize_t sent = send(connection, line->bytes + done, line->length - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            done += (size_t)sent;
            silent = now_ms() + SILENT_MS;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            int64_t left = silent < end ? silent : end;
            (void)local_socket_wait(connection, 1, (int)(left - now_ms() > 0 ? left - now_ms() : 0));
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* Only plain words: they are put into JSON as they are. */
static bool is_word(const char *text)
{
    return text != NULL && *text != '\0' && strlen(text) < 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(text);
}

static void report(const char *agent, const struct payload *payload)
{
    const char *uuid = getenv("GANGER_SESSION"), *token = getenv("GANGER_TOKEN");
    struct buffer line;
    char *folder, *name;
    int connection = -1;

    if (!is_word(uuid) || !is_word(token) || !is_word(agent))
        return;
    buffer_init(&line);
    buffer_printf(&line,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"hook\",\"params\":{\"token\":\"%s\",\"agent\":\"%s\","
                  "\"payload\":",
                  token, agent);
    folder = path_runtime_dir(NULL);
    if (folder != NULL && append_payload(&line, payload)) {
        buffer_append_string(&line, "}}\n");
        name = xasprintf("%s.hook", uuid);
        connection = local_socket_connect(folder, name, NULL);
        free(name);
    }
    if (connection >= 0) {
        send_line(connection, &line);
        close(connection);
    }
    free(folder);
    buffer_finish(&line);
}

static int run(int argc, char **argv)
{
    struct payload payload = {.too_long = false};

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(command_hook.help, argc < 2 ? stderr : stdout);
        return EXIT_OK;
    }
    buffer_init(&payload.whole);
    json_trim_init(&payload.shorter, PAYLOAD_MAX - ENVELOPE, STRING_MAX, SIZE_MAX);
    json_trim_init(&payload.shortest, PAYLOAD_MAX - ENVELOPE, STRING_LEAST, 1);
    if (argc > 2)
        add(&payload, argv[2], strlen(argv[2]));
    else
        read_payload(&payload);
    report(argv[1], &payload);
    buffer_finish(&payload.whole);
    json_trim_finish(&payload.shorter);
    json_trim_finish(&payload.shortest);
    return EXIT_OK;
}
