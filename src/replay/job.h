/*
 * What takes longer than a moment, done in slices: going to a time or an event, and looking for text. It can be given up at
 * any time; a search that finds nothing goes back to where it began.
 */
#ifndef REPLAY_JOB_H
#define REPLAY_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "replay/search.h"
#include "replay/track.h"

/* Screens are looked at so many times a second of the recording: what is gone sooner was not seen. */
#define JOB_LOOKS 60

enum job_kind { JOB_NONE, JOB_GO, JOB_FORWARD, JOB_BACKWARD };
enum job_result { JOB_FAILED = -1, JOB_BUSY, JOB_DONE, JOB_MISSING };

struct job {
    enum job_kind kind;
    bool begun;
    bool missing;    /* a search that found nothing is on its way back */
    uint64_t event;  /* where JOB_GO ends: not beyond this place */
    double seconds;  /* nor beyond this time */
    uint64_t origin; /* where a search began */
    struct search search;
    /* JOB_BACKWARD: the stretch that is looked through, and the last place in it where the text appeared. */
    uint64_t first, end, found;
    bool any;
};

/* To the last place whose time is not above `seconds`. */
void job_go_time(struct job *job, double seconds);
/* To the place after `event` events, or the end. */
void job_go_event(struct job *job, uint64_t event);
/* To the next (or, direction below 0, last) place at which the text appears. */
void job_search(struct job *job, const struct track *track, const char *pattern, int direction);
/* Works until `deadline_ns` (clock_monotonic_ns). When the result is not JOB_BUSY the job is none. */
enum job_result job_step(struct job *job, struct track *track, int64_t deadline_ns, struct error *error);
/* Gives it up; a search goes back to where it began, which is a job too. */
void job_cancel(struct job *job);
void job_finish(struct job *job);

#endif
