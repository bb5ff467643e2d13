/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The lab's cache as lab/setup made it: where a kernel lies, and whether the files
 * about to be booted are the ones that were fetched.
 */
#ifndef FBK_LAB_CACHE_H
#define FBK_LAB_CACHE_H

struct fbk_lab_kernel {
	char *image; /* path of the Image */
	char *modules; /* folder of *.ko, or null */
	char *set; /* folder in the cache that it belongs to, or null */
};

/**
 * fbk_lab_cache_dir - where the cache lies
 *
 * Return: its path, never null; belongs to this module.
 */
const char *fbk_lab_cache_dir(void);

/**
 * fbk_lab_kernel_find - resolve a kernel
 * @kernel:  filled in
 * @name:    name in the cache, folder or Image; null: the newest that lab/setup fetched
 * @modules: folder that overrides the kernel's own, or null
 *
 * Ends the program with FBK_LAB_E_FILE and a sentence when there is no such kernel.
 */
void fbk_lab_kernel_find(struct fbk_lab_kernel *kernel, const char *name, const char *modules);

/**
 * fbk_lab_cache_verify - check the hashes of a kernel and of the userland; let lab/setup
 *                        fetch again what is broken
 * @kernel: as fbk_lab_kernel_find() filled it in
 *
 * Ends the program with lab/setup's status when that does not help.
 */
void fbk_lab_cache_verify(const struct fbk_lab_kernel *kernel);

#endif
