/*
 * Text of any origin that is shown in one line of the screen.
 */
#ifndef TUI_TEXT_LINE_H
#define TUI_TEXT_LINE_H

#include <stdbool.h>

/* A copy in which control characters are blanks; "" for NULL. Allocated. */
char *text_line(const char *text);
/* Puts such a copy in `place` (allocated, never NULL). True when it is another text than before. */
bool text_line_replace(char **place, const char *text);

#endif
