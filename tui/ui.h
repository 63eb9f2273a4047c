/*
 * The whole dashboard: what it shows, and how its modules reach each other. app.c makes one and runs it; each module
 * keeps its own part.
 */
#ifndef TUI_UI_H
#define TUI_UI_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "term/key.h"
#include "tui/app.h"
#include "tui/child.h"
#include "tui/crew.h"
#include "tui/keymap.h"
#include "tui/layout.h"
#include "tui/limits.h"
#include "tui/pane.h"
#include "tui/session.h"
#include "tui/theme.h"

struct dialog;
struct scroll;

enum ui_mode {
    MODE_CREW,   /* keys are commands */
    MODE_PANE,   /* keys go to the agent */
    MODE_PREFIX, /* the prefix was typed in a pane: one command follows */
    MODE_SCROLL, /* the focused pane shows its scrollback */
};

/* What is to be painted again. */
enum {
    PAINT_PANES = 1 << 0, /* rows that are marked in the screens */
    PAINT_PANEL = 1 << 1,
    PAINT_STATUS = 1 << 2,
    PAINT_TITLES = 1 << 3, /* the panes' borders */
    PAINT_ALL = 1 << 4,    /* everything, whatever was there */
};

struct ui {
    struct tui_options options;
    struct event_base *loop;
    struct config *config;
    char *state_dir, *runtime_dir;
    struct theme theme;
    struct keymap *keymap;
    struct crew crew;
    struct limits limits;
    struct child *children;
    pid_t front; /* has the terminal in place of the dashboard; 0: none */

    enum ui_mode mode;
    struct session *focus; /* NULL when there is no session */
    enum layout_kind layout;
    bool zoomed, panel_shown;
    bool dragging; /* a selection with the mouse is under way */
    struct layout_parts parts;
    struct pane panes[LAYOUT_PANES_MAX];
    size_t pane_count;
    char filter[64]; /* of the panel; "" shows all */

    struct dialog *dialog; /* on top; NULL: none */
    struct scroll *scroll; /* in MODE_SCROLL */

    char message[256];
    bool message_is_error;
    char waiting_for[UUID_SIZE]; /* a session that is being started: focused when it appears */

    unsigned paint;            /* PAINT_ bits */
    struct event *paint_soon;  /* within this pass of the loop */
    struct event *paint_later; /* other panes than the focused one */
    struct event *second;      /* the running times */
    struct event *arrange_soon;
    bool quitting;
    int exit_code;
};

/* ---- news, from the modules below (ui.c) ---- */

/* A session's object has changed: its row in the panel, its border. */
void ui_session_changed(struct ui *ui, struct session *session);
/* Its phase was `before`: rings the bell when a person is needed. */
void ui_phase_changed(struct ui *ui, struct session *session, enum phase before);
/* Rows, cursor or modes of its screen have changed. */
void ui_screen_changed(struct ui *ui, struct session *session);
/* Sessions have come or gone. */
void ui_crew_changed(struct ui *ui);
/* A session is about to be destroyed. */
void ui_session_gone(struct ui *ui, struct session *session);

/* ---- what to show ---- */

/* The message of the status line. */
void ui_say(struct ui *ui, bool error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Marks what is to be painted; it happens before the loop waits again. */
void ui_paint(struct ui *ui, unsigned what);
/* Computes panes again, after a change of size, layout, focus or crew. */
void ui_arrange(struct ui *ui);
void ui_set_focus(struct ui *ui, struct session *session);
void ui_set_mode(struct ui *ui, enum ui_mode mode);
/* The pane that shows the session, or NULL. */
struct pane *ui_pane_of(struct ui *ui, const struct session *session);
/* Takes the dialog (NULL closes) and destroys the one before. */
void ui_set_dialog(struct ui *ui, struct dialog *dialog);
/* True when the session fits the panel's filter. */
bool ui_matches(const struct ui *ui, const struct session *session);
/* The theme "auto" becomes the light one on a light background, 0xRRGGBB. */
void ui_background(struct ui *ui, uint32_t background);
/* Tells the hosts how large the panes are. */
void ui_send_sizes(struct ui *ui);
/* Arms the clock when a running time is shown. */
void ui_tick(struct ui *ui);
void ui_quit(struct ui *ui, int exit_code);

#endif
