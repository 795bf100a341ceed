/* SPDX-License-Identifier: BSD-2-Clause */
/* The first process of the machine that tests/kernel/run boots. Loads the kernel modules that /modules lists, runs what
 * /tests lists, a line each: a name, a tab and a command for the shell; prints "== NAME: status N, S s" after each, and
 * "== end" after the last. Then the machine is switched off, whatever came before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT_RUN = 127 }; /* the shell's own status for that */

static int complain(const char *what)
{
	printf("init: %s: %s\n", what, strerror(errno));
	return -1;
}

static int mount_all(void)
{
	static const char *const mounts[][2] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "bpf", "/sys/fs/bpf" },
		{ "devtmpfs", "/dev" },
	};

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++)
		if (mount("none", mounts[i][1], mounts[i][0], 0, NULL))
			return complain(mounts[i][1]);
	return 0;
}

static int load_module(char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		return complain(path);
	close(fd);
	return 0;
}

static int run_test(char *line)
{
	char *command = strchr(line, '\t');
	time_t began = time(NULL);
	int status = 0;
	pid_t child;

	if (!command)
		return 0;
	*command++ = '\0';
	child = fork();
	if (!child) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(CANNOT_RUN);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return complain(line);
	printf("== %s: status %d, %ld s\n", line,
		WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
		(long)(time(NULL) - began));
	return 0;
}

/* Ends with the first line that fails. */
static int each_line(const char *path, int (*take)(char *line))
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int rc = 0;

	if (!in)
		return complain(path);
	while (!rc && getline(&line, &size, in) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		rc = take(line);
	}
	free(line);
	fclose(in);
	return rc;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (!mount_all() && !each_line("/modules", load_module) && !each_line("/tests", run_test))
		printf("== end\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
