/*
 * Dialogs: a box in the middle of the screen that takes the keys until it closes itself with ui_set_dialog. Each kind is a
 * table of functions in a file of its own; what belongs to an open one follows its `struct dialog` in memory.
 */
#ifndef TUI_DIALOG_H
#define TUI_DIALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "term/key.h"
#include "tui/layout.h"

struct ui;
struct dialog;
struct session;

struct dialog_kind {
    /* The size of the inside that it would like; given the most there is. */
    void (*size)(const struct ui *ui, const struct dialog *dialog, int *cols, int *rows);
    /* Draws into the inside, which may be smaller than asked for; sets where the text cursor stands, if it has one. */
    void (*paint)(struct ui *ui, struct dialog *dialog, struct rectangle inside, int *x, int *y);
    /* May destroy the dialog. Escape and C-c are taken care of: */
    void (*key)(struct ui *ui, struct dialog *dialog, struct key key);
    void (*paste)(struct ui *ui, struct dialog *dialog, const char *text, size_t length); /* or NULL */
    /* Escape: true when the dialog stays, one step back; NULL: it closes. */
    bool (*back)(struct ui *ui, struct dialog *dialog);
    void (*destroy)(struct dialog *dialog);
};

struct dialog {
    const struct dialog_kind *kind;
    char title[64];
    const char *hint; /* keys, in the lower border */
};

void dialog_key(struct ui *ui, struct key key);
void dialog_paste(struct ui *ui, const char *text, size_t length);
/* Draws the dialog in force over everything. */
void dialog_paint(struct ui *ui, int *x, int *y);
void dialog_destroy(struct dialog *dialog);

/* A question answered with y or n. `yes` gets the UUID that was given, whose session may be gone by then. */
struct dialog *dialog_confirm(const char *question, const char *uuid,
                              void (*yes)(struct ui *ui, const char *uuid));
/* A new session: agent, name, folder, prompt. */
struct dialog *dialog_new(struct ui *ui);
/* A prompt for one session (UUID), or for `broadcast`: the marked ones, else those on the screen. */
struct dialog *dialog_prompt(struct ui *ui, const char *uuid, bool broadcast);
/* The first request of a session that asks something; `denies`: Enter refuses it, else it approves. */
struct dialog *dialog_approval(const struct session *session, bool denies);
/* The prompts that wait in a session. */
struct dialog *dialog_queue(const struct session *session);
/* The other accounts of a session's agent; `done` gets the chosen one. */
struct dialog *dialog_accounts(const struct ui *ui, const struct session *session,
                               void (*done)(struct ui *ui, const char *uuid, const char *account));
/* How many there are; when there is one, its key in `only` (allocated), else NULL. */
size_t dialog_accounts_others(const struct ui *ui, const struct session *session, char **only);
/* One line of text; `done` gets it. */
struct dialog *dialog_line(const char *title, const char *text,
                           void (*done)(struct ui *ui, const char *text));
/* The keys in force. */
struct dialog *dialog_help(void);
/* All actions and sessions, by search. */
struct dialog *dialog_palette(void);

#endif
