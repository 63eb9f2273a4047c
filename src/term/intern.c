#include "term/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define STYLE_LIMIT_MIN 4096
#define STRING_LIMIT_MIN 512
#define LINK_BYTES_TOTAL_MAX ((size_t)4 << 20)
#define LINKS_MAX 60000

const struct style style_default = {
    .foreground = COLOR_DEFAULT,
    .background = COLOR_DEFAULT,
    .underline_color = COLOR_DEFAULT,
};

bool style_equal(const struct style *a, const struct style *b)
{
    return a->foreground == b->foreground && a->background == b->background &&
           a->underline_color == b->underline_color && a->attributes == b->attributes &&
           a->underline == b->underline && a->link == b->link;
}

static uint32_t mix(uint64_t hash)
{
    hash *= 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash >> 32);
}

static uint32_t style_hash(const struct style *style)
{
    uint64_t hash = style->foreground | (uint64_t)style->background << 32;
    uint64_t rest = style->underline_color | (uint64_t)style->attributes << 32 | (uint64_t)style->link << 48;

    return mix(hash ^ mix(rest) ^ (uint64_t)style->underline << 56 ^ hash >> 29);
}

static uint32_t text_hash(const char *text, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
    return mix(hash);
}

/* ---- strings ---- */

static void strings_init(struct intern_strings *strings)
{
    *strings = (struct intern_strings){.limit = STRING_LIMIT_MIN};
}

static void strings_finish(struct intern_strings *strings)
{
    buffer_finish(&strings->bytes);
    free(strings->items);
    free(strings->slots);
}

static void strings_rehash(struct intern_strings *strings)
{
    strings->slot_count = strings->slot_count == 0 ? 32 : strings->slot_count * 2;
    free(strings->slots);
    strings->slots = xcalloc(strings->slot_count, sizeof *strings->slots);
    for (uint32_t i = 0; i < strings->count; i++) {
        const struct intern_text *item = &strings->items[i];
        uint32_t at = text_hash(strings->bytes.bytes + item->offset, item->length);
        while (strings->slots[at &= strings->slot_count - 1] != 0)
            at++;
        strings->slots[at] = i + 1;
    }
}

/* The slot that holds the text, or the empty one where it belongs. */
static uint32_t strings_slot(const struct intern_strings *strings, const char *text, size_t length)
{
    uint32_t at = text_hash(text, length), number;

    while ((number = strings->slots[at &= strings->slot_count - 1]) != 0) {
        const struct intern_text *item = &strings->items[number - 1];
        if (item->length == length && memcmp(strings->bytes.bytes + item->offset, text, length) == 0)
            break;
        at++;
    }
    return at;
}

static uint32_t strings_find(const struct intern_strings *strings, const char *text, size_t length)
{
    return strings->slot_count == 0 ? 0 : strings->slots[strings_slot(strings, text, length)];
}

static uint32_t strings_add(struct intern_strings *strings, const char *text, size_t length)
{
    uint32_t slot;

    if (strings->count + strings->count / 2 >= strings->slot_count)
        strings_rehash(strings);
    slot = strings_slot(strings, text, length);
    if (strings->slots[slot] != 0)
        return strings->slots[slot];
    if (strings->count == strings->capacity) {
        strings->capacity = strings->capacity == 0 ? 16 : strings->capacity * 2;
        strings->items = xreallocarray(strings->items, strings->capacity, sizeof *strings->items);
    }
    strings->items[strings->count++] =
        (struct intern_text){.offset = (uint32_t)strings->bytes.length, .length = (uint32_t)length};
    buffer_append(&strings->bytes, text, length);
    buffer_append_char(&strings->bytes, '\0');
    strings->slots[slot] = strings->count;
    return strings->count;
}

static const char *strings_get(const struct intern_strings *strings, uint32_t number, size_t *length)
{
    if (number == 0 || number > strings->count) {
        *length = 0;
        return NULL;
    }
    *length = strings->items[number - 1].length;
    return strings->bytes.bytes + strings->items[number - 1].offset;
}

