/*
 * What cells refer to by number: styles, grapheme clusters, hyperlinks. Equal things have equal numbers. Numbers are
 * given out until `intern_crowded` says that most may be unused; the owner of the cells then builds a table of those
 * in use and renumbers. Style 0 is the default style, link 0 none.
 */
#ifndef TERM_INTERN_H
#define TERM_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "term/terminal.h"

/* Longest cluster in bytes of UTF-8; what would join beyond it is dropped. */
#define CLUSTER_BYTES_MAX 64
/* Longest URI kept. */
#define LINK_BYTES_MAX 4096

struct intern_text {
    uint32_t offset, length;
};

/* Byte strings by number, from 1; open addressing. */
struct intern_strings {
    struct buffer bytes;
    struct intern_text *items;
    uint32_t count, capacity;
    uint32_t *slots;
    uint32_t slot_count; /* a power of two */
    uint32_t limit;      /* crowded above this */
};

struct intern {
    struct style *styles;
    uint32_t style_count, style_capacity;
    uint32_t *style_slots;
    uint32_t style_slot_count;
    uint32_t style_limit;
    struct intern_strings clusters, links;
};

void intern_init(struct intern *intern);
void intern_finish(struct intern *intern);

extern const struct style style_default;
bool style_equal(const struct style *a, const struct style *b);

uint32_t intern_style(struct intern *intern, const struct style *style);
/* A glyph (CELL_CLUSTER and the number). At most CLUSTER_BYTES_MAX bytes. */
uint32_t intern_cluster(struct intern *intern, const char *text, size_t length);
/* 0 when there are too many or it is too long. */
uint16_t intern_link(struct intern *intern, const char *uri, size_t length);

struct style intern_get_style(const struct intern *intern, uint32_t style);
/* NUL-terminated; "" and length 0 when there is no such cluster. */
const char *intern_get_cluster(const struct intern *intern, uint32_t glyph, size_t *length);
const char *intern_get_link(const struct intern *intern, uint16_t link);

/* True when it is worth renumbering before more is added. */
bool intern_crowded(const struct intern *intern);
/* To be called on the new table once all in use is in it. */
void intern_settle(struct intern *intern);
size_t intern_memory(const struct intern *intern);

#endif
