#include "tui/crew.h"

#include <limits.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "store/session_dir.h"
#include "store/session_shown.h"
#include "tui/ui.h"

struct session *crew_find(const struct crew *crew, const char *uuid)
{
    for (size_t i = 0; i < crew->count; i++) {
        if (strcmp(crew->sessions[i]->uuid, uuid) == 0)
            return crew->sessions[i];
    }
    return NULL;
}

size_t crew_place(const struct crew *crew, const struct session *session)
{
    size_t place = 0;

    while (place < crew->count && crew->sessions[place] != session)
        place++;
    return place;
}

static int by_age(const void *left, const void *right)
{
    const struct session *a = *(struct session *const *)left, *b = *(struct session *const *)right;
    int order = strcmp(a->created_at, b->created_at);

    return order != 0 ? order : strcmp(a->uuid, b->uuid);
}

static int by_urgency(const void *left, const void *right)
{
    const struct session *a = *(struct session *const *)left, *b = *(struct session *const *)right;

    return a->phase != b->phase ? (int)a->phase - (int)b->phase : by_age(left, right);
}

void crew_by_urgency(const struct crew *crew, struct session **order)
{
    if (crew->count == 0)
        return;
    memcpy(order, crew->sessions, crew->count * sizeof *order);
    qsort(order, crew->count, sizeof *order, by_urgency);
}

/* ---- membership ---- */

void crew_watch(struct session *session, bool wanted)
{
    struct crew *crew = &session->ui->crew;
    char *folder;

    if (!wanted && session->folder_watch >= 0)
        (void)inotify_rm_watch(crew->inotify, session->folder_watch);
    session->folder_watch = -1;
    if (!wanted)
        return;
    folder = session_dir_path(session->ui->state_dir, session->uuid);
    session->folder_watch = inotify_add_watch(crew->inotify, folder, IN_MOVED_TO | IN_ONLYDIR);
    free(folder);
}

void crew_show(struct session *session, bool shown)
{
    if (session->shown != shown)
        session_shown_set(session->ui->crew.shown, session->uuid, shown);
    session->shown = shown;
}

static void add(struct ui *ui, const json_t *object)
{
    struct crew *crew = &ui->crew;
    const char *uuid = json_member_string(object, "id", "");
    struct session *session;

    if (!uuid_valid(uuid) || crew_find(crew, uuid) != NULL)
        return;
    session = session_create(ui, uuid);
    (void)session_take(session, object);
    if (crew->count == crew->room) {
        crew->room = crew->room == 0 ? 16 : crew->room * 2;
        crew->sessions = xreallocarray(crew->sessions, crew->room, sizeof *crew->sessions);
    }
    crew->sessions[crew->count++] = session;
    qsort(crew->sessions, crew->count, sizeof *crew->sessions, by_age);
    crew_watch(session, true);
    session_connect(session);
    ui_crew_changed(ui);
}

static void add_by_uuid(struct ui *ui, const char *uuid)
{
    json_t *object = session_dir_read(ui->state_dir, uuid, NULL);

    if (object != NULL)
        add(ui, object);
    json_decref(object);
}

static void forget(struct ui *ui, struct session *session)
{
    struct crew *crew = &ui->crew;
    size_t place = crew_place(crew, session);

    ui_session_gone(ui, session);
    crew_watch(session, false);
    crew_show(session, false);
    memmove(&crew->sessions[place], &crew->sessions[place + 1],
            (crew->count - place - 1) * sizeof *crew->sessions);
    crew->count--;
    session_destroy(session);
    ui_crew_changed(ui);
}

/* ---- news ---- */

/* A folder may appear before its session.json does: then the folder is watched until it comes. */
static void folder_appeared(struct ui *ui, const char *uuid)
{
    char *folder;

    if (!uuid_valid(uuid))
        return;
    folder = session_dir_path(ui->state_dir, uuid);
    (void)inotify_add_watch(ui->crew.inotify, folder, IN_MOVED_TO | IN_ONLYDIR);
    free(folder);
    add_by_uuid(ui, uuid);
}

