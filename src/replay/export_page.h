/*
 * The page around a recording: the template html/page.html, in which {word} stands for what is put there.
 */
#ifndef REPLAY_EXPORT_PAGE_H
#define REPLAY_EXPORT_PAGE_H

#include "base/buffer.h"
#include "replay/export_timeline.h"

/* Appends text to HTML, as an element's content or an attribute's value: what means something there is escaped; control
 * characters, invalid bytes and what turns the direction of writing become U+FFFD. */
void export_page_escape(struct buffer *out, const char *text, size_t length);
/* The page up to where the recording goes. */
void export_page_begin(struct buffer *out, const struct timeline_facts *facts);
/* The rest of it. */
void export_page_end(struct buffer *out, bool torn);

#endif
