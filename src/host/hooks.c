#include "host/hooks.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/local_socket.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/stream.h"
#include "rpc/line.h"
#include "rpc/protocol.h"

#define CONNECTIONS_MAX 64
#define SILENCE_S 2
#define READS_A_WAKE 16
#define KEPT "hook_token"

struct hook_connection {
    LIST_ENTRY(hook_connection) entries;
    struct host *host;
    int descriptor;
    struct event *readable;
    struct line_reader reader;
};

/* ---- token and channel ---- */

static void make_token(char token[HOOK_TOKEN_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[16];

    arc4random_buf(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        token[2 * i] = digits[random[i] >> 4];
        token[2 * i + 1] = digits[random[i] & 15];
    }
    token[HOOK_TOKEN_SIZE - 1] = '\0';
}

/* Takes as long wherever the difference is. */
static bool is_token(const struct hooks *hooks, const char *given)
{
    unsigned char difference = 0;

    if (given == NULL || hooks->token[0] == '\0' || strlen(given) != HOOK_TOKEN_SIZE - 1)
        return false;
    for (size_t i = 0; i < HOOK_TOKEN_SIZE - 1; i++)
        difference |= (unsigned char)(given[i] ^ hooks->token[i]);
    return difference == 0;
}

static void renew_channel(struct host *host)
{
    const struct agent_channel *channel = host->driver->hooks;

    if (host->hooks.channel != NULL)
        channel->destroy(host->hooks.channel);
    host->hooks.channel = channel == NULL ? NULL : channel->create();
    usage_file_forget(host);
    host->hooks.refused = 0;
    host->hooks.heard = false;
}

void hooks_begin(struct host *host)
{
    make_token(host->hooks.token);
    session_keep(host, KEPT, json_string(host->hooks.token));
    renew_channel(host);
}

/* ---- messages ---- */

static void observe(void *argument, const struct observation *observation)
{
    observe_agent(argument, EVIDENCE_HOOK, observation);
}

static void no_bytes(void *argument, const char *bytes, size_t length)
{
    (void)argument;
    (void)bytes;
    (void)length;
}

static bool read_transcript(struct host *host, const json_t *payload)
{
    const struct agent_transcript *transcript = host->driver->transcript;

    if (transcript == NULL || !transcript->grew(host->hooks.channel, payload))
        return false;
    usage_file_grew(host, json_member_string(payload, "transcript_path", NULL));
    return true;
}

static void take_payload(struct host *host, const json_t *payload)
{
    const struct observer observer = {.observe = observe, .send = no_bytes, .argument = host};

    bool read;

    if (host->hooks.channel == NULL || host->attempt.over || stream_mode(host))
        return;
    host->hooks.heard = true;
    /* What was said before the hook is told before it; the first hook of a conversation names the file. */
    read = read_transcript(host, payload);
    host->driver->hooks->message(host->hooks.channel, payload, &observer);
    side_files_named(host, payload);
    if (!read)
        (void)read_transcript(host, payload);
}

/* Whoever does not read the answer does not get it. */
static void answer(struct hook_connection *from, const struct buffer *line)
{
    (void)send(from->descriptor, line->bytes, line->length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void refuse(struct hook_connection *from, const json_t *id, int code, const char *why)
{
    struct host *host = from->host;
    struct buffer line;

    buffer_init(&line);
    buffer_append_string(&line, "{\"jsonrpc\":\"2.0\",\"id\":");
    if (id != NULL)
        json_append_value(&line, id);
    else
        buffer_append_string(&line, "null");
    buffer_printf(&line, ",\"error\":{\"code\":%d,\"message\":", code);
    json_append_quoted(&line, why, strlen(why));
    buffer_append_string(&line, "}}\n");
    answer(from, &line);
    buffer_finish(&line);
    if (host->hooks.refused++ == 0)
        host_warn(host, "hook_refused", "a message to the session's hooks was refused: %s", why);
}

static void accept_message(struct hook_connection *from, const json_t *id)
{
    struct buffer line;

    if (id == NULL)
        return;
    buffer_init(&line);
    buffer_append_string(&line, "{\"jsonrpc\":\"2.0\",\"id\":");
    json_append_value(&line, id);
    buffer_append_string(&line, ",\"result\":{}}\n");
    answer(from, &line);
    buffer_finish(&line);
}

/* NULL when the message is one of this attempt's agent, else why not. */
static const char *check(const struct host *host, const json_t *message, int *code)
{
    const json_t *params = json_object_get(message, "params");

    *code = RPC_INVALID_REQUEST;
    if (!json_is_object(message) || !json_is_string(json_object_get(message, "method")))
        return "it is not a request";
    *code = RPC_METHOD_NOT_FOUND;
    if (strcmp(json_member_string(message, "method", ""), "hook") != 0)
        return "the only method is hook";
    *code = RPC_NOT_ALLOWED;
    if (!is_token(&host->hooks, json_member_string(params, "token", NULL)))
        return "its token is not that of this attempt";
    if (strcmp(json_member_string(params, "agent", ""), host->driver->name) != 0)
        return "it comes from another agent";
    *code = RPC_INVALID_PARAMS;
    if (!json_is_object(json_object_get(params, "payload")))
        return "its payload is not a JSON object";
    return NULL;
}

/* Returns false when the connection is to be closed. */
static bool take_line(struct hook_connection *from, char *line, size_t length)
{
    struct host *host = from->host;
    const char *wrong;
    json_error_t problem;
    json_t *message;
    int code;

    if (length == 0)
        return true;
    json_text_mend(line, length);
    message = json_loadb(line, length, JSON_ALLOW_NUL, &problem);
    if (message == NULL) {
        refuse(from, NULL, RPC_PARSE_ERROR, "it is not JSON, or nested too deep");
        return false;
    }
    wrong = check(host, message, &code);
    if (wrong != NULL) {
        refuse(from, json_object_get(message, "id"), code, wrong);
    } else {
        accept_message(from, json_object_get(message, "id"));
        take_payload(host, json_object_get(json_object_get(message, "params"), "payload"));
    }
    json_decref(message);
    return wrong == NULL;
}

/* ---- connections ---- */

static void connection_destroy(struct hook_connection *connection)
{
    struct hooks *hooks = &connection->host->hooks;

    LIST_REMOVE(connection, entries);
    if (hooks->count-- == CONNECTIONS_MAX)
        event_add(hooks->accepting, NULL);
    event_free(connection->readable);
    close(connection->descriptor);
    line_reader_finish(&connection->reader);
    free(connection);
}

static bool take_lines(struct hook_connection *connection, bool *taken)
{
    enum line_result result;
    char *line;
    size_t length;

    while ((result = line_reader_next(&connection->reader, &line, &length)) != LINE_MORE) {
        if (result == LINE_TOO_LONG)
            refuse(connection, NULL, RPC_TOO_LARGE, "it is longer than 1 MiB");
        if (result == LINE_TOO_LONG || !take_line(connection, line, length))
            return false;
        *taken = true;
    }
    return true;
}

/* Returns false at the end of the connection. */
static bool read_some(struct hook_connection *connection, bool *taken)
{
    for (int i = 0; i < READS_A_WAKE; i++) {
        size_t room;
        char *space = line_reader_space(&connection->reader, &room);
        ssize_t got = recv(connection->descriptor, space, room, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (got <= 0)
            return false;
        line_reader_added(&connection->reader, (size_t)got);
        if (!take_lines(connection, taken))
            return false;
    }
    return true;
}

static void readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct hook_connection *connection = argument;
    bool taken = false;

    (void)descriptor;
    if ((what & EV_TIMEOUT) != 0 || !read_some(connection, &taken))
        connection_destroy(connection);
    else if (taken) /* it has the token: it may stay */
        event_remove_timer(connection->readable);
}

static void connection_create(struct host *host, int descriptor)
{
    struct hook_connection *connection = xcalloc(1, sizeof *connection);
    const struct timeval silence = {.tv_sec = SILENCE_S};
    struct hooks *hooks = &host->hooks;

    connection->host = host;
    connection->descriptor = descriptor;
    line_reader_init(&connection->reader);
    connection->readable = event_new(host->loop, descriptor, EV_READ | EV_PERSIST, readable, connection);
    event_add(connection->readable, &silence);
    LIST_INSERT_HEAD(&hooks->list, connection, entries);
    /* More wait in the listener's queue. */
    if (++hooks->count == CONNECTIONS_MAX)
        event_del(hooks->accepting);
}

static void accepting(evutil_socket_t listener, short what, void *argument)
{
    struct host *host = argument;
    struct error error;
    uid_t uid;
    pid_t pid;

    (void)what;
    while (host->hooks.count < CONNECTIONS_MAX) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (descriptor < 0)
            return;
        if (local_socket_peer(descriptor, &uid, &pid, &error) < 0 || uid != geteuid())
            close(descriptor);
        else
            connection_create(host, descriptor);
    }
}

/* ---- the socket ---- */

static char *socket_name(const struct host *host)
{
    return xasprintf("%s.hook", host->uuid);
}

int hooks_open(struct host *host, struct error *error)
{
    const char *kept = json_string_value(session_kept(&host->session, KEPT));
    struct hooks *hooks = &host->hooks;
    char *name = socket_name(host);

    LIST_INIT(&hooks->list);
    hooks->listener = local_socket_listen(host->runtime_dir, name, error);
    free(name);
    if (hooks->listener < 0)
        return -1;
    hooks->accepting = event_new(host->loop, hooks->listener, EV_READ | EV_PERSIST, accepting, host);
    if (kept != NULL)
        (void)strlcpy(hooks->token, kept, sizeof hooks->token);
    usage_file_init(host);
    renew_channel(host);
    return 0;
}

void hooks_admit(struct host *host)
{
    if (host->hooks.count < CONNECTIONS_MAX)
        event_add(host->hooks.accepting, NULL);
}

void hooks_bind_again(struct host *host)
{
    struct hooks *hooks = &host->hooks;
    char *name = socket_name(host), *path = path_join(host->runtime_dir, name);
    bool admitted = event_pending(hooks->accepting, EV_READ, NULL);
    struct error error = {0};
    int listener = access(path, F_OK) == 0 ? -1 : local_socket_listen(host->runtime_dir, name, &error);

    if (listener >= 0) {
        event_free(hooks->accepting);
        close(hooks->listener);
        hooks->listener = listener;
        hooks->accepting = event_new(host->loop, listener, EV_READ | EV_PERSIST, accepting, host);
        if (admitted)
            hooks_admit(host);
    } else if (error.text[0] != '\0') {
        log_warning("%s", error.text);
    }
    free(path);
    free(name);
}

void hooks_close(struct host *host)
{
    struct hooks *hooks = &host->hooks;
    char *name = socket_name(host), *path = path_join(host->runtime_dir, name);

    (void)unlink(path);
    free(path);
    free(name);
    while (!LIST_EMPTY(&hooks->list))
        connection_destroy(LIST_FIRST(&hooks->list));
    if (hooks->refused > 1)
        log_note("%llu messages to the hooks were refused", (unsigned long long)hooks->refused);
    if (hooks->channel != NULL)
        host->driver->hooks->destroy(hooks->channel);
    usage_file_finish(host);
    event_free(hooks->accepting);
    close(hooks->listener);
}

/* ---- the command ---- */

static bool is_program(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* The host stands beside the program, or in PREFIX/libexec/ganger. */
static char *program(void)
{
    static const char *const places[] = {"ganger", "../../bin/ganger"};
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (length < 0)
        return NULL;
    self[length] = '\0';
    slash = strrchr(self, '/');
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = path_join(self, places[i]);
        if (is_program(path))
            return path;
        free(path);
    }
    return NULL;
}

char *hooks_command(struct host *host)
{
    char *path = program();
    struct buffer command;

    if (path == NULL)
        return NULL;
    buffer_init(&command);
    buffer_append_char(&command, '\'');
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '\'')
            buffer_append_string(&command, "'\\''");
        else
            buffer_append_char(&command, *c);
    }
    buffer_printf(&command, "' hook %s", host->driver->name);
    free(path);
    return buffer_steal(&command);
}
