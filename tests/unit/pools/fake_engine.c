/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pools/fake_engine.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fake_engine fake;

void fake_reset(void)
{
	memset(&fake, 0, sizeof fake);
	fake.report.last_gap_ms = -1;
}

/* The handle says of what type it is, and whether it is open: there is one fake. */
static bool handles[2];

static struct engine *handle(enum conf_engine_type type)
{
	return (struct engine *)&handles[type];
}

enum conf_engine_type engine_type(const struct engine *en)
{
	return en == handle(CONF_ENGINE_DPDK) ? CONF_ENGINE_DPDK : CONF_ENGINE_XDP;
}

/* Returns 0, or -EIO and a sentence where it is to fail. */
static int take_step(const char *step, const struct engine *en, struct err *e)
{
	size_t n = strlen(fake.steps);
	char word[32];

	snprintf(word, sizeof word, "%s%s%s", step, en ? ":" : "",
		!en				      ? ""
		: engine_type(en) == CONF_ENGINE_DPDK ? "dpdk"
						      : "xdp");
	snprintf(fake.steps + n, sizeof fake.steps - n, "%s%s", n ? " " : "", word);
	if (fake.on_step)
		fake.on_step(word);
	return fake.fails && !strcmp(fake.fails, word) ? err_set(e, -EIO, "no %s", word) : 0;
}

bool engine_holds(enum conf_engine_type type, const char *run_dir)
{
	(void)run_dir;
	return fake.holds[type];
}

bool engine_is_in_front(enum conf_engine_type type, const char *run_dir)
{
	return engine_holds(type, run_dir) && type == CONF_ENGINE_XDP && !fake.passes;
}

int engine_take_back(enum conf_engine_type type, const char *run_dir, struct err *e)
{
	(void)run_dir;
	(void)e;
	if (type == CONF_ENGINE_XDP && fake.yielded)
		fake.passes = fake.yielded = false;
	return 0;
}

int engine_ready(const struct engine_options *o, struct err *e)
{
	return take_step("ready", handle(o->type), e);
}

int engine_take(enum conf_engine_type type, const char *run_dir, struct err *e)
{
	(void)run_dir;
	return take_step("take", handle(type), e);
}

int engine_give(enum conf_engine_type type, const char *run_dir, struct err *e)
{
	(void)run_dir;
	return take_step("give", handle(type), e);
}

int engine_yield(struct engine *en, struct err *e)
{
	return take_step("yield", en, e);
}

int engine_cede(struct engine *en, struct err *e)
{
	return take_step("cede", en, e);
}

int engine_resume(struct engine *en, struct err *e)
{
	return take_step("resume", en, e);
}

void engine_end_aliases(struct engine *en)
{
	take_step("end", en, NULL);
}

void engine_inherit(struct engine *to, const struct engine *from)
{
	(void)from;
	take_step("inherit", to, NULL);
}

void engine_carry(struct engine *to, const struct engine *from, struct engine_carried *out)
{
	(void)from;
	take_step("carry", to, NULL);
	*out = fake.carried;
}

int engine_tally_begin(
	struct engine_tally **out, struct engine *to, const struct engine *from, struct err *e)
{
	(void)from;
	*out = (struct engine_tally *)to;
	return take_step("tally", to, e);
}

bool engine_tally_may_wait(const struct engine_tally *t)
{
	return engine_type((const struct engine *)t) == CONF_ENGINE_DPDK;
}

void engine_tally_end(struct engine_tally *t, bool with_rest)
{
	if (t)
		take_step(with_rest ? "rest" : "no-rest", (struct engine *)t, NULL);
}

bool engine_captures(const struct engine *en)
{
	(void)en;
	return fake.capturing;
}

