#include "tui/app.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/path.h"
#include "tui/canvas.h"
#include "tui/colour.h"
#include "tui/dialog.h"
#include "tui/front.h"
#include "tui/input.h"
#include "tui/outer.h"
#include "tui/paint.h"
#include "tui/scroll.h"
#include "tui/ui.h"

static const int signals[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGCHLD};
#define SIGNALS (sizeof signals / sizeof signals[0])

static void on_signal(evutil_socket_t number, short what, void *argument)
{
    struct ui *ui = argument;

    (void)what;
    if (ui->front != 0 && (number == SIGWINCH || number == SIGINT))
        return; /* they are for who has the terminal */
    if (number == SIGWINCH) {
        outer_resized();
        scroll_close(ui);
        ui_arrange(ui);
    } else if (number == SIGCHLD) {
        child_reap(ui);
        front_reap(ui);
    } else {
        ui_quit(ui, 0);
    }
}

static void on_paint(evutil_socket_t descriptor, short what, void *argument)
{
    struct ui *ui = argument;

    (void)descriptor;
    (void)what;
    if (!ui->quitting && ui->front == 0)
        paint_now(ui);
}

static void on_later(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    ui_paint(argument, PAINT_PANES);
}

/* The second's tick, aligned to the second: armed only while a running time is shown. */
static void on_second(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    ui_paint(argument, PAINT_PANEL | PAINT_TITLES);
    ui_tick(argument);
}

static void on_arrange(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    ui_send_sizes(argument);
}

static int load_theme(struct ui *ui, struct error *error)
{
    canvas_set_theme(&ui->theme);
    return theme_load(&ui->theme, config_string(ui->config, "theme"), error);
}

/* What can fail while the terminal is still untouched. */
static int prepare(struct ui *ui, struct error *error)
{
    int layout;

    ui->crew.inotify = ui->crew.shown = -1;
    ui->state_dir = path_state_dir(error);
    ui->runtime_dir = ui->state_dir == NULL ? NULL : path_runtime_dir(error);
    ui->config = ui->runtime_dir == NULL ? NULL : config_load(NULL, error);
    if (ui->config == NULL)
        return -1;
    ui->keymap = keymap_create(config_keys(ui->config), error);
    if (ui->keymap == NULL || load_theme(ui, error) < 0)
        return -1;
    layout = layout_find(config_string(ui->config, "layout"));
    ui->layout = layout < 0 ? LAYOUT_TILED : (enum layout_kind)layout;
    ui->loop = event_base_new();
    return ui->loop == NULL ? error_set(error, "cannot make an event loop") : 0;
}

static void release(struct ui *ui)
{
    ui_set_dialog(ui, NULL);
    scroll_close(ui);
    child_close(ui);
    if (ui->loop != NULL) {
        struct event *events[] = {ui->paint_soon, ui->paint_later, ui->second, ui->arrange_soon};
        limits_close(ui);
        crew_close(ui);
        for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
            if (events[i] != NULL)
                event_free(events[i]);
        }
        event_base_free(ui->loop);
    }
    keymap_destroy(ui->keymap);
    config_destroy(ui->config);
    free(ui->runtime_dir);
    free(ui->state_dir);
}

static int open_session(struct ui *ui, struct error *error)
{
    struct session *session = ui->options.session == NULL ? NULL : crew_find(&ui->crew, ui->options.session);

    if (ui->options.session != NULL && session == NULL)
        return error_set(error, "there is no session %s: `ganger ls` lists them", ui->options.session);
    if (session != NULL) {
        ui_set_focus(ui, session);
        ui_set_mode(ui, MODE_PANE);
    }
    ui_arrange(ui);
    return 0;
}

static int run(struct ui *ui, struct error *error)
{
    struct event *caught[SIGNALS];
    int result = -1;

    ui->paint_soon = event_new(ui->loop, -1, 0, on_paint, ui);
    ui->paint_later = event_new(ui->loop, -1, 0, on_later, ui);
    ui->second = event_new(ui->loop, -1, 0, on_second, ui);
    ui->arrange_soon = event_new(ui->loop, -1, 0, on_arrange, ui);
    for (size_t i = 0; i < SIGNALS; i++) {
        caught[i] = evsignal_new(ui->loop, signals[i], on_signal, ui);
        (void)event_add(caught[i], NULL);
    }
    if (outer_open(error) == 0) {
        colour_init();
        if (crew_open(ui, error) == 0 && input_open(ui, error) == 0 && open_session(ui, error) == 0) {
            limits_open(ui);
            if (ui->options.opened != NULL)
                ui->options.opened();
            (void)event_base_dispatch(ui->loop);
            result = 0;
        }
        front_end(ui);
        input_close();
        outer_close();
        colour_finish();
    }
    for (size_t i = 0; i < SIGNALS; i++)
        event_free(caught[i]);
    return result;
}

int tui_main(const struct tui_options *options)
{
    struct ui *ui = xcalloc(1, sizeof *ui);
    struct error error = {0};
    int code = 1;

    ui->options = *options;
    ui->panel_shown = true;
    if (prepare(ui, &error) == 0 && run(ui, &error) == 0)
        code = ui->exit_code;
    else
        (void)fprintf(stderr, "ganger: %s\n", error.text);
    release(ui);
    free(ui);
    return code;
}
