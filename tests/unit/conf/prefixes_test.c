/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of sources in files. */
#include "controlplane/conf/prefixes.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

#define SITE                                                              \
	"node = \"n\"; interfaces: { i: {}; }; "                          \
	"vips: { v: { address = \"192.0.2.1\"; interface = \"i\"; }; }; " \
	"pools: { p: { servers: { a: { address = \"10.0.0.1\"; }; }; }; };\n"

static unsigned n_reads;

/* Files are their contents: what stands behind the last slash of a path. */
static int read_fake(void *arg, const char *path, char **text, struct err *e)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "/good", "# hosts\n\n 192.0.2.7 \n2001:db8::/32# a network\r\n10.0.0.0/8" },
		{ "/bad", "10.0.0.0/8\n10.0.0.0/8/8\nx\n" },
		{ "/empty", "" },
	};

	assert_string_equal(arg, "arg");
	n_reads++;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (!strcmp(path, files[i].path)) {
			*text = strdup(files[i].text);
			return 0;
		}
	return err_set(e, -ENOENT, "cannot read %s: it is not there", path);
}

static struct conf *parse(const char *text, const char *says)
{
	static const struct conf_files files = { read_fake, (void *)"arg" };
	struct conf *c = NULL;
	struct diags d;
	char *said;

	n_reads = 0;
	conf_parse_with(text, "t", &files, &c, &d);
	said = diags_text(&d);
	assert_string_equal(said, says);
	free(said);
	diags_free(&d);
	return c;
}

static void expect_prefix(
	const struct conf_prefix *p, const char *address, unsigned plen, bool allow)
{
	char text[ADDR_TEXT];

	assert_string_equal(addr_text(&p->address, text), address);
	assert_int_equal(p->plen, plen);
	assert_int_equal(p->allow, allow);
}

static void keys_and_files_make_a_list(void **state)
{
	struct conf *c = parse(SITE
		"guard: { deny_file = \"/good\"; allow = [ \"10.9.0.0/16\" ]; };\n",
		"1:45: warning: vip \"v\" is used by no service\n"
		"1:105: warning: pool \"p\" is used by no service\n");
	const struct conf_list *l = &c->guard.sources.list;

	(void)state;
	assert_int_equal(l->n, 4);
	assert_true(l->only);
	expect_prefix(&l->prefixes[0], "10.9.0.0", 16, true);
	expect_prefix(&l->prefixes[1], "192.0.2.7", 32, false);
	expect_prefix(&l->prefixes[2], "2001:db8::", 32, false);
	expect_prefix(&l->prefixes[3], "10.0.0.0", 8, false);
	conf_free(c);
}

static void a_file_is_read_once(void **state)
{
	struct conf *c = parse(SITE
		"guard: { deny_file = \"/good\"; };\n"
		"services: {\n"
		"a: { vip = \"v\"; port = 1; forward = \"dsr\"; pool = \"p\"; deny_file = \"/good\"; };\n"
		"b: { vip = \"v\"; port = 2; forward = \"dsr\"; pool = \"p\"; allow_file = \"/good\"; };\n"
		"c: { vip = \"v\"; port = 3; forward = \"dsr\"; pool = \"p\"; allow_file = \"/empty\"; };\n"
		"};\n",
		"");
	const struct conf_list *all = &c->guard.sources.list, *a = &c->services[0].sources.list,
			       *b = &c->services[1].sources.list,
			       *none = &c->services[2].sources.list;

	(void)state;
	assert_int_equal(n_reads, 3); /* once as what is denied, once as what is allowed */
	assert_int_equal(all->n, 3);
	assert_ptr_equal(all->prefixes, a->prefixes);
	assert_int_equal(all->digest, a->digest);
	assert_int_not_equal(a->digest, b->digest);
	assert_false(all->only);
	assert_true(b->only && b->prefixes[0].allow);
	assert_true(none->only && !none->n);
	conf_free(c);
}

static void faults_have_their_line(void **state)
{
	(void)state;
	assert_null(parse(SITE "guard: { deny_file = \"/bad\"; allow_file = \"/gone\"; };\n",
		"2:22: error: /bad:2: \"10.0.0.0/8/8\" is neither an address nor a prefix such as "
		"203.0.113.0/24 or 2001:db8::/32\n"
		"2:22: error: /bad:3: \"x\" is neither an address nor a prefix such as "
		"203.0.113.0/24 or 2001:db8::/32\n"
		"2:43: error: cannot read /gone: it is not there\n"));
}

/* Only the first faults are told, and how many there are. */
static void many_faults(void **state)
{
	struct conf_memory *m = conf_memory_new();
	struct conf_prefix_faults faults;
	struct conf_prefixes out;
	char text[] = "x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n";

	(void)state;
	assert_int_equal(conf_prefixes_parse(text, false, m, &out, &faults), -EINVAL);
	assert_int_equal(faults.n, 12);
	assert_int_equal(strncmp(faults.text[CONF_PREFIX_FAULTS - 1], "10: ", 4), 0);
	conf_memory_free(m);
}

static void another_list_has_another_digest(void **state)
{
	struct conf_prefix list[3] = { { .plen = 8 }, { .plen = 9 }, { .plen = 10 } };
	uint64_t before = conf_prefixes_digest(0, list, 3);

	(void)state;
	assert_int_equal(conf_prefixes_digest(0, list, 3), before);
	assert_int_not_equal(conf_prefixes_digest(0, list, 2), before);
	for (size_t i = 0; i < sizeof list; i++) {
		((uint8_t *)list)[i] ^= 1;
		assert_int_not_equal(conf_prefixes_digest(0, list, 3), before);
		((uint8_t *)list)[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_files_make_a_list),
		cmocka_unit_test(a_file_is_read_once),
		cmocka_unit_test(faults_have_their_line),
		cmocka_unit_test(many_faults),
		cmocka_unit_test(another_list_has_another_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
