#include "host/checkpoints.h"

#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "host/host.h"

struct head {
    uint32_t magic, unused;
    uint64_t terminal_length;
};

#define MAGIC 0x31706B63u

char *checkpoints_take(struct host *host, size_t *length)
{
    struct terminal *terminal = host->attempt.terminal;
    struct head head = {.magic = MAGIC};
    struct masked_cells *masked;
    struct buffer out;

    if (!terminal_at_ground(terminal))
        return NULL;
    buffer_init(&out);
    buffer_append(&out, &head, sizeof head);
    masked = terminal_mask(terminal, host->mask);
    terminal_save_masked(terminal, host->mask, &out);
    terminal_unmask(masked);
    head.terminal_length = out.length - sizeof head;
    memcpy(out.bytes, &head, sizeof head);
    activity_save(host, &out);
    (void)mask_text(host->mask, out.bytes + sizeof head + head.terminal_length,
                    out.length - sizeof head - head.terminal_length);
    *length = out.length;
    return buffer_steal(&out);
}

struct terminal *checkpoints_restore(struct host *host, const struct terminal_options *options,
                                     const char *state, size_t length)
{
    struct terminal *terminal;
    struct error error;
    struct head head;

    if (length < sizeof head)
        return NULL;
    memcpy(&head, state, sizeof head);
    if (head.magic != MAGIC || head.terminal_length > length - sizeof head)
        return NULL;
    terminal = terminal_load(options, state + sizeof head, head.terminal_length, &error);
    if (terminal == NULL) {
        log_warning("the checkpoint is not used: %s", error.text);
        return NULL;
    }
    activity_load(host, state + sizeof head + head.terminal_length,
                  length - sizeof head - head.terminal_length);
    return terminal;
}
