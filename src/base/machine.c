#include "base/machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/path.h"

int machine_boot_id(char id[MACHINE_BOOT_ID_SIZE])
{
    char *text = NULL;
    size_t length = 0;
    int result = -1;

    id[0] = '\0';
    if (path_read_file("/proc/sys/kernel/random/boot_id", 128, &text, &length, NULL) == 0 &&
        length >= MACHINE_BOOT_ID_SIZE - 1) {
        (void)strlcpy(id, text, MACHINE_BOOT_ID_SIZE);
        result = uuid_valid(id) ? 0 : -1;
    }
    if (result < 0)
        id[0] = '\0';
    free(text);
    return result;
}
