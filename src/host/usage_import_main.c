/* ganger-host import: `ganger usage --import` runs it. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/usage_record.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/config.h"
#include "host/usage_import.h"

struct place {
    char *folder, *account;
    const char *agent;
};

struct places {
    struct place *items;
    size_t count;
};

struct options {
    const char *agent;
    bool json;
};

/* ---- where agents keep their files ---- */

static bool same_folder(const char *left, const char *right)
{
    struct stat one, other;

    return stat(left, &one) == 0 && stat(right, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* Of two accounts in one folder the first counts. Takes the folder. */
static void add_place(struct places *places, const char *agent, const char *name, char *folder)
{
    for (size_t i = 0; i < places->count && folder != NULL; i++) {
        if (strcmp(places->items[i].agent, agent) == 0 && same_folder(places->items[i].folder, folder)) {
            free(folder);
            folder = NULL;
        }
    }
    if (folder == NULL)
        return;
    places->items = xreallocarray(places->items, places->count + 1, sizeof *places->items);
    places->items[places->count++] =
        (struct place){.folder = folder, .account = ledger_account_key(agent, name), .agent = agent};
}

static void places_finish(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        free(places->items[i].folder);
        free(places->items[i].account);
    }
    free(places->items);
}

struct lookup {
    const json_t *env; /* of an account, or NULL */
    char *path;        /* a value with the home folder put in, until the next */
};

/* Values that come out of files and programs may be secrets, and are no folders. */
static const char *variable(void *argument, const char *name)
{
    struct lookup *lookup = argument;
    const char *value = json_string_value(json_object_get(lookup->env, name)), *home = getenv("HOME");

    if (value == NULL)
        return getenv(name);
    if (strncmp(value, "~/", 2) != 0 || home == NULL)
        return value;
    free(lookup->path);
    lookup->path = path_join(home, value + 2);
    return lookup->path;
}

static void find_accounts(const struct config *config, const struct usage_source *source,
                          struct places *places)
{
    const char *name;
    json_t *account, *accounts = json_deep_copy(config_accounts(config));

    json_object_foreach(accounts, name, account)
    {
        struct lookup lookup = {json_object_get(account, "env"), NULL};
        if (strcmp(json_member_string(account, "agent", ""), source->agent) != 0 ||
            (json_object_get(lookup.env, source->variable) == NULL &&
             json_object_get(lookup.env, "HOME") == NULL))
            continue;
        add_place(places, source->agent, name, usage_import_folder(source->agent, variable, &lookup));
        free(lookup.path);
    }
    json_decref(accounts);
}

static void find_places(const struct config *config, const struct options *options, struct places *places)
{
    const struct usage_source *source;

    for (size_t i = 0; (source = usage_source_at(i)) != NULL; i++) {
        struct lookup own = {NULL, NULL};
        if (options->agent != NULL && strcmp(options->agent, source->agent) != 0)
            continue;
        find_accounts(config, source, places);
        add_place(places, source->agent, NULL, usage_import_folder(source->agent, variable, &own));
    }
}

/* ---- reading them ---- */

/* An account whose agent told of limit windows is a subscription. */
static bool has_windows(struct ledger *ledger, const char *account)
{
    json_t *limits = ledger_limits(ledger, clock_realtime_ms(), NULL), *entry;
    bool found = false;
    size_t index;

    json_array_foreach(limits, index, entry)
    {
        if (strcmp(json_member_string(entry, "key", ""), account) == 0)
            found = json_array_size(json_object_get(entry, "windows")) > 0;
    }
    json_decref(limits);
    return found;
}

static int import_place(const struct place *place, const struct prices *prices, struct ledger *ledger,
                        struct usage_import_sum *sum, struct error *error)
{
    const struct usage_import what = {.agent = place->agent,
                                      .folder = place->folder,
                                      .account = place->account,
                                      .subscription = has_windows(ledger, place->account),
                                      .prices = prices};

    return usage_import_folder_whole(&what, ledger, sum, error);
}

static json_t *place_json(const struct place *place, const struct usage_import_sum *sum)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "account", place->account, "folder",
                     place->folder, "files", (json_int_t)sum->files, "changed", (json_int_t)sum->changed,
                     "bytes", (json_int_t)sum->bytes, "answers", (json_int_t)sum->answers, "unread",
                     (json_int_t)sum->unread);
}

