#include "tui/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/local_socket.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/config.h"
#include "rpc/frame.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"
#include "tui/outer.h"
#include "tui/text_line.h"
#include "tui/ui.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 1000
#define REFRESH_MS 200
#define SMALL_ROWS 4   /* frames of more rows are acknowledged at once */
#define SMALL_FRAMES 4 /* of the others every fourth is */
#define SCREEN_FILE "screen.json"
#define SCREEN_FILE_MAX (16 * 1024 * 1024)

static void lose(struct session *session);
static void try_again(evutil_socket_t descriptor, short what, void *argument);
static void fetch(evutil_socket_t descriptor, short what, void *argument);

struct session *session_create(struct ui *ui, const char *uuid)
{
    struct session *session = xcalloc(1, sizeof *session);

    session->ui = ui;
    (void)snprintf(session->uuid, sizeof session->uuid, "%s", uuid);
    (void)snprintf(session->name, sizeof session->name, "%.8s", uuid);
    session->agent = xstrdup("");
    session->account = xstrdup("");
    session->title = xstrdup("");
    session->created_at = xstrdup("");
    session->detail = xstrdup("");
    session->phase = PHASE_UNKNOWN;
    session->backoff_ms = BACKOFF_MIN_MS;
    session->folder_watch = -1;
    session->again = event_new(ui->loop, -1, 0, try_again, session);
    session->refresh = event_new(ui->loop, -1, 0, fetch, session);
    asked_init(&session->asked);
    facts_init(&session->facts);
    screen_init(&session->screen);
    return session;
}

static void drop_connection(struct session *session)
{
    if (session->client == NULL)
        return;
    event_free(session->readable);
    event_free(session->writable);
    client_destroy(session->client);
    session->client = NULL;
    session->link = LINK_NONE;
    session->screen_asked = false;
    session->asked_cols = session->asked_rows = 0;
    session->unacknowledged = 0;
}

void session_destroy(struct session *session)
{
    if (session == NULL)
        return;
    drop_connection(session);
    event_free(session->again);
    event_free(session->refresh);
    screen_finish(&session->screen);
    asked_finish(&session->asked);
    facts_finish(&session->facts);
    free(session->agent);
    free(session->account);
    free(session->title);
    free(session->created_at);
    free(session->detail);
    free(session);
}

/* ---- what the object says ---- */

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t ms;

    return clock_parse_rfc3339(json_member_string(object, key, ""), &ms) == 0 ? ms : 0;
}

static bool take_phase(struct session *session, const char *name, int64_t since, int64_t until)
{
    enum phase phase = phase_find(name), before = session->phase;
    bool changed = phase != before || since != session->since_ms || until != session->until_ms;

    session->phase = phase;
    session->since_ms = since;
    session->until_ms = until;
    if (phase != before && session->connected_once)
        ui_phase_changed(session->ui, session, before);
    return changed;
}

bool session_take(struct session *session, const json_t *object)
{
    bool changed = false;
    const char *name = json_member_string(object, "name", NULL);
    const json_t *problem = json_object_get(object, "last_error");
    const char *message = json_member_string(problem, "message", NULL);

    if (name != NULL && name_valid(name) && strcmp(name, session->name) != 0) {
        (void)snprintf(session->name, sizeof session->name, "%s", name);
        changed = true;
    }
    changed |= text_line_replace(&session->agent, json_member_string(object, "agent", session->agent));
    changed |= text_line_replace(&session->account, json_member_string(object, "account", ""));
    changed |= text_line_replace(&session->title, json_member_string(object, "title", ""));
    changed |= text_line_replace(&session->created_at,
                                 json_member_string(object, "created_at", session->created_at));
    changed |= text_line_replace(&session->detail, message);
    changed |= asked_take(&session->asked, object);
    changed |= facts_take(&session->facts, object);
    session->attempt = (uint32_t)json_member_integer(object, "attempt", session->attempt);
    changed |= take_phase(session, json_member_string(object, "phase", "unknown"),
                          time_of(object, "phase_since"), time_of(object, "phase_until"));
    if (json_object_get(object, "alive") != NULL)
        session->alive = json_member_bool(object, "alive", 0) != 0;
    if (!phase_look(session->phase)->ended)
        session->attended = true;
    return changed;
}

