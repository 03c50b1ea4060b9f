/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/systemd_start.h"

#include "agents/host/systemd_parts.h"

#include <stdlib.h>
#include <string.h>

#define SERVICE NAME ".Service"

static int property_get(sd_bus *bus, const char *path, const char *property, const char *type,
                        sd_bus_message **ret, struct err *err)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    int rc = sd_bus_get_property(bus, NAME, path, SERVICE, property, &e, ret, type);
    return rc < 0 ? systemd_fail(err, rc, &e, property) : 0;
}

static int no_sense(int rc, const char *property, struct err *err)
{
    return make_error(err, ERR_SYSTEM, -rc, "systemd: %s is not as it was when this was written",
                      property);
}

static int text_get(sd_bus *bus, const char *path, const char *property, char *out, size_t size,
                    struct err *err)
{
    FREE_REPLY sd_bus_message *reply = NULL;
    const char *text = NULL;
    if (property_get(bus, path, property, "s", &reply, err) != 0)
        return -1;
    int rc = sd_bus_message_read(reply, "s", &text);
    if (rc < 0)
        return no_sense(rc, property, err);
    (void)snprintf(out, size, "%s", text);
    return 0;
}

/* Of the flags of an ExecStart= line the characters that stand for them. */
static int prefix_read(sd_bus_message *reply, char out[8])
{
    static const char *const words[] = {"ignore-failure", "privileged", "no-setuid", "ambient",
                                        "no-env-expand"};
    static const char *const signs[] = {"-", "+", "!", "!!", ":"};
    const char *word = NULL;
    int rc = sd_bus_message_enter_container(reply, 'a', "s");
    out[0] = '\0';
    while (rc >= 0 && (rc = sd_bus_message_read(reply, "s", &word)) > 0)
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (strcmp(word, words[i]) == 0)
                (void)snprintf(out + strlen(out), 8 - strlen(out), "%s", signs[i]);
    return rc < 0 ? rc : sd_bus_message_exit_container(reply);
}

static int args_read(sd_bus_message *reply, struct unit_start *ret)
{
    const char *word = NULL;
    int rc = sd_bus_message_enter_container(reply, 'a', "s");
    while (rc >= 0 && (rc = sd_bus_message_read(reply, "s", &word)) > 0) {
        char *copy = ret->n_args < UNIT_ARGS_MAX ? strdup(word) : NULL;
        if (copy == NULL)
            return -1;
        ret->argv[ret->n_args++] = copy;
    }
    return rc < 0 ? rc : sd_bus_message_exit_container(reply);
}

/* What follows the flags: when it was last run, and how that ended. */
static int command_read(sd_bus_message *reply, struct unit_start *ret)
{
    const char *program = NULL;
    int rc = sd_bus_message_enter_container(reply, 'r', "sasasttttuii");
    if (rc <= 0)
        return rc;
    if ((rc = sd_bus_message_read(reply, "s", &program)) < 0 || (rc = args_read(reply, ret)) < 0 ||
        (rc = prefix_read(reply, ret->prefix)) < 0 ||
        (rc = sd_bus_message_skip(reply, "ttttuii")) < 0 ||
        (rc = sd_bus_message_exit_container(reply)) < 0)
        return rc;
    ret->program = strdup(program);
    return ret->program != NULL ? 1 : -1;
}

static int command_get(sd_bus *bus, const char *path, const char *unit, struct unit_start *ret,
                       struct err *err)
{
    static const char property[] = "ExecStartEx";
    FREE_REPLY sd_bus_message *reply = NULL;
    if (property_get(bus, path, property, "a(sasasttttuii)", &reply, err) != 0)
        return -1;
    int rc = sd_bus_message_enter_container(reply, 'a', "(sasasttttuii)");
    int first = rc < 0 ? rc : command_read(reply, ret);
    if (first < 0)
        return no_sense(first, property, err);
    if (first == 0 || sd_bus_message_at_end(reply, 0) == 0)
        return make_error(err, ERR_UNSUPPORTED, 0, "%s has %s ExecStart=: one is what can be told",
                          unit, first == 0 ? "no" : "more than one");
    return 0;
}

