/* The table at the end of a headless run: a row a session. */
#ifndef CLI_HEADLESS_SUMMARY_H
#define CLI_HEADLESS_SUMMARY_H

#include <stddef.h>

#include "cli/headless_output.h"
#include "cli/headless_state.h"

void headless_summary(const struct headless_state *const states[], size_t count,
                      struct headless_output *output);

#endif
