/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/systemd_parts.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKET    "unix:path=/run/systemd/private"
#define LOCAL_DIR "/etc/systemd/system/"
#define CALL_US   5000000U
#define RELOAD_US 25000000U /* of all unit files, which takes its time on a busy machine */
#define FREE_TEXT __attribute__((cleanup(text_free)))

/* A job whose end is waited for. */
struct job {
    char path[PATH_TEXT_MAX];
    char result[32]; /* empty until it has ended */
};

static void text_free(char **text)
{
    free(*text);
}

int systemd_fail(struct err *err, int rc, const sd_bus_error *e, const char *what)
{
    enum err_code code = ERR_SYSTEM;
    if (sd_bus_error_has_name(e, NAME ".NoSuchUnit"))
        code = ERR_NOT_FOUND;
    if (sd_bus_error_has_name(e, NAME ".UnitMasked"))
        code = ERR_REFUSED;
    if (e->message != NULL)
        return make_error(err, code, 0, "systemd: %s: %s", what, e->message);
    return make_error(err, code, -rc, "systemd: %s", what);
}

int systemd_open(sd_bus **ret, struct err *err)
{
    CLOSE_BUS sd_bus *bus = NULL;
    int rc = sd_bus_new(&bus);
    if (rc >= 0)
        rc = sd_bus_set_address(bus, SOCKET);
    if (rc >= 0)
        rc = sd_bus_start(bus);
    if (rc >= 0)
        rc = sd_bus_set_method_call_timeout(bus, CALL_US);
    if (rc < 0)
        return make_error(err, ERR_SYSTEM, -rc, "systemd does not answer on its socket");
    *ret = bus;
    bus = NULL;
    return 0;
}

static bool is_here(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

int systemd_supported(struct err *err)
{
    CLOSE_BUS sd_bus *bus = NULL;
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    FREE_TEXT char *version = NULL;
    struct err why;
    if (!is_here())
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "neither a lab's init nor systemd manages services here");
    if (systemd_open(&bus, &why) != 0)
        return make_error(err, ERR_UNSUPPORTED, 0, "%s; the agent must run as root", why.msg);
    int rc = sd_bus_get_property_string(bus, NAME, OBJECT, MANAGER, "Version", &e, &version);
    if (rc < 0)
        return make_error(err, ERR_UNSUPPORTED, -rc, "systemd says nothing of itself");
    return 0;
}

/* ---- how a unit stands ---- */

int systemd_unit_path(sd_bus *bus, const char *name, char ret[PATH_TEXT_MAX], struct err *err)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    FREE_REPLY sd_bus_message *reply = NULL;
    const char *path = NULL;
    int rc = sd_bus_call_method(bus, NAME, OBJECT, MANAGER, "LoadUnit", &e, &reply, "s", name);
    if (rc >= 0)
        rc = sd_bus_message_read(reply, "o", &path);
    if (rc < 0)
        return systemd_fail(err, rc, &e, name);
    if (snprintf(ret, PATH_TEXT_MAX, "%s", path) >= PATH_TEXT_MAX)
        return make_error(err, ERR_LIMIT, 0, "the unit's name is too long");
    return 0;
}

int systemd_unit_text(sd_bus *bus, const char *path, const char *property, char *out, size_t size,
                      struct err *err)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    FREE_TEXT char *text = NULL;
    int rc = sd_bus_get_property_string(bus, NAME, path, NAME ".Unit", property, &e, &text);
    if (rc < 0)
        return systemd_fail(err, rc, &e, property);
    (void)snprintf(out, size, "%s", text);
    return 0;
}

static int32_t main_pid(sd_bus *bus, const char *path)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    uint32_t pid = 0;
    /* A socket or a timer has none. */
    if (sd_bus_get_property_trivial(bus, NAME, path, NAME ".Service", "MainPID", &e, 'u', &pid) < 0)
        return 0;
    return (int32_t)pid;
}

