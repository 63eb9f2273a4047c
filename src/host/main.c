/* ganger-host UUID SESSION_DIR: serves one session. Started by its keeper, on descriptor KEEPER_HOST_FD.
 * ganger-host --version. ganger-host detect …: phase detection over a recording. ganger-host import …: usage out of the agents' files. */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/name.h"
#include "base/path.h"
#include "host/detect.h"
#include "host/host.h"
#include "host/usage_import.h"
#include "store/session_dir.h"

/* One arena; memory that is not used goes back to the system when the program rests (malloc_trim). */
static void frugal_memory(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
    (void)mallopt(M_TOP_PAD, 16 * 1024);
}

static void open_log(const char *session_dir)
{
    char *path = path_join(session_dir, SESSION_HOST_LOG);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (file >= 0)
        log_open(file);
    free(path);
}

int main(int argc, char **argv)
{
    struct error error = {0};
    struct host *host;
    int status;

    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("ganger-host " GANGER_VERSION) < 0;
    if (argc > 1 && strcmp(argv[1], "detect") == 0)
        return detect_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "import") == 0)
        return usage_import_main(argc - 1, argv + 1);
    if (argc != 3 || !uuid_valid(argv[1])) {
        (void)fprintf(stderr, "ganger-host: it is started by ganger-keeper: ganger-host UUID SESSION_DIR\n");
        return 2;
    }
    frugal_memory();
    (void)umask(077);
    open_log(argv[2]);
    host = host_create(argv[1], argv[2], &error);
    if (host == NULL) {
        log_error("%s", error.text);
        return 1;
    }
    status = host_run(host);
    host_destroy(host);
    return status;
}
