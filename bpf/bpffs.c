/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/bpffs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool bpffs_is_mounted(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

int bpffs_mount(const char *path)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	if (bpffs_is_mounted(path))
		return 0;
	return mount("tandem", path, "bpf", 0, "mode=0700") ? -errno : 0;
}

bool bpffs_has_directories(const char *path)
{
	struct stat st;

	/* A directory is linked from its parent, from itself, and from each directory in it. */
	return stat(path, &st) || st.st_nlink > 2;
}

int bpffs_unmount(const char *path)
{
	if (bpffs_is_mounted(path) && umount2(path, 0))
		return -errno;
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

int bpffs_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0, rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (!rc && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0))
			rc = -errno;
		else
			n++;
	}
	closedir(d);
	if (!rc && rmdir(dir))
		rc = -errno;
	return rc ? rc : n;
}
