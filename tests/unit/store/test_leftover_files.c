#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "store/leftover_files.h"
#include "test.h"

static void make(int folder, const char *before, int number, const char *after)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s%d%s", before, number, after);
    close(openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

TEST(files_of_the_dead_go_and_others_stay)
{
    char *path = scratch_folder(), name[64];
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t gone = fork();

    if (gone == 0)
        _exit(0);
    (void)waitpid(gone, NULL, 0);
    make(folder, ".session.json.", (int)gone, ".tmp");
    make(folder, ".session.json.", (int)getpid(), ".tmp");
    make(folder, ".notes", (int)gone, ".tmp");
    make(folder, "session.json.", (int)gone, "");
    make(folder, ".", 0, ".tmp");
    CHECK_NUMBER(leftover_files_remove(folder), 1);
    (void)snprintf(name, sizeof name, ".session.json.%d.tmp", (int)getpid());
    CHECK_NUMBER(faccessat(folder, name, F_OK, 0), 0);
    (void)snprintf(name, sizeof name, ".session.json.%d.tmp", (int)gone);
    CHECK_NUMBER(faccessat(folder, name, F_OK, 0), -1);
    CHECK_NUMBER(leftover_files_remove(folder), 0);
    close(folder);
    free(path);
}

TEST_MAIN
