/* Within the writing of recordings: the files of a session folder that are parts, and how a part begins. */
#ifndef STORE_RECORDING_NAMES_H
#define STORE_RECORDING_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/recording.h"

#define RECORDING_ZST ".zst" /* after the name of a part that is compressed */

struct recording_name {
    unsigned attempt, part; /* from 1 */
    bool compressed;
};

/* Whether the name is that of a part. */
bool recording_name_parse(const char *name, struct recording_name *parsed);
#define RECORDING_FILE_SIZE (RECORDING_NAME_SIZE + 8)
/* The name of the part's file. */
void recording_name_format(const struct recording_name *name, char file[RECORDING_FILE_SIZE]);

/* The parts of all attempts, in order of attempt and part, the compressed form before the other one. The caller frees. Returns
 * 0 or -1. */
int recording_list(int session_dir, struct recording_name **names, size_t *count, struct error *error);

/* The beginning of a part above 1: its header and, if it says so, the drawing after it. */
struct recording_prologue {
    uint64_t offset; /* at which the part begins in the whole recording */
    int64_t start_ns;
    uint64_t length; /* bytes of it */
};
/* Reads it from an uncompressed file. 1; 0: it is not whole; -1 and errno. */
int recording_prologue_read(int file, unsigned part, struct recording_prologue *prologue);

#endif