/* The screen that an ended session left behind. */
static void load_stored_screen(struct session *session)
{
    char *folder, *path, *text = NULL;
    size_t length;
    json_t *stored = NULL;

    if (session->stored)
        return;
    folder = session_dir_path(session->ui->state_dir, session->uuid);
    path = path_join(folder, SCREEN_FILE);
    if (path_read_file(path, SCREEN_FILE_MAX, &text, &length, NULL) == 0)
        stored = json_loadb(text, length, 0, NULL);
    if (stored != NULL && screen_load(&session->screen, stored, NULL) == 0) {
        session->stored = true;
        session->screen.cursor.visible = false;
        ui_screen_changed(session->ui, session);
    }
    json_decref(stored);
    free(text);
    free(path);
    free(folder);
}

/* ---- requests ---- */

bool session_call(struct session *session, const char *method, json_t *params, session_reply reply)
{
    size_t place = 0;

    while (place < SESSION_REQUESTS && session->requests[place].id != 0)
        place++;
    if (session->client == NULL || place == SESSION_REQUESTS) {
        json_decref(params);
        return false;
    }
    session->requests[place] = (struct session_request){
        .id = client_send(session->client, method, params), .reply = reply, .sent_ns = clock_monotonic_ns()};
    (void)event_add(session->writable, NULL);
    return true;
}

bool session_input(struct session *session, const void *bytes, size_t length)
{
    struct buffer line = {0};

    if (session->link != LINK_UP)
        return false;
    frame_write_input(&line, bytes, length);
    client_send_lines(session->client, &line);
    buffer_finish(&line);
    if (client_flush(session->client) != 0)
        (void)event_add(session->writable, NULL);
    return true;
}

static void answered(struct session *session, const json_t *message)
{
    uint64_t id = (uint64_t)json_member_integer(message, "id", 0);
    const json_t *problem = json_object_get(message, "error");

    for (size_t i = 0; id != 0 && i < SESSION_REQUESTS; i++) {
        struct session_request request = session->requests[i];
        if (request.id != id)
            continue;
        session->requests[i].id = 0;
        if (request.reply == NULL)
            return;
        if (problem != NULL)
            request.reply(session, NULL, json_member_string(problem, "message", "the host refused"));
        else
            request.reply(session, json_object_get(message, "result"), NULL);
        return;
    }
}

static void fail_requests(struct session *session)
{
    for (size_t i = 0; i < SESSION_REQUESTS; i++) {
        struct session_request request = session->requests[i];
        session->requests[i].id = 0;
        if (request.id != 0 && request.reply != NULL)
            request.reply(session, NULL, "the connection to the session was lost");
    }
}

/* ---- screen and events ---- */

static void subscribed(struct session *session, const json_t *result, const char *error)
{
    (void)result;
    if (error != NULL)
        ui_say(session->ui, true, "%s: %s", session->name, error);
}

/* Also switches the screen on and off: the last call is in force. */
static void subscribe(struct session *session)
{
    static const char *const types[] = {"session_started", "phase",
                                        "title",           "turn_started",
                                        "turn_ended",      "approval_requested",
                                        "rate_limit",      "approval_resolved",
                                        "retry_scheduled", "account_switched",
                                        "cancelled",       "warning",
                                        "error",           "attempt_ended",
                                        "session_ended",   "host_restarted",
                                        "usage",           "prompt_queued",
                                        "prompt_sent"};
    json_t *names = json_array();

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        (void)json_array_append_new(names, json_string(types[i]));
    session->screen_asked = session->screen_wanted;
    (void)session_call(session, "session.subscribe",
                       json_pack("{s:o, s:b}", "types", names, "screen", session->screen_wanted), subscribed);
}

void session_want_screen(struct session *session, bool wanted)
{
    session->screen_wanted = wanted;
    if (session->link == LINK_UP && session->screen_asked != wanted)
        subscribe(session);
    if (wanted && session->link != LINK_UP && session->screen.rows == 0)
        load_stored_screen(session);
}

static void set_colour(json_t *params, const char *key, uint32_t rgb)
{
    char text[8];

    (void)snprintf(text, sizeof text, "#%06x", (unsigned)(rgb & 0xFFFFFF));
    (void)json_object_set_new(params, key, json_string(text));
}

static void send_size(struct session *session)
{
    uint32_t foreground, background;
    json_t *params;

    if (session->link != LINK_UP || session->view_cols < 2 || session->view_rows < 2)
        return;
    if (session->view_cols == session->asked_cols && session->view_rows == session->asked_rows)
        return;
    session->asked_cols = session->view_cols;
    session->asked_rows = session->view_rows;
    params = json_pack("{s:i, s:i}", "cols", session->view_cols, "rows", session->view_rows);
    if (outer_colours(&foreground, &background)) {
        set_colour(params, "foreground", foreground);
        set_colour(params, "background", background);
    }
    (void)session_call(session, "session.view", params, NULL);
}

