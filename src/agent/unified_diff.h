/*
 * The difference of two texts as a unified diff, for agents that say what a file was and becomes.
 */
#ifndef AGENT_UNIFIED_DIFF_H
#define AGENT_UNIFIED_DIFF_H

#include "base/buffer.h"

/*
 * Appends the diff of `path`; nothing when the texts are equal. One hunk: from the first line that differs to
 * the last, with up to three lines around them. `old` may be NULL: the file is made; `new` NULL: it is deleted.
 */
void unified_diff_append(struct buffer *out, const char *path, const char *old_text, const char *new_text);

#endif
