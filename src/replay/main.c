/* ganger-replay: plays and exports recordings; started by `ganger replay`. */
#include <stdio.h>
#include <string.h>

#include "replay/export.h"
#include "replay/play.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} programs[] = {
    {"play", play_main},
    {"export", export_main},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof programs / sizeof *programs; i++) {
        if (strcmp(argv[1], programs[i].name) == 0)
            return programs[i].run(argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "ganger-replay: it is started by `ganger replay`\n");
    return 2;
}
