#include "replay/places.h"

#include <stdlib.h>

#include "base/memory.h"

void places_init(struct places *places, size_t limit, uint64_t spacing)
{
    *places = (struct places){.limit = limit, .spacing = spacing};
}

void places_finish(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        buffer_finish(&places->entries[i].screen);
    free(places->entries);
    *places = (struct places){0};
}

bool places_due(const struct places *places, uint64_t written)
{
    return written >= (places->count == 0 ? 0 : places->entries[places->count - 1].written) + places->spacing;
}

/* Every second one goes; the last one stays. */
static void thin_out(struct places *places)
{
    size_t kept = 0;

    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->entries[i];
        if ((places->count - 1 - i) % 2 == 0) {
            places->entries[kept++] = *place;
        } else {
            places->bytes -= place->screen.capacity;
            buffer_finish(&place->screen);
        }
    }
    places->count = kept;
    places->spacing *= 2;
}

void places_add(struct places *places, struct place *place)
{
    if (places->count == places->capacity) {
        places->capacity = places->capacity == 0 ? 32 : places->capacity * 2;
        places->entries = xreallocarray(places->entries, places->capacity, sizeof *places->entries);
    }
    places->entries[places->count++] = *place;
    places->bytes += place->screen.capacity;
    buffer_init(&place->screen);
    while (places->bytes > places->limit && places->count > 1)
        thin_out(places);
}

const struct place *places_find(const struct places *places, uint64_t event, double seconds)
{
    size_t low = 0, high = places->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (places->entries[middle].event <= event && places->entries[middle].seconds <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &places->entries[low - 1];
}
