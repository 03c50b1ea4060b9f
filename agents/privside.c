/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/privside.h"
#include "agents/answer.h"
#include "agents/faults/catalogue.h"
#include "agents/netlink/nft.h"
#include "agents/netside.h"
#include "agents/seal.h"
#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum { REPLAY_WAIT_MS = 3000, END_TRIES = 3, END_PAUSE_MS = 200 };

/* One agent to a process; large and mostly untouched, hence not on the stack. */
static struct privside {
    struct fault_host host;
    struct policy policy;
    struct undo_log log;
    struct guardian guardian;
    struct injector injector;
    struct answerer answerer;
    struct undo_tally tally;
    int link; /* only to see it hang up while netside is stopped */
    int chan, timer, signals;
    pid_t netside;
    unsigned char *body; /* of a request, taken when first needed */
} self;

static struct answer answer;

static int revert_record(const struct undo *undo, struct revert_report *report, struct err *err)
{
    const struct fault *row = catalogue_find(&fault_catalogue, undo->fault);
    if (row == NULL)
        return make_error(err, ERR_DIRTY, 0, "this agent knows no %s: undo it with its own version",
                          undo->fault);
    return row->revert(&self.host, undo, report, err);
}

/* What was there before is known to the agent that injected it, and ends with that. */
static bool touches_files(const struct undo *undo)
{
    const struct fault *row = catalogue_find(&fault_catalogue, undo->fault);
    return row != NULL && (row->touches & TOUCHES_FILES) != 0;
}

static int replay_one(void *ctx, const struct undo *undo)
{
    (void)ctx;
    struct answerer *a = &self.answerer;
    struct agent_item extra = {0};
    struct agent_item *item =
        a->n_replayed < ITEMS_MAX / 2 ? &a->replayed[a->n_replayed++] : &extra;
    struct revert_report report = {0};
    struct err err = {0};
    int rc = revert_record(undo, &report, &err);
    if (rc == 0 && touches_files(undo)) {
        size_t used = strlen(report.what);
        (void)snprintf(report.what + used, sizeof(report.what) - used,
                       "%snot known what its files were before", used > 0 ? "; " : "");
    }
    *item = (struct agent_item){
        .yes = rc == 0, .foreign = report.foreign, .restored_by = (int32_t)report.restored_by};
    memcpy(item->name, undo->injection, sizeof(undo->injection));
    memcpy(item->fault, undo->fault, sizeof(undo->fault));
    if (report.manual[0] != '\0')
        (void)snprintf(item->text, sizeof(item->text), "by hand: %s", report.manual);
    else
        memcpy(item->text, rc == 0 ? report.what : err.msg,
               rc == 0 ? sizeof(report.what) : sizeof(err.msg));
    return rc;
}

static int replay(const struct undo_owner *owner, int dir, struct err *err)
{
    if (undo_replay(dir, owner, self.log.fd >= 0 ? &self.log : NULL, REPLAY_WAIT_MS, replay_one,
                    NULL, &self.tally, err) != 0)
        return -1;
    self.answerer.unreadable = self.tally.unknown;
    if (self.tally.unknown > 0)
        (void)fprintf(stderr,
                      "blackstart-agent: %u undo records that this version cannot read are kept\n",
                      self.tally.unknown);
    if (self.tally.busy > 0)
        (void)fprintf(stderr, "blackstart-agent: another agent of this host is alive; its undo log "
                              "is left to it\n");
    return 0;
}

static void send_ended(const struct injection *j)
{
    struct agent_reply reply;
    struct err ignored; /* netside is gone: then nobody is left to be told */
    answer_ended(j, &reply);
    if (self.chan >= 0)
        (void)!wire_send(self.chan, &reply, sizeof(reply), NULL, 0, &ignored);
}

/* 0, or 1 when netside is gone or has sent what it must not. */
static int serve_request(void)
{
    static struct agent_request request;
    struct err err;
    size_t size = 0;
    if (self.body == NULL)
        self.body = malloc(ARGS_MAX);
    if (self.body == NULL || wire_receive(self.chan, &request, sizeof(request), self.body, ARGS_MAX,
                                          &size, -1, &err) != 0)
        return 1;
    if (size == 0)
        return 1;
    answer.reply = (struct agent_reply){0};
    if (wire_check_request(&request, size, &err) != 0) {
        if (err.code == ERR_PROTOCOL) {
            (void)fprintf(stderr, "blackstart-agent: netside: %s\n", err.msg);
            return 1;
        }
        answer.reply.code = (int32_t)err.code;
        (void)snprintf(answer.reply.msg, sizeof(answer.reply.msg), "%s", err.msg);
    } else {
        answer_request(&self.answerer, &request, self.body, &answer);
    }
    inject_settle(&self.injector);
    return wire_send(self.chan, &answer.reply, sizeof(answer.reply), answer.items,
                     answer.reply.n_items * sizeof(answer.items[0]), &err) != 0;
}

