/* transcript.log and its mark, when the host dies between the two. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/transcript.h"
#include "scratch.h"
#include "test.h"

static off_t length_of(const struct transcript_file *file)
{
    struct stat status;

    return fstat(file->text, &status) == 0 ? status.st_size : -1;
}

TEST(what_no_mark_speaks_of_is_cut_off)
{
    char *folder = scratch_folder();
    int session_dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct transcript_file file;

    CHECK_NUMBER(transcript_open(&file, session_dir), 0);
    /* The very first addition, killed before its mark. */
    CHECK_NUMBER(pwrite(file.text, "1\n2\n", 4, 0), 4);
    transcript_close(&file);
    CHECK_NUMBER(transcript_open(&file, session_dir), 0);
    CHECK_NUMBER(length_of(&file), 0);
    CHECK_NUMBER(transcript_position(session_dir, 1), 0);

    CHECK_NUMBER(transcript_append(&file, "1\n2\n", 4, 1, 2), 0);
    CHECK_NUMBER(pwrite(file.text, "3\n", 2, 4), 2);
    transcript_close(&file);
    CHECK_NUMBER(transcript_open(&file, session_dir), 0);
    CHECK_NUMBER(length_of(&file), 4);
    CHECK_NUMBER(transcript_position(session_dir, 1), 2);
    transcript_close(&file);
    close(session_dir);
    free(folder);
}

TEST_MAIN