static void print_place(const struct place *place, const struct usage_import_sum *sum)
{
    if (sum->files == 0)
        return;
    (void)printf("%-16s  %zu file%s, %zu with something to read (%.1f MB), %" PRId64 " answer%s added",
                 place->account, sum->files, sum->files == 1 ? "" : "s", sum->changed,
                 (double)sum->bytes / 1e6, sum->answers, sum->answers == 1 ? "" : "s");
    if (sum->unread > 0)
        (void)printf(", %zu could not be read", sum->unread);
    (void)putchar('\n');
}

static void add_sum(struct usage_import_sum *all, const struct usage_import_sum *one)
{
    all->files += one->files;
    all->changed += one->changed;
    all->bytes += one->bytes;
    all->answers += one->answers;
    all->unread += one->unread;
}

static void print_all(const struct options *options, const struct usage_import_sum *all, json_t *list,
                      double seconds)
{
    if (options->json) {
        json_t *object = json_pack("{s:O, s:I, s:I, s:f}", "accounts", list, "files", (json_int_t)all->files,
                                   "answers", (json_int_t)all->answers, "seconds", seconds);
        (void)json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        json_decref(object);
        (void)putchar('\n');
        return;
    }
    (void)printf("%zu file%s, %" PRId64 " answer%s added, %.1f s\n", all->files, all->files == 1 ? "" : "s",
                 all->answers, all->answers == 1 ? "" : "s", seconds);
}

static int import_places(const struct options *options, const struct places *places,
                         const struct prices *prices, struct ledger *ledger, struct error *error)
{
    int64_t began = clock_monotonic_ns();
    struct usage_import_sum all = {0};
    json_t *list = json_array();
    int result = 0;

    for (size_t i = 0; i < places->count && result == 0; i++) {
        struct usage_import_sum sum = {0};
        result = import_place(&places->items[i], prices, ledger, &sum, error);
        if (options->json)
            (void)json_array_append_new(list, place_json(&places->items[i], &sum));
        else
            print_place(&places->items[i], &sum);
        add_sum(&all, &sum);
    }
    if (result == 0)
        print_all(options, &all, list, (double)(clock_monotonic_ns() - began) / 1e9);
    json_decref(list);
    return result;
}

/* A ledger that was set aside is begun anew by opening it again. */
static struct ledger *open_ledger(struct error *error)
{
    char *state = path_state_dir(error);
    struct ledger *ledger = state == NULL ? NULL : ledger_open(state, LEDGER_WRITE, error);

    if (ledger == NULL && state != NULL && error->code == EUCLEAN) {
        (void)fprintf(stderr, "ganger: usage: %s\n", error->text);
        ledger = ledger_open(state, LEDGER_WRITE, error);
    }
    free(state);
    return ledger;
}

static struct prices *load_prices(void)
{
    char *folder = path_config_dir(NULL), *path = folder == NULL ? NULL : path_join(folder, "prices.json");
    struct error error = {0};
    struct prices *prices = prices_load(path, &error);

    if (error.text[0] != '\0')
        (void)fprintf(stderr, "ganger: prices: %s; the built-in prices are used\n", error.text);
    free(path);
    free(folder);
    return prices;
}

static int import(const struct options *options, struct error *error)
{
    struct config *config = config_load(NULL, error);
    struct ledger *ledger = config == NULL ? NULL : open_ledger(error);
    struct places places = {NULL, 0};
    struct prices *prices;
    int result = -1;

    if (ledger != NULL) {
        prices = load_prices();
        find_places(config, options, &places);
        result = import_places(options, &places, prices, ledger, error);
        places_finish(&places);
        prices_destroy(prices);
    }
    ledger_close(ledger);
    config_destroy(config);
    return result;
}

static int parse(int argc, char **argv, struct options *options, struct error *error)
{
    static const struct option longs[] = {
        {"agent", required_argument, NULL, 'a'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (option == 'a')
            options->agent = optarg;
        else if (option == 'j')
            options->json = true;
        else
            return error_set(error, "usage: ganger-host import [--json] [--agent AGENT]");
    }
    if (optind != argc)
        return error_set(error, "expected no operand");
    return 0;
}

int usage_import_main(int argc, char **argv)
{
    struct options options = {NULL, false};
    struct error error = {0};

    if (parse(argc, argv, &options, &error) == 0 && import(&options, &error) == 0) {
        if (fflush(stdout) == 0)
            return 0;
        error_errno(&error, "cannot write");
    }
    (void)fprintf(stderr, "ganger: usage: %s\n", error.text);
    return 1;
}
