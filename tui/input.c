#include "tui/input.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "term/key.h"
#include "tui/dialog.h"
#include "tui/outer.h"
#include "tui/pointer.h"
#include "tui/scroll.h"
#include "tui/ui.h"

#define ESCAPE_MS 25
#define READ_BYTES 65536
#define SMALL_PASTE 512

static struct {
    struct tokenizer *tokenizer;
    struct event *readable, *escape;
} input;

static struct input_modes modes_of(const struct session *session)
{
    const struct frame_modes *modes = &session->screen.modes;

    return (struct input_modes){.application_cursor = modes->application_cursor,
                                .application_keypad = modes->application_keypad,
                                .bracketed_paste = modes->bracketed_paste,
                                .focus_events = modes->focus_events,
                                .modify_other_keys = modes->modify_other_keys,
                                .kitty_flags = modes->kitty_flags,
                                .mouse_mode = (enum mouse_mode)modes->mouse_mode,
                                .mouse_encoding = (enum mouse_encoding)modes->mouse_encoding};
}

/* ---- to the agent ---- */

static void send_bytes(struct ui *ui, const struct buffer *bytes)
{
    if (ui->options.read_only || ui->focus == NULL || bytes->length == 0)
        return;
    if (session_input(ui->focus, bytes->bytes, bytes->length))
        return;
    if (phase_look(ui->focus->phase)->ended)
        ui_say(ui, true, "%s has ended; r in crew mode retries it", ui->focus->name);
    else
        ui_say(ui, true, "%s: waiting for its host…", ui->focus->name);
}

static void send_key(struct ui *ui, struct key key)
{
    struct buffer bytes = {0};
    struct input_modes modes;

    if (ui->focus == NULL)
        return;
    modes = modes_of(ui->focus);
    key_encode(key, &modes, &bytes);
    send_bytes(ui, &bytes);
    buffer_finish(&bytes);
}

static void pasted(struct session *session, const json_t *result, const char *error)
{
    (void)result;
    if (error != NULL)
        ui_say(session->ui, true, "%s: the paste was refused: %s", session->name, error);
}

/* Large pastes go through the keeper, which writes them whole. */
static void send_paste(struct ui *ui, const char *text, size_t length)
{
    struct buffer bytes = {0};
    struct input_modes modes;
    json_t *copy;

    if (ui->focus == NULL || ui->options.read_only)
        return;
    copy = length > SMALL_PASTE ? json_stringn(text, length) : NULL;
    if (copy != NULL) {
        if (!session_call(ui->focus, "session.paste", json_pack("{s:o}", "text", copy), pasted))
            ui_say(ui, true, "%s: the paste was not sent: there is no connection", ui->focus->name);
        return;
    }
    modes = modes_of(ui->focus);
    paste_encode(text, length, &modes, &bytes);
    send_bytes(ui, &bytes);
    buffer_finish(&bytes);
}

static void send_focus(struct ui *ui, bool in)
{
    struct buffer bytes = {0};

    if (ui->focus == NULL || ui->mode != MODE_PANE || !ui->focus->screen.modes.focus_events)
        return;
    buffer_append_string(&bytes, in ? "\033[I" : "\033[O");
    send_bytes(ui, &bytes);
    buffer_finish(&bytes);
}

/* ---- keys ---- */

static void run_action(struct ui *ui, const struct action *action)
{
    if (ui->message[0] != '\0' && !ui->message_is_error)
        ui_say(ui, false, "%s", "");
    action->run(ui, action->argument);
}

static void crew_key(struct ui *ui, struct key key)
{
    const struct action *action = keymap_find(ui->keymap, key, false);

    if (ui->message_is_error)
        ui_say(ui, false, "%s", "");
    if (action != NULL)
        run_action(ui, action);
    else if (key_equal(key_normalize(key), keymap_prefix(ui->keymap)))
        return;
    else
        ui_say(ui, false, "? shows the keys");
}

/* One command after the prefix; the pane has the keys again, unless the command has changed that. */
static void prefix_key(struct ui *ui, struct key key)
{
    const struct action *action = keymap_find(ui->keymap, key, false);
    bool again = key_equal(key_normalize(key), keymap_prefix(ui->keymap));

    ui_set_mode(ui, MODE_PANE);
    if (again)
        send_key(ui, key);
    else if (action != NULL)
        run_action(ui, action);
    else
        ui_say(ui, false, "that key does nothing after the prefix; ? shows the keys");
}

static void raw_key(struct ui *ui, struct key key)
{
    bool prefix = key_equal(key_normalize(key), keymap_prefix(ui->keymap));

    if (ui->mode == MODE_PREFIX) {
        const struct action *action = keymap_find(ui->keymap, key, false);
        ui_set_mode(ui, MODE_PANE);
        if (prefix)
            send_key(ui, key);
        else if (action != NULL && strcmp(action->name, "detach") == 0)
            ui_quit(ui, 0);
    } else if (prefix) {
        ui_set_mode(ui, MODE_PREFIX);
    } else {
        send_key(ui, key);
    }
}

