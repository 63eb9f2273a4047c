#include "tui/colour.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rpc/frame.h"
#include "tui/curses.h"

#define SLOTS_MAX 4096
#define BUCKETS 8192
#define NEAR_TRIES 256

struct slot {
    int foreground, background; /* curses' numbers; -1 default */
    uint32_t epoch;             /* of the last use */
    uint16_t next;              /* in the bucket; 0: end */
    uint16_t newer, older;      /* by use; slot 0 is the list's head */
};

static struct {
    enum colour_depth depth;
    unsigned limit; /* slots that may be used, slot 0 included */
    unsigned used;
    uint32_t epoch;
    bool exhausted;
    struct slot *slots;
    uint16_t buckets[BUCKETS];
} pairs;

void colour_init(void)
{
    const char *no_colour = getenv("NO_COLOR");

    memset(&pairs, 0, sizeof pairs);
    pairs.epoch = 1;
    pairs.used = 1;
    if ((no_colour != NULL && no_colour[0] != '\0') || !has_colors() || start_color() == ERR) {
        pairs.depth = COLOUR_MONO;
        return;
    }
    (void)use_default_colors();
    pairs.depth = COLORS > 256    ? COLOUR_DIRECT
                  : COLORS >= 256 ? COLOUR_256
                  : COLORS >= 16  ? COLOUR_16
                                  : COLOUR_8;
    pairs.limit = COLOR_PAIRS > SLOTS_MAX ? SLOTS_MAX : (unsigned)COLOR_PAIRS;
    pairs.slots = xcalloc(pairs.limit, sizeof *pairs.slots);
}

void colour_finish(void)
{
    free(pairs.slots);
    pairs.slots = NULL;
}

enum colour_depth colour_depth(void)
{
    return pairs.depth;
}

/* ---- reduction to what the terminal has ---- */

/* The usual values of the first 16 colours (xterm's). */
static const uint32_t basic[16] = {0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD,
                                   0x00CDCD, 0xE5E5E5, 0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00,
                                   0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF};
static const int cube[6] = {0, 95, 135, 175, 215, 255};

static int distance(uint32_t a, uint32_t b)
{
    int red = (int)(a >> 16 & 255) - (int)(b >> 16 & 255), green = (int)(a >> 8 & 255) - (int)(b >> 8 & 255);
    int blue = (int)(a & 255) - (int)(b & 255);

    return 3 * red * red + 4 * green * green + 2 * blue * blue;
}

static uint32_t rgb_of_index(int index)
{
    if (index < 16)
        return basic[index];
    if (index < 232) {
        int place = index - 16;
        return (uint32_t)(cube[place / 36] << 16 | cube[place / 6 % 6] << 8 | cube[place % 6]);
    }
    return (uint32_t)(8 + (index - 232) * 10) * 0x010101u;
}

static int nearest_step(uint32_t value)
{
    int best = 0;

    for (int i = 1; i < 6; i++) {
        if (abs((int)value - cube[i]) < abs((int)value - cube[best]))
            best = i;
    }
    return best;
}

static int nearest_256(uint32_t rgb)
{
    uint32_t red = rgb >> 16 & 255, green = rgb >> 8 & 255, blue = rgb & 255;
    int in_cube = 16 + 36 * nearest_step(red) + 6 * nearest_step(green) + nearest_step(blue);
    int average = (int)(red + green + blue) / 3;
    int grey = average < 8 ? 232 : average > 238 ? 255 : 232 + (average - 3) / 10;

    return distance(rgb, rgb_of_index(grey)) < distance(rgb, rgb_of_index(in_cube)) ? grey : in_cube;
}

static int nearest_basic(uint32_t rgb, int count)
{
    int best = 0;

    for (int i = 1; i < count; i++) {
        if (distance(rgb, basic[i]) < distance(rgb, basic[best]))
            best = i;
    }
    return best;
}

