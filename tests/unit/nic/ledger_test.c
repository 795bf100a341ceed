/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/ledger.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/test.h"

static char dir[] = "/tmp/tandem-ledger-XXXXXX";
static char path[64];

static const struct ledger_entry feature = { LEDGER_FEATURE, 7, "eth0", "rx-lro" };
static const struct ledger_entry address = { LEDGER_ADDRESS, 1, "lo",
	"2001:db8:f00d:cafe:1234:5678:9abc:def0" };
static const struct ledger_entry setting = { LEDGER_SETTING, 1, "lo", "net.ipv4.tcp_syncookies=1" };
static const struct ledger_entry group = { LEDGER_GROUP, 9, "eth0.100", "33:33:ff:00:00:10" };

static const struct ledger_entry unicast = { LEDGER_UNICAST, 7, "eth0", "00:00:5e:00:01:0a" };
static const struct ledger_entry promisc = { LEDGER_PROMISC, 7, "eth0", "on" };

static int begin(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void write_file(const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void an_entry_stands_once(void **state)
{
	struct ledger l = { 0 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ledger_add(&l, &feature), 0);
		assert_int_equal(ledger_add(&l, &group), 0);
	}
	assert_int_equal(l.n, 2);
	ledger_remove(&l, 0);
	assert_false(ledger_has(&l, &feature));
	assert_true(ledger_has(&l, &group));
	ledger_free(&l);
}

static void what_was_saved_is_loaded(void **state)
{
	struct ledger l = { 0 }, back = { 0 };

	(void)state;
	assert_int_equal(ledger_load(&back, dir), 0); /* there is no file */
	assert_int_equal(back.n, 0);
	assert_int_equal(ledger_add(&l, &feature), 0);
	assert_int_equal(ledger_add(&l, &group), 0);
	assert_int_equal(ledger_add(&l, &address), 0);
	assert_int_equal(ledger_add(&l, &unicast), 0);
	assert_int_equal(ledger_add(&l, &promisc), 0);
	assert_int_equal(ledger_add(&l, &setting), 0);
	assert_int_equal(ledger_save(&l, dir), 0);
	assert_int_equal(ledger_load(&back, dir), 0);
	assert_int_equal(back.n, 6);
	assert_true(ledger_has(&back, &feature) && ledger_has(&back, &group) &&
		    ledger_has(&back, &address) && ledger_has(&back, &unicast) &&
		    ledger_has(&back, &promisc) && ledger_has(&back, &setting));
	l.n = 0;
	assert_int_equal(ledger_save(&l, dir), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(ledger_save(&l, dir), 0);
	assert_int_equal(ledger_save(&back, "/nowhere/at/all"), -ENOENT);
	ledger_free(&l);
	ledger_free(&back);
}

static void a_damaged_file_is_read_as_far_as_can_be(void **state)
{
	static const char *const bad[] = { "feature 7 eth0\n", "feature x eth0 rx-lro\n",
		"wish 7 eth0 rx-lro\n", "feature 7 eth0 rx-lro and more\n", "feature 7 eth0 rx-lro",
		"feature 7 a-name-that-is-too-long rx-lro\n" };

	(void)state;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[256];
		struct ledger l = { 0 };

		snprintf(text, sizeof text, "group 9 eth0.100 33:33:ff:00:00:10\n%s", bad[i]);
		write_file(text);
		assert_int_equal(ledger_load(&l, dir), -EBADMSG);
		assert_int_equal(l.n, 1);
		assert_true(ledger_has(&l, &group));
		ledger_free(&l);
	}
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/nic", mkdtemp(dir));
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_entry_stands_once, begin),
		cmocka_unit_test_setup(what_was_saved_is_loaded, begin),
		cmocka_unit_test_setup(a_damaged_file_is_read_as_far_as_can_be, begin),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
