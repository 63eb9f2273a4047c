#include "term/sequence.h"

enum { F3_MODIFIERS_MAX = 16 };

int sequence_parse(const char *bytes, size_t length, struct sequence *sequence)
{
    size_t at = 0, end = length - 1;
    int part = 0;

    *sequence = (struct sequence){0};
    if (length == 0)
        return -1;
    sequence->final = bytes[end];
    if (at < end && bytes[at] >= '<' && bytes[at] <= '?')
        sequence->prefix = bytes[at++];
    if (at < end && bytes[at] >= '0')
        sequence->count = 1;
    for (; at < end && bytes[at] >= '0' && bytes[at] <= ';'; at++) {
        unsigned *number = &sequence->numbers[sequence->count - 1][part];
        if (bytes[at] == ';') {
            if (sequence->count++ == SEQUENCE_PARAMETERS)
                return -1;
            part = 0;
        } else if (bytes[at] == ':') {
            if (++part == SEQUENCE_PARTS)
                return -1;
        } else {
            *number = *number * 10 + (unsigned)(bytes[at] - '0');
            if (*number > SEQUENCE_NUMBER_MAX)
                *number = SEQUENCE_NUMBER_MAX;
        }
    }
    for (; at < end && bytes[at] >= 0x20 && bytes[at] <= 0x2F; at++)
        sequence->intermediate = bytes[at];
    return at == end ? 0 : -1;
}

/* CSI row ; column R is a cursor position, but F3 with modifiers where it can be one. */
bool sequence_is_reply(const struct sequence *sequence)
{
    if (sequence->prefix == '<')
        return false;
    switch (sequence->final) {
    case 'R':
        return sequence->prefix == '?' ||
               (sequence->count == 2 && (sequence->numbers[0][0] != 1 || sequence->numbers[1][0] == 0 ||
                                         sequence->numbers[1][0] > F3_MODIFIERS_MAX));
    case 'n':
    case 't':
    case 'x':
        return true;
    case 'y':
        return sequence->intermediate == '$';
    default:
        return sequence->prefix == '?' || sequence->prefix == '>' || sequence->prefix == '=';
    }
}
