/*
 * What a stand-in agent draws: a transcript that scrolls away, and below it a live part that is redrawn in place: the line
 * being written, a status line, the box of the prompt, a hint.
 */
#ifndef FAKE_AGENT_VIEW_H
#define FAKE_AGENT_VIEW_H

#include <stdbool.h>

void view_start(void);
/* Erases the live part. */
void view_finish(void);
/* Begins again on an empty screen, with the transcript's end: after a change of size. */
void view_redraw(void);
/* Adds words to the open line of the transcript, which wraps; '\n' ends the line. */
void view_write(const char *text);
/* Ends the open line unless it is empty. */
void view_break(void);

/* What stands below: each is copied by pointer, NULL or "" for none, and must live until the next call. */
struct view_live {
    const char *status;   /* with the spinner in front when `busy` */
    const char *question; /* shown instead of the prompt box */
    const char *typed;
    const char *hint;
    bool busy;
    int color; /* of the status, 0 to 255 */
};
void view_draw(const struct view_live *live);
/* Sets the terminal's title when it is another one. */
void view_title(const char *glyph, const char *text);
/* The spinner's glyph of this moment. */
const char *view_spinner(void);

#endif
