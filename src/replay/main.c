/* ganger-replay: plays and exports recordings; started by `ganger replay`. */
#include <stdio.h>

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)fprintf(stderr, "ganger-replay: it is started by `ganger replay`\n");
    return 2;
}
