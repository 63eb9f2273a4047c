#include "tui/text_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

char *text_line(const char *text)
{
    char *copy = xstrdup(text == NULL ? "" : text);

    for (char *at = copy; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = ' ';
    }
    return copy;
}

bool text_line_replace(char **place, const char *text)
{
    char *copy = text_line(text);
    bool changed = strcmp(*place, copy) != 0;

    free(*place);
    *place = copy;
    return changed;
}
