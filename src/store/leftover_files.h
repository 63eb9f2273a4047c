/*
 * Temporary files of processes that were killed while they wrote (path_write_atomic: ".NAME.PID.tmp").
 */
#ifndef STORE_LEFTOVER_FILES_H
#define STORE_LEFTOVER_FILES_H

/* Removes those in an open folder whose process is gone. Returns how many. */
unsigned leftover_files_remove(int folder);

#endif
