#include "config/schema.h"

#include <stdbool.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/json.h"
#include "config/nearest.h"

#define DEFS "#/$defs/"

struct check {
    const json_t *root;
    struct key_path *path;
    struct buffer *problem;
};

static int check_value(struct check *check, const json_t *schema, const json_t *value);

/* What $ref leads to, else the schema itself. */
static const json_t *resolve(const json_t *root, const json_t *schema)
{
    const char *reference = json_member_string(schema, "$ref", NULL);

    if (reference == NULL || strncmp(reference, DEFS, sizeof DEFS - 1) != 0)
        return schema;
    return json_object_get(json_object_get(root, "$defs"), reference + sizeof DEFS - 1);
}

/* ---- types ---- */

static const struct {
    const char *name, *words;
} types[] = {
    {"object", "an object"}, {"array", "a list"},           {"string", "a string"},
    {"number", "a number"},  {"integer", "a whole number"}, {"boolean", "true or false"},
};

static bool is_of_type(const json_t *value, const char *type)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return strcmp(type, "object") == 0;
    case JSON_ARRAY:
        return strcmp(type, "array") == 0;
    case JSON_STRING:
        return strcmp(type, "string") == 0;
    case JSON_INTEGER:
        return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    case JSON_REAL:
        return strcmp(type, "number") == 0;
    case JSON_TRUE:
    case JSON_FALSE:
        return strcmp(type, "boolean") == 0;
    case JSON_NULL:
        break;
    }
    return false;
}

static void print_number(struct buffer *out, const json_t *number)
{
    json_append_value(out, number);
}

static void print_type(struct buffer *out, const json_t *schema, const char *type)
{
    const json_t *low = json_object_get(schema, "minimum"), *high = json_object_get(schema, "maximum");

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, type) == 0)
            buffer_append_string(out, types[i].words);
    }
    if (low != NULL && high != NULL && (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0)) {
        buffer_append_string(out, " from ");
        print_number(out, low);
        buffer_append_string(out, " to ");
        print_number(out, high);
    }
}

/* What was found: short scalars as they are, the rest by kind. */
static void print_found(struct buffer *out, const json_t *value)
{
    struct buffer text = {0};

    if (json_is_object(value)) {
        buffer_append_string(out, "an object");
    } else if (json_is_array(value)) {
        buffer_append_string(out, "a list");
    } else {
        json_append_value(&text, value);
        buffer_append_string(out, text.length <= 60 ? text.bytes : "a long string");
        buffer_finish(&text);
    }
}

static int check_type(struct check *check, const json_t *schema, const json_t *value)
{
    const json_t *type = json_object_get(schema, "type");
    size_t count = json_is_array(type) ? json_array_size(type) : type != NULL;

    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(type) ? json_array_get(type, i) : type;
        if (is_of_type(value, json_string_value(one)))
            return 0;
    }
    if (count == 0)
        return 0;
    buffer_append_string(check->problem, "expected ");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_string(check->problem, " or ");
        print_type(check->problem, schema,
                   json_string_value(json_is_array(type) ? json_array_get(type, i) : type));
    }
    buffer_append_string(check->problem, ", not ");
    print_found(check->problem, value);
    return -1;
}

/* ---- words ---- */

/* Appends "a, b, c": the strings of a list, or the keys of an object. `nearest` (or NULL) is offered each. */
static void list_words(struct buffer *out, const json_t *words, struct nearest *nearest)
{
    const char *key, *separator = "";
    json_t *word;
    size_t i;

    json_array_foreach(words, i, word)
    {
        buffer_printf(out, "%s%s", separator, json_string_value(word));
        if (nearest != NULL)
            nearest_offer(nearest, json_string_value(word));
        separator = ", ";
    }
    json_object_foreach((json_t *)(uintptr_t)words, key, word)
    {
        if (key[0] == '$')
            continue;
        buffer_printf(out, "%s%s", separator, key);
        if (nearest != NULL)
            nearest_offer(nearest, key);
        separator = ", ";
    }
}

/* `expected one of a, b, c`, then the nearest of them to what was given. */
static void print_words(struct buffer *out, const json_t *words, const char *given)
{
    struct nearest nearest = {.word = given};
    size_t count = json_array_size(words) + json_object_size(words);

    buffer_append_string(out, count == 1 ? "expected " : "expected one of ");
    list_words(out, words, &nearest);
    if (nearest.best != NULL)
        buffer_printf(out, " (did you mean %s?)", nearest.best);
}

static bool listed(const json_t *words, const char *word)
{
    const json_t *one;
    size_t i;

    json_array_foreach(words, i, one)
    {
        if (strcmp(json_string_value(one), word) == 0)
            return true;
    }
    return false;
}

/* "format": "agent": beside those listed also an agent of the user's own. */
static bool is_name(const json_t *names, const char *key)
{
    return listed(json_object_get(names, "enum"), key) ||
           (json_object_get(names, "format") != NULL && agent_catalogue_find(key) != NULL);
}

static int check_enum(struct check *check, const json_t *schema, const json_t *value)
{
    const json_t *words = json_object_get(schema, "enum");

    /* A schema that allows a boolean beside words names both in its type. */
    if (words == NULL || (json_is_boolean(value) && json_object_get(schema, "type") != NULL) ||
        (json_is_string(value) && is_name(schema, json_string_value(value))))
        return 0;
    print_words(check->problem, words, json_is_string(value) ? json_string_value(value) : "");
    buffer_append_string(check->problem, ", not ");
    print_found(check->problem, value);
    return -1;
}