static void rescan(struct ui *ui)
{
    json_t *list = session_dir_list(ui->state_dir, NULL, NULL), *object;
    size_t index;

    json_array_foreach(list, index, object)
    {
        add(ui, object);
    }
    json_decref(list);
}

static void root_news(struct ui *ui, const struct inotify_event *news)
{
    struct session *session = crew_find(&ui->crew, news->name);

    if ((news->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
        folder_appeared(ui, news->name);
    else if (session != NULL)
        forget(ui, session);
}

static void runtime_news(struct ui *ui, const struct inotify_event *news)
{
    char uuid[UUID_SIZE];
    struct session *session;

    if (strlen(news->name) != UUID_SIZE - 1 + strlen(".sock") ||
        strcmp(news->name + UUID_SIZE - 1, ".sock") != 0)
        return;
    memcpy(uuid, news->name, UUID_SIZE - 1);
    uuid[UUID_SIZE - 1] = '\0';
    session = crew_find(&ui->crew, uuid);
    if (session != NULL)
        session_socket_appeared(session);
    else if (uuid_valid(uuid))
        add_by_uuid(ui, uuid);
}

static void folder_news(struct ui *ui, const struct inotify_event *news)
{
    if (strcmp(news->name, SESSION_FILE) != 0)
        return;
    for (size_t i = 0; i < ui->crew.count; i++) {
        struct session *session = ui->crew.sessions[i];
        if (session->folder_watch != news->wd)
            continue;
        if (session->link == LINK_NONE)
            session_connect(session);
        return;
    }
    rescan(ui);
}

static void on_news(evutil_socket_t descriptor, short what, void *argument)
{
    struct ui *ui = argument;
    alignas(struct inotify_event) char bytes[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    ssize_t got = read(descriptor, bytes, sizeof bytes);

    (void)what;
    for (ssize_t at = 0; got > 0 && at < got;) {
        const struct inotify_event *news = (const void *)(bytes + at);
        if ((news->mask & IN_Q_OVERFLOW) != 0) {
            rescan(ui);
            limits_refresh(ui);
        } else if (limits_news(ui, news))
            ;
        else if (news->len == 0)
            ;
        else if (news->wd == ui->crew.root_watch)
            root_news(ui, news);
        else if (news->wd == ui->crew.runtime_watch)
            runtime_news(ui, news);
        else
            folder_news(ui, news);
        at += (ssize_t)(sizeof *news + news->len);
    }
}

int crew_open(struct ui *ui, struct error *error)
{
    struct crew *crew = &ui->crew;
    char *root = session_dir_root(ui->state_dir, error);
    json_t *list, *object;
    size_t index;

    crew->inotify = crew->shown = -1;
    if (root == NULL)
        return -1;
    crew->shown = session_shown_open(ui->state_dir);
    crew->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (crew->inotify < 0) {
        free(root);
        return error_errno(error, "cannot watch the sessions (raise fs.inotify.max_user_instances)");
    }
    crew->root_watch =
        inotify_add_watch(crew->inotify, root, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM);
    free(root);
    crew->runtime_watch = inotify_add_watch(crew->inotify, ui->runtime_dir, IN_CREATE | IN_MOVED_TO);
    if (crew->root_watch < 0 || crew->runtime_watch < 0)
        return error_errno(error, "cannot watch the sessions (raise fs.inotify.max_user_watches)");
    crew->news = event_new(ui->loop, crew->inotify, EV_READ | EV_PERSIST, on_news, ui);
    (void)event_add(crew->news, NULL);
    list = session_dir_list(ui->state_dir, NULL, error);
    if (list == NULL)
        return -1;
    json_array_foreach(list, index, object)
    {
        add(ui, object);
    }
    json_decref(list);
    return 0;
}

void crew_close(struct ui *ui)
{
    struct crew *crew = &ui->crew;

    for (size_t i = 0; i < crew->count; i++)
        session_destroy(crew->sessions[i]);
    free(crew->sessions);
    if (crew->news != NULL)
        event_free(crew->news);
    if (crew->inotify >= 0)
        close(crew->inotify);
    if (crew->shown >= 0)
        close(crew->shown);
    memset(crew, 0, sizeof *crew);
    crew->inotify = crew->shown = -1;
}
