#include "term/engine.h"

#include <stdlib.h>
#include <vterm.h>

#include "base/memory.h"

struct engine {
    VTerm *vterm;
    const struct engine_calls *calls;
    void *argument;
    int cols, rows;
    int ready;
};

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static struct rect clamp_rect(const struct engine *engine, VTermRect rect)
{
    struct rect clamped = {
        .top = clamp(rect.start_row, 0, engine->rows),
        .bottom = clamp(rect.end_row, 0, engine->rows),
        .left = clamp(rect.start_col, 0, engine->cols),
        .right = clamp(rect.end_col, 0, engine->cols),
    };

    return clamped;
}

static int on_move(VTermPos position, VTermPos old, int visible, void *user)
{
    struct engine *engine = user;

    (void)old;
    (void)visible;
    if (engine->ready)
        engine->calls->move(engine->argument, clamp(position.col, 0, engine->cols - 1),
                            clamp(position.row, 0, engine->rows - 1));
    return 1;
}

static int on_scroll(VTermRect rect, int downward, int rightward, void *user)
{
    struct engine *engine = user;
    struct rect clamped = clamp_rect(engine, rect);

    if (engine->ready && clamped.top < clamped.bottom && clamped.left < clamped.right)
        engine->calls->scroll(engine->argument, clamped, downward, rightward);
    return 1;
}

static int on_erase(VTermRect rect, int selective, void *user)
{
    struct engine *engine = user;
    struct rect clamped = clamp_rect(engine, rect);

    (void)selective;
    if (engine->ready && clamped.top < clamped.bottom && clamped.left < clamped.right)
        engine->calls->erase(engine->argument, clamped);
    return 1;
}

static const VTermStateCallbacks state_callbacks = {
    .movecursor = on_move,
    .scrollrect = on_scroll,
    .erase = on_erase,
};

struct engine *engine_create(int cols, int rows, const struct engine_calls *calls, void *argument)
{
    struct engine *engine = xcalloc(1, sizeof *engine);
    VTermState *state;

    engine->vterm = vterm_new(rows, cols);
    if (engine->vterm == NULL)
        abort();
    engine->calls = calls;
    engine->argument = argument;
    engine->cols = cols;
    engine->rows = rows;
    vterm_set_utf8(engine->vterm, 1);
    state = vterm_obtain_state(engine->vterm);
    vterm_state_set_callbacks(state, &state_callbacks, engine);
    vterm_state_reset(state, 1);
    engine->ready = 1;
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    vterm_free(engine->vterm);
    free(engine);
}

void engine_write(struct engine *engine, const char *bytes, size_t length)
{
    (void)vterm_input_write(engine->vterm, bytes, length);
}
