/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/host_path.h"
#include <errno.h>
#include <string.h>
#include "tests/unit/test.h"

static void goes_by_what_is_wanted_and_what_there_is(void **state)
{
	static const struct {
		enum conf_host_path wanted;
		int vhost, is;
	} samples[] = {
		{ CONF_HOST_PATH_AUTO, 0, CONF_HOST_PATH_VHOST },
		{ CONF_HOST_PATH_AUTO, -ENOENT, CONF_HOST_PATH_TAP },
		{ CONF_HOST_PATH_AUTO, -EACCES, CONF_HOST_PATH_TAP },
		{ CONF_HOST_PATH_TAP, 0, CONF_HOST_PATH_TAP },
		{ CONF_HOST_PATH_TAP, -ENOENT, CONF_HOST_PATH_TAP },
		{ CONF_HOST_PATH_VHOST, 0, CONF_HOST_PATH_VHOST },
		{ CONF_HOST_PATH_VHOST, -EACCES, -EACCES },
	};
	struct err e = { "" };

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		assert_int_equal(
			host_path_choose(samples[i].wanted, samples[i].vhost, &e), samples[i].is);
	assert_string_equal(e.text,
		"\"engine.dpdk.host_path\" is \"vhost\", but /dev/vhost-net cannot be opened: "
		"Permission denied; load the kernel's module vhost_net (modprobe vhost_net), or write "
		"host_path = \"auto\";");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_by_what_is_wanted_and_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
