/* An approval's dialog on the terminal: is it the one that was asked, and the keys that answer it. */
#ifndef HOST_APPROVAL_DIALOG_H
#define HOST_APPROVAL_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/observation.h"
#include "agent/rules.h"

struct host;

/* The same for as long as the same is asked; never 0. Moving among the choices does not change it. */
uint32_t approval_dialog_hash(const struct rules_question *question);
/* Whether the dialog's text shows the words of a request; either may be NULL. */
bool approval_words_meet(const char *shown, const char *words);
/* The dialog as it is on the screen at this moment; the question is the caller's to finish. -1: there is none. */
int approval_dialog_read(struct host *host, struct rules_question *question);

/* Looks at the screen as it is, and types the keys of the answer when the dialog `dialog` is there. 0, RPC_STALE,
 * RPC_INVALID_PARAMS or RPC_INPUT_FULL with the reason in `why`. */
int approval_keys_send(struct host *host, uint32_t dialog, const struct approval_answer *answer,
                       const char **why);
/* Forgets keys that wait. */
void approval_keys_stop(struct host *host);

#endif
