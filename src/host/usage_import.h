/*
 * Usage out of the agents' own files into the ledger: of one conversation, at the end of each turn of its session, or of
 * everything the agents' folders hold (`ganger-host import`). Files are read from where they were left; an answer that was
 * read before counts once. Nothing is kept between calls but in the ledger, so that any thread may call with a ledger of
 * its own; buffers are on the heap.
 */
#ifndef HOST_USAGE_IMPORT_H
#define HOST_USAGE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/prices.h"
#include "base/error.h"
#include "store/ledger.h"

/* Texts are borrowed within the call. */
struct usage_import {
    const char *agent;           /* its driver's name */
    const char *folder;          /* usage_import_folder */
    const char *conversation;    /* the agent's own session id; NULL: all that the folder holds */
    const char *session;         /* UUID of ganger's session, or NULL */
    unsigned attempt;            /* of the session */
    const char *account;         /* key */
    bool subscription;           /* the account is not billed by the token */
    const struct prices *prices; /* NULL: costs are not computed */
};

struct usage_import_sum {
    size_t files;    /* that were found */
    size_t changed;  /* of them, those with something not yet read */
    int64_t bytes;   /* that were read */
    int64_t answers; /* records added, without those the ledger knew */
    size_t unread;   /* files that could not be read */
};

/* The folder below which an agent keeps its conversations: what `variable` says of the agent's variable, else a folder below
 * HOME, of which it is asked too. Allocated; NULL: the agent keeps nothing that is understood, or there is no HOME. */
char *usage_import_folder(const char *agent, const char *(*variable)(void *argument, const char *name),
                          void *argument);

/* Reads what was added to the files of a conversation since they were read last. A conversation without a file, or an agent
 * that keeps none, is no error. Returns 0, or -1 with the error: the ledger could not be written, and the same is read
 * again by the next call. */
int usage_import_conversation(const struct usage_import *what, struct ledger *ledger, struct error *error);

/* The same for all the folder holds, by as many threads as there are processors, four at most; adds to `sum`. The ledger
 * must not be used by others meanwhile. */
int usage_import_folder_whole(const struct usage_import *what, struct ledger *ledger,
                              struct usage_import_sum *sum, struct error *error);

/* ganger-host import [--json] [--agent A]: all agents' folders and those of all accounts of the configuration, into the ledger.
 * Returns the exit code. */
int usage_import_main(int argc, char **argv);

#endif
