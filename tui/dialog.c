#include "tui/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "term/width.h"
#include "tui/canvas.h"
#include "tui/outer.h"
#include "tui/ui.h"

void dialog_key(struct ui *ui, struct key key)
{
    bool escape = key.code == KEYCODE_ESCAPE || (key.code == 'c' && key.modifiers == KEY_CTRL);

    if (escape && ui->dialog->kind->back != NULL && ui->dialog->kind->back(ui, ui->dialog))
        return;
    if (escape)
        ui_set_dialog(ui, NULL);
    else
        ui->dialog->kind->key(ui, ui->dialog, key);
}

void dialog_paste(struct ui *ui, const char *text, size_t length)
{
    if (ui->dialog->kind->paste != NULL)
        ui->dialog->kind->paste(ui, ui->dialog, text, length);
    ui_paint(ui, PAINT_STATUS);
}

void dialog_destroy(struct dialog *dialog)
{
    if (dialog != NULL)
        dialog->kind->destroy(dialog);
}

static int at_most(int value, int most)
{
    return value < most ? value : most;
}

void dialog_paint(struct ui *ui, int *x, int *y)
{
    struct dialog *dialog = ui->dialog;
    int screen_cols = outer_cols(), screen_rows = outer_rows(), cols = 60, rows = 10;
    struct rectangle box, inside;
    int hint = dialog->hint != NULL ? width_of_text(dialog->hint, strlen(dialog->hint)) : 0;

    dialog->kind->size(ui, dialog, &cols, &rows);
    cols = cols < hint + 2 ? hint + 2 : cols;
    box.cols = at_most(cols + 4, screen_cols);
    box.rows = at_most(rows + 2, screen_rows);
    box.x = (screen_cols - box.cols) / 2;
    box.y = (screen_rows - box.rows) / 3;
    inside = (struct rectangle){box.x + 2, box.y + 1, box.cols - 4, box.rows - 2};
    canvas_fill(box, ROLE_TEXT);
    canvas_box(box, ROLE_BORDER_FOCUSED);
    if (dialog->title[0] != '\0') {
        (void)canvas_text(box.x + 2, box.y, box.cols - 4, ROLE_ACCENT, " ");
        (void)canvas_text(box.x + 3 + canvas_text(box.x + 3, box.y, box.cols - 6, ROLE_ACCENT, dialog->title),
                          box.y, 1, ROLE_ACCENT, " ");
    }
    if (hint > 0 && box.cols - 4 >= hint && box.rows > 2) {
        (void)canvas_text(box.x + box.cols - hint - 3, box.y + box.rows - 1, hint + 2, ROLE_DIM, " ");
        (void)canvas_text(box.x + box.cols - hint - 2, box.y + box.rows - 1, hint, ROLE_DIM, dialog->hint);
        (void)canvas_text(box.x + box.cols - 2, box.y + box.rows - 1, 1, ROLE_DIM, " ");
    }
    if (inside.cols > 0 && inside.rows > 0)
        dialog->kind->paint(ui, dialog, inside, x, y);
}
