/*
 * The hits of `ganger search` on stdout, in the order of the units of work, whichever is done first.
 */
#ifndef CLI_SEARCH_OUTPUT_H
#define CLI_SEARCH_OUTPUT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct search_output {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    struct search_lines {
        struct buffer lines; /* each ends with \n */
        bool done;
    } * units;
    size_t count, turn;
    uint64_t limit, printed; /* lines; limit 0: any number */
    atomic_bool stop;        /* enough were printed, or nobody reads them */
};

void search_output_init(struct search_output *output, size_t units, uint64_t limit);
void search_output_finish(struct search_output *output);
/* Takes a unit's lines out of the buffer. Waits for the unit's turn when many are held. */
void search_output_add(struct search_output *output, size_t unit, struct buffer *lines);
/* There will be no more of this unit. */
void search_output_done(struct search_output *output, size_t unit);

#endif