void session_tell_colours(struct session *session)
{
    session->asked_cols = 0;
    if (!session->ui->options.read_only)
        send_size(session);
}

void session_want_size(struct session *session, int cols, int rows)
{
    session->view_cols = cols;
    session->view_rows = rows;
    if (!session->ui->options.read_only)
        send_size(session);
}

static void acknowledge(struct session *session, int changed)
{
    struct buffer line = {0};

    if (changed <= SMALL_ROWS && ++session->unacknowledged < SMALL_FRAMES)
        return;
    session->unacknowledged = 0;
    frame_write_ack(&line, session->screen.frame);
    client_send_lines(session->client, &line);
    buffer_finish(&line);
    (void)event_add(session->writable, NULL);
}

static void take_frame(struct session *session, char *line, size_t length)
{
    struct error error = {0};
    int changed = 0, result;

    if (!session->screen_wanted)
        return;
    result = screen_read(&session->screen, line, length, &changed, &error);
    if (result < 0) {
        ui_say(session->ui, true, "%s: %s", session->name, error.text);
        lose(session);
        return;
    }
    if (result > 0) {
        /* Off and on again: the next frame is a full one. */
        session->screen.frame = 0;
        (void)session_call(session, "session.subscribe", json_pack("{s:b}", "screen", 0), NULL);
        subscribe(session);
        return;
    }
    session->stored = false;
    session->backoff_ms = BACKOFF_MIN_MS;
    if (!session->screen.complete)
        return;
    acknowledge(session, changed);
    ui_screen_changed(session->ui, session);
}

static void refresh_soon(struct session *session)
{
    struct timeval delay = {.tv_usec = REFRESH_MS * 1000};

    if (!event_pending(session->refresh, EV_TIMEOUT, NULL))
        (void)event_add(session->refresh, &delay);
}

static void refreshed(struct session *session, const json_t *result, const char *error)
{
    if (error == NULL && session_take(session, result))
        ui_session_changed(session->ui, session);
}

static void fetch(evutil_socket_t descriptor, short what, void *argument)
{
    struct session *session = argument;

    (void)descriptor;
    (void)what;
    if (session->link == LINK_UP)
        (void)session_call(session, "session.get", NULL, refreshed);
}

static void take_event(struct session *session, const json_t *event)
{
    const char *type = json_member_string(event, "type", "");
    bool changed = false;

    if (strcmp(type, "phase") == 0 && json_member_string(event, "phase", NULL) != NULL) {
        int64_t since = time_of(event, "since");
        changed = take_phase(session, json_member_string(event, "phase", "unknown"),
                             since != 0 ? since : time_of(event, "time"), time_of(event, "until"));
    } else if (strcmp(type, "title") == 0) {
        changed = text_line_replace(&session->title, json_member_string(event, "title", ""));
    } else if (strncmp(type, "approval_", 9) == 0) {
        changed = strcmp(type, "approval_resolved") == 0 && asked_settle(&session->asked, event);
        event_active(session->refresh, EV_TIMEOUT, 0);
    } else if (strcmp(type, "error") == 0 &&
               strcmp(json_member_string(event, "code", ""), "not_taken") == 0) {
        ui_say(session->ui, true, "%s: the agent did not take the answer: a and d answer again",
               session->name);
    } else if (strcmp(type, "warning") == 0) {
        const char *hint = json_member_string(event, "hint", "");
        ui_say(session->ui, true, "%s: %s%s%s", session->name,
               json_member_string(event, "message", "a warning"), hint[0] != '\0' ? "; " : "", hint);
        refresh_soon(session);
    } else if (strcmp(type, "turn_started") != 0 && strcmp(type, "turn_ended") != 0) {
        refresh_soon(session);
    }
    if (strcmp(type, "phase") == 0)
        refresh_soon(session);
    if (strcmp(type, "usage") == 0 || strcmp(type, "rate_limit") == 0 || strcmp(type, "turn_ended") == 0 ||
        (strcmp(type, "phase") == 0 && session->phase == PHASE_LIMITED))
        limits_expect(session->ui);
    if (changed)
        ui_session_changed(session->ui, session);
}

/* The program put something into the clipboard: OSC 52 again, to the terminal outside. */
static void take_clipboard(const char *base64)
{
    size_t length = strlen(base64);
    char *text = xmalloc(length + 1);
    long decoded = base64_decode(base64, length, text);

    if (decoded >= 0)
        outer_copy(text, (size_t)decoded);
    free(text);
}

