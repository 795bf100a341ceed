/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/slots.h"
#include <stdlib.h>
#include <string.h>

/* What an age in coarse time may be wrong by: the units in which it began and ends, and a packet's own. */
enum { SLACK = 3 };

static uint64_t last_version;

static bool bit(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static void set_bit(uint8_t *bits, uint32_t i)
{
	bits[i / 8] |= (uint8_t)(1 << i % 8);
}

static void changed(struct slots *s)
{
	s->view.version = ++last_version;
}

void slots_touch(struct slots *s)
{
	changed(s);
}

struct slots *slots_new(uint32_t n)
{
	struct slots *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->owner = calloc(n, sizeof *s->owner);
	s->base = calloc(n, sizeof *s->base);
	s->since = calloc(n, sizeof *s->since);
	s->foreign = calloc(n / 8, 1);
	s->left = calloc(n / 8, 1);
	if (!s->owner || !s->base || !s->since || !s->foreign || !s->left) {
		slots_free(s);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++)
		s->base[i] = SNAPSHOT_SETTLED;
	s->view = (struct snapshot_slots){
		.n = n,
		.owner = s->owner,
		.base = s->base,
		.since = s->since,
	};
	changed(s);
	return s;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	free(s->owner);
	free(s->base);
	free(s->since);
	free(s->foreign);
	free(s->left);
	free(s);
}

struct slots *slots_copy(const struct slots *s)
{
	struct slots *to = slots_new(s->view.n);

	if (!to)
		return NULL;
	memcpy(to->owner, s->owner, s->view.n * sizeof *s->owner);
	memcpy(to->base, s->base, s->view.n * sizeof *s->base);
	memcpy(to->since, s->since, s->view.n * sizeof *s->since);
	memcpy(to->foreign, s->foreign, s->view.n / 8);
	memcpy(to->left, s->left, s->view.n / 8);
	to->view.n_tracked = s->view.n_tracked;
	to->view.version = s->view.version;
	return to;
}

static bool may_shrink(const struct slots *s, uint32_t n)
{
	if (s->view.n_tracked)
		return false;
	for (uint32_t i = n; i < s->view.n; i++)
		if (s->owner[i] != s->owner[i % n])
			return false;
	return true;
}

struct slots *slots_resize(const struct slots *s, uint32_t n)
{
	struct slots *to = n < s->view.n && !may_shrink(s, n) ? NULL : slots_new(n);

	for (uint32_t i = 0; to && i < n; i++) {
		uint32_t from = i % s->view.n;

		to->owner[i] = s->owner[from];
		to->base[i] = s->base[from];
		to->since[i] = s->since[from];
		to->view.n_tracked += to->base[i] != SNAPSHOT_SETTLED;
		if (bit(s->left, from))
			set_bit(to->left, i);
	}
	return to;
}

/* A server that serves no flows leaves none behind, but records of them until the next sweep: should it come back before,
 * they must not count for the flows that go to the new owner meanwhile, so that these need records of their own. A settled
 * slot that is nobody's has been swept, or is new: no record names a server that may come back. */
static void track(struct slots *s, uint32_t i, uint16_t owner, const bool *serves, uint16_t now)
{
	if (!s->owner[i])
		return;
	s->base[i] = serves[s->owner[i]] ? s->owner[i] : owner;
	s->since[i] = now;
	s->view.n_tracked++;
}

bool slots_assign(struct slots *s, const uint16_t *owners, const bool *serves, uint16_t now)
{
	bool any = false;

	for (uint32_t i = 0; i < s->view.n; i++) {
		if (s->owner[i] == owners[i])
			continue;
		if (s->base[i] == SNAPSHOT_SETTLED)
			track(s, i, owners[i], serves, now);
		s->owner[i] = owners[i];
		any = true;
	}
	if (any)
		changed(s);
	return any;
}

bool slots_drop_bases(struct slots *s, const bool *serves)
{
	bool any = false;

	for (uint32_t i = 0; i < s->view.n && s->view.n_tracked; i++) {
		if (s->base[i] == SNAPSHOT_SETTLED || s->base[i] == s->owner[i] ||
			serves[s->base[i]])
			continue;
		s->base[i] = s->owner[i];
		any = true;
	}
	if (any)
		changed(s);
	return any;
}

static bool is_pending(const struct slots *s, uint32_t i)
{
	return s->base[i] != SNAPSHOT_SETTLED && s->base[i] != s->owner[i];
}

bool slots_all_seen(uint16_t since, uint16_t now, uint16_t idle)
{
	return (uint16_t)(now - since) > idle + SLACK;
}

bool slots_rebase(struct slots *s, uint16_t now, uint16_t idle)
{
	bool any = false;

	for (uint32_t i = 0; i < s->view.n && s->view.n_tracked; i++) {
		if (!is_pending(s, i) || !slots_all_seen(s->since[i], now, idle))
			continue;
		s->base[i] = s->owner[i];
		s->since[i] = now;
		any = true;
	}
	if (any)
		changed(s);
	return any;
}

bool slots_settle(struct slots *s)
{
	bool any = false;

	for (uint32_t i = 0; i < s->view.n && s->view.n_tracked; i++) {
		if (s->base[i] != s->owner[i] || bit(s->foreign, i))
			continue;
		s->base[i] = SNAPSHOT_SETTLED;
		set_bit(s->left, i);
		s->view.n_tracked--;
		any = true;
	}
	if (any)
		changed(s);
	return any;
}

void slots_clear_foreign(struct slots *s)
{
	memset(s->foreign, 0, s->view.n / 8);
}

void slots_see_record(struct slots *s, uint32_t hash, uint16_t server)
{
	uint32_t i = hash & (s->view.n - 1);

	if (s->owner[i] != server)
		set_bit(s->foreign, i);
}

bool slots_is_idle_record(const struct slots *s, uint32_t hash, uint16_t server)
{
	uint32_t i = hash & (s->view.n - 1);

	return s->base[i] == SNAPSHOT_SETTLED && s->owner[i] == server;
}

bool slots_is_late_record(const struct slots *s, uint32_t hash, uint16_t server)
{
	uint32_t i = hash & (s->view.n - 1);

	return bit(s->left, i) && s->base[i] == server;
}

void slots_leave(struct slots *s)
{
	memset(s->left, 0xff, s->view.n / 8);
}

void slots_clear_left(struct slots *s)
{
	memset(s->left, 0, s->view.n / 8);
}
