/*
 * The known word that a mistyped one is nearest to.
 */
#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include <stddef.h>

/* Feeds one known word; keeps it in `best` when it is nearer than those before. Start with best NULL and any distance.
 * Words further away than a third of their length (at least one letter) never become the best. */
struct nearest {
    const char *word; /* what was typed */
    const char *best; /* NULL when none is near; belongs to who gave it */
    size_t distance;
};

void nearest_offer(struct nearest *nearest, const char *known);

#endif