static void pane_key(struct ui *ui, struct key key)
{
    const struct action *action = keymap_find(ui->keymap, key, true);

    if (key_equal(key_normalize(key), keymap_prefix(ui->keymap)))
        ui_set_mode(ui, MODE_PREFIX);
    else if (action != NULL)
        run_action(ui, action);
    else
        send_key(ui, key);
}

static void take_key(struct ui *ui, struct key key)
{
    if (ui->dialog != NULL)
        dialog_key(ui, key);
    else if (ui->options.raw)
        raw_key(ui, key);
    else if (ui->mode == MODE_SCROLL)
        scroll_key(ui, key);
    else if (ui->mode == MODE_PREFIX)
        prefix_key(ui, key);
    else if (ui->mode == MODE_PANE)
        pane_key(ui, key);
    else
        crew_key(ui, key);
}

static void take_paste(struct ui *ui, const char *text, size_t length)
{
    if (ui->dialog != NULL)
        dialog_paste(ui, text, length);
    else if (ui->mode == MODE_PANE)
        send_paste(ui, text, length);
    else
        ui_say(ui, false, "press Enter first: the paste goes to a session");
}

static void take_mouse(struct ui *ui, const struct mouse *mouse)
{
    struct buffer bytes = {0};
    struct mouse inside;
    struct input_modes modes;

    switch (pointer_take(ui, mouse, &inside)) {
    case POINTER_DONE:
        break;
    case POINTER_AGENT:
        modes = modes_of(ui->focus);
        mouse_encode(&inside, &modes, &bytes);
        send_bytes(ui, &bytes);
        break;
    case POINTER_ARROWS:
        for (int i = 0; i < 3; i++)
            send_key(ui, (struct key){.code = mouse->action == MOUSE_WHEEL_UP ? KEYCODE_UP : KEYCODE_DOWN});
        break;
    }
    buffer_finish(&bytes);
}

/* ---- bytes ---- */

static void take_reply(struct ui *ui, const struct input_event *event)
{
    uint32_t background;

    if (outer_reply(event->text, event->length))
        tokenizer_set_kitty(input.tokenizer, true);
    if (outer_background(&background))
        ui_background(ui, background);
}

static void take_events(struct ui *ui)
{
    struct timeval delay = {.tv_usec = ESCAPE_MS * 1000};
    struct input_event event;

    while (!ui->quitting && (event = tokenizer_next(input.tokenizer)).type != INPUT_NONE) {
        if (event.type == INPUT_KEY)
            take_key(ui, event.key);
        else if (event.type == INPUT_MOUSE)
            take_mouse(ui, &event.mouse);
        else if (event.type == INPUT_PASTE)
            take_paste(ui, event.text, event.length);
        else if (event.type == INPUT_FOCUS_IN || event.type == INPUT_FOCUS_OUT)
            send_focus(ui, event.type == INPUT_FOCUS_IN);
        else if (event.type == INPUT_REPLY)
            take_reply(ui, &event);
    }
    if (tokenizer_pending_escape(input.tokenizer))
        (void)event_add(input.escape, &delay);
    else
        (void)event_del(input.escape);
}

static void on_escape(evutil_socket_t descriptor, short what, void *argument)
{
    (void)descriptor;
    (void)what;
    tokenizer_flush(input.tokenizer);
    take_events(argument);
}

static void on_readable(evutil_socket_t descriptor, short what, void *argument)
{
    static char bytes[READ_BYTES];
    struct ui *ui = argument;
    ssize_t got = read(descriptor, bytes, sizeof bytes);

    (void)what;
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        /* The terminal is gone. */
        ui_quit(ui, 0);
        return;
    }
    tokenizer_feed(input.tokenizer, bytes, (size_t)got);
    take_events(ui);
}

int input_open(struct ui *ui, struct error *error)
{
    input.tokenizer = tokenizer_create();
    input.readable = event_new(ui->loop, STDIN_FILENO, EV_READ | EV_PERSIST, on_readable, ui);
    input.escape = event_new(ui->loop, -1, 0, on_escape, ui);
    if (input.readable == NULL || event_add(input.readable, NULL) < 0)
        return error_set(error, "cannot watch the terminal for input");
    return 0;
}

void input_close(void)
{
    if (input.tokenizer == NULL)
        return;
    event_free(input.readable);
    event_free(input.escape);
    tokenizer_destroy(input.tokenizer);
    memset(&input, 0, sizeof input);
}

void input_pause(bool pause)
{
    if (pause)
        (void)event_del(input.readable);
    else
        (void)event_add(input.readable, NULL);
}
