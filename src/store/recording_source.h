/*
 * The bytes of a file, unpacked: plain, zstd'd or gzip'd, from anything that can be read, a pipe too. Memory is bounded
 * whatever the file says. Offsets count unpacked bytes.
 */
#ifndef STORE_RECORDING_SOURCE_H
#define STORE_RECORDING_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define RECORDING_SOURCE_GAP (-2)

struct recording_source;

/* Takes the descriptor, also when it fails: a directory, a terminal, what is packed in another way. `zstd`: the file is known to
 * be packed so, though its first bytes may say nothing of it. */
struct recording_source *recording_source_create(int descriptor, bool zstd, struct error *error);
void recording_source_destroy(struct recording_source *source);
/* How many bytes were put at `to`, 0 at the end, -1 on an error, RECORDING_SOURCE_GAP when damaged bytes were passed over (the
 * next call goes on after them). `room` is above 0. */
ssize_t recording_source_read(struct recording_source *source, char *to, size_t room, struct error *error);
/* Where the next byte comes from; after a gap in a file whose frames do not say their size a guess. */
uint64_t recording_source_at(const struct recording_source *source);
/* Moves on; never back. Reads and drops where there is no shorter way. Returns 0 (also when the end was met) or -1. */
int recording_source_skip(struct recording_source *source, uint64_t offset, struct error *error);
/* Of the whole file, 0 when that is not known before it was read. */
uint64_t recording_source_length(const struct recording_source *source);
/* "zstd", "gzip"; NULL: it is not packed. */
const char *recording_source_packing(const struct recording_source *source);
/* Whether the packed file ended early. */
bool recording_source_torn(const struct recording_source *source);

#endif
