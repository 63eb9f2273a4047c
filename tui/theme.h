/*
 * Colours of the dashboard's own parts, by role. A theme is a JSON file: {"name", "background": "dark" or "light",
 * "roles": {ROLE: {"fg", "bg": "#rrggbb" or 0 to 255, "bold", "dim", "italic", "underline", "reverse": bool}}}. A
 * role that the file leaves out looks like ordinary text.
 */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum theme_role {
    ROLE_TEXT,
    ROLE_DIM,
    ROLE_STRONG,
    ROLE_ACCENT,
    ROLE_BORDER,
    ROLE_BORDER_FOCUSED,
    ROLE_TITLE,
    ROLE_TITLE_FOCUSED,
    ROLE_SELECTED,
    ROLE_STATUS,
    ROLE_STATUS_MODE,
    ROLE_STATUS_KEY,
    ROLE_STATUS_ERROR,
    ROLE_ATTENTION,
    ROLE_ERROR,
    ROLE_LIMITED,
    ROLE_WORKING,
    ROLE_IDLE,
    ROLE_ENDED,
    ROLE_MATCH,
    ROLE_COPY,
    ROLE_FIELD,
    ROLE_BAR,
    ROLE_COUNT,
};

/* How a role looks: colours as in rpc/frame.h, attributes as enum style_attribute of screen.h. */
struct theme_look {
    uint32_t foreground, background;
    uint16_t attributes;
    bool underline;
};

struct theme {
    struct theme_look looks[ROLE_COUNT];
};

/* Loads a theme by name: CONFIG/themes/NAME.json, else the installed one, else the two that are compiled in ("dark",
 * "light"). "auto" is the dark one, until ui_background knows better. Returns 0, or -1 and the error, with the dark one loaded. */
int theme_load(struct theme *theme, const char *name, struct error *error);
/* The same from JSON text; `where` names it in errors. */
int theme_parse(struct theme *theme, const char *text, const char *where, struct error *error);

#endif
