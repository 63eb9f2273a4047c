#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "scratch.h"
#include "store/checkpoint.h"
#include "test.h"

static int write_one(int directory, struct error *error)
{
    char state[] = "grid\0and more of it";
    struct checkpoint checkpoint = {7, 1000, 2000, state, sizeof state};

    return checkpoint_write(directory, &checkpoint, error);
}

TEST(what_was_written_is_read)
{
    char *folder = scratch_folder();
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct checkpoint read;
    struct error error;

    CHECK_NUMBER(checkpoint_read(directory, 7, &read), 0);
    CHECK_NUMBER(write_one(directory, &error), 0);
    CHECK_NUMBER(checkpoint_read(directory, 8, &read), 0);
    CHECK_NUMBER(checkpoint_read(directory, 7, &read), 1);
    CHECK_NUMBER(read.stream_position, 1000);
    CHECK_NUMBER(read.recording_offset, 2000);
    CHECK_NUMBER(read.length, sizeof "grid\0and more of it");
    CHECK(memcmp(read.state, "grid\0and more of it", read.length) == 0);
    free(read.state);
    close(directory);
    free(folder);
}

TEST(every_damage_is_seen)
{
    char *folder = scratch_folder(), *path = path_join(folder, "checkpoint"), *bytes;
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct checkpoint read;
    struct error error;
    size_t length;

    CHECK_NUMBER(write_one(directory, &error), 0);
    CHECK_NUMBER(path_read_file(path, 4096, &bytes, &length, &error), 0);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(bytes[i] ^ 1);
        free(scratch_file(folder, "checkpoint", bytes, length));
        bytes[i] = (char)(bytes[i] ^ 1);
        CHECK_NUMBER(checkpoint_read(directory, 7, &read), 0);
        free(scratch_file(folder, "checkpoint", bytes, i));
        CHECK_NUMBER(checkpoint_read(directory, 7, &read), 0);
    }
    free(scratch_file(folder, "checkpoint", bytes, length));
    CHECK_NUMBER(checkpoint_read(directory, 7, &read), 1);
    free(read.state);
    free(bytes);
    close(directory);
    free(path);
    free(folder);
}

TEST_MAIN
