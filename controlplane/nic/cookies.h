/* SPDX-License-Identifier: BSD-2-Clause */
/* What this host's own TCP stack needs so that it takes SYN cookies that were given in its name: always to look for cookies, and
 * time stamps without a random offset, in which it finds what else the SYN said. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/nic/ledger.h"

/* Puts on the list what is to be changed, as it is now; what is on it already stays. Returns 0 or a negative errno. */
int cookies_plan(struct ledger *l);

/* Of an entry of the list, NAME=VALUE: makes the change, or puts the setting back, unless somebody else has changed it since.
 * Return 0; -EBADMSG: the entry is none of ours; or another negative errno. */
int cookies_set(const char *entry);
int cookies_put_back(const char *entry);

/* Whether a list's entry is the one without which the stack takes no cookies. */
bool cookies_is_needed(const struct ledger_entry *e);

/* Whether the stack finds window scale and selective acknowledgement in time stamps, as it is now. */
bool cookies_have_times(void);