static int arm(struct err *err)
{
    static int64_t armed = LEASE_NEVER;
    int64_t next = inject_earliest(&self.injector);
    if (next == armed)
        return 0;
    armed = next;
    return lease_arm(self.timer, next, err);
}

enum { WAIT_CHAN, WAIT_TIMER, WAIT_SIGNALS, WAIT_GUARDIAN, WAIT_LINK, WAIT_COUNT };

/* 0: go on, 1: the end. */
static int serve_events(const struct pollfd fds[WAIT_COUNT])
{
    if (fds[WAIT_SIGNALS].revents != 0)
        return 1;
    if (fds[WAIT_TIMER].revents != 0) {
        lease_rest(self.timer);
        inject_expire(&self.injector);
    }
    if (fds[WAIT_GUARDIAN].revents != 0) {
        guardian_kill(&self.guardian); /* it speaks only when asked: this is its end */
        inject_settle(&self.injector);
    }
    if (fds[WAIT_CHAN].revents != 0)
        return serve_request();
    return fds[WAIT_LINK].revents != 0;
}

static int serve(struct err *err)
{
    for (;;) {
        if (arm(err) != 0)
            return -1;
        struct pollfd fds[WAIT_COUNT] = {
            [WAIT_CHAN] = {.fd = self.chan, .events = POLLIN},
            [WAIT_TIMER] = {.fd = self.timer, .events = POLLIN},
            [WAIT_SIGNALS] = {.fd = self.signals, .events = POLLIN},
            [WAIT_GUARDIAN] = {.fd = self.guardian.fd, .events = POLLIN},
            [WAIT_LINK] = {.fd = self.link}, /* hang-up only: netside reads it */
        };
        if (poll(fds, WAIT_COUNT, -1) < 0) {
            if (errno == EINTR)
                continue;
            return make_error(err, ERR_SYSTEM, errno, "poll");
        }
        if (serve_events(fds) != 0)
            return 0;
    }
}