static size_t strings_memory(const struct intern_strings *strings)
{
    return strings->bytes.capacity + strings->capacity * sizeof *strings->items +
           strings->slot_count * sizeof *strings->slots;
}

/* ---- all ---- */

void intern_init(struct intern *intern)
{
    *intern = (struct intern){.style_limit = STYLE_LIMIT_MIN};
    strings_init(&intern->clusters);
    strings_init(&intern->links);
    (void)intern_style(intern, &style_default);
}

void intern_finish(struct intern *intern)
{
    free(intern->styles);
    free(intern->style_slots);
    strings_finish(&intern->clusters);
    strings_finish(&intern->links);
}

static void styles_rehash(struct intern *intern)
{
    uint32_t mask;

    intern->style_slot_count = intern->style_slot_count == 0 ? 64 : intern->style_slot_count * 2;
    mask = intern->style_slot_count - 1;
    free(intern->style_slots);
    intern->style_slots = xcalloc(intern->style_slot_count, sizeof *intern->style_slots);
    for (uint32_t i = 0; i < intern->style_count; i++) {
        uint32_t at = style_hash(&intern->styles[i]);
        while (intern->style_slots[at &= mask] != 0)
            at++;
        intern->style_slots[at] = i + 1;
    }
}

uint32_t intern_style(struct intern *intern, const struct style *style)
{
    uint32_t at = style_hash(style), number;

    if (intern->style_count + intern->style_count / 2 >= intern->style_slot_count)
        styles_rehash(intern);
    while ((number = intern->style_slots[at &= intern->style_slot_count - 1]) != 0) {
        if (style_equal(&intern->styles[number - 1], style))
            return number - 1;
        at++;
    }
    if (intern->style_count == intern->style_capacity) {
        intern->style_capacity = intern->style_capacity == 0 ? 32 : intern->style_capacity * 2;
        intern->styles = xreallocarray(intern->styles, intern->style_capacity, sizeof *intern->styles);
    }
    intern->styles[intern->style_count++] = *style;
    intern->style_slots[at] = intern->style_count;
    return intern->style_count - 1;
}

uint32_t intern_cluster(struct intern *intern, const char *text, size_t length)
{
    return CELL_CLUSTER + strings_add(&intern->clusters, text, length);
}

uint16_t intern_link(struct intern *intern, const char *uri, size_t length)
{
    uint32_t number;

    if (length == 0 || length > LINK_BYTES_MAX)
        return 0;
    number = strings_find(&intern->links, uri, length);
    if (number != 0)
        return (uint16_t)number;
    if (intern->links.count >= LINKS_MAX || intern->links.bytes.length > LINK_BYTES_TOTAL_MAX)
        return 0;
    return (uint16_t)strings_add(&intern->links, uri, length);
}

struct style intern_get_style(const struct intern *intern, uint32_t style)
{
    return style < intern->style_count ? intern->styles[style] : style_default;
}

const char *intern_get_cluster(const struct intern *intern, uint32_t glyph, size_t *length)
{
    const char *text = strings_get(&intern->clusters, glyph - CELL_CLUSTER, length);

    return text == NULL ? "" : text;
}

const char *intern_get_link(const struct intern *intern, uint16_t link)
{
    size_t length;

    return strings_get(&intern->links, link, &length);
}

bool intern_crowded(const struct intern *intern)
{
    return intern->style_count > intern->style_limit || intern->clusters.count > intern->clusters.limit ||
           intern->links.count > intern->links.limit;
}

static uint32_t limit_for(uint32_t count, uint32_t least)
{
    return count > least / 2 ? count * 2 : least;
}

void intern_settle(struct intern *intern)
{
    intern->style_limit = limit_for(intern->style_count, STYLE_LIMIT_MIN);
    intern->clusters.limit = limit_for(intern->clusters.count, STRING_LIMIT_MIN);
    intern->links.limit = limit_for(intern->links.count, STRING_LIMIT_MIN);
}

size_t intern_memory(const struct intern *intern)
{
    return intern->style_capacity * sizeof *intern->styles +
           intern->style_slot_count * sizeof *intern->style_slots + strings_memory(&intern->clusters) +
           strings_memory(&intern->links);
}
