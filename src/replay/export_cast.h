/*
 * A time line as lines of an asciicast v2, in UTF-8 whatever it was.
 */
#ifndef REPLAY_EXPORT_CAST_H
#define REPLAY_EXPORT_CAST_H

#include "base/buffer.h"
#include "replay/export.h"

/* Both append whole lines. */
void export_cast_header(struct buffer *out, const struct timeline_facts *facts);
/* A further attempt is a resize, a reset of the terminal, and a marker "attempt N". */
void export_cast_event(struct buffer *out, const struct timeline_facts *facts,
                       const struct timeline_event *event);

#endif