static int32_t state_of(const char *active)
{
    static const struct {
        const char *word;
        int32_t state;
    } states[] = {{"active", SERVICE_READY},
                  {"reloading", SERVICE_READY},
                  {"activating", SERVICE_STARTING},
                  {"failed", SERVICE_FAILED}};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(active, states[i].word) == 0)
            return states[i].state;
    return SERVICE_STOPPED;
}

/* A link that is there, and not yet read by systemd, or still known to it, is a mask as well. */
static bool is_masked(sd_bus *bus, const char *name, const char *loaded)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    FREE_REPLY sd_bus_message *reply = NULL;
    const char *state = "";
    if (strcmp(loaded, "masked") == 0)
        return true;
    return sd_bus_call_method(bus, NAME, OBJECT, MANAGER, "GetUnitFileState", &e, &reply, "s",
                              name) >= 0 &&
           sd_bus_message_read(reply, "s", &state) >= 0 && strncmp(state, "masked", 6) == 0;
}

static int unit_look(sd_bus *bus, const char *name, struct hostctl_look *ret, struct err *err)
{
    char path[PATH_TEXT_MAX], loaded[32], active[32];
    if (systemd_unit_path(bus, name, path, err) != 0 ||
        systemd_unit_text(bus, path, "LoadState", loaded, sizeof(loaded), err) != 0 ||
        systemd_unit_text(bus, path, "ActiveState", active, sizeof(active), err) != 0)
        return -1;
    if (strcmp(loaded, "not-found") == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "systemd knows no unit %s", name);
    *ret = (struct hostctl_look){.pid = main_pid(bus, path),
                                 .state = state_of(active),
                                 .masked = is_masked(bus, name, loaded)};
    return 0;
}

int systemd_look(const char *unit, struct hostctl_look *ret, struct err *err)
{
    CLOSE_BUS sd_bus *bus = NULL;
    char name[UNIT_NAME_SIZE];
    unit_name_full(name, unit);
    return systemd_open(&bus, err) != 0 ? -1 : unit_look(bus, name, ret, err);
}

int systemd_knows(const char *unit, struct err *err)
{
    struct hostctl_look ignored;
    if (!is_here())
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "there is no systemd on this host, and so no unit %s", unit);
    return systemd_look(unit, &ignored, err);
}

/* ---- jobs ---- */

static int job_removed(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
    struct job *job = userdata;
    const char *path, *unit, *result;
    uint32_t id;
    (void)e;
    if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 &&
        strcmp(path, job->path) == 0)
        (void)snprintf(job->result, sizeof(job->result), "%s", result);
    return 0;
}

static int job_wait(sd_bus *bus, struct job *job, int64_t deadline, struct err *err)
{
    while (job->result[0] == '\0') {
        int rc = sd_bus_process(bus, NULL);
        if (rc > 0)
            continue;
        int64_t left = deadline - clock_system(CLOCK_MONOTONIC);
        if (rc == 0 && left > 0)
            rc = sd_bus_wait(bus, (uint64_t)left / 1000 + 1);
        else if (rc == 0)
            return make_error(err, ERR_TIMEOUT, 0, "systemd's job has not ended in time");
        if (rc < 0 && rc != -EINTR)
            return make_error(err, ERR_SYSTEM, -rc, "wait for systemd's job");
    }
    if (strcmp(job->result, "done") != 0)
        return make_error(err, ERR_SYSTEM, 0, "systemd's job ended as \"%s\"", job->result);
    return 0;
}

/* The signal is asked for before the job is made, and taken when its path is known. */
static int job_run(sd_bus *bus, const char *method, const char *name, int64_t wait_ns,
                   struct err *err)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    FREE_REPLY sd_bus_message *reply = NULL;
    struct job job = {0};
    const char *path = NULL;
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + wait_ns;
    int rc = sd_bus_match_signal(bus, NULL, NULL, NULL, MANAGER, "JobRemoved", job_removed, &job);
    if (rc >= 0)
        rc = sd_bus_call_method(bus, NAME, OBJECT, MANAGER, method, &e, &reply, "ss", name,
                                "replace");
    if (rc >= 0)
        rc = sd_bus_message_read(reply, "o", &path);
    if (rc < 0)
        return systemd_fail(err, rc, &e, method);
    (void)snprintf(job.path, sizeof(job.path), "%s", path);
    return job_wait(bus, &job, deadline, err);
}

