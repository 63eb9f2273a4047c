/*
 * All text of a running session: transcript.log, the lines that left the screen and are not in it yet, and the screen.
 */
#ifndef CLI_LIVE_TEXT_H
#define CLI_LIVE_TEXT_H

/* Prints it on stdout. Each line comes once, whatever happens meanwhile. Returns 0 or -1 (said on stderr). */
int live_text_print(const char *uuid, int session_dir);

#endif
