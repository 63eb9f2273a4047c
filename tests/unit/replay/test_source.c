/* Sources of recordings that are written while they are played. */
#include "replay/source.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "scratch.h"
#include "test.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"

/* Of recordings that are not kept, the first parts are gone. */
TEST(a_last_part_that_grows_changes_the_stamp)
{
    char *state = scratch_folder(), *folder = path_join(state, "sessions/" UUID);
    struct source source;
    uint64_t none, one, more;

    CHECK_NUMBER(path_make_dirs(folder, 0700, NULL), 0);
    source_init_session(&source, state, UUID, 1);
    none = source_stamp(&source);
    free(scratch_file(folder, "attempt-1.3.cast", "{}\n", 3));
    one = source_stamp(&source);
    free(scratch_file(folder, "attempt-1.3.cast", "{}\n[1]\n", 7));
    more = source_stamp(&source);
    CHECK(one != none && more != one && more == source_stamp(&source));
    source_finish(&source);
    free(folder);
    free(state);
}

TEST_MAIN
