#include "config/nearest.h"

#include <string.h>

#define LONGEST 40

static size_t least(size_t a, size_t b, size_t c)
{
    size_t low = a < b ? a : b;

    return low < c ? low : c;
}

/* Insertions, removals, replacements and swaps of neighbours that lead from one to the other. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST + 1] = {{0}};
    size_t *before = rows[0], *last = rows[1], *row = rows[2], *spare;

    for (size_t k = 0; k <= b_length; k++)
        last[k] = k;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t k = 1; k <= b_length; k++) {
            row[k] = least(last[k] + 1, row[k - 1] + 1, last[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < row[k])
                row[k] = before[k - 2] + 1;
        }
        spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_length];
}

void nearest_offer(struct nearest *nearest, const char *known)
{
    size_t length = strlen(nearest->word), known_length = strlen(known);
    size_t allowed = known_length / 3 > 0 ? known_length / 3 : 1, distance;

    if (length > LONGEST || known_length > LONGEST)
        return;
    distance = edit_distance(nearest->word, length, known, known_length);
    if (distance > allowed || (nearest->best != NULL && distance >= nearest->distance))
        return;
    nearest->best = known;
    nearest->distance = distance;
}
