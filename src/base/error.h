/*
 * What went wrong, carried up to the edge that prints it once. A message says
 * what was tried, on what, why, and what to do.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

struct error {
    int code; /* an errno value, or 0 when there is none */
    char text[512];
};

/* Fills the error and returns -1, so that `return error_set(…)` reads well. A NULL error is allowed. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, with ": " and the text of errno added, and errno kept as the code. */
int error_errno(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
