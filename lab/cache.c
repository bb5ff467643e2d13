// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "cache.h"
#include "say.h"
#include "status.h"

#define DEFAULT_KERNEL "trixie-backports"

const char *fbk_lab_cache_dir(void)
{
	static char *dir;
	const char *v;

	if (dir)
		return dir;
	if ((v = getenv("FIREBREAK_CACHE")) && *v)
		dir = fbk_lab_fmt("%s", v);
	else if ((v = getenv("XDG_CACHE_HOME")) && *v)
		dir = fbk_lab_fmt("%s/firebreak", v);
	else
		dir = fbk_lab_fmt("%s/.cache/firebreak", (v = getenv("HOME")) ? v : "/root");
	return dir;
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* the names a person could have meant */
static void __attribute__((noreturn)) no_such_kernel(const char *name)
{
	char *dir = fbk_lab_fmt("%s/kernels", fbk_lab_cache_dir()), *list = fbk_lab_fmt(" ");
	struct dirent **e;
	int n = scandir(dir, &e, NULL, alphasort);

	for (int i = 0; i < n; i++)
		if (e[i]->d_name[0] != '.')
			list = fbk_lab_fmt("%s%s ", list, e[i]->d_name);
	fbk_lab_die(FBK_LAB_E_FILE, "no kernel '%s' in the cache; there are:%s(a folder or an Image is named with a '/')",
		    name, list);
}

void fbk_lab_kernel_find(struct fbk_lab_kernel *kernel, const char *name, const char *modules)
{
	char *dir;

	*kernel = (struct fbk_lab_kernel){ 0 };
	if (!name)
		name = DEFAULT_KERNEL;
	if (!strchr(name, '/')) {
		dir = fbk_lab_fmt("%s/kernels/%s", fbk_lab_cache_dir(), name);
		kernel->set = realpath(dir, NULL);
		free(dir);
		if (!*name || *name == '.' || !kernel->set)
			no_such_kernel(name);
		dir = kernel->set;
	} else if (is_dir(name)) {
		dir = realpath(name, NULL);
	} else {
		dir = NULL;
		kernel->image = realpath(name, NULL);
	}
	if (dir) {
		kernel->image = fbk_lab_fmt("%s/Image", dir);
		kernel->modules = fbk_lab_fmt("%s/modules", dir);
		if (!is_dir(kernel->modules)) {
			free(kernel->modules);
			kernel->modules = NULL;
		}
		if (dir != kernel->set)
			free(dir);
	}
	if (!kernel->image || !is_file(kernel->image))
		fbk_lab_die(kernel->set ? FBK_LAB_E_CORRUPT : FBK_LAB_E_FILE,
			    "there is no kernel at '%s' (wanted: an arm64 Image, or a folder with Image and modules/)",
			    kernel->image ? kernel->image : name);
	if (modules) {
		if (!is_dir(modules))
			fbk_lab_die(FBK_LAB_E_FILE, "there is no folder of modules at '%s'",
				    modules);
		kernel->modules = fbk_lab_fmt("%s", modules);
	}
}

/* does the manifest line name something that is booted? */
static bool booted(const char *line)
{
	const char *path = strstr(line, "  ./");

	return path && (!strncmp(path + 4, "Image", 5) || !strncmp(path + 4, "modules/", 8) ||
			!strncmp(path + 4, "busybox", 7));
}

static bool wait_ok(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* hands the relevant lines of the set's MANIFEST to sha256sum */
static bool set_whole(const char *set)
{
	char *manifest = fbk_lab_fmt("%s/MANIFEST", set), *line = NULL;
	FILE *in = fopen(manifest, "re"), *out;
	unsigned int lines = 0;
	size_t cap = 0;
	int fd[2];
	pid_t pid;

	free(manifest);
	if (!in)
		return false;
	if (pipe2(fd, O_CLOEXEC) < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no process: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(fd[0], 0) < 0 || chdir(set) < 0)
			_exit(126);
		execlp("sha256sum", "sha256sum", "--check", "--strict", "--status", NULL);
		_exit(127);
	}
	close(fd[0]);
	out = fdopen(fd[1], "w");
	while (out && getline(&line, &cap, in) > 0) {
		if (!booted(line))
			continue;
		fputs(line, out);
		lines++;
	}
	free(line);
	fclose(in);
	if (out)
		fclose(out);
	return wait_ok(pid) && lines;
}

static void repair(void)
{
	const char *lab = getenv("FIREBREAK_LAB_DIR");
	int status;
	pid_t pid;

	if (!lab)
		fbk_lab_die(FBK_LAB_E_CORRUPT, "corrupt cache: run lab/setup --verify");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(fbk_lab_fmt("%s/setup", lab), "setup", "--verify", "--no-packages", NULL);
		_exit(FBK_LAB_E_CORRUPT);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || !WIFEXITED(status))
		fbk_lab_die(FBK_LAB_E_CORRUPT, "corrupt cache: lab/setup --verify could not be run");
	if (WEXITSTATUS(status))
		exit(WEXITSTATUS(status)); /* setup has said why */
}

void fbk_lab_cache_verify(const struct fbk_lab_kernel *kernel)
{
	char *userland = fbk_lab_fmt("%s/userland", fbk_lab_cache_dir());

	if (!set_whole(userland) || (kernel->set && !set_whole(kernel->set))) {
		fbk_lab_say("corrupt cache: a file in %s is not what was fetched", fbk_lab_cache_dir());
		repair();
		if (!set_whole(userland) || (kernel->set && !set_whole(kernel->set)))
			fbk_lab_die(FBK_LAB_E_CORRUPT,
				    "corrupt cache: %s is still broken after lab/setup --verify",
				    kernel->set ? kernel->set : userland);
	}
	free(userland);
}
