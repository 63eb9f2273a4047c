/*
 * The class of an agent's error, from what the agent says about it: rate_limit, overloaded, server_error, network,
 * connect_timeout, authentication, billing, permission, not_found, invalid_request, cancelled, timeout,
 * context_window, max_turns, budget, out_of_memory, too_many_files, disk_full. NULL: nothing fits.
 */
#ifndef AGENT_ERROR_CLASS_H
#define AGENT_ERROR_CLASS_H

/* From the HTTP status of the vendor's answer; 0: there was none. */
const char *error_class_of_status(int status);
/* From words of the message; the last resort, and it may be NULL. */
const char *error_class_of_text(const char *text);
/* A class that a status or code gave; a rate limit whose words say that nothing is left to pay with is "billing" (waiting
 * does not mend it), and one of an overloaded service "overloaded". */
const char *error_class_refine(const char *name, const char *text);
/* The message within a vendor's answer that is passed on as text, "{"error": {"message": …}}"; else a copy of the
 * text. The caller frees it. */
char *error_plain_text(const char *text);

#endif
