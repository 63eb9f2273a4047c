/* The events that a client subscribed to, on their way to it. */
#ifndef HOST_CONNECTION_EVENTS_H
#define HOST_CONNECTION_EVENTS_H

#include <stdbool.h>

struct connection;

/* Appends stored events to the client's output as far as there is room. */
void connection_events_pump(struct connection *client);
/* Whether stored events are left that it was not sent. */
bool connection_events_more(const struct connection *client);

#endif
