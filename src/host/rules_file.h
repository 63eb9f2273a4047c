/* Where the detection rules of an agent are: the user's own file, else the built-in ones. */
#ifndef HOST_RULES_FILE_H
#define HOST_RULES_FILE_H

#include "agent/rules.h"
#include "base/error.h"

/* The user's own file for an agent, the caller's to free; NULL when there is none. */
char *rules_file_found(const char *agent);
/* Rules from a file (NULL: the user's own, else the built-in ones). NULL and the error. */
struct rules *rules_file_read(const char *agent, const char *path, struct error *error);

#endif
