/*
 * Hosts that run another program than the one installed: which they are, for those who hint at `ganger upgrade`.
 */
#ifndef CLI_UPGRADE_H
#define CLI_UPGRADE_H

#include <jansson.h>

/* How many hosts of these session objects (as from `ganger ls`) run another program than the installed ganger-host. Asks nobody. */
unsigned upgrade_outdated(const json_t *sessions);

#endif
