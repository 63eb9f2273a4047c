#include "host/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/name.h"
#include "host/host.h"
#include "store/session_dir.h"

#define WRITE_INTERVAL_MS 1000
#define KEPT "host"

static const char *const members[] = {
    "account",   "worktree",     "machine",     "pid",         "phase_until", "title", "agent_session_id",
    "model",     "usage",        "context_pct", "resources",   "last_error",  "exit",  "progress_pct",
    "recording", "evidence",     "host_pid",    "phase_since", "cols",        "rows",  "runner",
    "waiting",   "before_start", "resumed",
};

static void write_now(struct host *host)
{
    struct session *session = &host->session;
    char *text;

    session_set(host, "recording", recordings_public(host));
    text = json_dumps(session->object, JSON_INDENT(1));
    event_del(session->timer);
    session->written_at = host_now_ms();
    if (text != NULL)
        recorder_file(host->recorder, SESSION_FILE, text, strlen(text));
}

static void timer_fired(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    write_now(argument);
}

/* Every member of the contract is there; what is not known is null. */
static void complete(json_t *object)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (json_object_get(object, members[i]) == NULL)
            json_object_set_new(object, members[i], json_null());
    }
    if (!json_is_array(json_object_get(object, "agent_session_ids")))
        json_object_set_new(object, "agent_session_ids", json_array());
    if (!json_is_array(json_object_get(object, "pending_approvals")))
        json_object_set_new(object, "pending_approvals", json_array());
    if (!json_is_array(json_object_get(object, "queue")))
        json_object_set_new(object, "queue", json_array());
    if (!json_is_array(json_object_get(object, "attempts")))
        json_object_set_new(object, "attempts", json_array());
    if (!json_is_object(json_object_get(object, "start")))
        json_object_set_new(object, "start", json_object());
    json_object_set_new(object, "connection", json_string("ok"));
}

int session_open(struct host *host, struct error *error)
{
    struct session *session = &host->session;
    char boot[MACHINE_BOOT_ID_SIZE];

    session->object = session_dir_read(host->state_dir, host->uuid, error);
    if (session->object == NULL)
        return -1;
    complete(session->object);
    session->start = json_object_get(session->object, "start");
    session->written_at = host_now_ms() - WRITE_INTERVAL_MS;
    session->timer = evtimer_new(host->loop, timer_fired, host);
    json_object_set_new(session->object, "host_pid", json_integer(getpid()));
    (void)machine_boot_id(boot);
    json_object_set_new(session->object, "boot_id", json_string_or_null(boot[0] == '\0' ? NULL : boot));
    return 0;
}

void session_close(struct host *host)
{
    if (host->session.timer != NULL)
        event_free(host->session.timer);
    json_decref(host->session.object);
}

const char *session_name(const struct session *session)
{
    return json_member_string(session->object, "name", "");
}

json_t *session_public(struct host *host)
{
    json_t *object = json_copy(host->session.object);

    json_object_set_new(object, "recording", recordings_public(host));
    session_dir_make_public(object);
    return object;
}

void session_set(struct host *host, const char *key, json_t *value)
{
    json_object_set_new(host->session.object, key, value);
}

void session_changed(struct host *host, bool urgent)
{
    struct session *session = &host->session;
    int64_t due = session->written_at + WRITE_INTERVAL_MS - host_now_ms();

    if (urgent || due <= 0)
        write_now(host);
    else if (!event_pending(session->timer, EV_TIMEOUT, NULL))
        host_timer(session->timer, due * 1000000);
}

void session_keep(struct host *host, const char *key, json_t *value)
{
    json_t *kept = json_object_get(host->session.start, KEPT);

    if (!json_is_object(kept)) {
        kept = json_object();
        json_object_set_new(host->session.start, KEPT, kept);
    }
    json_object_set_new(kept, key, value);
}

const json_t *session_kept(const struct session *session, const char *key)
{
    return json_object_get(json_object_get(session->start, KEPT), key);
}

json_t *session_attempt(struct host *host, uint32_t number)
{
    json_t *attempts = json_object_get(host->session.object, "attempts"), *entry;
    size_t index;

    json_array_foreach(attempts, index, entry)
    {
        if (json_member_integer(entry, "attempt", 0) == (int64_t)number)
            return entry;
    }
    entry = json_pack("{sisnsn}", "attempt", (int)number, "started_at", "exit");
    json_array_append_new(attempts, entry);
    return entry;
}

void session_set_error(struct host *host, const char *class, const char *code, const char *message,
                       const char *hint)
{
    char *named;

    if (code == NULL) {
        session_set(host, "last_error", json_null());
        return;
    }
    named = name_in_hint(hint, session_name(&host->session));
    session_set(host, "last_error",
                json_pack("{ss ss so so}", "class", class, "code", code, "message",
                          json_string_or_null(message), "hint", json_string_or_null(named)));
    free(named);
}
