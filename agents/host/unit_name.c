/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/unit_name.h"

#include <stdio.h>
#include <string.h>

#define SERVICE ".service"

/* The type that stands at the end; NULL where there is none. Nothing before it is no name. */
static const char *find_type(const char *unit, size_t len)
{
    static const char *const types[] = {"service", "socket", "device", "mount",
                                        "target",  "timer",  "path",   "automount",
                                        "swap",    "slice",  "scope"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t n = strlen(types[i]);
        if (len > n + 1 && unit[len - n - 1] == '.' && memcmp(unit + len - n, types[i], n) == 0)
            return types[i];
    }
    return NULL;
}

void unit_name_full(char out[UNIT_NAME_SIZE], const char *unit)
{
    bool has_type = find_type(unit, strlen(unit)) != NULL;
    (void)snprintf(out, UNIT_NAME_SIZE, "%s%s", unit, has_type ? "" : SERVICE);
}

int unit_name_service(char out[NAME_MAX_LEN + 1], const char *unit, struct err *err)
{
    size_t len = strlen(unit);
    const char *type = find_type(unit, len);
    if (unit[0] == '.')
        return make_error(err, ERR_INPUT, 0, "a unit's name does not begin with a dot: %s", unit);
    if (type != NULL && strcmp(type, &SERVICE[1]) != 0)
        return make_error(err, ERR_INPUT, 0, "%s is no service, but a %s", unit, type);
    size_t left = type != NULL ? len - (sizeof(SERVICE) - 1) : len;
    if (find_type(unit, left) == NULL)
        len = left;
    if (len == 0 || len > NAME_MAX_LEN)
        return make_error(err, ERR_INPUT, 0, "a unit's name has 1 to %d characters", NAME_MAX_LEN);
    memcpy(out, unit, len);
    out[len] = '\0';
    return 0;
}
