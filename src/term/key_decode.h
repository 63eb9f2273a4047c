/*
 * Control sequences that stand for a key: CSI and SS3 in the forms of xterm, rxvt, the Linux console, modifyOtherKeys
 * and the kitty keyboard protocol.
 */
#ifndef TERM_KEY_DECODE_H
#define TERM_KEY_DECODE_H

#include "term/key.h"
#include "term/sequence.h"

/* Each returns 0 and a normal key (key_normalize), or -1 when the sequence is no key, or the release of one. */
int key_decode_csi(const struct sequence *sequence, struct key *key);
int key_decode_ss3(const struct sequence *sequence, struct key *key);

/* The key of a byte below 0x80, as terminals send it without any protocol. */
struct key key_decode_byte(unsigned char byte);

#endif
