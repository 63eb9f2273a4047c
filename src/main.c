/*
 * ganger: the command line, and the dashboard behind it.
 */
#include <signal.h>

#include "cli/cli.h"
#include "cli/sweep.h"
#include "tui/app.h"

/* Not before the dashboard says which sessions it shows. */
static void opened(void)
{
    sweep_begin(NULL);
}

static int dashboard(const char *session, bool read_only, bool raw)
{
    struct tui_options options = {.session = session, .read_only = read_only, .raw = raw, .opened = opened};

    return tui_main(&options);
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    return cli_main(argc, argv, dashboard);
}