int colour_reduce(uint32_t colour, enum colour_depth depth)
{
    int count = depth == COLOUR_16 ? 16 : 8;

    if (colour == FRAME_COLOR_DEFAULT || depth == COLOUR_MONO)
        return -1;
    if (depth == COLOUR_DIRECT) {
        if (colour < 256)
            return (int)colour;
        /* Values below 256 mean an index, so the darkest blues are given a trace of green. */
        return (int)((colour & 0xFFFFFF) < 256 ? (colour & 0xFFFFFF) | 0x100 : colour & 0xFFFFFF);
    }
    if (depth == COLOUR_256)
        return colour < 256 ? (int)colour : nearest_256(colour & 0xFFFFFF);
    if (colour < (uint32_t)count)
        return (int)colour;
    if (colour < 16)
        return (int)colour - 8;
    return nearest_basic(colour < 256 ? rgb_of_index((int)colour) : colour & 0xFFFFFF, count);
}

/* ---- slots ---- */

static unsigned bucket_of(int foreground, int background)
{
    uint32_t mixed = (uint32_t)foreground * 2654435761u ^ (uint32_t)background * 2246822519u;

    return (mixed ^ mixed >> 15) % BUCKETS;
}

static void unlink_use(unsigned number)
{
    struct slot *slot = &pairs.slots[number];

    pairs.slots[slot->newer].older = slot->older;
    pairs.slots[slot->older].newer = slot->newer;
}

/* The head's `newer` is the oldest slot, its `older` the newest. */
static void append_use(unsigned number)
{
    struct slot *slot = &pairs.slots[number], *head = &pairs.slots[0];

    slot->older = head->older;
    slot->newer = 0;
    pairs.slots[head->older].newer = (uint16_t)number;
    head->older = (uint16_t)number;
    slot->epoch = pairs.epoch;
}

static void unlink_bucket(unsigned number)
{
    struct slot *slot = &pairs.slots[number];
    uint16_t *at = &pairs.buckets[bucket_of(slot->foreground, slot->background)];

    while (*at != number)
        at = &pairs.slots[*at].next;
    *at = slot->next;
}

static unsigned take_slot(void)
{
    unsigned oldest;

    if (pairs.used < pairs.limit)
        return pairs.used++;
    oldest = pairs.slots[0].newer;
    if (oldest == 0 || pairs.slots[oldest].epoch == pairs.epoch)
        return 0;
    unlink_use(oldest);
    unlink_bucket(oldest);
    return oldest;
}

static int far_apart(int a, int b)
{
    if (a == b)
        return 0;
    if (a < 0 || b < 0)
        return 1 << 20;
    return distance(a < 256 ? rgb_of_index(a) : (uint32_t)a, b < 256 ? rgb_of_index(b) : (uint32_t)b);
}

/* The most similar of the pairs used last. */
static unsigned near_slot(int foreground, int background)
{
    unsigned best = 0, number = pairs.slots[0].older;
    int least = 1 << 28;

    for (int tries = 0; tries < NEAR_TRIES && number != 0; tries++) {
        const struct slot *slot = &pairs.slots[number];
        int apart = far_apart(slot->foreground, foreground) + far_apart(slot->background, background);
        if (apart < least) {
            least = apart;
            best = number;
        }
        number = slot->older;
    }
    return best;
}

int colour_pair(uint32_t foreground, uint32_t background)
{
    int front = colour_reduce(foreground, pairs.depth), back = colour_reduce(background, pairs.depth);
    unsigned bucket, number;

    if (front == -1 && back == -1)
        return 0;
    bucket = bucket_of(front, back);
    for (number = pairs.buckets[bucket]; number != 0; number = pairs.slots[number].next) {
        if (pairs.slots[number].foreground == front && pairs.slots[number].background == back)
            break;
    }
    if (number != 0) {
        unlink_use(number);
        append_use(number);
        return (int)number;
    }
    number = take_slot();
    if (number == 0) {
        pairs.exhausted = true;
        return (int)near_slot(front, back);
    }
    pairs.slots[number].foreground = front;
    pairs.slots[number].background = back;
    pairs.slots[number].next = pairs.buckets[bucket];
    pairs.buckets[bucket] = (uint16_t)number;
    append_use(number);
    (void)init_extended_pair((int)number, front, back);
    return (int)number;
}

bool colour_exhausted(void)
{
    bool exhausted = pairs.exhausted;

    pairs.exhausted = false;
    return exhausted;
}

void colour_forget(void)
{
    pairs.epoch++;
}
