/* SPDX-License-Identifier: BSD-2-Clause */
/* Part of handover.h: the changes themselves. Each finds out what is done already, so that both ways may be gone again, from wherever
 * a process was killed on either. */
#pragma once
#include "controlplane/nic/netdev.h"
#include "controlplane/nic/record.h"

/* The devices of a record. Return 0; -ENODEV: it is not there (any more, or yet); or another negative errno. */
int handover_find_nic(const struct record *r, struct netdev *out);
int handover_find_tap(const struct record *r, struct netdev *out);

/* Moves to the tap what the record has. Returns 0, and *fd, which is the tap's; on error a negative errno and a sentence, also *fd
 * unless it is negative. */
int handover_forth(struct record *r, int *fd, struct err *e);

/* Moves to the device what the record has, and removes the tap. Returns 0, or a negative errno and a sentence; *stuck: the
 * interface is not as it was, and the record is to stay; else something of what it had was refused. */
int handover_back(struct record *r, bool *stuck, struct err *e);

/* Looks after what a process that dies cannot: the filter is there, the device up. Returns 0 or a negative errno and a
 * sentence. */
int handover_guard(const struct record *r, struct err *e);
