/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/base/mac.h"
#include <errno.h>
#include <string.h>
#include "tests/unit/test.h"

static void texts_are_read_and_written(void **state)
{
	static const uint8_t wanted[6] = { 0x00, 0x00, 0x5e, 0x00, 0x01, 0xaf };
	char text[MAC_TEXT];
	uint8_t mac[6];

	(void)state;
	assert_int_equal(mac_parse("00:00:5e:00:01:af", mac), 0);
	assert_memory_equal(mac, wanted, 6);
	assert_int_equal(mac_parse("00:00:5E:00:01:AF", mac), 0);
	assert_memory_equal(mac, wanted, 6);
	assert_string_equal(mac_text(mac, text), "00:00:5e:00:01:af");
}

static void what_is_no_mac_address_is_refused(void **state)
{
	static const char *const bad[] = { "", "0", "00:00:5e:00:01",
		"00:00:5e:00:01:", "00:00:5e:00:01:0", "00:00:5e:00:01:0g",
		"00:00:5e:00:01:0a:", "00:00:5e:00:01:0a ", " 0:00:5e:00:01:0a",
		"+1:00:5e:00:01:0a", "00-00-5e-00-01-0a", "00005e00010a", "00:00:5e:00:01:0a:0b",
		"0x:00:5e:00:01:0a" };
	uint8_t mac[6] = { 1, 2, 3, 4, 5, 6 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mac_parse(bad[i], mac), -EINVAL);
	assert_memory_equal(mac, "\1\2\3\4\5\6", 6);
}

static void one_station_has_it(void **state)
{
	(void)state;
	assert_true(mac_is_unicast((const uint8_t[6]){ 0, 0, 0x5e, 0, 1, 1 }));
	assert_true(mac_is_unicast((const uint8_t[6]){ 0, 0, 0, 0, 0, 1 }));
	assert_false(mac_is_unicast((const uint8_t[6]){ 0 }));
	assert_false(mac_is_unicast((const uint8_t[6]){ 1, 0, 0x5e, 0, 0, 1 }));
	assert_false(mac_is_unicast((const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_and_written),
		cmocka_unit_test(what_is_no_mac_address_is_refused),
		cmocka_unit_test(one_station_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