int engine_open(struct engine **out, struct event_base *base, const struct engine_options *o,
	bool *adopted, struct err *e)
{
	(void)base;
	if (fake.open_error)
		return err_set(e, fake.open_error, "the fake engine does not open");
	if (o->aside && take_step("aside", handle(o->type), e))
		return -EIO;
	handles[o->type] = true;
	fake.open++;
	fake.n_ports = o->n_links;
	for (unsigned i = 0; i < o->n_links; i++) {
		snprintf(
			fake.ports[i].device, sizeof fake.ports[i].device, "%s", o->links[i]->name);
		fake.ports[i].ifindex = o->links[i]->ifindex;
		snprintf(fake.ports[i].real, sizeof fake.ports[i].real, "%s", o->devices[i]->name);
		fake.ports[i].real_ifindex = o->devices[i]->ifindex;
		fake.ports[i].mode = "native";
	}
	*adopted = fake.adopt;
	fake.attached = fake.adopt;
	*out = handle(o->type);
	return 0;
}

void engine_close(struct engine *en)
{
	bool *is_open = (bool *)en;

	if (!en)
		return;
	fake.open -= *is_open;
	*is_open = false;
}

enum engine_state engine_state(const struct engine *en, uint64_t *since_ms)
{
	(void)en;
	*since_ms = fake.since_ms;
	return fake.state;
}

void engine_report(const struct engine *en, struct engine_report *out)
{
	(void)en;
	*out = fake.report;
}

const struct engine_change *engine_changes(const struct engine *en, size_t *n)
{
	(void)en;
	*n = fake.n_changes;
	return fake.changes;
}

int engine_publish(struct engine *en, const struct snapshot_input *in, struct err *e)
{
	if (*fake.steps && take_step("publish", en, e))
		return -EIO;
	if (fake.publish_error)
		return err_set(e, fake.publish_error, "the fake engine does not publish");
	fake.attached = true;
	fake.publishes++;
	fake.generation++;
	fake.input = *in;
	memcpy(fake.members, in->members, in->n_members * sizeof *in->members);
	memcpy(fake.addresses, in->addresses, in->n_addresses * sizeof *in->addresses);
	return 0;
}

unsigned engine_native_mtu(void)
{
	return 3000;
}

uint64_t engine_generation(const struct engine *en)
{
	(void)en;
	return fake.generation;
}

int engine_route(struct engine *en, const struct host_route *route, bool gone, struct err *e)
{
	(void)en;
	(void)route;
	(void)gone;
	if (fake.route_error)
		return err_set(e, fake.route_error, "the fake engine takes no route");
	fake.routes++;
	return 0;
}

int engine_neighbour(struct engine *en, const struct host_neighbour *n, bool gone, struct err *e)
{
	(void)en;
	(void)n;
	(void)gone;
	(void)e;
	fake.neighbours++;
	return 0;
}

void engine_each_used_neighbour(struct engine *en,
	void (*fn)(void *arg, uint32_t ifindex, const struct addr *addr), void *arg)
{
	(void)en;
	(void)fn;
	(void)arg;
}

int engine_trace(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e)
{
	(void)en;
	fake.traced_ifindex = ifindex;
	if (fake.trace_error)
		return err_set(e, fake.trace_error, "the fake engine traces nothing");
	memcpy(fake.traced, frame, len);
	memcpy(out, frame, len);
	fake.traced_len = *out_len = len;
	*way = fake.way;
	return 0;
}

int engine_capture_new(struct engine_capture **out, struct engine *en, struct event_base *base,
	const struct l4_capture_filter *filter, engine_capture_fn *fn, void *arg, struct err *e)
{
	(void)en;
	(void)base;
	if (fake.capture_error)
		return err_set(e, fake.capture_error, "the fake engine captures nothing");
	fake.capturing = true;
	fake.filter = *filter;
	fake.on_leg = fn;
	fake.capture_arg = arg;
	*out = (struct engine_capture *)&fake;
	return 0;
}

void engine_capture_free(struct engine_capture *c)
{
	struct fake_engine *f = (struct fake_engine *)c;

	if (f)
		f->capturing = false;
}

