/*
 * Session names and UUIDs. A name is [A-Za-z0-9][A-Za-z0-9._-]{0,62} and is not shaped like a UUID.
 */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include <stdbool.h>

#define UUID_SIZE 37 /* 36 characters and a NUL */
#define NAME_MAX_LENGTH 63

bool name_valid(const char *name);
bool uuid_valid(const char *text);
/* A random (version 4) UUID, in lower case. */
void uuid_generate(char out[UUID_SIZE]);

/* A hint with the session's name in the commands that lack it, to be typed as they stand: "`ganger retry`" becomes
 * "`ganger retry NAME`". NULL for NULL; allocated. */
char *name_in_hint(const char *hint, const char *name);

#endif
