/*
 * The player: a recording on a track, the clock that moves it, what is under way, and what of it is drawn. player.c is the loop,
 * player_act.c what keys do, player_screen.c the drawing.
 */
#ifndef REPLAY_PLAYER_H
#define REPLAY_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "replay/canvas.h"
#include "replay/job.h"
#include "replay/keys.h"
#include "replay/play.h"
#include "replay/playback.h"
#include "replay/screen_row.h"
#include "replay/screen_status.h"
#include "replay/survey.h"
#include "replay/track.h"
#include "replay/view.h"

enum asking { ASKING_NOTHING, ASKING_TIME, ASKING_SEARCH, ASKING_SEARCH_BACK };

#define PLAYER_ANSWER_MAX 200 /* bytes */

struct player {
    const struct play_options *options;
    struct track *track;
    struct survey survey;
    struct playback playback;
    struct job job;
    bool quit;

    int64_t ticked_ns; /* when the clock last moved */
    bool ended;        /* nothing comes after this place, as far as is known */
    bool following;    /* at the end of what is written: shown as it comes */
    bool alive;        /* somebody may still write it */
    bool gone;         /* its session was removed */
    int64_t looked_ns; /* when it was last looked whether there is more */
    int64_t grown_ns;  /* when it last had grown; 0: never */
    bool job_pauses;   /* what is under way ends paused */
    int64_t job_since_ns;

    char *pattern;       /* of the last search, or NULL */
    int direction;       /* of / or \\ */
    int searched;        /* the direction of the search that is, or was, under way */
    bool searching;      /* what is under way belongs to a search */
    bool found;          /* its matches are shown in reverse */
    struct search shown; /* they are of this */
    enum asking asking;
    struct buffer answer;
    int help; /* the page that is shown, from 1; 0: none */

    bool told_left_out;
    char notice[320];
    int64_t notice_until_ns;
    bool notice_last; /* it leaves room for the clock first */

    enum color_depth depth;
    bool ascii;
    struct canvas canvas;
    struct view view;
    struct buffer row;      /* for drawing one */
    bool redraw;            /* all of it */
    uint64_t drawn_version; /* of the terminal */
    uint64_t drawn_epoch;
    unsigned drawn_generation;
    struct view drawn_view;
    int drawn_rows;
    bool drawn_found;
    int64_t drawn_ns;
    bool draw_waits; /* something may have changed since */
};

/* ---- player_act.c ---- */

void player_key(struct player *player, struct key key);
/* Text that was pasted: part of an answer, else nothing. */
void player_paste(struct player *player, const char *text, size_t length);
__attribute__((format(printf, 2, 3))) void player_notice(struct player *player, const char *format, ...);
/* Begins going to a time. */
void player_go_time(struct player *player, double seconds);

/* ---- player_screen.c ---- */

/* Brings the user's terminal up to date. -1: it is gone. */
int player_draw(struct player *player);
/* How many pages the help has on a screen of this size. */
int player_help_pages(const struct player *player);
/* Takes over the size of the user's terminal; all is drawn again. */
void player_resized(struct player *player);

#endif
