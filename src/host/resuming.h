/*
 * A lost session that goes on (`ganger resume`): keeper and host had died together, and nobody wrote down how the attempt ended.
 * What was sent is never sent again by itself: the agent is started in its conversation and rests. What had not been sent yet goes
 * on: prompts that wait, a turn that waits for its account's limit, a retry that was scheduled.
 */
#ifndef HOST_RESUMING_H
#define HOST_RESUMING_H

#include <stdbool.h>

struct host;
struct attempt_start;

/* The attempt ends by an accident: whether a turn was under way, for who resumes. Before the turn is told as ended. */
void resuming_remember(struct host *host);
/* Before another attempt begins: the end of one that was lost is told, of its turn, and of a prompt that was being sent. */
void resuming_settle(struct host *host);
/* Whether the attempt that begins resumes, as start.resume says. */
bool resuming_now(const struct host *host);
/* Whether the session's first prompt was given to the agent or to the queue. */
bool resuming_prompted(const struct host *host);
/* The attempt that resumes is about to begin so: the session's member "resumed". */
void resuming_note(struct host *host, const struct attempt_start *start);
/* The agent of an attempt runs. */
void resuming_begun(struct host *host);
/* It could not be started, or a retry by hand follows. */
void resuming_over(struct host *host);

#endif