/* One that is still coming up is a success: how long it takes is what the run measures. */
static int job_start(sd_bus *bus, const char *method, const char *name, int64_t wait_ns,
                     struct err *err)
{
    struct hostctl_look look = {0};
    struct err ignored;
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    /* A unit that failed too often is not started before its count is reset. */
    (void)sd_bus_call_method(bus, NAME, OBJECT, MANAGER, "ResetFailedUnit", &e, NULL, "s", name);
    if (job_run(bus, method, name, wait_ns, err) == 0)
        return 0;
    if (err->code == ERR_TIMEOUT && unit_look(bus, name, &look, &ignored) == 0 &&
        (look.state == SERVICE_READY || look.state == SERVICE_STARTING))
        return 0;
    return -1;
}

/* ---- masks ---- */

/* A runtime mask lies in /run, which a unit file in /etc goes before. */
static int mask_can_hold(sd_bus *bus, const char *name, struct err *err)
{
    char path[PATH_TEXT_MAX], file[PATH_TEXT_MAX];
    if (systemd_unit_path(bus, name, path, err) != 0 ||
        systemd_unit_text(bus, path, "FragmentPath", file, sizeof(file), err) != 0)
        return -1;
    if (strncmp(file, LOCAL_DIR, sizeof(LOCAL_DIR) - 1) == 0)
        return make_error(err, ERR_REFUSED, 0,
                          "its unit file lies in " LOCAL_DIR ", where no runtime mask reaches it");
    return 0;
}

static int reload(sd_bus *bus, struct err *err)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    FREE_REPLY sd_bus_message *m = NULL;
    int rc = sd_bus_message_new_method_call(bus, &m, NAME, OBJECT, MANAGER, "Reload");
    if (rc >= 0)
        rc = sd_bus_call(bus, m, RELOAD_US, &e, NULL);
    return rc < 0 ? systemd_fail(err, rc, &e, "reload") : 0;
}

static int mask_set(sd_bus *bus, const char *name, bool mask, struct err *err)
{
    FREE_ERROR sd_bus_error e = SD_BUS_ERROR_NULL;
    int rc;
    if (mask && mask_can_hold(bus, name, err) != 0)
        return -1;
    if (mask)
        rc = sd_bus_call_method(bus, NAME, OBJECT, MANAGER, "MaskUnitFiles", &e, NULL, "asbb", 1,
                                name, 1, 0);
    else
        rc = sd_bus_call_method(bus, NAME, OBJECT, MANAGER, "UnmaskUnitFiles", &e, NULL, "asb", 1,
                                name, 1);
    return rc < 0 ? systemd_fail(err, rc, &e, mask ? "mask" : "unmask") : reload(bus, err);
}

int systemd_do(enum hostctl_op op, const char *unit, int64_t wait_ns, struct err *err)
{
    CLOSE_BUS sd_bus *bus = NULL;
    char name[UNIT_NAME_SIZE];
    unit_name_full(name, unit);
    if (systemd_open(&bus, err) != 0)
        return -1;
    switch (op) {
    case HOSTCTL_START:
        return job_start(bus, "StartUnit", name, wait_ns, err);
    case HOSTCTL_RESTART:
        return job_start(bus, "RestartUnit", name, wait_ns, err);
    case HOSTCTL_STOP:
        return job_run(bus, "StopUnit", name, wait_ns, err);
    case HOSTCTL_MASK:
    case HOSTCTL_UNMASK:
        return mask_set(bus, name, op == HOSTCTL_MASK, err);
    default:
        return make_error(err, ERR_UNSUPPORTED, 0, "systemd is not asked for that here");
    }
}
