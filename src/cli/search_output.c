#include "cli/search_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define HELD_MAX (4 * 1024 * 1024) /* bytes that a unit may have waiting */

void search_output_init(struct search_output *output, size_t units, uint64_t limit)
{
    *output = (struct search_output){.count = units, .limit = limit};
    output->units = xcalloc(units + 1, sizeof *output->units);
    atomic_init(&output->stop, false);
    (void)pthread_mutex_init(&output->mutex, NULL);
    (void)pthread_cond_init(&output->moved, NULL);
}

void search_output_finish(struct search_output *output)
{
    for (size_t i = 0; i < output->count; i++)
        buffer_finish(&output->units[i].lines);
    free(output->units);
    (void)pthread_mutex_destroy(&output->mutex);
    (void)pthread_cond_destroy(&output->moved);
}

static void print(struct search_output *output, struct buffer *lines)
{
    size_t at = 0;

    while (at < lines->length && !atomic_load(&output->stop)) {
        const char *end = memchr(lines->bytes + at, '\n', lines->length - at);
        size_t length = (size_t)(end - (lines->bytes + at)) + 1;
        if (fwrite(lines->bytes + at, 1, length, stdout) != length)
            atomic_store(&output->stop, true);
        at += length;
        output->printed++;
        if (output->limit > 0 && output->printed >= output->limit)
            atomic_store(&output->stop, true);
    }
    buffer_clear(lines);
}

void search_output_add(struct search_output *output, size_t unit, struct buffer *lines)
{
    struct buffer *held = &output->units[unit].lines;

    (void)pthread_mutex_lock(&output->mutex);
    buffer_append(held, lines->bytes, lines->length);
    while (output->turn != unit && held->length > HELD_MAX && !atomic_load(&output->stop))
        (void)pthread_cond_wait(&output->moved, &output->mutex);
    if (output->turn == unit)
        print(output, held);
    if (atomic_load(&output->stop))
        (void)pthread_cond_broadcast(&output->moved);
    (void)pthread_mutex_unlock(&output->mutex);
    buffer_clear(lines);
}

void search_output_done(struct search_output *output, size_t unit)
{
    (void)pthread_mutex_lock(&output->mutex);
    output->units[unit].done = true;
    while (output->turn < output->count && output->units[output->turn].done) {
        print(output, &output->units[output->turn].lines);
        buffer_finish(&output->units[output->turn].lines);
        output->turn++;
    }
    if (output->turn < output->count)
        print(output, &output->units[output->turn].lines);
    (void)pthread_cond_broadcast(&output->moved);
    (void)pthread_mutex_unlock(&output->mutex);
}
