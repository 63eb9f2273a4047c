/*
 * `ganger replay`: which recording is meant, and ganger-replay, which plays it.
 */
#ifndef CLI_REPLAY_PLAY_H
#define CLI_REPLAY_PLAY_H

#include <stdbool.h>

#include "base/name.h"

struct replay_play {
    const char *speed, *at, *idle, *size; /* as given, or NULL */
    bool raw;
};

/* A recording: a file, or an attempt of a session. */
struct replay_origin {
    char *file;           /* allocated; NULL: it is of a session */
    char uuid[UUID_SIZE]; /* "" for a file */
    char *attempt;        /* allocated, a number or "all"; NULL for a file */
    char *agent;          /* allocated, of the session; NULL for a file */
};

/* What the operand means: a file of that name, else a session and its attempt (NULL: the last). Ends the process when there is no
 * such thing. */
void replay_find(struct replay_origin *origin, const char *operand, const char *attempt);
void replay_origin_finish(struct replay_origin *origin);
/* Becomes the program; returns an exit code when that fails. */
int replay_play(const struct replay_play *play, const struct replay_origin *origin, const char *operand);

#endif
