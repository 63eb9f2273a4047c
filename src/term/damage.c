#include "term/emulator.h"

uint64_t terminal_version(const struct terminal *terminal)
{
    return terminal->version;
}

uint64_t terminal_epoch(const struct terminal *terminal)
{
    return terminal->epoch;
}

bool terminal_scrolled(const struct terminal *terminal, uint64_t since, struct terminal_scroll *scroll)
{
    unsigned kept = terminal->scroll_count < SCROLL_LOG_SIZE ? terminal->scroll_count : SCROLL_LOG_SIZE;
    bool found = false;

    if (since < terminal->scroll_barrier)
        return false;
    for (unsigned i = 1; i <= kept; i++) {
        const struct scroll_entry *entry =
            &terminal->scroll_log[(terminal->scroll_count - i) % SCROLL_LOG_SIZE];
        if (entry->version <= since)
            break;
        if (found && (entry->top != scroll->top || entry->bottom != scroll->bottom))
            return false;
        if (!found)
            *scroll = (struct terminal_scroll){.top = entry->top, .bottom = entry->bottom};
        scroll->n += entry->n;
        found = true;
    }
    return found && scroll->n != 0 && scroll->n < scroll->bottom - scroll->top &&
           -scroll->n < scroll->bottom - scroll->top;
}

bool terminal_row_changed(const struct terminal *terminal, int y, uint64_t since)
{
    struct terminal_scroll scroll;

    if (y < 0 || y >= terminal->rows || terminal->grid->lines[y].version > since)
        return true;
    return terminal->grid->moved[y] > since && !terminal_scrolled(terminal, since, &scroll);
}
