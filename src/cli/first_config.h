/*
 * A first configuration, made from what is on this machine.
 */
#ifndef CLI_FIRST_CONFIG_H
#define CLI_FIRST_CONFIG_H

#include <jansson.h>

/* An object with "accounts": one for each directory of an installed agent that is there: its own, the one that the environment
 * names, and directories beside its own such as ~/.claude-work. The caller owns it. */
json_t *first_config(void);

#endif
