#include "agent/prices.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"

EMBED(built_in_prices, "src/agent/prices.json");

#define FILE_MAX ((size_t)4 * 1024 * 1024)
#define MODELS_MAX 5000
#define PRICE_MAX 1e6
#define PER 1e6 /* tokens */

struct rate {
    double input, output, cache_read, cache_write, cache_write_1h;
};

struct model {
    char *name;
    struct rate usual, dear;
    int64_t dear_above; /* tokens of the prompt; 0: never */
    double web_search, us_only;
};

struct prices {
    struct model *models; /* the user's first */
    size_t count;
    char date[16];
};

/* ---- reading ---- */

struct place {
    const char *file, *model;
    struct error *error;
};

static int bad(const struct place *place, const char *key, const char *expected)
{
    return error_set(place->error, "%s: models.%s%s%s: expected %s", place->file, place->model,
                     *key == '\0' ? "" : ".", key, expected);
}

static int read_price(const struct place *place, const json_t *object, const char *key, double *price)
{
    const json_t *value = json_object_get(object, key);
    double number = json_number_value(value);

    if (value == NULL)
        return 0;
    if (!json_is_number(value) || !isfinite(number) || number < 0 || number > PRICE_MAX)
        return bad(place, key, "a number from 0 to 1000000");
    *price = number;
    return 0;
}

static int check_keys(const struct place *place, json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        const char *const *name = known;
        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            return error_set(place->error, "%s: models.%s.%s: no such key", place->file, place->model, key);
    }
    return 0;
}

/* What is not told of a cache costs as much as what is not cached. */
static int read_rate(const struct place *place, const json_t *object, struct rate *rate)
{
    if (!json_is_number(json_object_get(object, "input")) ||
        !json_is_number(json_object_get(object, "output")))
        return bad(place, "", "numbers \"input\" and \"output\"");
    if (read_price(place, object, "input", &rate->input) < 0 ||
        read_price(place, object, "output", &rate->output) < 0)
        return -1;
    rate->cache_read = rate->cache_write = rate->input;
    if (read_price(place, object, "cache_read", &rate->cache_read) < 0 ||
        read_price(place, object, "cache_write", &rate->cache_write) < 0)
        return -1;
    rate->cache_write_1h = rate->cache_write;
    return read_price(place, object, "cache_write_1h", &rate->cache_write_1h);
}

static int read_long(const struct place *place, json_t *object, struct model *model)
{
    static const char *const known[] = {"above",       "input",          "output", "cache_read",
                                        "cache_write", "cache_write_1h", NULL};

    if (object == NULL)
        return 0;
    model->dear_above = json_integer_value(json_object_get(object, "above"));
    if (!json_is_object(object) || model->dear_above <= 0)
        return bad(place, "long.above", "a number of tokens");
    return check_keys(place, object, known) < 0 ? -1 : read_rate(place, object, &model->dear);
}

static int read_model(const struct place *place, json_t *object, struct model *model)
{
    static const char *const known[] = {"input",       "output",         "cache_read",
                                        "cache_write", "cache_write_1h", "web_search",
                                        "us_only",     "long",           NULL};

    *model = (struct model){.us_only = 1};
    if (!json_is_object(object))
        return bad(place, "", "an object");
    if (check_keys(place, object, known) < 0 || read_rate(place, object, &model->usual) < 0 ||
        read_price(place, object, "web_search", &model->web_search) < 0 ||
        read_price(place, object, "us_only", &model->us_only) < 0 ||
        read_long(place, json_object_get(object, "long"), model) < 0)
        return -1;
    model->name = xstrdup(place->model);
    return 0;
}

static void forget(struct prices *prices, size_t count)
{
    while (prices->count > count)
        free(prices->models[--prices->count].name);
}