static void take_message(struct session *session, const char *line, size_t length)
{
    json_t *message = json_loadb(line, length, 0, NULL);
    const char *method = json_member_string(message, "method", "");

    if (strcmp(method, "event") == 0)
        take_event(session, json_object_get(message, "params"));
    else if (strcmp(method, "clipboard") == 0)
        take_clipboard(json_member_string(json_object_get(message, "params"), "data", ""));
    else if (strcmp(method, "bell") == 0 && config_bool(session->ui->config, "notify.bell"))
        outer_bell();
    else if (json_object_get(message, "id") != NULL)
        answered(session, message);
    json_decref(message);
}

/* ---- the connection ---- */

static void on_readable(evutil_socket_t descriptor, short what, void *argument)
{
    struct session *session = argument;
    struct client *client = session->client;
    int alive = client_receive(client);
    char *line;
    size_t length;

    (void)descriptor;
    (void)what;
    while (session->client == client && client_line(client, &line, &length)) {
        if (frame_is(line, length))
            take_frame(session, line, length);
        else
            take_message(session, line, length);
    }
    if (alive < 0 && session->client == client)
        lose(session);
}

static void on_writable(evutil_socket_t descriptor, short what, void *argument)
{
    struct session *session = argument;
    int left = client_flush(session->client);

    (void)descriptor;
    (void)what;
    if (left < 0)
        lose(session);
    else if (left > 0)
        (void)event_add(session->writable, NULL);
}

static void schedule(struct session *session)
{
    struct timeval delay = {.tv_sec = session->backoff_ms / 1000,
                            .tv_usec = session->backoff_ms % 1000 * 1000};

    (void)event_add(session->again, &delay);
    session->backoff_ms = session->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : session->backoff_ms * 2;
}

static void greeted(struct session *session, const json_t *result, const char *error)
{
    if (error == NULL && json_member_integer(result, "protocol", 0) != RPC_PROTOCOL)
        error = "its host speaks another protocol; `ganger upgrade` helps";
    if (error != NULL) {
        ui_say(session->ui, true, "%s: %s", session->name, error);
        return;
    }
    session->link = LINK_UP;
    session->alive = true;
    subscribe(session);
    if (!session->ui->options.read_only)
        send_size(session);
    (void)session_call(session, "session.get", NULL, refreshed);
    session->connected_once = true;
    crew_watch(session, false);
    ui_session_changed(session->ui, session);
}

/* True when a host was reached. */
static bool connect_now(struct session *session)
{
    char *name = xasprintf("%s.sock", session->uuid);
    int connection = local_socket_connect(session->ui->runtime_dir, name, NULL);

    free(name);
    if (connection < 0)
        return false;
    session->client = client_over(connection);
    session->link = LINK_GREETING;
    session->readable = event_new(session->ui->loop, connection, EV_READ | EV_PERSIST, on_readable, session);
    session->writable = event_new(session->ui->loop, connection, EV_WRITE, on_writable, session);
    (void)event_add(session->readable, NULL);
    (void)session_call(session, "hello", json_pack("{s:i}", "protocol", RPC_PROTOCOL), greeted);
    return true;
}

/* What the folder says when there is no host to ask. */
static void take_stored(struct session *session)
{
    json_t *object = session_dir_read(session->ui->state_dir, session->uuid, NULL);

    if (object == NULL)
        return;
    session->alive = session_dir_alive(session->ui->state_dir, session->uuid, NULL) == 1;
    if (!session->alive && !session_phase_ended(json_member_string(object, "phase", "")) &&
        strcmp(json_member_string(object, "phase", ""), "initializing") != 0)
        (void)json_object_set_new(object, "phase", json_string("lost"));
    if (session_take(session, object))
        ui_session_changed(session->ui, session);
    json_decref(object);
}

/* No host answers: what the folder says is shown, and as long as the session lives it is tried again. */
static void wait_for_host(struct session *session)
{
    take_stored(session);
    if (session->alive || session->phase == PHASE_INITIALIZING)
        schedule(session);
    else if (session->screen_wanted && session->screen.rows == 0)
        load_stored_screen(session);
}

void session_connect(struct session *session)
{
    if (session->client == NULL && !connect_now(session))
        wait_for_host(session);
}

static void try_again(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    session_connect(argument);
}

void session_socket_appeared(struct session *session)
{
    session->backoff_ms = BACKOFF_MIN_MS;
    session_connect(session);
}

static void lose(struct session *session)
{
    drop_connection(session);
    fail_requests(session);
    session->screen.frame = 0;
    session->screen.cursor.visible = false;
    session->screen.moved = true;
    crew_watch(session, true);
    /* Not at once: a host that answers and fails must not be asked in a circle. */
    wait_for_host(session);
    ui_session_changed(session->ui, session);
    ui_screen_changed(session->ui, session);
}
