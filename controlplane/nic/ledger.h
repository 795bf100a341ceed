/* SPDX-License-Identifier: BSD-2-Clause */
/* What was changed about devices and is to be taken back: a list, and the file in the run directory that it is kept in. A
 * machine that starts anew has neither. */
#pragma once
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ledger_kind {
	LEDGER_FEATURE, /* was on, and was turned off */
	LEDGER_GROUP,	/* was joined */
	LEDGER_ADDRESS, /* was added */
	LEDGER_UNICAST, /* was added to the filter */
	LEDGER_PROMISC, /* was told to take all frames */
	LEDGER_SETTING, /* of this host's own TCP stack, was changed; the device is lo */
};

enum { LEDGER_NAME = 48 };

struct ledger_entry {
	enum ledger_kind kind;
	uint32_t ifindex;
	char device[IF_NAMESIZE];
	char what
		[LEDGER_NAME]; /* the feature's name, the MAC address, the address, or NAME=VALUE as it was before; PROMISC: "on" */
};

struct ledger {
	struct ledger_entry *list;
	size_t n, room;
};

void ledger_free(struct ledger *l);

bool ledger_same(const struct ledger_entry *a, const struct ledger_entry *b);
/* Whether the entry is on the list. */
bool ledger_has(const struct ledger *l, const struct ledger_entry *e);
/* Puts it at the end, unless it is there. Returns 0 or -ENOMEM. */
int ledger_add(struct ledger *l, const struct ledger_entry *e);
/* Takes entry i away; the others keep their order. */
void ledger_remove(struct ledger *l, size_t i);

/* Reads RUN_DIR/nic into an empty list. Returns 0, also where there is no such file; -EBADMSG for one that was damaged, of
 * which what could be read is in the list; or another negative errno. */
int ledger_load(struct ledger *l, const char *run_dir);
/* Replaces the file as a whole; an empty list is no file. Returns 0 or a negative errno. */
int ledger_save(const struct ledger *l, const char *run_dir);