/* A list that says either what is let through or what is not. None is one that lets all through. */
static int list_is_set(sd_bus *bus, const char *path, const char *property, bool *ret,
                       struct err *err)
{
    FREE_REPLY sd_bus_message *reply = NULL;
    int allows = 0, rc;
    if (property_get(bus, path, property, "(bas)", &reply, err) != 0)
        return -1;
    if ((rc = sd_bus_message_enter_container(reply, 'r', "bas")) < 0 ||
        (rc = sd_bus_message_read(reply, "b", &allows)) < 0 ||
        (rc = sd_bus_message_enter_container(reply, 'a', "s")) < 0)
        return no_sense(rc, property, err);
    *ret = allows != 0 || sd_bus_message_at_end(reply, 0) == 0;
    return 0;
}

static int has_items(sd_bus *bus, const char *path, const char *property, bool *ret,
                     struct err *err)
{
    FREE_REPLY sd_bus_message *reply = NULL;
    if (property_get(bus, path, property, "as", &reply, err) != 0)
        return -1;
    int rc = sd_bus_message_enter_container(reply, 'a', "s");
    if (rc < 0)
        return no_sense(rc, property, err);
    *ret = sd_bus_message_at_end(reply, 0) == 0;
    return 0;
}

static int root_check(sd_bus *bus, const char *path, const char *unit, struct err *err)
{
    static const char *const properties[] = {"RootDirectory", "RootImage"};
    char text[PATH_TEXT_MAX] = "";
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        if (text_get(bus, path, properties[i], text, sizeof(text), err) != 0)
            return -1;
        if (text[0] != '\0' && strcmp(text, "/") != 0)
            return make_error(err, ERR_UNSUPPORTED, 0,
                              "%s has %s=%s: neither this program nor the socket of its supervisor "
                              "is in there",
                              unit, properties[i], text);
    }
    return 0;
}

static int unit_open(const char *unit, sd_bus **ret, char path[PATH_TEXT_MAX], struct err *err)
{
    CLOSE_BUS sd_bus *bus = NULL;
    char name[UNIT_NAME_SIZE], loaded[32];
    unit_name_full(name, unit);
    if (systemd_open(&bus, err) != 0 || systemd_unit_path(bus, name, path, err) != 0 ||
        systemd_unit_text(bus, path, "LoadState", loaded, sizeof(loaded), err) != 0)
        return -1;
    if (strcmp(loaded, "loaded") != 0)
        return make_error(err, ERR_NOT_FOUND, 0, "systemd knows no unit %s (it is %s)", name,
                          loaded);
    *ret = bus;
    bus = NULL;
    return 0;
}

int unit_start_read(const char *unit, struct unit_start *ret, struct err *err)
{
    CLOSE_BUS sd_bus *bus = NULL;
    char path[PATH_TEXT_MAX];
    memset(ret, 0, sizeof(*ret));
    if (unit_open(unit, &bus, path, err) != 0 || root_check(bus, path, unit, err) != 0 ||
        command_get(bus, path, unit, ret, err) != 0 ||
        has_items(bus, path, "NoExecPaths", &ret->exec_shut, err) != 0 ||
        list_is_set(bus, path, "SystemCallFilter", &ret->calls_shut, err) != 0)
        return -1;
    return list_is_set(bus, path, "RestrictAddressFamilies", &ret->families_shut, err);
}

void unit_start_free(struct unit_start *start)
{
    free(start->program);
    for (size_t i = 0; i < start->n_args; i++)
        free(start->argv[i]);
    memset(start, 0, sizeof(*start));
}

int unit_group_read(const char *unit, char *out, size_t size, struct err *err)
{
    CLOSE_BUS sd_bus *bus = NULL;
    char path[PATH_TEXT_MAX];
    return unit_open(unit, &bus, path, err) != 0
               ? -1
               : text_get(bus, path, "ControlGroup", out, size, err);
}
