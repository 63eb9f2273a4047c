/*
 * Asking the hosts of many sessions at once, so that one that does not answer costs the others nothing.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <jansson.h>

/*
 * `sessions` is an array as from session_dir_list. Each living session's object is replaced by the one its host
 * gives within timeout_ms (for all together); the others stay as they are. "alive" is taken out of all.
 */
void ask_all(json_t *sessions, int timeout_ms);

#endif
