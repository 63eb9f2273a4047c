#include "replay/keys.h"

#include "replay/markers.h"

struct binding {
    uint32_t code;
    unsigned modifiers;
    struct bound bound;
};

#define BACK(kind) (-1 - (int)(kind))

static const struct binding bindings[] = {
    {' ', 0, {ACTION_PLAY, 0}},
    {'q', 0, {ACTION_QUIT, 0}},
    {'c', KEY_CTRL, {ACTION_QUIT, 0}},
    {'+', 0, {ACTION_SPEED, 1}},
    {'>', 0, {ACTION_SPEED, 1}},
    {'-', 0, {ACTION_SPEED, -1}},
    {'<', 0, {ACTION_SPEED, -1}},
    {'=', 0, {ACTION_SPEED, 0}},
    {KEYCODE_LEFT, 0, {ACTION_SEEK, -5}},
    {KEYCODE_RIGHT, 0, {ACTION_SEEK, 5}},
    {KEYCODE_DOWN, 0, {ACTION_SEEK, -60}},
    {KEYCODE_UP, 0, {ACTION_SEEK, 60}},
    {KEYCODE_PAGE_DOWN, 0, {ACTION_SEEK, -600}},
    {KEYCODE_PAGE_UP, 0, {ACTION_SEEK, 600}},
    {KEYCODE_HOME, 0, {ACTION_START, 0}},
    {'g', 0, {ACTION_START, 0}},
    {KEYCODE_END, 0, {ACTION_END, 0}},
    {'G', 0, {ACTION_END, 0}},
    {'.', 0, {ACTION_STEP, 1}},
    {',', 0, {ACTION_STEP, -1}},
    {':', 0, {ACTION_GO, 0}},
    {'t', 0, {ACTION_GO, 0}},
    {'/', 0, {ACTION_SEARCH, 1}},
    {'\\', 0, {ACTION_SEARCH, -1}},
    {'n', 0, {ACTION_AGAIN, 1}},
    {'N', 0, {ACTION_AGAIN, -1}},
    {'m', 0, {ACTION_MARKER, MARKER_ANY}},
    {'M', 0, {ACTION_MARKER, BACK(MARKER_ANY)}},
    {'a', 0, {ACTION_MARKER, MARKER_APPROVAL}},
    {'A', 0, {ACTION_MARKER, BACK(MARKER_APPROVAL)}},
    {'u', 0, {ACTION_MARKER, MARKER_LIMIT}},
    {'U', 0, {ACTION_MARKER, BACK(MARKER_LIMIT)}},
    {'e', 0, {ACTION_MARKER, MARKER_ERROR}},
    {'E', 0, {ACTION_MARKER, BACK(MARKER_ERROR)}},
    {'p', 0, {ACTION_MARKER, MARKER_PROMPT}},
    {'P', 0, {ACTION_MARKER, BACK(MARKER_PROMPT)}},
    {'f', 0, {ACTION_MARKER, MARKER_PHASE}},
    {'F', 0, {ACTION_MARKER, BACK(MARKER_PHASE)}},
    {'i', 0, {ACTION_IDLE, 0}},
    {'h', 0, {ACTION_PAN, PAN_LEFT}},
    {'l', 0, {ACTION_PAN, PAN_RIGHT}},
    {'k', 0, {ACTION_PAN, PAN_UP}},
    {'j', 0, {ACTION_PAN, PAN_DOWN}},
    {KEYCODE_LEFT, KEY_SHIFT, {ACTION_PAN, PAN_LEFT}},
    {KEYCODE_RIGHT, KEY_SHIFT, {ACTION_PAN, PAN_RIGHT}},
    {KEYCODE_UP, KEY_SHIFT, {ACTION_PAN, PAN_UP}},
    {KEYCODE_DOWN, KEY_SHIFT, {ACTION_PAN, PAN_DOWN}},
    {'c', 0, {ACTION_FOLLOW, 0}},
    {'?', 0, {ACTION_HELP, 0}},
    {KEYCODE_F1, 0, {ACTION_HELP, 0}},
    {'l', KEY_CTRL, {ACTION_REDRAW, 0}},
    {'z', KEY_CTRL, {ACTION_STOP, 0}},
    {KEYCODE_ESCAPE, 0, {ACTION_CANCEL, 0}},
};

const struct key_help keys_help[] = {
    {"Space", "play, pause"},
    {"+ -  =", "faster, slower, 1x"},
    {"← →", "5 s back, on"},
    {"↓ ↑", "1 min back, on"},
    {"PgDn/PgUp", "10 min back, on"},
    {"0 … 9", "to 0 % … 90 % of it"},
    {": t", "to 1:02:03, 90, 40%, +30"},
    {"Home End", "beginning, end and follow"},
    {". ,", "an event on, back"},
    {"m M", "next, last marker"},
    {"a A", "approval"},
    {"u U", "usage limit"},
    {"e E", "error"},
    {"p P", "prompt"},
    {"f F", "phase"},
    {"/ \\", "search on, back"},
    {"n N", "again, the other way"},
    {"i", "pauses cut or in full"},
    {"h j k l", "move a small view"},
    {"c", "follow the cursor again"},
    {"? Esc", "help; Esc gives up"},
    {"q", "quit"},
};
const size_t keys_help_count = sizeof keys_help / sizeof *keys_help;

struct bound keys_bound(struct key key)
{
    if (key.modifiers == 0 && key.code >= '0' && key.code <= '9')
        return (struct bound){ACTION_PERCENT, (int)(key.code - '0') * 10};
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++) {
        if (bindings[i].code == key.code && bindings[i].modifiers == key.modifiers)
            return bindings[i].bound;
    }
    return (struct bound){ACTION_NONE, 0};
}
