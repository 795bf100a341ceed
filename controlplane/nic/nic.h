/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices must do, and not do, for the engine's sake: offloads that hide tags or glue packets together are turned
 * off, groups that frames for our addresses are sent to are joined, virtual MAC addresses are taken into the filter, and the
 * host gets addresses that it is to serve itself.
 * What was before is kept in the run directory, so
 * that it is put back at detach, or by a later process. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controlplane/base/addr.h"
#include "controlplane/base/err.h"
#include "controlplane/nic/ledger.h"

struct nic;

/* What is wanted of one device. */
struct nic_want {
	const char *device;
	uint32_t ifindex;
	bool plain;  /* the engine sees its frames: as they came, with their tags */
	bool single; /* and behind the kernel's own GRO, which is to glue none together */
	const uint8_t (*groups)[6];
	const uint8_t (*macs)[6]; /* that it is to take frames for besides its own */
	bool keeps_macs; /* and for those that it was told before: somebody may want them still */
	const struct addr
		*addresses; /* that the host is to have there, unless it has them anyway */
	unsigned n_groups, n_macs, n_addresses;
};

/* Reads what a former process has changed, which stays as it is until nic_apply(). Returns 0 or a negative errno and a
 * sentence. */
int nic_new(struct nic **out, const char *run_dir, struct err *e);
/* Changes nothing. */
void nic_free(struct nic *n);

/* Makes devices so, and puts back what was changed and is not wanted any more. What a device refuses is told by
 * nic_fault(); one whose filter refuses a MAC address is made to take all frames. Returns 0, or a negative errno and a sentence: nothing can be kept in the run directory, and
 * nothing new was changed. */
int nic_apply(struct nic *n, const struct nic_want *wants, unsigned n_wants, struct err *e);

/* This host's own TCP stack, as SYN cookies that are given in its name have it. */
struct nic_stack {
	bool times;    /* it finds what else a SYN said in time stamps */
	uint8_t scale; /* that it gives windows */
};

/* Has the stack take SYN cookies that it has not sent itself, until nic_cookies_end(), also of a later process, or
 * nic_restore(). To begin, or to end, twice is the same as once. Return 0, or a negative errno and a sentence: the stack takes none
 * but its own, or is not as it was before. */
int nic_cookies_begin(struct nic *n, struct nic_stack *is, struct err *e);
int nic_cookies_end(struct nic *n, struct err *e);
/* Whether they have begun, here or by a former process, and changed anything. */
bool nic_cookies_changed(const struct nic *n);

/* What was changed. */
const struct ledger *nic_changes(const struct nic *n);
/* Whether the host has the address because it was added here. */
bool nic_has_added(const struct nic *n, const struct addr *address);
/* Sentence i about what a device does not do as it should, or NULL behind the last. */
const char *nic_fault(const struct nic *n, size_t i);

/* Puts everything back that a process has changed, whether or not it lives. Returns 0 or a negative errno and a
 * sentence about what could not be put back. */
int nic_restore(const char *run_dir, struct err *e);

/* Makes what is on the list of one directory about a device entries of another's list, under the name that the device has now: it is
 * put back from there. Nobody else may be using either list. Returns 0 or a negative errno and a sentence. */
int nic_hand_on(const char *from_dir, const char *to_dir, uint32_t ifindex, const char *device,
	struct err *e);

/* The group that solicitations for an IPv6 address are sent to, as a MAC address (RFC 4291, section 2.7.1; RFC 2464,
 * section 7). */
void nic_solicited_node(const uint8_t address[16], uint8_t mac[6]);