static int open_signals(struct err *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    /* Ctrl-C reaches the whole group: what it means is the coordinator's to say, over the link. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return make_error(err, ERR_SYSTEM, errno, "sigprocmask");
    self.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (self.signals < 0)
        return make_error(err, ERR_SYSTEM, errno, "signalfd");
    return 0;
}

static int start_netside(const struct agent_options *options, struct err *err)
{
    int pair[2];
    if (wire_pair(pair, err) != 0)
        return -1;
    CLEANUP_FD int ours = pair[0];
    CLEANUP_FD int theirs = pair[1];
    pid_t pid = fork();
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "fork netside");
    if (pid == 0) {
        const int not_yours[] = {ours,       self.guardian.fd, self.log.fd,    self.log.dir,
                                 self.timer, self.signals,     self.host.root, self.host.proc};
        for (size_t i = 0; i < sizeof(not_yours) / sizeof(not_yours[0]); i++)
            (void)close(not_yours[i]);
        steal_fd(&ours);
        _exit(netside_run(theirs, options->link));
    }
    self.netside = pid;
    self.chan = steal_fd(&ours);
    return 0;
}

/* Guardian first, netlink last: a socket that a fork shares would outlive privside. */
static int start(const struct agent_options *options, struct err *err)
{
    uint64_t caps = policy_caps(&self.policy, &fault_catalogue);
    if (open_signals(err) != 0 || lease_timer(&self.timer, err) != 0)
        return -1;
    struct guardian_duty duty = {
        .catalogue = &fault_catalogue,
        .host = &self.host,
        .log = &self.log,
        .caps = caps,
        .link = options->link,
        .close_fds = {self.timer, self.signals, options->link == 0 ? 1 : -1}};
    if (guardian_start(&self.guardian, &duty, err) != 0 || start_netside(options, err) != 0)
        return -1;
    self.host.files_quiet = inject_files_quiet;
    self.host.quiet_ctx = &self.injector;
    struct err no_nft;
    if (nft_open(self.host.run, &self.host.nft, &no_nft) != 0)
        self.host.nft = NULL; /* the rows that need it say so in supported() */
    (void)prctl(PR_SET_NAME, "bs-privside");
    return seal_privileged(caps, err);
}

static void set_up(const struct agent_options *options)
{
    policy_load(&self.policy, options->lab, options->policy);
    self.link = options->link;
    self.chan = self.timer = self.signals = -1;
    self.guardian.fd = -1;
    self.injector.host = &self.host;
    self.injector.catalogue = &fault_catalogue;
    self.injector.policy = &self.policy;
    self.injector.log = &self.log;
    self.injector.guardian = &self.guardian;
    self.injector.notice = send_ended;
    self.answerer.injector = &self.injector;
}

/* An end that netside did not choose: a system call outside its list, or somebody's signal. */
static void say_how_netside_ended(void)
{
    int status = 0;
    if (self.netside > 0 && waitpid(self.netside, &status, WNOHANG) > 0 && WIFSIGNALED(status))
        (void)fprintf(stderr, "blackstart-agent: netside was killed by signal %d%s\n",
                      WTERMSIG(status),
                      WTERMSIG(status) == SIGSYS ? ": a system call that it may not make" : "");
}

/* What fails once may not fail again; whoever reads the last words must know what is left to do. */
static unsigned put_all_back(void)
{
    unsigned left = inject_revert_all(&self.injector, ENDED_COMMAND);
    for (int i = 1; left > 0 && i < END_TRIES; i++) {
        struct timespec pause = clock_timespec(END_PAUSE_MS * NS_PER_MS);
        (void)nanosleep(&pause, NULL);
        left = inject_revert_all(&self.injector, ENDED_COMMAND);
    }
    if (left > 0)
        (void)fprintf(stderr,
                      "blackstart-agent: %u injections are not put back; their records are kept: "
                      "blackstart-agent undo --all --host %s, with this agent's --state, tries "
                      "again\n",
                      left, self.host.name);
    return left;
}

static int finish(int rc)
{
    say_how_netside_ended();
    unsigned left = put_all_back();
    guardian_release(&self.guardian);
    if (self.chan >= 0)
        (void)close(steal_fd(&self.chan));
    undo_close(&self.log);
    nft_close(self.host.nft);
    buf_free(&self.answerer.baseline);
    free(self.body);
    bool files_differ = self.injector.files.dirt.len > 0;
    touched_log_clear(&self.injector.files);
    return left > 0 || files_differ || self.tally.kept > 0 || self.tally.unknown > 0 ? 4
           : rc != 0                                                                 ? 3
                                                                                     : 0;
}

int privside_run(const struct agent_options *options, struct err *err)
{
    struct undo_owner owner;
    CLEANUP_FD int dir = -1;
    set_up(options);
    self.log.fd = -1;
    if (host_open(&self.host, options, err) != 0 || host_owner(&owner, options, err) != 0 ||
        host_state(options->state, &dir, err) != 0 ||
        undo_open(&self.log, dir, &owner, !options->lab, err) != 0)
        return 3;
    int rc = start(options, err);
    self.answerer.guardian = self.guardian.pid;
    if (rc == 0)
        rc = replay(&owner, dir, err);
    if (rc == 0)
        rc = serve(err);
    return finish(rc);
}

int privside_undo(const struct agent_options *options, struct err *err)
{
    struct undo_owner owner;
    CLEANUP_FD int dir = -1;
    set_up(options);
    self.log.fd = -1;
    if (host_open(&self.host, options, err) != 0 || host_owner(&owner, options, err) != 0 ||
        host_state_find(options->state, &dir, err) != 0 || replay(&owner, dir, err) != 0)
        return 3;
    for (uint32_t i = 0; i < self.answerer.n_replayed; i++) {
        const struct agent_item *item = &self.answerer.replayed[i];
        (void)printf("%s %s: %s: %s\n", item->fault, item->name,
                     !item->yes      ? "NOT put back"
                     : item->foreign ? "changed by others, left as it is"
                                     : "put back",
                     item->text);
    }
    (void)printf("%u put back, %u kept, %u unreadable, %u in use\n", self.tally.replayed,
                 self.tally.kept, self.tally.unknown, self.tally.busy);
    return self.tally.kept > 0 || self.tally.unknown > 0 ? 4 : 0;
}
