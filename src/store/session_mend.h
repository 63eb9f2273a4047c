/*
 * What a crash, a full disk or somebody else left wrong in the folder of a session that does not run, and mending it.
 * Nothing here follows a symbolic link, waits for a pipe, or throws away what may be of use: what is in the place of a
 * file and is none gets ".damaged" behind its name.
 */
#ifndef STORE_SESSION_MEND_H
#define STORE_SESSION_MEND_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* The folder into which what cannot be a session's folder is moved: STATE/damaged. */
#define SESSION_DAMAGED "damaged"

struct session_faults {
    bool no_folder; /* a link or file in the place of the folder; nothing else was looked at then */
    bool closed;    /* the folder cannot be read: error.text says why; nothing else was looked at then */
    bool young;     /* session.json is missing, and may be about to be written; nothing else was looked at */
    bool no_object; /* session.json is missing or damaged; one of a newer ganger is no fault */
    unsigned torn;  /* recordings, logs that end in the middle of a line */
    unsigned temporary;    /* files that were never renamed to what they were written for */
    unsigned strange;      /* links, folders, pipes in the place of files */
    unsigned uncompressed; /* parts of recordings that are complete */
};

/* Looks. Returns whether there is any fault but `uncompressed` and `young`. `error`, not NULL, is filled when the folder is closed. */
bool session_inspect(const char *state_dir, const char *uuid, struct session_faults *faults,
                     struct error *error);
/*
 * `error` is not NULL. Mends all but `uncompressed`, keeping the session's lock meanwhile. Returns 0, or -1 when something
 * could not be, or the session runs or starts. A session.json that is made again has what events and recordings tell: its
 * name, its attempts, when it began and how it ended, "lost" if nothing says so; not how it was started. The other one becomes
 * session.json.damaged. A folder that has nothing of a session in it is moved to STATE/damaged.
 */
int session_mend(const char *state_dir, const char *uuid, struct error *error);

/* Moves STATE/sessions/NAME, whatever it is, to STATE/damaged. Returns 0 or -1. */
int session_set_aside(const char *state_dir, const char *name, struct error *error);

/* session.json as events and recordings tell; NULL: they tell nothing. The caller owns it. */
json_t *session_rebuild(int session_dir, const char *uuid, const char *name);

#endif
