/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/result_parts.h"

#define PUBLIC_SECTION(name, text)                                                                 \
    const struct section result_##name = {text, name##_fields,                                     \
                                          sizeof(name##_fields) / sizeof(name##_fields[0])}

static const struct field value_fields[] = {
    COUNTED("trial", "Whose it is."),
    {"verdict", FIELD_VERDICT, 0, "Of the target in this trial.", NULL},
    {"censored", FIELD_BOOL, 0, "Its end was not seen.", NULL},
    FIGURES("_s", ", in seconds"),
    FIGURES("", ", of what has another unit"),
};
PUBLIC_SECTION(value, "A target's figure in one trial.");

static const struct field left_out_fields[] = {
    COUNTED("trial", "Which."),
    {"why", FIELD_TEXT, NULLABLE, "Why it does not count.", NULL},
};
PUBLIC_SECTION(left_out, "A trial that does not count.");

static const struct field median_fields[] = {
    {"known", FIELD_BOOL, 0, "There are enough trials.", NULL},
    COUNTED("needs", "So many trials are enough."),
    FIGURES("_s", ", in seconds"),
    FIGURES("", ", of what has another unit"),
};
PUBLIC_SECTION(median, "Between which values the median lies, with 95 % confidence.");

static const struct field quantile_fields[] = {
    COUNTED("percent", "Which."),
    {"known", FIELD_BOOL, 0, "There are enough trials.", NULL},
    COUNTED("needs", "So many trials are enough."),
    {"at_most_s", FIELD_REAL, NULLABLE | OPTIONAL, "Its bound, in seconds.", NULL},
    {"at_least_s", FIELD_REAL, NULLABLE | OPTIONAL, "Its bound, in seconds.", NULL},
    {"at_most", FIELD_REAL, NULLABLE | OPTIONAL, "Its bound.", NULL},
    {"at_least", FIELD_REAL, NULLABLE | OPTIONAL, "Its bound.", NULL},
};
PUBLIC_SECTION(quantile, "A quantile, where the trials suffice.");

static const struct field order_fields[] = {
    {"lag1", FIELD_REAL, 0, "Autocorrelation of neighbours.", NULL},
    {"trend", FIELD_REAL, 0, "Rank correlation with the trial's number.", NULL},
    {"trend_p", FIELD_REAL, 0, "How likely by chance.", NULL},
    {"shown", FIELD_BOOL, 0, "It is worth a reader's time.", NULL},
    {"what", FIELD_TEXT, 0, "In words.", NULL},
};
PUBLIC_SECTION(order, "Whether the trials' order matters.");

static const struct field series_fields[] = {
    {"measure", FIELD_TEXT, 0, "As of a target.", NULL},
    {"of", FIELD_TEXT, 0, "As of a target.", NULL},
    {"from", FIELD_TEXT, 0, "As of a target.", NULL},
    {"detail", FIELD_TEXT, 0, "As of a target.", NULL},
    {"unit", FIELD_TEXT, 0, "s, share or count.", NULL},
    {"side", FIELD_TEXT, 0, "at most or at least.", NULL},
    {"limit_s", FIELD_REAL, NULLABLE | OPTIONAL, "The limit, in seconds.", NULL},
    {"limit", FIELD_REAL, NULLABLE | OPTIONAL, "The limit, of what has another unit.", NULL},
    COUNTED("n", "Trials that count."),
    COUNTED("passes", "Of these."),
    COUNTED("misses", "Of these."),
    COUNTED("undecided", "Of these."),
    COUNTED("censored", "Of these."),
    {"values", FIELD_SECTIONS, FULL_ONLY, "Each trial's.", &result_value},
    {"left_out", FIELD_SECTIONS, 0, "Trials that do not count.", &result_left_out},
    {"share_proven", FIELD_REAL, 0, "The share of runs that so many trials prove.", NULL},
    {"median", FIELD_SECTION, 0, "Its interval.", &result_median},
    {"quantiles", FIELD_SECTIONS, 0, "Those that have a name.", &result_quantile},
    {"order", FIELD_SECTION, NULLABLE, "Null: too few trials.", &result_order},
    {"proves", FIELD_TEXT, NULLABLE, "In a sentence.", NULL},
};
PUBLIC_SECTION(series, "A target over all trials.");

static const struct field sequential_fields[] = {
    {"good", FIELD_REAL, 0, "The share of passes that is to be accepted.", NULL},
    {"bad", FIELD_REAL, 0, "The share of passes that is to be rejected.", NULL},
    {"alpha", FIELD_REAL, 0, "How often a good one may be rejected.", NULL},
    {"beta", FIELD_REAL, 0, "How often a bad one may be accepted.", NULL},
    COUNTED("at_most", "Trials."),
    COUNTED("undecided_allowed", "Trials."),
    {"decision", FIELD_TEXT, 0, "accepted, rejected, open, cannot tell.", NULL},
    COUNTED("after_trial", "When it was decided."),
    COUNTED("passes", "Until then."),
    COUNTED("misses", "Until then."),
    COUNTED("undecided", "Until then."),
    {"why", FIELD_TEXT, NULLABLE, "In words.", NULL},
};
PUBLIC_SECTION(sequential, "A series with a plan by which it stops.");

static const struct field earlier_run_fields[] = {
    {"run", FIELD_TEXT, 0, "Its id.", NULL},
    {"wall", FIELD_TEXT, NULLABLE, "When it began (ISO 8601, UTC).", NULL},
    {"version", FIELD_TEXT, NULLABLE, "Of blackstart.", NULL},
    {"verdict", FIELD_TEXT, NULLABLE, "Of this target, then.", NULL},
    COUNTED("trials", "How many it had, with a fault; not one that a stop cut."),
    {"stopped", FIELD_BOOL, 0, "It was stopped before its end: of what had ended is the figure.",
     NULL},
    {"same", FIELD_BOOL, 0, "It is the same experiment as this run.", NULL},
    {"changes", FIELD_TEXTS, 0,
     "What is another than in the run before: scenario, setup, version, packages.", NULL},
    FIGURES("_s", ", in seconds"),
    FIGURES("", ", of what has another unit"),
};
PUBLIC_SECTION(earlier_run, "A target in an earlier run.");

static const struct field earlier_target_fields[] = {
    {"measure", FIELD_TEXT, 0, "As of a target.", NULL},
    {"of", FIELD_TEXT, 0, "As of a target.", NULL},
    {"from", FIELD_TEXT, 0, "As of a target.", NULL},
    {"detail", FIELD_TEXT, 0, "As of a target.", NULL},
    {"unit", FIELD_TEXT, 0, "s, share or count.", NULL},
    {"side", FIELD_TEXT, 0, "at most or at least.", NULL},
    COUNTED("same", "Runs of the same experiment that have a figure."),
    {"same_lower_s", FIELD_REAL, NULLABLE | OPTIONAL, "The least of these, in seconds.", NULL},
    {"same_upper_s", FIELD_REAL, NULLABLE | OPTIONAL, "The most, in seconds; null: open.", NULL},
    {"same_lower", FIELD_REAL, NULLABLE | OPTIONAL, "The least of these.", NULL},
    {"same_upper", FIELD_REAL, NULLABLE | OPTIONAL, "The most of these; null: open.", NULL},
    {"sentence", FIELD_TEXT, NULLABLE, "These beside this run; null: there are none.", NULL},
    {"runs", FIELD_SECTIONS, 0, "The oldest first; this run is not among them.",
     &result_earlier_run},
};
PUBLIC_SECTION(earlier_target, "A target over earlier runs.");

static const struct field earlier_fields[] = {
    COUNTED("listed", "Runs that the journal lists."),
    COUNTED("older", "Runs that it does not list."),
    COUNTED("stopped", "Nor these: stopped before a trial with a fault had ended."),
    {"comparison", FIELD_TEXT, NULLABLE, "Of the main target, in a sentence.", NULL},
    {"targets", FIELD_SECTIONS, 0, "Those that earlier runs have, too.", &result_earlier_target},
};
PUBLIC_SECTION(earlier,
               "The run beside earlier ones of the scenario, as they stood when it began.");
