#include "store/json_scan.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static void skip_space(char **at)
{
    while (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n')
        (*at)++;
}

bool json_scan_char(char **at, char expected)
{
    skip_space(at);
    if (**at != expected)
        return false;
    (*at)++;
    return true;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The exponent after e or E, bounded to what changes a double. */
static bool scan_exponent(char **at, int *exponent)
{
    bool negative = **at == '-';
    int value = 0;

    if (**at == '-' || **at == '+')
        (*at)++;
    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++)
        value = value > 1000 ? value : value * 10 + (**at - '0');
    *exponent += negative ? -value : value;
    return true;
}

static double scaled(double value, int exponent)
{
    double power = 10;
    unsigned left = (unsigned)(exponent < 0 ? -exponent : exponent);

    for (; left > 0 && value > 0 && value <= DBL_MAX; left--)
        value = exponent < 0 ? value / power : value * power;
    return value <= DBL_MAX ? value : DBL_MAX;
}

bool json_scan_number(char **at, double *number)
{
    bool negative;
    double value = 0, weight = 1;
    int exponent = 0;

    skip_space(at);
    negative = **at == '-';
    *at += negative;
    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++)
        value = value * 10 + (**at - '0');
    if (**at == '.') {
        double fraction = 0;
        for ((*at)++; is_digit(**at); (*at)++) {
            if (weight < 1e15) {
                fraction = fraction * 10 + (**at - '0');
                weight *= 10;
            }
        }
        value += fraction / weight;
    }
    if (**at == 'e' || **at == 'E') {
        (*at)++;
        if (!scan_exponent(at, &exponent))
            return false;
    }
    value = scaled(value, exponent);
    *number = negative ? -value : value;
    return true;
}

static int hex_value(char digit)
{
    if (is_digit(digit))
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t scan_unit(const char *at)
{
    int32_t unit = 0;

    for (int i = 0; i < 4; i++) {
        int value = hex_value(at[i]);
        if (value < 0)
            return -1;
        unit = unit << 4 | value;
    }
    return unit;
}

/* What follows \u: one unit or a pair of surrogates. Writes UTF-8 and moves both on. */
static bool scan_code_point(char **from, char **to)
{
    int32_t unit = scan_unit(*from), low;
    uint32_t code;

    if (unit < 0)
        return false;
    *from += 4;
    code = (uint32_t)unit;
    if (code >= 0xD800 && code <= 0xDFFF) {
        low = code < 0xDC00 && (*from)[0] == '\\' && (*from)[1] == 'u' ? scan_unit(*from + 2) : -1;
        if (low >= 0xDC00 && low <= 0xDFFF) {
            code = 0x10000 + ((code - 0xD800) << 10 | ((uint32_t)low - 0xDC00));
            *from += 6;
        } else {
            code = UTF8_REPLACEMENT;
        }
    }
    *to += utf8_encode(code, *to);
    return true;
}

/* What follows a backslash. */
static bool scan_escape(char **from, char **to)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char kind = *(*from)++;
    const char *found;

    if (kind == 'u')
        return scan_code_point(from, to);
    found = kind == '\0' ? NULL : strchr(names, kind);
    if (found == NULL)
        return false;
    *(*to)++ = meanings[found - names];
    return true;
}

bool json_scan_string(char **at, char **text, size_t *length)
{
    char *from, *to;

    if (!json_scan_char(at, '"'))
        return false;
    from = to = *text = *at;
    for (;;) {
        size_t plain = strcspn(from, "\"\\");
        if (to != from)
            memmove(to, from, plain);
        from += plain;
        to += plain;
        if (*from == '\0')
            return false;
        if (*from++ == '"')
            break;
        if (!scan_escape(&from, &to))
            return false;
    }
    *at = from;
    *length = (size_t)(to - *text);
    return true;
}
