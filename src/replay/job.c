#include "replay/job.h"

#include "base/clock.h"
#include "replay/playback.h"

#define EVENTS_AT_ONCE 8 /* between two looks at the clock */

void job_finish(struct job *job)
{
    search_finish(&job->search);
    *job = (struct job){.kind = JOB_NONE};
}

void job_go_time(struct job *job, double seconds)
{
    job_finish(job);
    *job = (struct job){.kind = JOB_GO, .event = UINT64_MAX, .seconds = seconds};
}

void job_go_event(struct job *job, uint64_t event)
{
    job_finish(job);
    *job = (struct job){.kind = JOB_GO, .event = event, .seconds = PLAYBACK_TIME_MAX};
}

void job_search(struct job *job, const struct track *track, const char *pattern, int direction)
{
    uint64_t here = track_event(track);

    job_finish(job);
    *job = (struct job){.kind = direction > 0 ? JOB_FORWARD : JOB_BACKWARD, .origin = here, .end = here};
    search_init(&job->search, pattern);
    if (direction > 0)
        search_begin(&job->search, track_terminal(track));
    else
        job->first = here; /* no stretch yet */
}

void job_cancel(struct job *job)
{
    if (job->kind == JOB_FORWARD || job->kind == JOB_BACKWARD)
        job_go_event(job, job->origin);
    else
        job_finish(job);
}

/* What a step of any kind returns besides enum job_result: nothing was decided, go on. */
#define GO_ON 100

struct gather {
    struct search *search;
    const struct track *track;
};

static void gather(void *argument)
{
    struct gather *gathered = argument;

    search_gather(gathered->search, track_terminal(gathered->track));
}

/* Whether a screen was to be seen between two events. */
static bool seen(const struct track *track, double next)
{
    return (uint64_t)(track_seconds(track) * JOB_LOOKS) != (uint64_t)(next * JOB_LOOKS) &&
           !terminal_modes(track_terminal(track)).synchronized;
}

/* ---- going somewhere ---- */

static int go(struct job *job, struct track *track, struct error *error)
{
    const struct recording_event *event;
    double seconds;
    int got;

    if (track_event(track) == job->event)
        return job->missing ? JOB_MISSING : JOB_DONE;
    got = track_next(track, &event, &seconds, error);
    if (got == 2)
        return GO_ON;
    if (got < 0)
        return JOB_FAILED;
    if (got == 0 || seconds > job->seconds)
        return job->missing ? JOB_MISSING : JOB_DONE;
    track_apply(track, NULL, NULL);
    return GO_ON;
}

static int begin_going(const struct job *job, struct track *track, struct error *error)
{
    return track_back(track, job->event, job->seconds, error) < 0 ? JOB_FAILED : GO_ON;
}

static int go_back_to(struct job *job, struct track *track, uint64_t event, bool missing, struct error *error)
{
    job_go_event(job, event);
    job->missing = missing;
    return begin_going(job, track, error);
}

/* ---- looking for text ---- */

static int forward(struct job *job, struct track *track, struct error *error)
{
    struct gather gathered = {&job->search, track};
    const struct recording_event *event;
    double seconds = 0;
    int got = track_next(track, &event, &seconds, error);

    if (got == 2)
        return GO_ON;
    if (got < 0)
        return JOB_FAILED;
    if ((got == 0 || (track_event(track) > job->origin && seen(track, seconds))) &&
        search_look(&job->search, track_terminal(track)))
        return JOB_DONE;
    if (got == 0)
        return go_back_to(job, track, job->origin, true, error);
    track_apply(track, gather, &gathered);
    return GO_ON;
}

/* The stretch is at its end: the place that was found, or the stretch before it. */
static int begin_stretch(struct job *job, struct track *track, struct error *error)
{
    if (job->any)
        return go_back_to(job, track, job->found, false, error);
    if (job->first == 0)
        return go_back_to(job, track, job->origin, true, error);
    job->end = job->first;
    if (track_back(track, job->end - 1, PLAYBACK_TIME_MAX, error) < 0)
        return JOB_FAILED;
    job->first = track_event(track);
    search_begin(&job->search, track_terminal(track));
    return GO_ON;
}

static int backward(struct job *job, struct track *track, struct error *error)
{
    struct gather gathered = {&job->search, track};
    const struct recording_event *event;
    double seconds = 0;
    uint64_t here = track_event(track);
    int got;

    if (here == job->end && job->end != job->origin && here > job->first &&
        search_look(&job->search, track_terminal(track))) {
        job->any = true;
        job->found = here;
    }
    if (here >= job->end || job->first == job->origin)
        return begin_stretch(job, track, error);
    got = track_next(track, &event, &seconds, error);
    if (got == 2)
        return GO_ON;
    if (got < 0)
        return JOB_FAILED;
    if (got == 0)
        return begin_stretch(job, track, error);
    if (here > job->first && seen(track, seconds) && search_look(&job->search, track_terminal(track))) {
        job->any = true;
        job->found = here;
    }
    track_apply(track, gather, &gathered);
    return GO_ON;
}

static int step(struct job *job, struct track *track, struct error *error)
{
    switch (job->kind) {
    case JOB_GO:
        return go(job, track, error);
    case JOB_FORWARD:
        return forward(job, track, error);
    case JOB_BACKWARD:
        return backward(job, track, error);
    case JOB_NONE:
        break;
    }
    return JOB_DONE;
}

enum job_result job_step(struct job *job, struct track *track, int64_t deadline_ns, struct error *error)
{
    int result = job->kind == JOB_GO && !job->begun ? begin_going(job, track, error) : GO_ON;

    job->begun = true;
    while (result == GO_ON) {
        for (int i = 0; i < EVENTS_AT_ONCE && result == GO_ON; i++)
            result = step(job, track, error);
        if (result == GO_ON && clock_monotonic_ns() >= deadline_ns)
            return JOB_BUSY;
    }
    job_finish(job);
    return (enum job_result)result;
}
