/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a JSON or YAML text the value of a key stands, so that config.push can replace it and
 * leave every other byte as it is. Pure. The text is the host's and may be hostile: JSON is walked
 * in place without memory; YAML goes through libyaml's events, of which at most CONFIG_EVENTS_MAX
 * are taken, nested at most CONFIG_DEPTH_MAX deep, no alias followed and no tag resolved.
 */
#ifndef BLACKSTART_AGENTS_FAULTS_CONFIG_KEY_H
#define BLACKSTART_AGENTS_FAULTS_CONFIG_KEY_H

#include "base/param.h"

enum { CONFIG_DEPTH_MAX = 64, CONFIG_EVENTS_MAX = 100000 };

struct config_span {
    size_t start, end; /* bytes; equal: nothing stands there */
};

/*
 * Keys of maps and, from 0, places in lists. Of two with one name it is the last, as readers take
 * it. ERR_NOT_FOUND when there is none, ERR_INPUT when the text cannot be read or the value cannot
 * be replaced alone.
 */
int config_json_find(const char *text, size_t len, const struct names *key, struct config_span *ret,
                     struct err *err) MUST_CHECK;
/* The first document. A value that is a block of lines of its own, or has an anchor or a tag, is
 * refused. */
int config_yaml_find(const char *text, size_t len, const struct names *key, struct config_span *ret,
                     struct err *err) MUST_CHECK;

#endif
