/*
 * Starting many sessions, a few at a time: the next ones begin when those before them have left their first phase, so that the
 * machine is not asked for the beginnings of fifty agents at once.
 */
#ifndef CLI_CREW_START_H
#define CLI_CREW_START_H

#include <stddef.h>

#include "cli/launch.h"

struct crew_start {
    struct launch launch;
    bool resume;          /* the session `uuid`, which was lost, goes on instead */
    char uuid[UUID_SIZE]; /* set by crew_start_all unless `resume`; "": it could not be made */
    bool interrupted;     /* set: it was resumed and had been in a turn */
    struct error error;   /* set: text "": the agent runs */
};

/* Starts them all, in their order, each in a process of its own; `told` is called as each has started or failed. */
void crew_start_all(struct crew_start *starts, size_t count, const struct config *config,
                    void (*told)(void *context, const struct crew_start *start), void *context);

#endif