uint64_t engine_capture_lost(const struct engine_capture *c)
{
	(void)c;
	return fake.lost;
}

bool engine_line(const struct engine *en, uint32_t line, void *out)
{
	(void)en;
	if (line >= sizeof fake.lines / sizeof *fake.lines)
		return false;
	memcpy(out, &fake.lines[line], sizeof *fake.lines);
	return true;
}

bool engine_neighbour_row(const struct engine *en, uint32_t row, struct l4_neighbour *out)
{
	(void)en;
	*out = fake.row;
	return !row;
}

int engine_service_counter(const struct engine *en, uint32_t id, struct engine_counter *out)
{
	(void)en;
	*out = fake.service[id];
	return 0;
}

int engine_server_counter(const struct engine *en, uint32_t id, struct engine_counter *out)
{
	(void)en;
	*out = fake.server[id];
	return 0;
}

int engine_verdict_counters(const struct engine *en, uint64_t out[L4_V_COUNT])
{
	(void)en;
	memcpy(out, fake.verdicts, sizeof fake.verdicts);
	return 0;
}

int engine_vip_drops(const struct engine *en, uint32_t vip_id, uint64_t out[L4_V_COUNT])
{
	(void)en;
	memcpy(out, fake.vip_drops[vip_id], sizeof fake.vip_drops[vip_id]);
	return 0;
}

int engine_service_drops(const struct engine *en, uint32_t service_id, uint64_t out[L4_V_COUNT])
{
	(void)en;
	memcpy(out, fake.service_drops[service_id], sizeof fake.service_drops[service_id]);
	return 0;
}

struct l4_record *engine_records(struct engine *en, uint32_t *n)
{
	(void)en;
	*n = FAKE_RECORDS;
	return fake.records;
}

int engine_record_counters(const struct engine *en, uint64_t out[L4_PLACE_COUNT])
{
	(void)en;
	memcpy(out, fake.places, sizeof fake.places);
	return 0;
}

int engine_service_cookies(const struct engine *en, uint32_t service_id, uint64_t *out)
{
	(void)en;
	*out = fake.cookies[service_id];
	return 0;
}

struct l4_flood *engine_floods(struct engine *en, uint32_t *n)
{
	(void)en;
	*n = FAKE_FLOODS;
	return fake.floods;
}

struct l4_proxied *engine_proxied(struct engine *en, uint32_t *n)
{
	(void)en;
	*n = FAKE_PROXIED;
	return fake.proxied;
}

int engine_past_slots(const struct engine *en, snapshot_slots_fn *fn, void *arg)
{
	const struct fake_slots *p = &fake.past;

	(void)en;
	if (fake.past_error)
		return fake.past_error;
	return p->pool ? fn(arg, p->pool, FAKE_SLOTS, p->owner, p->base, p->since) : 0;
}

int engine_counter_reset(struct engine *en, enum engine_counter_kind kind, uint32_t id)
{
	(void)en;
	fake.resets++;
	switch (kind) {
	case ENGINE_VIP:
		memset(fake.vip_drops[id], 0, sizeof fake.vip_drops[id]);
		break;
	case ENGINE_SERVICE:
		memset(fake.service_drops[id], 0, sizeof fake.service_drops[id]);
		fake.service[id] = (struct engine_counter){ 0 };
		break;
	case ENGINE_SERVER:
		fake.server[id] = (struct engine_counter){ 0 };
		break;
	}
	return 0;
}

const struct engine_port *engine_ports(const struct engine *en, unsigned *n)
{
	(void)en;
	*n = fake.n_ports;
	return fake.ports;
}

int engine_detach(const char *run_dir, struct err *e)
{
	(void)run_dir;
	if (fake.detach_error)
		return err_set(e, fake.detach_error, "the fake engine does not detach");
	fake.detaches++;
	fake.attached = false;
	return (int)fake.n_ports;
}
