/* OSC 7501 reports ("program status"), sent only after the terminal answered the question for them. */
#ifndef FAKE_AGENT_STATUS_H
#define FAKE_AGENT_STATUS_H

/* Asks. */
void status_query(void);
/* The terminal answered: the last report is sent, later ones follow. */
void status_answered(void);
/* state: idle, working, blocked, done, error, clear; kind and message may be NULL. */
void status_report(const char *state, const char *kind, const char *message);

#endif
