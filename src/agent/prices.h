/*
 * What models cost: src/agent/prices.json, dated, which prices.json in the user's configuration folder overrides model by
 * model. Costs are estimates at list prices; a subscription is not billed by them.
 */
#ifndef AGENT_PRICES_H
#define AGENT_PRICES_H

#include <stddef.h>

#include "agent/usage_record.h"
#include "base/error.h"

struct prices;

/* `path`: the user's file, or NULL; it may be missing. One that cannot be used makes an error, whose text is empty otherwise;
 * what is built in is returned all the same. */
struct prices *prices_load(const char *path, struct error *error);
void prices_destroy(struct prices *prices);
/* US dollars of what the record says, by its model (the longest name that the model's begins with); below 0: no price is
 * known. A price that depends on the length of the prompt is taken by the record's own. */
double prices_cost(const struct prices *prices, const struct usage_record *record);
/* The date of the built-in list, "2026-11-21". */
const char *prices_date(const struct prices *prices);

#endif
