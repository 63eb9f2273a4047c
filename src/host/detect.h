/*
 * ganger-host detect: phase detection over a recording, with the rules and the machine that work live, and the
 * recording's times. Prints the phases, one a line.
 */
#ifndef HOST_DETECT_H
#define HOST_DETECT_H

/* `argv` from "detect" on. Returns the exit status. */
int detect_main(int argc, char **argv);

#endif
