/* SPDX-License-Identifier: BSD-2-Clause */
/* The capturing program, run by hand: which packets it tells of, and what. Needs root. */
#include "tests/unit/test.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include "bpf/loader.h"
#include "bpf/tandem.skel.h"
#include "tests/unit/engine/bed.h"

enum { LEGS = 4 };

static struct engine_capture *capture;
static struct l4_captured legs[LEGS]; /* the first ones */
static unsigned n_legs;

static void on_leg(void *arg, const struct l4_captured *leg, int64_t real_ns)
{
	assert_ptr_equal(arg, &n_legs);
	assert_true(real_ns > 1700000000000000000);
	if (n_legs < LEGS)
		memcpy(&legs[n_legs], leg, offsetof(struct l4_captured, bytes) + leg->captured);
	n_legs++;
}

static void capture_begin(struct l4_capture_filter filter)
{
	struct err e = { "" };

	n_legs = 0;
	if (engine_capture_new(&capture, engine, base, &filter, on_leg, &n_legs, &e))
		fail_msg("%s", e.text);
}

static void capture_end(void)
{
	engine_capture_free(capture);
	capture = NULL;
}

/* Returns the program's action. */
static uint32_t run(const uint8_t *frame, size_t len, int repeat)
{
	struct xdp_md ctx = { .data_end = (uint32_t)len, .ingress_ifindex = BED_PORT };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
		.ctx_in = &ctx, .ctx_size_in = sizeof ctx, .repeat = repeat);
	const struct tandem_bpf *bpf = engine_capture_program(capture);

	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.tandem_capture), &opts), 0);
	return opts.retval;
}

static void send_syn(uint8_t port, uint32_t action)
{
	uint8_t frame[54];

	bed_syn(frame, port);
	assert_int_equal(run(frame, sizeof frame, 1), action);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void test_both_legs_of_a_vips_packet(void **state)
{
	uint8_t frame[54];

	(void)state;
	capture_begin((struct l4_capture_filter){ .vip_id = 1 });
	bed_syn(frame, BED_KNOWN);
	send_syn(BED_KNOWN, XDP_TX);
	assert_int_equal(n_legs, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(legs[i].leg, i ? L4_LEG_OUT : L4_LEG_IN);
		assert_int_equal(legs[i].ifindex, BED_PORT);
		assert_int_equal(legs[i].end.verdict, L4_V_FORWARDED);
		assert_int_equal(legs[i].end.server_id, 1);
		assert_int_equal(legs[i].len, 54);
		assert_int_equal(legs[i].captured, 54);
	}
	assert_int_equal(legs[0].time_ns, legs[1].time_ns);
	assert_memory_equal(legs[0].bytes, frame, 54);
	assert_int_equal(legs[1].bytes[22], 63); /* TTL */
	capture_end();
}

static void test_a_dropped_packet_has_one_leg(void **state)
{
	(void)state;
	capture_begin((struct l4_capture_filter){ .vip_id = 1 });
	send_syn(BED_UNKNOWN, XDP_DROP);
	assert_int_equal(n_legs, 1);
	assert_int_equal(legs[0].leg, L4_LEG_IN);
	assert_int_equal(legs[0].end.verdict, L4_V_NO_NEIGHBOUR);
	capture_end();
}

static void test_others_are_left_out(void **state)
{
	uint8_t other[54];

	(void)state;
	bed_syn(other, BED_KNOWN);
	other[33] = 77; /* the destination is none of ours */
	capture_begin((struct l4_capture_filter){ .vip_id = 2 });
	send_syn(BED_KNOWN, XDP_TX);
	capture_end();
	assert_int_equal(n_legs, 0);
	capture_begin((struct l4_capture_filter){ .server_id = 2 });
	send_syn(BED_KNOWN, XDP_TX);
	capture_end();
	assert_int_equal(n_legs, 0);
	capture_begin((struct l4_capture_filter){ .vip_id = 1 });
	assert_int_equal(run(other, sizeof other, 1), XDP_PASS);
	event_base_loop(base, EVLOOP_NONBLOCK);
	capture_end();
	assert_int_equal(n_legs, 0);
}

/* By the server that was chosen, and by the source of what comes for one of our services. */
static void test_a_servers_packets(void **state)
{
	struct l4_capture_filter filter = { .server_id = 1 };
	uint8_t frame[54];

	(void)state;
	capture_begin(filter);
	send_syn(BED_KNOWN, XDP_TX);
	send_syn(BED_UNKNOWN, XDP_DROP); /* it is not told to which server */
	capture_end();
	assert_int_equal(n_legs, 2);
	bed_syn(frame, BED_UNKNOWN);
	memcpy(filter.address, frame + 26, 4);
	capture_begin(filter);
	send_syn(BED_UNKNOWN, XDP_DROP);
	capture_end();
	assert_int_equal(n_legs, 1);
}

static void test_long_frames_are_cut(void **state)
{
	uint8_t frame[3000] = { 0 };

	(void)state;
	bed_syn(frame, BED_UNKNOWN);
	capture_begin((struct l4_capture_filter){ .vip_id = 1 });
	run(frame, sizeof frame, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	capture_end();
	assert_int_equal(n_legs, 1);
	assert_int_equal(legs[0].len, 3000);
	assert_int_equal(legs[0].captured, L4_CAPTURE_BYTES);
}

static void test_losses_are_counted(void **state)
{
	enum { PACKETS = 2 * LOADER_CAPTURE_BYTES / 1000 };
	uint8_t frame[1000] = { 0 };
	uint64_t lost;

	(void)state;
	bed_syn(frame, BED_UNKNOWN);
	capture_begin((struct l4_capture_filter){ .vip_id = 1 });
	assert_int_equal(engine_capture_lost(capture), 0);
	run(frame, sizeof frame, PACKETS);
	while (event_base_loop(base, EVLOOP_NONBLOCK),
		n_legs + engine_capture_lost(capture) < PACKETS)
		;
	lost = engine_capture_lost(capture);
	capture_end();
	assert_in_range(lost, 1, PACKETS - LEGS);
	assert_int_equal(n_legs + lost, PACKETS);
}

static void test_one_at_a_time(void **state)
{
	const struct l4_capture_filter filter = { .vip_id = 1 };
	struct engine_capture *second;
	struct err e = { "" };

	(void)state;
	capture_begin(filter);
	assert_int_equal(
		engine_capture_new(&second, engine, base, &filter, on_leg, &n_legs, &e), -EBUSY);
	assert_non_null(strstr(e.text, "one capture at a time"));
	send_syn(BED_KNOWN, XDP_TX);
	assert_int_equal(n_legs, 2);
	capture_end();
	capture_begin(filter);
	capture_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_legs_of_a_vips_packet),
		cmocka_unit_test(test_a_dropped_packet_has_one_leg),
		cmocka_unit_test(test_others_are_left_out),
		cmocka_unit_test(test_a_servers_packets),
		cmocka_unit_test(test_long_frames_are_cut),
		cmocka_unit_test(test_losses_are_counted),
		cmocka_unit_test(test_one_at_a_time),
	};

	return cmocka_run_group_tests(tests, bed_open, bed_close);
}
