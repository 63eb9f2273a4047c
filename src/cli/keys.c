#include "cli/cli.h"

#include <stdlib.h>

static int run_keys(int argc, char **argv);
static int run_paste(int argc, char **argv);

const struct command command_keys = {
    "keys", "Tell", "type keys into a session",
    "usage: ganger keys SESSION KEY…\n"
    "\n"
    "Types keys, by their tmux names: a, é, Enter, Escape, Space, Tab, BSpace, Up, PageDown, F5, C-c (Ctrl), "
    "M-x (Alt),\n"
    "S-Up (Shift). Each KEY is one key; an unknown name is refused and nothing is typed.\n"
    "\n"
    "example: ganger keys api-fix y Enter\n",
    run_keys};

const struct command command_paste = {"paste", "Tell", "paste text into a session",
                                      "usage: ganger paste SESSION [TEXT|-]\n"
                                      "\n"
                                      "Pastes text as one unit, without pressing Enter: what a program sees "
                                      "that asked for bracketed paste. Without TEXT,\n"
                                      "or with -, standard input is pasted. At most 512 KiB.\n"
                                      "\n"
                                      "example: ganger paste api-fix - < error.log\n",
                                      run_paste};

#define PASTE_MAX (512 * 1024)

static const struct option options[] = {CLI_HELP_OPTION, {0}};

static int call(const char *reference, const char *method, json_t *params)
{
    char uuid[UUID_SIZE];
    struct error error;
    json_t *result;

    cli_find(reference, true, uuid);
    result = cli_call(uuid, method, params, &error);
    if (result == NULL)
        return cli_error(reference, &error);
    json_decref(result);
    return EXIT_OK;
}

static int run_keys(int argc, char **argv)
{
    json_t *keys = json_array();

    while (cli_option(&command_keys, argc, argv, ":h", options) != -1)
        continue;
    cli_operands(&command_keys, argc, 2, -1);
    for (int i = optind + 1; i < argc; i++) {
        json_t *key = json_string(argv[i]);
        if (key == NULL)
            cli_usage_error(&command_keys, "a key's name is not valid UTF-8");
        (void)json_array_append_new(keys, key);
    }
    return call(argv[optind], "session.keys", json_pack("{s:o}", "keys", keys));
}

static int run_paste(int argc, char **argv)
{
    size_t length;
    char *text;
    json_t *value;

    while (cli_option(&command_paste, argc, argv, ":h", options) != -1)
        continue;
    cli_operands(&command_paste, argc, 1, 2);
    text = cli_text(&command_paste, argc - optind > 1 ? argv[optind + 1] : "-", PASTE_MAX, &length);
    value = json_stringn(text, length);
    free(text);
    if (value == NULL)
        return cli_errorf("paste", "the text is not valid UTF-8");
    return call(argv[optind], "session.paste", json_pack("{s:o}", "text", value));
}
