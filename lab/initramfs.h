/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Writes the lab's initial file system: a "newc" cpio archive in anonymous memory, so
 * that no temporary file outlives the lab however it ends.
 */
#ifndef FBK_LAB_INITRAMFS_H
#define FBK_LAB_INITRAMFS_H

#include <stddef.h>
#include <sys/types.h>

struct fbk_lab_cpio;

/**
 * fbk_lab_cpio_new - start an archive in a memfd
 *
 * Return: the archive; ends the program when the kernel refuses.
 */
struct fbk_lab_cpio *fbk_lab_cpio_new(void);

/**
 * fbk_lab_cpio_dir - add a folder and those above it, once
 * @cpio: archive
 * @path: place in the lab, with or without leading '/'
 */
void fbk_lab_cpio_dir(struct fbk_lab_cpio *cpio, const char *path);

/**
 * fbk_lab_cpio_data - add a regular file out of memory
 * @cpio: archive
 * @path: place in the lab
 * @mode: permission bits
 * @data: contents (copied)
 * @len:  in bytes
 */
void fbk_lab_cpio_data(struct fbk_lab_cpio *cpio, const char *path, mode_t mode,
		       const void *data, size_t len);

/**
 * fbk_lab_cpio_node - add a character device
 * @cpio: archive
 * @path: place in the lab
 * @maj:  major number
 * @min:  minor number
 */
void fbk_lab_cpio_node(struct fbk_lab_cpio *cpio, const char *path, unsigned int maj,
		       unsigned int min);

/**
 * fbk_lab_cpio_tree - add a file or a whole folder of this machine
 * @cpio: archive
 * @from: file or folder here; links below it are kept as links, @from itself is followed
 * @path: place in the lab
 *
 * Ends the program with FBK_LAB_E_FILE and a sentence that names what cannot be read.
 */
void fbk_lab_cpio_tree(struct fbk_lab_cpio *cpio, const char *from, const char *path);

/**
 * fbk_lab_cpio_program - add a file of this machine as a program
 * @cpio: archive
 * @from: file here
 * @path: place in the lab; executable there whatever @from's permissions
 *
 * Ends the program with FBK_LAB_E_FILE as fbk_lab_cpio_tree().
 */
void fbk_lab_cpio_program(struct fbk_lab_cpio *cpio, const char *from, const char *path);

/**
 * fbk_lab_cpio_finish - close the archive
 * @cpio: archive; freed
 *
 * Return: the memfd, open for reading by others through /proc/self/fd.
 */
int fbk_lab_cpio_finish(struct fbk_lab_cpio *cpio);

#endif
