#include <string.h>

#include "term/key.h"

#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"
#define PASTE_END_C1                                                                                         \
    "\xc2\x9b"                                                                                               \
    "201~" /* the same with the 8-bit CSI */

/* Cuts the marker off the end of what was written since `start`. */
static void drop_marker(struct buffer *out, size_t start, const char *marker)
{
    size_t length = strlen(marker);

    if (out->length - start >= length && memcmp(out->bytes + out->length - length, marker, length) == 0)
        out->length -= length;
}

void paste_encode(const char *text, size_t length, const struct input_modes *modes, struct buffer *out)
{
    size_t start;

    (void)buffer_reserve(out, length + sizeof PASTE_BEGIN + sizeof PASTE_END);
    if (modes->bracketed_paste)
        buffer_append_string(out, PASTE_BEGIN);
    start = out->length;
    for (size_t i = 0; i < length; i++) {
        bool after_return = i > 0 && text[i - 1] == '\r';
        if (text[i] != '\n')
            buffer_append_char(out, text[i]);
        else if (!after_return)
            buffer_append_char(out, '\r');
        /* Looking at what was written finds markers that only form when one inside them is cut. */
        if (modes->bracketed_paste && text[i] == '~') {
            drop_marker(out, start, PASTE_END);
            drop_marker(out, start, PASTE_END_C1);
        }
    }
    if (modes->bracketed_paste)
        buffer_append_string(out, PASTE_END);
}
