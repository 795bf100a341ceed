/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/rules.h"
#include <string.h>
#include "controlplane/conf/conf.h"
#include "tests/unit/test.h"

typedef const char *(*rule_fn)(const char *text);

struct sample {
	rule_fn rule;
	const char *text;
	const char *why; /* how the sentence begins; NULL: allowed */
};

#define X16  "xxxxxxxxxxxxxxxx"
#define X64  X16 X16 X16 X16
#define X256 X64 X64 X64 X64

static const struct sample samples[] = {
	{ conf_rule_node, "lb-a.example_1", NULL },
	{ conf_rule_node, "", "be 1 to 63" },
	{ conf_rule_node, X64, "be 1 to 63" },
	{ conf_rule_node, "lb a", "be 1 to 63" },
	{ conf_rule_node, "lb\n", "be 1 to 63" },
	{ conf_rule_device, "eth0", NULL },
	{ conf_rule_device, "enp1s0f0np0.100", NULL }, /* 15 characters */
	{ conf_rule_device, "br@x!", NULL },	       /* odd, but the kernel takes it */
	{ conf_rule_device, X16, "be the kernel's name of a network device: 1 to 15" },
	{ conf_rule_device, "", "be the kernel's name of a network device: 1 to 15" },
	{ conf_rule_device, ".", "be the kernel's name of a network device: visible" },
	{ conf_rule_device, "..", "be the kernel's name of a network device: visible" },
	{ conf_rule_device, "eth/0", "be the kernel's name of a network device: visible" },
	{ conf_rule_device, "eth0:1", "be the kernel's name of a network device: visible" },
	{ conf_rule_device, "eth%d", "be the kernel's name of a network device: visible" },
	{ conf_rule_device, "eth 0", "be the kernel's name of a network device: visible" },
	{ conf_rule_device, "eth\xc3\xa4", "be the kernel's name of a network device: visible" },
	{ conf_rule_port, "0000:3b:00.0", NULL },
	{ conf_rule_port, "a1b2:ff:1f.7", NULL },
	{ conf_rule_port, "3b:00.0", "be a whole PCI address" },
	{ conf_rule_port, "0000:3B:00.0", "be a whole PCI address" },
	{ conf_rule_port, "0000:3b:20.0", "be a whole PCI address" },
	{ conf_rule_port, "0000:3b:00.8", "be a whole PCI address" },
	{ conf_rule_port, "0000:3b:00", "be a whole PCI address" },
	{ conf_rule_port, "0000:3b:00.00", "be a whole PCI address" },
	{ conf_rule_port, "0000:3b:00.0,x=1", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,socket=/run/m.sock", NULL },
	{ conf_rule_port, "net_memif0,role=server,mac=02:00:00:00:00:01,rsize=10", NULL },
	{ conf_rule_port, "net_null0", NULL },
	{ conf_rule_port, "net_tap0,iface=tap=0,zero-copy_2=x", NULL },
	{ conf_rule_port, "", "be the PCI address of a card" },
	{ conf_rule_port, "0net", "be the PCI address of a card" },
	{ conf_rule_port, "_net", "be the PCI address of a card" },
	{ conf_rule_port, "Net0", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,socket", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,socket=", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,=x", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,a=1,,b=2", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,a=1,", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0 a=1", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0,a=1 2", "be the PCI address of a card" },
	{ conf_rule_port, "net_memif0;a=1", "be the PCI address of a card" },
	{ conf_rule_port, X16 X16 X16 "xxxxxxxxxxxxxxx", NULL }, /* 63 characters */
	{ conf_rule_port, X64, "be the PCI address of a card" },
	{ conf_rule_port, "x,y=" X64 X64 X64 X16 X16 X16 "xxxxxxxxxxx", NULL }, /* 255 */
	{ conf_rule_port, "x,y=" X64 X64 X64 X16 X16 X16 "xxxxxxxxxxxx",
		"be the PCI address of a card" },
	{ conf_rule_group, "", NULL },
	{ conf_rule_group, "www-data", NULL },
	{ conf_rule_group, X16 X16, NULL },
	{ conf_rule_group, X16 X16 "x", "be the name of a user group" },
	{ conf_rule_group, "a b", "be the name of a user group" },
	{ conf_rule_path, "/", NULL },
	{ conf_rule_path, "/a/b?c=%20&d='\"<", NULL },
	{ conf_rule_path, "", "begin with \"/\"" },
	{ conf_rule_path, "healthz", "begin with \"/\"" },
	{ conf_rule_path, "http://x/", "begin with \"/\"" },
	{ conf_rule_path, "/a b", "hold visible ASCII" },
	{ conf_rule_path, "/\r\nX: y", "hold visible ASCII" },
	{ conf_rule_path, "/\x7f", "hold visible ASCII" },
	{ conf_rule_path, "/\xc3\xa4", "hold visible ASCII" },
	{ conf_rule_path, "/a#b", "hold visible ASCII" },
	{ conf_rule_path, "/" X256 X256 X256 X256, "be at most 1024" },
	{ conf_rule_host, "", NULL },
	{ conf_rule_host, "www.example.com", NULL },
	{ conf_rule_host, "[2001:db8::1]:8080", NULL },
	{ conf_rule_host, X256 "xxxxx", NULL },
	{ conf_rule_host, X256 "xxxxxx", "be a host name" },
	{ conf_rule_host, "a b", "be a host name" },
	{ conf_rule_host, "a\r\nX: y", "be a host name" },
	{ conf_rule_host, "a/b", "be a host name" },
	{ conf_rule_host, "user@a", "be a host name" },
	{ conf_rule_body, "", NULL },
	{ conf_rule_body, "status: \xc3\xa4\n\t\"ok\"", NULL },
	{ conf_rule_body, X256 X256 X256 X256, NULL },
	{ conf_rule_body, X256 X256 X256 X256 "x", "be at most 1024" },
	{ conf_rule_body, "\xff", "be UTF-8" },
};

static void rules_allow_and_refuse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		const struct sample *s = &samples[i];
		const char *why = s->rule(s->text);
		if (!s->why ? why != NULL : !why || strncmp(why, s->why, strlen(s->why)))
			fail_msg("\"%s\": %s", s->text, why ? why : "allowed");
	}
}

static void cards_are_told_from_virtual_devices(void **state)
{
	(void)state;
	assert_true(conf_port_is_pci("0000:3b:00.0"));
	assert_false(conf_port_is_pci("net_memif0"));
	assert_false(conf_port_is_pci("abcd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_allow_and_refuse),
		cmocka_unit_test(cards_are_told_from_virtual_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
