#include "term/width.h"

#include "base/utf8.h"
#include "term/width_table.h"

enum {
    CODE_JOINER = 0x200D,
    CODE_EMOJI_SELECTOR = 0xFE0F,
    TABLE_END = 0x20000,
};

/* Flags of a cluster: its width, and what may still join it. */
enum {
    CLUSTER_WIDTH = 3,
    CLUSTER_OPEN = 4,         /* combining marks may join */
    CLUSTER_PICTOGRAPHIC = 8, /* began with a pictograph: ZWJ sequences and skin tones may join */
    CLUSTER_HALF_FLAG = 16,   /* one regional indicator */
};

/* Only the CJK planes, tags and variation selectors are special above the table. */
static unsigned property_above_table(uint32_t code)
{
    if ((code & 0xFFFE) == 0xFFFE || code > 0x10FFFF)
        return 0;
    if (code < 0x40000)
        return 3;
    if (code == 0xE0001 || (code >= 0xE0020 && code <= 0xE007F) || (code >= 0xE0100 && code <= 0xE01EF))
        return 1;
    return 2;
}

static inline unsigned property_of(uint32_t code)
{
    if (code >= TABLE_END)
        return property_above_table(code);
    return width_property[(uint32_t)width_block[code >> 7] << 7 | (code & 127)];
}

int width_lookup(uint32_t code)
{
    return (int)(property_of(code) & 3) - 1;
}

static bool cluster_joins(const struct cluster_state *state, unsigned property)
{
    if (!(state->flags & CLUSTER_OPEN))
        return false;
    if ((property & 3) == 1)
        return true;
    if (property & WIDTH_REGIONAL)
        return state->flags & CLUSTER_HALF_FLAG;
    if (!(state->flags & CLUSTER_PICTOGRAPHIC))
        return false;
    if (state->last == CODE_JOINER)
        return property & WIDTH_PICTOGRAPHIC;
    return property & WIDTH_MODIFIER &&
           (state->last == CODE_EMOJI_SELECTOR || property_of(state->last) & WIDTH_PICTOGRAPHIC);
}

static uint8_t cluster_flags(int width, unsigned property)
{
    unsigned flags = CLUSTER_OPEN | (unsigned)width;

    if (property & WIDTH_PICTOGRAPHIC)
        flags |= CLUSTER_PICTOGRAPHIC;
    if (property & WIDTH_REGIONAL)
        flags |= CLUSTER_HALF_FLAG;
    return (uint8_t)flags;
}

bool cluster_extend(struct cluster_state *state, uint32_t code, int *width)
{
    bool ascii = code >= 0x20 && code < 0x7F;
    unsigned property = ascii ? 2 : property_of(code);
    int own = (int)(property & 3) - 1;

    if (ascii || !cluster_joins(state, property)) {
        *width = own;
        *state = (struct cluster_state){.last = code, .flags = own < 0 ? 0 : cluster_flags(own, property)};
        return false;
    }
    *width = state->flags & CLUSTER_WIDTH;
    if (own > *width || property & WIDTH_REGIONAL ||
        (code == CODE_EMOJI_SELECTOR && property_of(state->last) & WIDTH_EMOJI_BASE))
        *width = 2;
    state->flags = (uint8_t)((state->flags & CLUSTER_PICTOGRAPHIC) | CLUSTER_OPEN | *width);
    state->last = code;
    return true;
}

/* The code point at the start of the text, U+FFFD for what is invalid or cut off; returns its bytes. */
static size_t decode(const char *text, size_t length, uint32_t *code)
{
    int used = utf8_decode(text, length, code);

    if (used > 0)
        return (size_t)used;
    *code = UTF8_REPLACEMENT;
    return used == 0 ? length : (size_t)-used;
}

int width_of_text(const char *text, size_t length)
{
    int used;

    (void)width_cut(text, length, INT32_MAX, &used);
    return used;
}

size_t width_cut(const char *text, size_t length, int columns, int *used)
{
    struct cluster_state state = {0};
    size_t start = 0; /* of the cluster in hand */
    int before = 0;   /* columns before it */
    int total = 0;

    for (size_t at = 0; at < length;) {
        uint32_t code;
        int width;
        size_t bytes = decode(text + at, length - at, &code);
        if (!cluster_extend(&state, code, &width)) {
            start = at;
            before = total;
        }
        if (width < 0)
            width = 0;
        if (width > columns - before) {
            *used = before;
            return start;
        }
        total = before + width;
        at += bytes;
    }
    *used = total;
    return length;
}
