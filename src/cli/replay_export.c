#include "cli/replay_export.h"

#include <stdint.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/cli.h"

struct arguments {
    const char *words[24];
    size_t count;
};

static void add(struct arguments *arguments, const char *option, const char *value)
{
    arguments->words[arguments->count++] = option;
    if (value != NULL)
        arguments->words[arguments->count++] = value;
}

int replay_export(const struct replay_export *options, const struct replay_origin *origin)
{
    struct arguments arguments = {.count = 0};
    struct error error;
    char *program = path_installed("ganger-replay", &error);

    if (program == NULL)
        return cli_error("replay", &error);
    add(&arguments, "ganger-replay", "export");
    add(&arguments, "--output", options->output);
    if (options->format != NULL)
        add(&arguments, "--format", options->format);
    if (options->force)
        add(&arguments, "--force", NULL);
    if (origin->file != NULL) {
        add(&arguments, "--", origin->file);
    } else {
        add(&arguments, "--state", cli_state_dir());
        add(&arguments, "--session", origin->uuid);
        add(&arguments, "--attempt", origin->attempt);
    }
    (void)execv(program, (char *const *)(uintptr_t)arguments.words);
    error_errno(&error, "cannot run %s", program);
    return cli_error("replay", &error);
}
