/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a device that is being handed over, or has been: one file, RUN_DIR/handover/NAME, with all that is needed to end
 * what a process has begun, or to undo it. It is no part of the ledger (RUN_DIR/nic), which a control plane that runs at the
 * same time replaces as a whole. One of an earlier boot counts as none. */
#pragma once
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/err.h"
#include "controlplane/nic/holdings.h"
#include "controlplane/nic/settings.h"

enum record_stage {
	RECORD_TAKING, /* the NIC has what is listed, or has had it */
	RECORD_TAKEN,  /* the tap has it, and may have other things by now */
	RECORD_GIVING, /* the tap has it, or has had it */
};

/* The part that is kept as it stands. */
struct record_fixed {
	uint32_t stage;
	uint32_t ifindex;	 /* of the NIC */
	char name[IF_NAMESIZE];	 /* that the tap has meanwhile */
	char spare[IF_NAMESIZE]; /* of the NIC meanwhile */
	char tap[IF_NAMESIZE];	 /* of the tap, before it gets the name */
	uint8_t mac[6];
	uint8_t all_multi,
		made_clsact; /* the NIC took all groups before; filters had no place before */
	uint32_t flags, mtu; /* of whoever has the name: RECORD_FLAGS */
	uint32_t owner;	     /* device that the messages name */
};

enum { RECORD_FLAGS = IFF_UP | IFF_NOARP | IFF_MULTICAST };

struct record {
	struct record_fixed fixed;
	struct settings settings;
	struct holdings holdings;
};

/* Returns 0; -ENOENT: there is none; -EXDEV: it is about another network namespace; -EBADMSG: it is damaged; or another negative
 * errno; but for 0 with a sentence. On 0 *r is to be freed. */
int record_load(struct record *r, const char *run_dir, const char *name, struct err *e);
/* Replaces the file as a whole. Return 0 or a negative errno and a sentence. */
int record_save(const struct record *r, const char *run_dir, struct err *e);
/* Removes it, and the folder if nothing else is in it. */
int record_remove(const char *run_dir, const char *name, struct err *e);
void record_free(struct record *r);

/* Sees to it that no other process works on the device: returns a file that is to be closed with record_unlock(), or -EBUSY or
 * another negative errno and a sentence. It ends with the process. */
int record_lock(const char *run_dir, const char *name, struct err *e);
void record_unlock(const char *run_dir, const char *name, int lock);

/* Calls fn with the name of each. Returns 0, or the first that fn returned; or a negative errno and a sentence. */
int record_each(
	const char *run_dir, int (*fn)(void *arg, const char *name), void *arg, struct err *e);
