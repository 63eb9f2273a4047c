/*
 * Which key does what in the player.
 */
#ifndef REPLAY_KEYS_H
#define REPLAY_KEYS_H

#include <stddef.h>

#include "term/key.h"

enum action {
    ACTION_NONE,
    ACTION_PLAY,    /* or pause */
    ACTION_SPEED,   /* argument 1: faster, -1: slower, 0: as recorded */
    ACTION_SEEK,    /* argument: seconds */
    ACTION_PERCENT, /* argument: of the recording */
    ACTION_STEP,    /* argument: 1 or -1 events */
    ACTION_START,
    ACTION_END,
    ACTION_MARKER, /* argument: enum marker_kind, negative: backwards (minus 1: MARKER_ANY is 0) */
    ACTION_SEARCH, /* argument: 1 or -1; asks for the text */
    ACTION_AGAIN,  /* argument: 1 or -1 times the direction of the search */
    ACTION_GO,     /* asks for a time */
    ACTION_IDLE,   /* cut pauses, or not */
    ACTION_PAN,    /* argument: enum pan */
    ACTION_FOLLOW, /* the cursor, in place of what was panned to */
    ACTION_HELP,
    ACTION_REDRAW,
    ACTION_STOP,   /* the process */
    ACTION_CANCEL, /* what is under way, or the help */
    ACTION_QUIT,
};

enum pan { PAN_LEFT, PAN_RIGHT, PAN_UP, PAN_DOWN };

struct bound {
    enum action action;
    int argument;
};

/* What the key does. */
struct bound keys_bound(struct key key);

struct key_help {
    const char *keys, *what;
};
extern const struct key_help keys_help[];
extern const size_t keys_help_count;

#endif