/* ---- sizes ---- */

static int check_number(struct check *check, const json_t *schema, const json_t *value)
{
    double number = json_number_value(value);

    if (number >= json_member_number(schema, "minimum", number) &&
        number <= json_member_number(schema, "maximum", number))
        return 0;
    buffer_append_string(check->problem, "expected ");
    print_type(check->problem, schema, json_member_string(schema, "type", "number"));
    buffer_append_string(check->problem, ", not ");
    print_found(check->problem, value);
    return -1;
}

static int check_string(struct check *check, const json_t *schema, const json_t *value)
{
    if ((int64_t)json_string_length(value) >= json_member_integer(schema, "minLength", 0))
        return 0;
    buffer_append_string(check->problem, "expected a string that is not empty");
    return -1;
}

static int check_array(struct check *check, const json_t *schema, const json_t *value)
{
    const json_t *items = json_object_get(schema, "items"), *item;
    size_t i;

    if ((int64_t)json_array_size(value) < json_member_integer(schema, "minItems", 0)) {
        buffer_append_string(check->problem, "expected a list that is not empty");
        return -1;
    }
    if (items == NULL)
        return 0;
    json_array_foreach(value, i, item)
    {
        key_path_push_index(check->path, i);
        if (check_value(check, items, item) < 0)
            return -1;
        key_path_pop(check->path);
    }
    return 0;
}

/* ---- objects ---- */

static int check_key(struct check *check, const json_t *schema, const char *key)
{
    const json_t *named = json_object_get(schema, "propertyNames"), *names = json_object_get(named, "enum");
    const json_t *properties = json_object_get(schema, "properties");

    if (names != NULL ? is_name(named, key)
                      : json_object_get(properties, key) != NULL ||
                            !json_is_false(json_object_get(schema, "additionalProperties")))
        return 0;
    if (names == NULL)
        names = properties;
    buffer_append_string(check->problem, "unknown key, ");
    if (json_array_size(names) + json_object_size(names) == 0)
        buffer_append_string(check->problem, "expected none");
    else
        print_words(check->problem, names, key);
    return -1;
}

static int check_required(struct check *check, const json_t *schema, const json_t *value)
{
    const json_t *required = json_object_get(schema, "required"), *name;
    int64_t exactly = json_member_integer(schema, "maxProperties", -1);
    size_t i;

    json_array_foreach(required, i, name)
    {
        if (json_object_get(value, json_string_value(name)) == NULL) {
            buffer_printf(check->problem, "expected the key %s", json_string_value(name));
            return -1;
        }
    }
    if (exactly == -1 || (int64_t)json_object_size(value) == exactly)
        return 0;
    buffer_append_string(check->problem, "expected exactly one of ");
    list_words(check->problem, json_object_get(schema, "properties"), NULL);
    return -1;
}

static int check_object(struct check *check, const json_t *schema, const json_t *value)
{
    const json_t *properties = json_object_get(schema, "properties"), *member;
    const json_t *additional = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        key_path_push_key(check->path, key);
        member = json_object_get(properties, key);
        if (check_key(check, schema, key) < 0)
            return -1;
        if (member == NULL && json_is_object(additional))
            member = additional;
        if (member != NULL && check_value(check, member, item) < 0)
            return -1;
        key_path_pop(check->path);
    }
    return check_required(check, schema, value);
}

static int check_value(struct check *check, const json_t *schema, const json_t *value)
{
    schema = resolve(check->root, schema);
    if (check_type(check, schema, value) < 0 || check_enum(check, schema, value) < 0)
        return -1;
    if (json_is_object(value))
        return check_object(check, schema, value);
    if (json_is_array(value))
        return check_array(check, schema, value);
    if (json_is_string(value))
        return check_string(check, schema, value);
    return json_is_number(value) ? check_number(check, schema, value) : 0;
}

int schema_check(const json_t *root, const json_t *value, struct key_path *path, struct buffer *problem)
{
    struct check check = {root, path, problem};

    return check_value(&check, root, value);
}

/* ---- defaults ---- */

static json_t *complete(const json_t *root, const json_t *schema, const json_t *value);

static void complete_members(const json_t *root, const json_t *schema, const json_t *value, json_t *whole)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *additional = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)properties, key, member)
    {
        json_t *completed = complete(root, member, json_object_get(value, key));
        if (completed != NULL)
            json_object_set_new(whole, key, completed);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (json_object_get(properties, key) == NULL)
            json_object_set_new(whole, key, complete(root, additional, member));
    }
}

static json_t *complete(const json_t *root, const json_t *schema, const json_t *value)
{
    json_t *whole;

    schema = resolve(root, schema);
    if (value == NULL)
        value = json_object_get(schema, "default");
    if (value == NULL ? json_object_get(schema, "properties") == NULL ||
                            strcmp(json_member_string(schema, "type", ""), "object") != 0
                      : !json_is_object(value))
        return json_deep_copy(value);
    whole = json_object();
    complete_members(root, schema, value, whole);
    return whole;
}

json_t *schema_complete(const json_t *root, const json_t *value)
{
    return complete(root, root, value);
}
