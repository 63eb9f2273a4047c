#include "base/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

TEST(all_is_written_where_it_belongs)
{
    int file = memfd_create("file", MFD_CLOEXEC);
    char read_back[16] = "";

    CHECK_NUMBER(file_write(file, "one", 3), 0);
    CHECK_NUMBER(file_write_at(file, "two", 3, 5), 0);
    CHECK_NUMBER(file_write(file, "2", 1), 0);
    CHECK_NUMBER(file_write(file, "", 0), 0);
    CHECK_NUMBER(pread(file, read_back, sizeof read_back, 0), 8);
    CHECK(memcmp(read_back, "one2\0two", 8) == 0);
    close(file);
}

TEST(a_full_disk_is_told)
{
    int file = open("/dev/full", O_WRONLY | O_CLOEXEC);

    CHECK_NUMBER(file_write(file, "x", 1), -1);
    CHECK_NUMBER(errno, ENOSPC);
    errno = 0;
    CHECK_NUMBER(file_write_at(file, "x", 1, 0), -1);
    CHECK_NUMBER(errno, ENOSPC);
    close(file);
}

TEST_MAIN
