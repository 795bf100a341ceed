/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/tally.h"
#include <inttypes.h>
#include <stdlib.h>

static unsigned n_addresses(const struct tally *t)
{
	return t->world->conf->n_vips + t->world->conf->n_gateways;
}

struct tally *tally_new(const struct world_file *world)
{
	struct tally *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->world = world;
	t->services = calloc(world->conf->n_services + 1u, sizeof *t->services);
	t->servers = calloc(world->conf->n_servers + 1u, sizeof *t->servers);
	t->vip_drops = calloc(n_addresses(t) + 1u, sizeof *t->vip_drops);
	t->service_drops = calloc(world->conf->n_services + 1u, sizeof *t->service_drops);
	if (t->services && t->servers && t->vip_drops && t->service_drops)
		return t;
	tally_free(t);
	return NULL;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	free(t->services);
	free(t->servers);
	free(t->vip_drops);
	free(t->service_drops);
	free(t);
}

int tally_read(struct tally *t, const struct body_ops *ops, struct body *b)
{
	int rc = ops->verdicts(b, t->verdicts);

	if (!rc)
		rc = ops->places(b, t->places);
	for (unsigned i = 0; i < t->world->conf->n_services && !rc; i++)
		rc = ops->service_counter(b, i + 1, &t->services[i]);
	for (unsigned i = 0; i < t->world->conf->n_servers && !rc; i++)
		rc = ops->server_counter(b, i + 1, &t->servers[i]);
	for (unsigned i = 0; i < n_addresses(t) && !rc; i++)
		rc = ops->vip_drops(b, i + 1, t->vip_drops[i]);
	for (unsigned i = 0; i < t->world->conf->n_services && !rc; i++)
		rc = ops->service_drops(b, i + 1, t->service_drops[i]);
	return rc;
}

static void subtract(struct engine_counter *a, const struct engine_counter *b)
{
	a->packets -= b->packets;
	a->bytes -= b->bytes;
}

static void subtract_drops(uint64_t after[L4_V_COUNT], const uint64_t before[L4_V_COUNT])
{
	for (unsigned v = 0; v < L4_V_COUNT; v++)
		after[v] -= before[v];
}

void tally_subtract(struct tally *after, const struct tally *before)
{
	for (unsigned i = 0; i < L4_V_COUNT; i++)
		after->verdicts[i] -= before->verdicts[i];
	for (unsigned i = 0; i < L4_PLACE_COUNT; i++)
		after->places[i] -= before->places[i];
	for (unsigned i = 0; i < after->world->conf->n_services; i++)
		subtract(&after->services[i], &before->services[i]);
	for (unsigned i = 0; i < after->world->conf->n_servers; i++)
		subtract(&after->servers[i], &before->servers[i]);
	for (unsigned i = 0; i < n_addresses(after); i++)
		subtract_drops(after->vip_drops[i], before->vip_drops[i]);
	for (unsigned i = 0; i < after->world->conf->n_services; i++)
		subtract_drops(after->service_drops[i], before->service_drops[i]);
}

void tally_expect(struct tally *t, const struct packet_case *c)
{
	for (unsigned i = 0; i < c->n_steps; i++)
		if (c->steps[i].kind == CASE_FRAME)
			t->verdicts[c->steps[i].verdict]++;
	for (unsigned i = 0; i < c->n_counters; i++) {
		const struct case_counter *k = &c->counters[i];
		struct engine_counter traffic = { k->packets, k->bytes };

		if (k->kind == CASE_SERVICE)
			t->services[k->index] = traffic;
		else if (k->kind == CASE_SERVER)
			t->servers[k->index] = traffic;
		else if (k->kind == CASE_PLACES)
			t->places[k->index] = k->packets;
		else if (k->kind == CASE_SERVICE_DROPS)
			t->service_drops[k->index][k->reason] = k->packets;
		else
			t->vip_drops[k->index][k->reason] = k->packets;
	}
}

static bool print_number(FILE *out, const char *what, const char *name, const char *reason,
	uint64_t want, uint64_t got, const char *got_name)
{
	if (want == got)
		return false;
	if (out)
		fprintf(out, "    counter %s %s%s%s: want %" PRIu64 ", %s %" PRIu64 "\n", what,
			name, *reason ? " " : "", reason, want, got_name, got);
	return true;
}

static unsigned print_traffic(FILE *out, const char *what, const char *name,
	const struct engine_counter *want, const struct engine_counter *got, const char *got_name)
{
	return print_number(out, what, name, "packets", want->packets, got->packets, got_name) +
	       print_number(out, what, name, "bytes", want->bytes, got->bytes, got_name);
}

static unsigned print_drops(FILE *out, const char *what, const char *name,
	const uint64_t want[L4_V_COUNT], const uint64_t got[L4_V_COUNT], const char *got_name)
{
	unsigned n = 0;

	for (unsigned v = 0; v < L4_V_COUNT; v++)
		n += print_number(out, what, name, verdict_name(v), want[v], got[v], got_name);
	return n;
}

static const char *address_name(const struct conf *c, unsigned address)
{
	return address < c->n_vips ? c->vips[address].name : c->gateways[address - c->n_vips].name;
}

unsigned tally_print_diff(
	FILE *out, const struct tally *want, const struct tally *got, const char *got_name)
{
	const struct conf *c = want->world->conf;
	unsigned n = 0;

	for (unsigned v = 0; v < L4_V_COUNT; v++)
		n += print_number(out, "verdict", verdict_name(v), "", want->verdicts[v],
			got->verdicts[v], got_name);
	for (unsigned i = 0; i < L4_PLACE_COUNT; i++)
		n += print_number(out, "places", place_name(i), "", want->places[i], got->places[i],
			got_name);
	for (unsigned i = 0; i < c->n_services; i++)
		n += print_traffic(out, "service", c->services[i].name, &want->services[i],
			&got->services[i], got_name);
	for (unsigned i = 0; i < c->n_servers; i++)
		n += print_traffic(out, "server", c->servers[i].name, &want->servers[i],
			&got->servers[i], got_name);
	for (unsigned i = 0; i < n_addresses(want); i++)
		n += print_drops(out, "drops", address_name(c, i), want->vip_drops[i],
			got->vip_drops[i], got_name);
	for (unsigned i = 0; i < c->n_services; i++)
		n += print_drops(out, "service_drops", c->services[i].name, want->service_drops[i],
			got->service_drops[i], got_name);
	return n;
}
