/*
 * STATE/names: one symbolic link per name, whose text is the UUID of the session that has it. Changes are made under an
 * exclusive lock (names/.lock), held for a few system calls; looking needs no lock, since a link is replaced by rename.
 */
#ifndef STORE_SESSION_NAMES_H
#define STORE_SESSION_NAMES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/name.h"

struct session_names {
    int folder;
    int lock; /* -1 when only looking */
};

/* Opens the folder, making it when missing, and waits for the lock when `change`. Returns 0 or -1. */
int session_names_open(struct session_names *names, const char *state_dir, bool change, struct error *error);
void session_names_close(struct session_names *names);

/* Who has the name: 1 and the UUID, 0 when nobody has. */
int session_names_owner(const struct session_names *names, const char *name, char uuid[UUID_SIZE]);
/* Gives the name to the session, whoever had it; needs the lock. Returns 0 or -1. */
int session_names_give(const struct session_names *names, const char *name, const char *uuid,
                       struct error *error);
/* Takes the name away from the session if it has it; needs the lock. */
void session_names_drop(const struct session_names *names, const char *name, const char *uuid);
/* Calls `each` for every name, in no order, until it returns nonzero. Returns 0 or -1. */
int session_names_each(const struct session_names *names,
                       int (*each)(void *argument, const char *name, const char *uuid), void *argument,
                       struct error *error);
/*
 * Names of sessions that are not there any more, and what is no name at all. Looks, and removes them when it was opened
 * with `change`: what is no link goes to STATE/damaged. Returns how many there are or were; *failed: how many are left.
 */
unsigned session_names_mend(const struct session_names *names, const char *state_dir, unsigned *failed);

#endif
