/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/result_parts.h"

#define SECTION(name, text)                                                                        \
    static const struct section name = {text, name##_fields,                                       \
                                        sizeof(name##_fields) / sizeof(name##_fields[0])}

#define MEASURED                                                                                   \
    {"measure", FIELD_TEXT, 0, "What was measured: availability, ..., or impact.", NULL},          \
        {"of", FIELD_TEXT, 0, "The probe; empty for the whole system.", NULL},                     \
        {"vantage", FIELD_TEXT, OPTIONAL, "Of a probe with several: which.", NULL},                \
        {"from", FIELD_TEXT, OPTIONAL, "A recovery's start: fault, impact or heal.", NULL},        \
        {"detail", FIELD_TEXT, OPTIONAL, "What else was asked for, such as the window.", NULL},    \
        {"unit", FIELD_TEXT, 0, "s, share (0 to 1) or count.", NULL},                              \
        {"side", FIELD_TEXT, 0, "at most or at least: which side of the limit is good.", NULL},    \
        FIGURES("_s", ", in seconds"), FIGURES("", ", of what has another unit")

static const struct field target_fields[] = {
    MEASURED,
    {"verdict", FIELD_VERDICT, 0, "Of this target.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "The bound that decided, or what is missing.", NULL},
    {"trial", FIELD_COUNT, 0, "Whose figures these are.", NULL},
    {"automatic", FIELD_BOOL, 0, "False: a person or the run itself brought it back.", NULL},
};
SECTION(target, "What must hold, and whether it did.");

static const struct field symptom_fields[] = {
    {"shows", FIELD_TEXT, 0, "What the outage showed, as the scenario says it.", NULL},
    {"expects", FIELD_TEXT, 0, "met or missed: what the target must be.", NULL},
    {"state", FIELD_TEXT, 0, "shown, not shown, not decided, not judged.", NULL},
    MEASURED,
    {"why", FIELD_TEXT, NULLABLE, "The bound that decided, or what is missing.", NULL},
    {"trial", FIELD_COUNT, 0, "Whose figures these are.", NULL},
};
SECTION(symptom, "What the outage showed that is reproduced, and whether the trial did.");

static const struct field injection_fields[] = {
    {"id", FIELD_TEXT, 0, "Its name in the journal.", NULL},
    {"trial", FIELD_COUNT, 0, "In which trial.", NULL},
    {"fault", FIELD_TEXT, 0, "The kind.", NULL},
    {"host", FIELD_TEXT, 0, "Where.", NULL},
    {"args", FIELD_OBJECT, NULLABLE | FULL_ONLY, "The exact parameters.", NULL},
    {"asked_s", FIELD_REAL, NULLABLE, "When the agent was asked.", NULL},
    {"active_s", FIELD_REAL, NULLABLE, "When it had answered that the fault is active.", NULL},
    {"revert_asked_s", FIELD_REAL, NULLABLE, "When it was asked to take it back.", NULL},
    {"reverted_s", FIELD_REAL, NULLABLE, "When it had answered that it is gone.", NULL},
    {"ended_by", FIELD_TEXT, NULLABLE | FULL_ONLY, "command, lease, ...", NULL},
    {"evidence", FIELD_COUNTS, FULL_ONLY, "What was counted or read back.", NULL},
    {"what", FIELD_TEXT, NULLABLE | FULL_ONLY, "The evidence in words.", NULL},
    {"proven", FIELD_BOOL, 0, "The fault had an effect.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "Why it is not proven.", NULL},
    {"restored_by", FIELD_TEXT, NULLABLE, "policy or blackstart: who brought it back.", NULL},
    {"error", FIELD_TEXT, NULLABLE, "Of the first call that failed.", NULL},
    {"wave", FIELD_COUNT, OPTIONAL, "Of a step with waves, from 1.", NULL},
    {"phase", FIELD_COUNT, OPTIONAL, "Of a fault that comes and goes, from 1.", NULL},
};
SECTION(injection, "One fault on one host.");

static const struct field host_fields[] = {
    {"name", FIELD_TEXT, 0, "As the scenario calls it.", NULL},
    {"clean", FIELD_BOOL, NULLABLE, "It is as it was before; null: nobody looked.", NULL},
    {"known", FIELD_BOOL, 0, "Somebody looked.", NULL},
    {"differences", FIELD_TEXTS, 0, "How it differs.", NULL},
    {"left", FIELD_TEXTS, 0, "What could not be put back, with the commands that would.", NULL},
    {"listed", FIELD_TEXTS, 0, "What others wrote there meanwhile; not judged.", NULL},
};
SECTION(host, "Proof of clean-up.");

static const struct field outage_fields[] = {
    {"onset_lower_s", FIELD_REAL, NULLABLE, "It began after this.", NULL},
    {"onset_upper_s", FIELD_REAL, NULLABLE, "It had begun by this.", NULL},
    {"recovery_lower_s", FIELD_REAL, NULLABLE, "It was over after this.", NULL},
    {"recovery_upper_s", FIELD_REAL, NULLABLE, "It was over by this; null: not seen.", NULL},
    {"recovered", FIELD_BOOL, 0, "Its end was seen.", NULL},
    {"automatic", FIELD_BOOL, 0, "False: a person or the run itself ended it.", NULL},
    {"under_fault", FIELD_BOOL, 0, "It ended while the fault was still on.", NULL},
    {"dips", FIELD_COUNT, 0, "Runs of bad slots in it; more than one is flapping.", NULL},
    {"bad_slots", FIELD_COUNT, 0, "How many slots were bad.", NULL},
    {"seen_as", FIELD_TEXT, 0, "What users saw first: timeout, refused, ...", NULL},
    {"faults", FIELD_TEXT, NULLABLE, "Those active or just ended when it began.", NULL},
};
SECTION(outage, "One excursion of a probe.");

static const struct field probe_fields[] = {
    {"name", FIELD_TEXT, 0, "As the scenario calls it.", NULL},
    {"from", FIELD_TEXT, NULLABLE, "Its vantage.", NULL},
    {"rule", FIELD_TEXT, NULLABLE | FULL_ONLY, "When a slot is good.", NULL},
    {"impacted", FIELD_BOOL, 0, "An outage began after the fault.", NULL},
    {"scheduled", FIELD_COUNT, 0, "Slots from the fault to the end of observation.", NULL},
    {"good", FIELD_COUNT, 0, "Of these.", NULL},
    {"bad", FIELD_COUNT, 0, "Of these.", NULL},
    {"gaps", FIELD_COUNT, 0, "Of these: the prober's own stalls.", NULL},
    {"late", FIELD_COUNT, 0, "Of these: sent more than a quarter of the interval late.", NULL},
    {"every_s", FIELD_REAL, NULLABLE | FULL_ONLY, "The interval.", NULL},
    {"availability_lower", FIELD_REAL, NULLABLE, "Share of good slots, gaps taken as bad.", NULL},
    {"availability_upper", FIELD_REAL, NULLABLE, "Share of good slots, gaps taken as good.", NULL},
    {"baseline_p50_s", FIELD_REAL, NULLABLE | FULL_ONLY, "Latency before the fault: median.", NULL},
    {"baseline_p99_s", FIELD_REAL, NULLABLE | FULL_ONLY,
     "Latency before the fault: 99th percentile.", NULL},
    {"largest_missed_s", FIELD_REAL, NULLABLE | FULL_ONLY,
     "The longest outage that would not be seen.", NULL},
    {"outages", FIELD_SECTIONS, 0, "What it saw.", &outage},
    {"signal", FIELD_BOOL, 0, "It watches the system's own alert or failover signal.", NULL},
    {"detected_lower_s", FIELD_REAL, NULLABLE | OPTIONAL, "The signal came after this.", NULL},
    {"detected_upper_s", FIELD_REAL, NULLABLE | OPTIONAL, "The signal had come by this.", NULL},
    {"outage_lower_s", FIELD_REAL, NULLABLE | OPTIONAL, "Full-outage seconds, at least.", NULL},
    {"outage_upper_s", FIELD_REAL, NULLABLE | OPTIONAL, "Full-outage seconds, at most.", NULL},
};
SECTION(probe, "One probe in one trial.");

static const struct field rollout_fields[] = {
    {"step", FIELD_COUNT, 0, "The scenario's step.", NULL},
    {"fault", FIELD_TEXT, 0, "The kind.", NULL},
    {"state", FIELD_TEXT, 0, "done, stopped, healed, ended; wave: the journal ends in it.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "What held it up.", NULL},
    {"wave", FIELD_COUNT, 0, "How many began.", NULL},
    {"waves", FIELD_COUNT, 0, "How many there are.", NULL},
    {"reached", FIELD_TEXTS, NULLABLE, "Hosts that it came to.", NULL},
    {"spared", FIELD_TEXTS, NULLABLE, "Hosts that it did not come to.", NULL},
    {"reach", FIELD_REAL, 0, "Share of the hosts that it came to.", NULL},
    {"blast_radius_lower", FIELD_REAL, 0, "Share of the probes' weight that was hit.", NULL},
    {"blast_radius_upper", FIELD_REAL, 0, "The same, missing data taken as hit.", NULL},
};
SECTION(rollout, "A step's waves over its hosts.");

static const struct field admission_fields[] = {
    {"step", FIELD_COUNT, 0, "Its number in the scenario.", NULL},
    {"fault", FIELD_TEXT, NULLABLE, "What it was about to do.", NULL},
    {"as", FIELD_TEXT, NULLABLE, "The identity that does it.", NULL},
    {"outcome", FIELD_TEXT, NULLABLE, "`executed`, `refused` or `unfinished`.", NULL},
    {"refused_by", FIELD_TEXT, NULLABLE, "`check`, `approval` or `host`.", NULL},
    {"approver", FIELD_TEXT, NULLABLE, "Who is asked: a model of a person.", NULL},
    {"checked", FIELD_BOOL, 0, "Its check was passed.", NULL},
    {"waited_s", FIELD_REAL, NULLABLE, "How long the answer took.", NULL},
    {"host", FIELD_TEXT, NULLABLE, "Where the check ran, or who refused.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "Of the refusal.", NULL},
    {"partly", FIELD_BOOL, 0, "Refused, but an earlier wave was executed.", NULL},
    {"at_s", FIELD_REAL, NULLABLE, "When it was executed or refused.", NULL},
    {"sentence", FIELD_TEXT, NULLABLE, "For people.", NULL},
};
SECTION(admission, "What a step asked before it went out.");

static const struct field task_fields[] = {
    {"step", FIELD_COUNT, 0, "The runbook's number in the scenario.", NULL},
    {"number", FIELD_COUNT, 0, "Which of its commands.", NULL},
    {"name", FIELD_TEXT, NULLABLE, "Its name.", NULL},
    {"hosts", FIELD_TEXT, NULLABLE, "Where it runs.", NULL},
    {"state", FIELD_TEXT, NULLABLE, "How far it came: `begin`, `typed`, `end` or `failed`.", NULL},
    {"begin_s", FIELD_REAL, NULLABLE, "When the person began.", NULL},
    {"typed_s", FIELD_REAL, NULLABLE, "When the command was given.", NULL},
    {"end_s", FIELD_REAL, NULLABLE, "When it had ended.", NULL},
    {"person_s", FIELD_REAL, NULLABLE, "What the person needed: stated by the scenario.", NULL},
    {"command_s", FIELD_REAL, NULLABLE, "What the command took: measured.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "Why it failed.", NULL},
};
SECTION(task, "One command of a runbook.");

static const struct field vantage_fields[] = {
    {"host", FIELD_TEXT, 0, "Where its prober runs.", NULL},
    {"stands", FIELD_TEXT, NULLABLE, "In words: whether a fault hit that host.", NULL},
    {"injections", FIELD_COUNT, 0, "Of this trial on that host.", NULL},
    {"clock_lower_s", FIELD_REAL, NULLABLE, "What is at least added to its times.", NULL},
    {"clock_upper_s", FIELD_REAL, NULLABLE, "What is at most added to its times.", NULL},
};
SECTION(vantage, "Where probes stand.");

static const struct field cell_fields[] = {
    {"probe", FIELD_TEXT, 0, "As the scenario calls it.", NULL},
    {"vantage", FIELD_TEXT, NULLABLE, "From where.", NULL},
    {"endpoint", FIELD_TEXT, NULLABLE, "Of which host.", NULL},
    {"scheduled", FIELD_COUNT, 0, "Slots from the fault to the end of observation.", NULL},
    {"good", FIELD_COUNT, 0, "Of these.", NULL},
    {"bad", FIELD_COUNT, 0, "Of these.", NULL},
    {"gaps", FIELD_COUNT, 0, "Of these: the prober's own stalls.", NULL},
    {"good_lower", FIELD_REAL, NULLABLE, "Share of good slots, gaps taken as bad.", NULL},
    {"good_upper", FIELD_REAL, NULLABLE, "Share of good slots, gaps taken as good.", NULL},
    {"outages", FIELD_COUNT, 0, "How many.", NULL},
    {"bad_lower_s", FIELD_REAL, NULLABLE, "At least so long in all of them.", NULL},
    {"bad_upper_s", FIELD_REAL, NULLABLE, "At most so long; null: open.", NULL},
    {"seen_as", FIELD_TEXT, NULLABLE, "What was seen first.", NULL},
    {"requests_per_s", FIELD_REAL, NULLABLE, "That it was sent.", NULL},
};
SECTION(cell, "One endpoint of a probe as one vantage saw it.");

static const struct field matrix_fields[] = {
    {"vantages", FIELD_SECTIONS, 0, "In the order of their first probe.", &vantage},
    {"cells", FIELD_SECTIONS, 0, "Probe x vantage x endpoint.", &cell},
    {"disagreements", FIELD_TEXTS, 0, "Where vantages saw different things, in words.", NULL},
};
SECTION(matrix, "What each vantage saw of each endpoint.");

static const struct field served_fields[] = {
    {"probe", FIELD_TEXT, NULLABLE, "Which probe asked.", NULL},
    {"endpoint", FIELD_TEXT, NULLABLE, "Which host's service.", NULL},
    {"own", FIELD_COUNT, NULLABLE, "The probe's own requests that were answered.", NULL},
    {"grown", FIELD_COUNT, NULLABLE, "How far the service's own count grew meanwhile.", NULL},
    {"share", FIELD_REAL, NULLABLE, "The probe's share of it; null: not known.", NULL},
    {"known", FIELD_REAL, 0, "The part of the trial, 0 to 1, for which that is told.", NULL},
    {"at_most", FIELD_REAL, NULLABLE, "The scenario's bound; above it the prober is suspect.",
     NULL},
    {"why", FIELD_TEXT, NULLABLE, "Why the share is not known.", NULL},
};
SECTION(served, "What a service says it was asked in the trial.");

static const struct field prober_fields[] = {
    {"vantage", FIELD_TEXT, NULLABLE, "Where it runs.", NULL},
    {"sent", FIELD_COUNT, 0, "Attempts.", NULL},
    {"late", FIELD_COUNT, 0, "Sent more than a quarter of the interval late.", NULL},
    {"gaps", FIELD_COUNT, 0, "Not sent.", NULL},
    {"late_p50_s", FIELD_REAL, NULLABLE, "Sent after it was due: median.", NULL},
    {"late_p99_s", FIELD_REAL, NULLABLE, "Sent after it was due: 99th percentile.", NULL},
    {"late_max_s", FIELD_REAL, NULLABLE, "Sent after it was due: the most.", NULL},
    {"cpu_share", FIELD_REAL, NULLABLE, "Its own, of one processor.", NULL},
    {"requests_per_s", FIELD_REAL, NULLABLE, "That it sent, to all endpoints.", NULL},
    {"steal_share", FIELD_REAL, NULLABLE, "Of its machine's time that went to other guests.", NULL},
    {"pressure_share", FIELD_REAL, NULLABLE, "Of the time that somebody waited for a processor.",
     NULL},
    {"load_begin", FIELD_REAL, NULLABLE, "The machine's load when the trial began.", NULL},
    {"load_end", FIELD_REAL, NULLABLE, "The machine's load when the trial ended.", NULL},
    {"null_answers", FIELD_COUNT, NULLABLE, "Of a server of its own that does nothing.", NULL},
    {"null_late", FIELD_COUNT, NULLABLE, "Of these, late.", NULL},
    {"null_p50_s", FIELD_REAL, NULLABLE, "How long these took: median.", NULL},
    {"null_p99_s", FIELD_REAL, NULLABLE, "How long these took: 99th percentile.", NULL},
    {"null_max_s", FIELD_REAL, NULLABLE, "How long these took: the most.", NULL},
    {"served", FIELD_SECTIONS, 0, "Its share of what services saw, where a probe asks.", &served},
    {"suspect", FIELD_BOOL, 0, "Times are wider than the system's alone.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "Why it is suspect.", NULL},
};
SECTION(prober, "How a prober fared itself.");

static const struct field view_fields[] = {
    {"vantage", FIELD_TEXT, NULLABLE, "Where it was read.", NULL},
    {"view", FIELD_TEXT, NULLABLE, "Which host was read, or how.", NULL},
    {"read", FIELD_BOOL, 0, "There is a full read in the last round.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "Why there is none.", NULL},
    COUNTED("present", "Writes that are there."),
    COUNTED("absent", "Acknowledged ones that are not."),
    COUNTED("phantoms", "Refused ones that are there."),
    COUNTED("duplicates", "Those that are there more than once."),
};
SECTION(view, "One way of reading a ledger back.");

static const struct field write_fields[] = {
    COUNTED("id", "Its number."),
    {"fate", FIELD_TEXT, 0, "lost, phantom, duplicate, ...", NULL},
    {"sent_s", FIELD_REAL, NULLABLE, "When it was sent.", NULL},
    {"answered_s", FIELD_REAL, NULLABLE, "When it was acknowledged or refused.", NULL},
    COUNTED("times", "How often it is there."),
    {"why", FIELD_TEXT, NULLABLE, "How it was refused.", NULL},
};
SECTION(write, "A write with a fate.");

static const struct field ledger_fields[] = {
    {"name", FIELD_TEXT, 0, "As the scenario calls it.", NULL},
    {"kind", FIELD_TEXT, NULLABLE, "redis, postgres, http, exec.", NULL},
    {"from", FIELD_TEXT, NULLABLE, "Its vantage.", NULL},
    {"every_s", FIELD_REAL, NULLABLE, "The interval.", NULL},
    {"sentence", FIELD_TEXT, NULLABLE, "What was found, in words.", NULL},
    COUNTED("written", "Attempts."),
    COUNTED("acknowledged", "Of these."),
    COUNTED("refused", "Of these."),
    COUNTED("unknown", "Of these: neither; they may be there or not."),
    COUNTED("unknown_present", "Of the unknown ones, those that are there."),
    COUNTED("not_sent", "The writer's own stalls."),
    COUNTED("at_risk",
            "Acknowledged ones inside the risk window, and outside of it those that are gone."),
    COUNTED("lost_lower", "Acknowledged ones absent from every view."),
    COUNTED("lost_upper", "Acknowledged ones absent from any view."),
    COUNTED("phantoms", "Refused ones that are there, in any view."),
    COUNTED("duplicates", "Those that are there more than once, in any view."),
    COUNTED("strange", "Ids that are there and were never written down."),
    COUNTED("rounds", "How often all was read."),
    {"known", FIELD_BOOL, 0, "The reads suffice.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "What is missing.", NULL},
    {"views_agree", FIELD_BOOL, 0, "All views show the same.", NULL},
    {"torn", FIELD_BOOL, 0, "Its file ends in the middle of a record.", NULL},
    {"oldest_lost_s", FIELD_REAL, NULLABLE, "When it was acknowledged.", NULL},
    {"newest_lost_s", FIELD_REAL, NULLABLE, "When it was acknowledged.", NULL},
    {"loss_lower_s", FIELD_REAL, NULLABLE, "The time whose writes are lost, at least.", NULL},
    {"loss_upper_s", FIELD_REAL, NULLABLE, "The time whose writes are lost, at most.", NULL},
    {"views", FIELD_SECTIONS, 0, "Each way of reading it back.", &view},
    {"writes", FIELD_SECTIONS, 0, "Those with a fate.", &write},
};
SECTION(ledger, "The writes of one ledger in one trial.");

static const struct field load_phase_fields[] = {
    {"phase", FIELD_TEXT, 0, "before, during, after: of the faults.", NULL},
    {"length_s", FIELD_REAL, NULLABLE, "How long it was.", NULL},
    COUNTED("ok", "Operations that were a success."),
    COUNTED("failed", "Operations that were given up."),
    COUNTED("attempts", "What was sent for them."),
    COUNTED("not_sent", "Arrivals beyond what may be under way."),
    {"per_second", FIELD_REAL, NULLABLE, "Successes a second.", NULL},
    {"attempts_per_success", FIELD_REAL, NULLABLE, "What a success took.", NULL},
    {"p50_s", FIELD_REAL, NULLABLE, "Of the successes' latency: median.", NULL},
    {"p99_s", FIELD_REAL, NULLABLE, "Of the successes' latency: 99th percentile.", NULL},
    {"most_s", FIELD_REAL, NULLABLE, "Of the successes' latency: the most.", NULL},
    {"late_s", FIELD_REAL, NULLABLE, "The latest that an attempt was sent after it was due.", NULL},
    {"cpu_share", FIELD_REAL, NULLABLE, "Its own, of one processor.", NULL},
    {"failures", FIELD_COUNTS, 0, "Of attempts, by kind.", NULL},
};
SECTION(load_phase, "What a load counted in one part of a trial.");

static const struct field load_second_fields[] = {
    {"from_s", FIELD_REAL, NULLABLE, "Its beginning.", NULL},
    {"to_s", FIELD_REAL, NULLABLE, "Its end.", NULL},
    COUNTED("ok", "Operations that were a success."),
    COUNTED("failed", "Operations that were given up."),
    COUNTED("attempts", "What was sent for them."),
    COUNTED("not_sent", "Arrivals beyond what may be under way."),
    COUNTED("in_flight", "Attempts that waited for their answer at its end."),
    {"p50_s", FIELD_REAL, NULLABLE, "Of the successes' latency: median.", NULL},
    {"p99_s", FIELD_REAL, NULLABLE, "Of the successes' latency: 99th percentile.", NULL},
};
SECTION(load_second, "What a load counted in a second.");

static const struct field load_fields[] = {
    {"name", FIELD_TEXT, 0, "As the scenario calls it.", NULL},
    {"kind", FIELD_TEXT, 0, "http, redis.", NULL},
    {"from", FIELD_TEXT, 0, "Where it stands.", NULL},
    {"model", FIELD_TEXT, 0, "Who asks, and what becomes of a failed attempt.", NULL},
    {"phases", FIELD_SECTIONS, 0, "In the order of time.", &load_phase},
    {"course", FIELD_SECTIONS, FULL_ONLY, "Second by second.", &load_second},
};
SECTION(load, "One load in one trial.");

static const struct field trial_fields[] = {
    {"trial", FIELD_COUNT, 0, "Its number.", NULL},
    {"fault_free", FIELD_BOOL, 0, "The first of a series, without faults.", NULL},
    {"verdict", FIELD_VERDICT, 0, "Of the trial.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "One sentence.", NULL},
    {"start_s", FIELD_REAL, NULLABLE, "When it began.", NULL},
    {"end_s", FIELD_REAL, NULLABLE, "When it ended.", NULL},
    {"targets", FIELD_SECTIONS, 0, "The scenario's, and an impact of each that states one.",
     &target},
    {"symptoms", FIELD_SECTIONS, 0, "In the scenario's order.", &symptom},
    {"probes", FIELD_SECTIONS, 0, "In the scenario's order.", &probe},
    {"rollouts", FIELD_SECTIONS, 0, "Of steps with waves.", &rollout},
    {"admissions", FIELD_SECTIONS, 0, "Of steps that ask before they go out.", &admission},
    {"runbook", FIELD_SECTIONS, FULL_ONLY, "A person's commands, in the order of time.", &task},
    {"matrix", FIELD_SECTION, FULL_ONLY, "What each vantage saw of each endpoint.", &matrix},
    {"ledgers", FIELD_SECTIONS, 0, "Writes that were acknowledged, and what became of them.",
     &ledger},
    {"loads", FIELD_SECTIONS, 0, "Users by a stated model, and what they got.", &load},
    {"outage_lower_s", FIELD_REAL, NULLABLE, "Full-outage seconds of the whole, at least.", NULL},
    {"outage_upper_s", FIELD_REAL, NULLABLE, "Full-outage seconds of the whole, at most.", NULL},
    {"probers", FIELD_SECTIONS, FULL_ONLY, "How the probers fared, one for each vantage.", &prober},
};
SECTION(trial, "One repetition.");

static const struct field shown_fields[] = {
    {"shows", FIELD_TEXT, 0, "As of a symptom.", NULL},
    COUNTED("n", "Trials with a fault that count."),
    COUNTED("shown", "Of these."),
    COUNTED("not_shown", "Of these."),
    COUNTED("undecided", "Of these."),
    COUNTED("left_out", "Trials that count for nothing, for another reason."),
    {"without_fault", FIELD_TEXT, NULLABLE, "Its state in the trial that had none.", NULL},
};
SECTION(shown, "A symptom over all trials.");

static const struct field reproduced_fields[] = {
    {"title", FIELD_TEXT, 0, "Whose outage, and when.", NULL},
    {"date", FIELD_TEXT, NULLABLE, "When it began.", NULL},
    {"class", FIELD_TEXT, 0, "deletion, config, partition, ...", NULL},
    {"duration_s", FIELD_REAL, NULLABLE, "How long it lasted there.", NULL},
    {"fidelity", FIELD_TEXT, 0, "high, medium or low.", NULL},
    {"scale", FIELD_TEXT, 0, "The scale of time.", NULL},
    {"keeps", FIELD_TEXT, 0, "What the miniature keeps of it.", NULL},
    {"leaves_out", FIELD_TEXT, 0, "What it leaves out.", NULL},
    {"sources", FIELD_TEXTS, 0, "Where the facts are from, and what each is.", NULL},
};
SECTION(reproduced, "The real outage that a scenario reproduces.");

static const struct field result_fields[] = {
    {"verdict", FIELD_VERDICT, 0, "The worst of all.", NULL},
    {"why", FIELD_TEXT, NULLABLE, "One sentence.", NULL},
    {"exit", FIELD_COUNT, 0, "0 pass, 1 fail, 3 inconclusive or invalid, 4 a host left dirty.",
     NULL},
    {"scenario", FIELD_TEXT, NULLABLE, "Its name.", NULL},
    {"scenario_sha256", FIELD_TEXT, 0, "Of its text.", NULL},
    {"variant", FIELD_TEXT, OPTIONAL, "Which of its variants.", NULL},
    {"reproduces", FIELD_SECTION, OPTIONAL, "The outage.", &reproduced},
    {"run", FIELD_TEXT, 0, "The run's id.", NULL},
    {"wall", FIELD_TEXT, NULLABLE, "When it began (ISO 8601, UTC): a label.", NULL},
    {"version", FIELD_TEXT, NULLABLE, "Of blackstart.", NULL},
    {"kernel", FIELD_TEXT, NULLABLE, "Its release.", NULL},
    {"machine", FIELD_TEXT, NULLABLE, "The architecture.", NULL},
    {"seed", FIELD_COUNT, 0, "What all that was drawn was drawn from.", NULL},
    {"no_fault", FIELD_BOOL, 0, "A dry run.", NULL},
    {"aborted", FIELD_BOOL, 0, "It was ended before its end.", NULL},
    {"stopped", FIELD_BOOL, 0,
     "That was a person's will, or the end of the run it took turns with.", NULL},
    {"error", FIELD_TEXT, NULLABLE, "What went wrong with the run itself.", NULL},
    {"symptoms", FIELD_SECTIONS, 0, "Each from the trial that decided.", &symptom},
    {"symptoms_shown", FIELD_SECTIONS, 0, "The same, over all trials.", &shown},
    {"targets", FIELD_SECTIONS, 0, "Each from the trial that decided.", &target},
    {"injections", FIELD_SECTIONS, 0, "Proof of injection, of all trials.", &injection},
    {"hosts", FIELD_SECTIONS, 0, "Proof of clean-up.", &host},
    {"trials", FIELD_SECTIONS, 0, "All of them.", &trial},
    {"series", FIELD_SECTIONS, 0, "Each target over all trials.", &result_series},
    {"sequential", FIELD_SECTION, NULLABLE, "The plan by which the series stops.",
     &result_sequential},
    {"proves", FIELD_TEXTS, 0, "What so many trials prove, a sentence per target.", NULL},
    {"notes", FIELD_TEXTS, 0, "Rules used, and what a reader must know.", NULL},
    {"earlier", FIELD_SECTION, NULLABLE, "Earlier runs; null: the journal lists none.",
     &result_earlier},
    {"form", FIELD_TEXT, 0, "full, or, of more than 1,000 trials, compact.", NULL},
    {"form_left_out", FIELD_TEXTS, 0,
     "What a compact form has not of each trial, and the journal has; of a full form nothing.",
     NULL},
};
const struct section result_section = {"A run's result: result.json.", result_fields,
                                       sizeof(result_fields) / sizeof(result_fields[0])};

/* In the order in which one refers to another. */
const struct result_definition result_definitions[] = {
    {"target", &target},
    {"symptom", &symptom},
    {"shown", &shown},
    {"injection", &injection},
    {"host", &host},
    {"outage", &outage},
    {"probe", &probe},
    {"rollout", &rollout},
    {"admission", &admission},
    {"task", &task},
    {"vantage", &vantage},
    {"cell", &cell},
    {"matrix", &matrix},
    {"prober", &prober},
    {"view", &view},
    {"write", &write},
    {"ledger", &ledger},
    {"load_phase", &load_phase},
    {"load_second", &load_second},
    {"load", &load},
    {"value", &result_value},
    {"left_out", &result_left_out},
    {"median", &result_median},
    {"quantile", &result_quantile},
    {"order", &result_order},
    {"series", &result_series},
    {"sequential", &result_sequential},
    {"trial", &trial},
    {"reproduced", &reproduced},
    {"earlier_run", &result_earlier_run},
    {"earlier_target", &result_earlier_target},
    {"earlier", &result_earlier},
};
const size_t result_n_definitions = sizeof(result_definitions) / sizeof(result_definitions[0]);
