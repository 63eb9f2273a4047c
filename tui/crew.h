/*
 * All sessions, oldest first, as the catalogue and the folders' changes tell. Watches with inotify; nothing polls.
 */
#ifndef TUI_CREW_H
#define TUI_CREW_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "tui/session.h"

struct crew {
    struct session **sessions; /* by created_at */
    size_t count, room;
    int inotify, root_watch, runtime_watch;
    int shown; /* store/session_shown.h; -1: it cannot be opened */
    struct event *news;
};

int crew_open(struct ui *ui, struct error *error);
void crew_close(struct ui *ui);

/* NULL when there is no such session (any more). */
struct session *crew_find(const struct crew *crew, const char *uuid);
/* Its place, from 0; crew.count when it is not there. */
size_t crew_place(const struct crew *crew, const struct session *session);
/* Whether changes of the session's folder are looked at: only while there is no connection that tells more. */
void crew_watch(struct session *session, bool wanted);
/* Whether the session deserves a pane here: until then it is not cleaned away when it has ended. */
void crew_show(struct session *session, bool shown);
/* Fills `order` (crew.count entries) with the sessions by urgency, then age. */
void crew_by_urgency(const struct crew *crew, struct session **order);

#endif
