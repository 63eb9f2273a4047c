/*
 * Taking a conversation along to another account: the files in which the agent keeps it, and only those, are copied from one
 * directory of the agent to the other, under the same path, so that the agent's own resume finds it there.
 *
 * Only regular files of this user are copied, no symbolic link is followed, no file is replaced by a shorter one; each appears
 * whole or not at all (0600). Which files they are is data: `carry` of struct agent_driver. Nothing else, and so no login,
 * is read.
 */
#ifndef HOST_CARRY_H
#define HOST_CARRY_H

#include "agent/driver.h"
#include "base/error.h"

/*
 * The directories are as account_directory gives them; the one to copy to must be there. `cwd` is the session's working
 * folder. Returns 0, or -1 with the error, for people: the agent keeps all its conversations in one file (code ENOTSUP), there
 * is no such conversation (ENOENT), the other account's file of that name is longer (EEXIST), or the copying failed. What
 * was copied before stays: it harms nothing, and the next try replaces it.
 */
int carry_conversation(const struct agent_driver *driver, const char *from_directory,
                       const char *to_directory, const char *conversation_id, const char *cwd,
                       struct error *error);

#endif
