/* The events that a client subscribed to, on their way to it. */
#ifndef HOST_CLIENT_EVENTS_H
#define HOST_CLIENT_EVENTS_H

#include <stdbool.h>

struct client;

/* Appends stored events to the client's output as far as there is room. */
void client_events_pump(struct client *client);
/* Whether stored events are left that it was not sent. */
bool client_events_more(const struct client *client);

#endif
