/* SPDX-License-Identifier: BSD-2-Clause */
/* Things that only one object may have: found by sorting, since files may be large. */
#pragma once
#include <stddef.h>
#include "controlplane/conf/tree.h"

/* An object's claim to something. Two claims clash when scope, word, address, port and protocol are all
 * the same. */
struct conf_claim {
	uint32_t scope;	  /* what the claim is limited to: a VIP, a pool, … */
	const char *word; /* a device, or NULL */
	struct addr address;
	uint16_t port;
	uint8_t protocol;
	enum conf_kind kind; /* who claims: */
	unsigned object;
	unsigned service; /* for which service, where that matters */
};

typedef void (*conf_clash_fn)(
	void *arg, const struct conf_claim *first, const struct conf_claim *other);

/* Calls fn for every claim that clashes with one that stands before it in the file; `first` is the very
 * first of them. Sorts the list. */
void conf_claims_clashes(
	const struct conf_tree *t, struct conf_claim *list, size_t n, conf_clash_fn fn, void *arg);

/* A claim to `address` in a list that conf_claims_clashes() has sorted, all of whose claims are to
 * addresses alone; or NULL. */
const struct conf_claim *conf_claims_find(
	const struct conf_claim *list, size_t n, const struct addr *address);
