/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control stream of a prober (docs/prober-protocol.md): frames in, calls of the loop, answers
 * out. */
#ifndef BLACKSTART_PROBER_CONTROL_H
#define BLACKSTART_PROBER_CONTROL_H

#include "base/err.h"

struct prober;
struct control;

/* fd is borrowed and made non-blocking. The prober quits when the stream ends. */
int control_open(struct prober *p, int fd, struct control **ret, struct err *err) MUST_CHECK;
void control_close(struct control *c); /* NULL is allowed; after prober_free's asks are gone */

#endif
