/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/service.h"

#include "agents/host/systemd.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int service_list(struct service_info *list, uint32_t max, uint32_t *ret_n, struct err *err)
{
    CLEANUP_FREE struct hostctl_request *request = calloc(1, sizeof(*request));
    CLEANUP_FREE struct hostctl_reply *reply = calloc(1, sizeof(*reply));
    CLEANUP_FD int fd = -1;
    *ret_n = 0;
    if (request == NULL || reply == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "list the services");
    if (hostctl_connect(&fd, err) != 0)
        return -1;
    request->op = HOSTCTL_LIST;
    request->timeout_ns = NS_PER_SEC;
    for (; *ret_n < max; request->number++) {
        if (hostctl_call(fd, request, reply, err) != 0)
            return err->code == ERR_NOT_FOUND ? 0 : -1; /* past the last */
        struct service_info *info = &list[(*ret_n)++];
        *info = (struct service_info){.pid = reply->pid, .state = reply->state};
        memcpy(info->name.s, reply->service, sizeof(info->name.s));
        info->name.s[NAME_MAX_LEN] = '\0';
    }
    return 0;
}

static void add_words(struct revert_report *ret, const char *service, const char *words)
{
    size_t used = strlen(ret->what);
    (void)snprintf(ret->what + used, sizeof(ret->what) - used, "%s%s %s", used > 0 ? "; " : "",
                   service, words);
}

void service_say(struct revert_report *ret, const char *service, enum restored_by by)
{
    static const char *const words[] = {
        [RESTORED_BY_NOBODY] = "is left as it is: it was stopped by others",
        [RESTORED_BY_POLICY] = "came back by its restart policy",
        [RESTORED_BY_BLACKSTART] = "was started by blackstart",
    };
    if (by > ret->restored_by)
        ret->restored_by = by;
    add_words(ret, service, words[by]);
}

static bool is_on_its_way(enum hostctl_op op, const char *service)
{
    struct hostctl_look look;
    struct err ignored;
    return (op == HOSTCTL_START || op == HOSTCTL_RESTART || op == HOSTCTL_RELOAD) &&
           hostctl_look(service, NS_PER_SEC, &look, &ignored) == 0 && service_is_up(look.state);
}

static int lab_do(enum hostctl_op op, const char *service, int64_t wait_ns, struct err *err)
{
    if (hostctl_service(op, service, 0, wait_ns, NULL, NULL, err) == 0)
        return 0;
    if (err->code == ERR_TIMEOUT && is_on_its_way(op, service))
        return 0;
    return wrap_error(err, "service %s", service);
}

int service_tell(enum hostctl_op op, const char *service, struct err *err)
{
    return lab_do(op, service, NS_PER_SEC, err);
}

int service_supported(struct fault_host *host, struct err *err)
{
    if (host->lab)
        return 0; /* its init serves as long as the lab is there */
    return systemd_supported(err);
}

int service_look(const struct fault_host *host, const char *service, struct hostctl_look *ret,
                 struct err *err)
{
    int rc =
        host->lab ? hostctl_look(service, NS_PER_SEC, ret, err) : systemd_look(service, ret, err);
    return rc == 0 ? 0 : wrap_error(err, "service %s", service);
}

int service_order(const struct fault_host *host, enum hostctl_op op, const char *service,
                  int64_t wait_ns, struct err *err)
{
    if (host->lab)
        return lab_do(op, service, wait_ns, err);
    return systemd_do(op, service, wait_ns, err) == 0 ? 0 : wrap_error(err, "service %s", service);
}

int service_bring_back(const struct fault_host *host, const char *service, bool held_by_us,
                       struct revert_report *ret, struct err *err)
{
    struct hostctl_look look;
    if (service_look(host, service, &look, err) != 0)
        return -1;
    if (service_is_up(look.state))
        return 0;
    if (look.masked != 0 && held_by_us) {
        size_t used = strlen(ret->manual);
        (void)snprintf(ret->manual + used, sizeof(ret->manual) - used,
                       "unmask service %s and start it\n", service);
        return make_error(err, ERR_REFUSED, 0,
                          "service %s was stopped by this fault and is masked, perhaps by another "
                          "one: it can be started when that has ended",
                          service);
    }
    if (look.masked != 0) { /* perhaps by another fault, whose end starts it */
        add_words(ret, service, "is left as it is: it is masked");
        return 0;
    }
    if (look.state == SERVICE_HELD && !held_by_us) {
        ret->foreign = true;
        service_say(ret, service, RESTORED_BY_NOBODY);
        return 0;
    }
    if (service_order(host, HOSTCTL_START, service, NS_PER_SEC, err) != 0) {
        size_t used = strlen(ret->manual);
        (void)snprintf(ret->manual + used, sizeof(ret->manual) - used, "%s %s\n",
                       host->lab ? "start this host's service" : "systemctl start", service);
        return wrap_error(err, "start again");
    }
    service_say(ret, service, RESTORED_BY_BLACKSTART);
    return 0;
}

int service_heal(const char *service, bool held_by_us, struct revert_report *ret, struct err *err)
{
    const struct fault_host lab = {.lab = true};
    return service_bring_back(&lab, service, held_by_us, ret, err);
}
