/* SPDX-License-Identifier: BSD-2-Clause */
/* A process is killed between any two steps of a handover, whichever way: what comes next puts it right. */
#include "controlplane/nic/handover.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "controlplane/nic/step.h"
#include "tests/unit/nic/handover_lab.h"
#include "tests/unit/test.h"

static unsigned steps_left;

static void die_at(const char *what)
{
	(void)what;
	if (!steps_left--)
		kill(getpid(), SIGKILL);
}

/* Takes, or gives back, in a process that is killed before step n. Whether it was; else it went through, and left the tap. */
static bool is_killed_at(unsigned n, bool giving)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		struct handover *h;
		struct err e;

		if (giving && handover_take(&h, lab_dir, "front", &e))
			_exit(2);
		steps_left = n;
		step_hook = die_at;
		if (giving)
			_exit(handover_give_back(h, &e) ? 3 : 0);
		_exit(handover_take(&h, lab_dir, "front", &e) ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void a_killed_take_is_undone(void **state)
{
	char *before = lab_look();
	unsigned n = 0;

	(void)state;
	for (bool killed = true; killed; n++) {
		killed = is_killed_at(n, false);
		lab_give_back_all(n < 2 ? 0 : 1);
		lab_expect(lab_look, before);
	}
	assert_true(n > 60);
	free(before);
}

static void a_killed_take_is_gone_on_with(void **state)
{
	char *before = lab_look(), *above = lab_look_above();
	unsigned n = 0;

	(void)state;
	for (bool killed = true; killed; n++) {
		struct handover *h;

		killed = is_killed_at(n, false);
		h = lab_take();
		lab_expect(lab_look_above, above);
		lab_give_back(h);
		lab_expect(lab_look, before);
	}
	assert_true(n > 60);
	free(before);
	free(above);
}

static void a_killed_give_back_is_gone_on_with(void **state)
{
	char *before = lab_look(), *above = lab_look_above();
	unsigned n = 0;

	(void)state;
	for (bool killed = true; killed; n++) {
		killed = is_killed_at(n, true);
		if (n & 1) {
			struct handover *h = lab_take();

			lab_expect(lab_look_above, above);
			lab_give_back(h);
		} else {
			struct err e;

			assert_true(handover_give_back_all(lab_dir, &e) >= 0);
		}
		lab_expect(lab_look, before);
	}
	assert_true(n > 40);
	lab_expect_nothing_left();
	free(before);
	free(above);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_killed_take_is_undone, lab_with_much),
		cmocka_unit_test_setup(a_killed_take_is_gone_on_with, lab_with_much),
		cmocka_unit_test_setup(a_killed_give_back_is_gone_on_with, lab_with_much),
	};

	return cmocka_run_group_tests(tests, lab_begin, lab_end);
}
