/*
 * Keys as a stand-in agent needs them: typed and pasted text, Enter, Backspace, Esc, Ctrl-C, Ctrl-D, and the answers to its
 * questions to the terminal. Everything else is swallowed.
 */
#ifndef FAKE_AGENT_KEYS_H
#define FAKE_AGENT_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum key {
    KEY_TEXT,
    KEY_ENTER,
    KEY_NEWLINE,
    KEY_BACKSPACE,
    KEY_ESCAPE,
    KEY_INTERRUPT,
    KEY_EOF,
    KEY_STATUS_ANSWERED
};

struct key_reader {
    char sequence[64]; /* of an escape sequence that is not whole */
    size_t length;
    bool in_string, pasting;
    void (*key)(enum key key, const char *text, size_t length);
};

void key_reader_feed(struct key_reader *reader, const char *bytes, size_t length);
/* Call when nothing has come for a while: an ESC alone is the key. */
void key_reader_idle(struct key_reader *reader);
/* True while an ESC waits for what follows. */
bool key_reader_waits(const struct key_reader *reader);

#endif
