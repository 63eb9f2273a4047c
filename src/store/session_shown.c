#include "store/session_shown.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"

#define SHOWN_FILE "shown"

int session_shown_open(const char *state_dir)
{
    char *path = path_join(state_dir, SHOWN_FILE);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    free(path);
    return file;
}

/* Byte 0 to 2^48 - 1: the twelve digits before the UUID's second dash. */
static off_t place_of(const char *uuid)
{
    off_t place = 0;

    for (int digits = 0; digits < 12 && *uuid != '\0'; uuid++) {
        char digit[2] = {*uuid, '\0'};
        if (*uuid == '-')
            continue;
        place = place * 16 + (off_t)strtol(digit, NULL, 16);
        digits++;
    }
    return place;
}

static bool lock(int file, const char *uuid, short type)
{
    struct flock request = {.l_type = type, .l_whence = SEEK_SET, .l_start = place_of(uuid), .l_len = 1};

    return file < 0 || fcntl(file, F_OFD_SETLK, &request) == 0;
}

void session_shown_set(int file, const char *uuid, bool shown)
{
    (void)lock(file, uuid, shown ? F_RDLCK : F_UNLCK);
}

bool session_shown_claim(int file, const char *uuid)
{
    return lock(file, uuid, F_WRLCK);
}
