#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "cli/picture.h"
#include "store/session_dir.h"

static int run(int argc, char **argv);

const struct command command_snapshot = {"snapshot", "Look", "the screen of a session",
                                         "usage: ganger snapshot SESSION [--ansi | --json | --svg]\n"
                                         "\n"
                                         "Prints the screen as it is, or as it was when the session ended.\n"
                                         "\n"
                                         "  --ansi   with colours and attributes\n"
                                         "  --json   lines and styles, as in ganger-protocol(7)\n"
                                         "  --svg    a picture\n"
                                         "\n"
                                         "example: ganger snapshot api-fix --svg > api-fix.svg\n",
                                         run};

#define SCREEN_FILE_MAX (16 * 1024 * 1024)

/* The screen that an ended session left. */
static json_t *stored_screen(const char *uuid, struct error *error)
{
    char *folder = session_dir_path(cli_state_dir(), uuid), *path = path_join(folder, "screen.json"), *text;
    size_t length;
    json_t *screen = NULL;

    if (path_read_file(path, SCREEN_FILE_MAX, &text, &length, error) == 0) {
        screen = json_loadb(text, length, 0, NULL);
        if (screen == NULL)
            (void)error_set(error, "%s is damaged; `ganger logs` shows the transcript", path);
        free(text);
    }
    free(path);
    free(folder);
    return screen;
}

static json_t *screen_of(const char *uuid, struct error *error)
{
    json_t *screen = NULL;

    if (session_dir_alive(cli_state_dir(), uuid, NULL) == 1)
        screen = cli_call(uuid, "screen.get", json_pack("{s:s}", "format", "frame"), error);
    return screen != NULL ? screen : stored_screen(uuid, error);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"ansi", no_argument, NULL, 'a'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"svg", no_argument, NULL, 's'},
                                            CLI_HELP_OPTION,
                                            {0}};
    int format = 't';
    char uuid[UUID_SIZE];
    struct error error;
    struct buffer out;
    json_t *screen;

    for (int option; (option = cli_option(&command_snapshot, argc, argv, ":h", options)) != -1;) {
        if (format != 't' && format != option)
            cli_usage_error(&command_snapshot, "--ansi, --json and --svg exclude each other");
        format = option;
    }
    cli_operands(&command_snapshot, argc, 1, 1);
    cli_find(argv[optind], true, uuid);
    screen = screen_of(uuid, &error);
    if (screen == NULL)
        return cli_error(argv[optind], &error);
    if (format == 'j') {
        cli_print_json(screen);
    } else {
        buffer_init(&out);
        buffer_append(&out, "", 0);
        if (format == 's')
            picture_svg(screen, &out);
        else
            picture_text(screen, format == 'a', &out);
        (void)fwrite(out.bytes, 1, out.length, stdout);
        buffer_finish(&out);
    }
    json_decref(screen);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