/* All of the file's models or none. */
static int read_models(struct prices *prices, const char *file, const json_t *root, struct error *error)
{
    json_t *models = json_object_get(root, "models"), *value;
    size_t before = prices->count;
    const char *name;

    if (!json_is_object(models) || json_object_size(models) > MODELS_MAX)
        return error_set(error, "%s: models: expected an object of models", file);
    prices->models =
        xreallocarray(prices->models, before + json_object_size(models) + 1, sizeof *prices->models);
    json_object_foreach(models, name, value)
    {
        const struct place place = {file, name, error};
        if (read_model(&place, value, &prices->models[prices->count]) < 0) {
            forget(prices, before);
            return -1;
        }
        prices->count++;
    }
    return 0;
}

static int read_user_file(struct prices *prices, const char *path, struct error *error)
{
    struct error why = {0};
    json_error_t mistake;
    json_t *root;
    char *bytes;
    size_t length;
    int result;

    if (path_read_file(path, FILE_MAX, &bytes, &length, &why) < 0) {
        if (why.code == ENOENT)
            return 0;
        return error_set(error, "%s", why.text);
    }
    root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &mistake);
    free(bytes);
    if (root == NULL)
        return error_set(error, "%s:%d: %s", path, mistake.line, mistake.text);
    result = read_models(prices, path, root, error);
    json_decref(root);
    return result;
}

struct prices *prices_load(const char *path, struct error *error)
{
    struct prices *prices = xcalloc(1, sizeof *prices);
    json_t *root = json_loads(built_in_prices, 0, NULL);

    if (error != NULL)
        *error = (struct error){0};
    if (path != NULL)
        (void)read_user_file(prices, path, error);
    if (read_models(prices, "prices.json", root, NULL) < 0)
        abort();
    (void)snprintf(prices->date, sizeof prices->date, "%s", json_member_string(root, "date", ""));
    json_decref(root);
    return prices;
}

void prices_destroy(struct prices *prices)
{
    if (prices == NULL)
        return;
    forget(prices, 0);
    free(prices->models);
    free(prices);
}

const char *prices_date(const struct prices *prices)
{
    return prices->date;
}

/* ---- costs ---- */

/* "claude-opus-5" is the beginning of "claude-opus-5-20260101" and "claude-opus-5@date", not of "claude-opus-5.5". */
static size_t begins(const char *model, const char *name)
{
    size_t length = strlen(name);

    if (strncasecmp(model, name, length) != 0 ||
        (model[length] != '\0' && strchr("-@:[_", model[length]) == NULL))
        return 0;
    return length;
}

/* Providers put words before a model's name: "anthropic/claude-…", "us.anthropic.claude-…". */
static const char *bare_name(const char *model)
{
    const char *slash = strrchr(model, '/'), *vendor;

    if (slash != NULL)
        model = slash + 1;
    vendor = strstr(model, "anthropic.");
    return vendor != NULL ? vendor + strlen("anthropic.") : model;
}

static const struct model *find(const struct prices *prices, const char *name)
{
    const char *const names[] = {name, bare_name(name)};
    const struct model *best = NULL;
    size_t longest = 0;

    for (size_t way = 0; way < 2 && best == NULL; way++) {
        for (size_t i = 0; i < prices->count; i++) {
            size_t length = begins(names[way], prices->models[i].name);
            if (length > longest) {
                longest = length;
                best = &prices->models[i];
            }
        }
    }
    return best;
}

static double told(int64_t count)
{
    return count > 0 ? (double)count : 0;
}

double prices_cost(const struct prices *prices, const struct usage_record *record)
{
    const struct model *model = record->model == NULL ? NULL : find(prices, record->model);
    double input = told(record->input_tokens), read = told(record->cache_read_tokens),
           written = told(record->cache_write_tokens), hour = told(record->cache_write_1h_tokens), sum;
    const struct rate *rate;

    if (model == NULL)
        return -1;
    rate = model->dear_above > 0 && input + read + written > (double)model->dear_above ? &model->dear
                                                                                       : &model->usual;
    hour = hour < written ? hour : written;
    sum = input * rate->input + told(record->output_tokens) * rate->output + read * rate->cache_read +
          (written - hour) * rate->cache_write + hour * rate->cache_write_1h;
    sum = sum / PER * (record->us_only ? model->us_only : 1);
    return sum + told(record->web_searches) * model->web_search;
}
