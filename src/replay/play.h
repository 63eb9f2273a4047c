/*
 * `ganger-replay play [OPTION …] FILE` or `… play --state DIR --session UUID --attempt N`: the interactive player when standard
 * output is a terminal, else the bytes of the output at the speed they were recorded with.
 */
#ifndef REPLAY_PLAY_H
#define REPLAY_PLAY_H

#include "replay/source.h"

#define PLAY_IDLE_DEFAULT 3.0 /* seconds, of the player in the terminal */

struct play_options {
    struct source source;
    double speed; /* 0: 1, and so many times as fast */
    double at;    /* seconds at which it begins; below 0: from the beginning, playing */
    double idle; /* longest pause that is played, in seconds; 0: all are played in full; below 0: not given */
    bool raw;    /* bytes, also to a terminal */
    int cols, rows;   /* the recording's size, in place of what it says; 0: as it says */
    const char *name; /* what is played, for people */
};

/* argv[0] is "play". Returns the exit code. */
int play_main(int argc, char **argv);

/* Prints the output's bytes at their times. Returns 0 or -1. */
int play_raw(const struct play_options *options, struct error *error);
/* The player in the terminal. Returns 0 or -1. */
int play_terminal(const struct play_options *options, struct error *error);

#endif
