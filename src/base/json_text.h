/*
 * JSON as text, before it is parsed: mending what a careless writer cut, and trimming what is too long to be sent.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/*
 * Makes text acceptable to a parser, in place: bytes that are not UTF-8 become '?', an escaped half of a surrogate pair
 * without the other (RFC 8259, section 8.2) becomes \ufffd.
 */
void json_text_mend(char *text, size_t length);

/*
 * Copies JSON text piece by piece in bounded memory: strings are cut at `string_max` bytes (of their escaped form), arrays
 * and objects below `depth_max` levels become null. Line breaks between values become spaces. The text stays JSON if it was.
 */
struct json_trim {
    struct buffer out;
    size_t limit; /* of `out`, in bytes */
    size_t string_max;
    size_t depth_max;
    bool overflowed; /* more than the limit: `out` is not JSON */
    bool trimmed;    /* something was left out */

    size_t depth;
    size_t string_length; /* kept of the string within which we are */
    int escape;           /* bytes left of an escape sequence; -1: its letter comes */
    bool in_string, dropping;
};

void json_trim_init(struct json_trim *trim, size_t limit, size_t string_max, size_t depth_max);
void json_trim_finish(struct json_trim *trim);
void json_trim_add(struct json_trim *trim, const char *bytes, size_t length);

#endif
