/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * crash-load - a second kernel into the memory that `crashkernel=` keeps for it: the one that runs when this one has crashed.
 *
 * usage: crash-load KERNEL-DISK INITRD-DISK [WORD...]
 *
 * What `kexec -p` does, for kernels that leave it to a program (kexec_load(2); Debian's cloud kernels have no kexec_file_load):
 * kernel and initial RAM disk from disks that hold nothing else; this kernel's own device tree, changed; an ELF header that
 * says where the memory to be dumped is; and six instructions that give the tree to the kernel. Says "loaded at=0x..".
 * [Linux "Documentation/admin-guide/kdump/kdump.rst", "Documentation/arch/arm64/booting.rst"]
 */
#include "say.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <linux/fs.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096ul
#define GRANULE 0x10000ul
#define KERNEL_ALIGN 0x200000ul
#define MAX_RANGES 32
#define ELF_ROOM GRANULE
#define TREE_ROOM (2 * GRANULE)

struct range {
	uint64_t start, end; /* the byte behind it */
};

static struct range ram[MAX_RANGES], crash;
static unsigned int nr_ram;

static void fail(const char *text)
{
	if (!errno)
		errno = EINVAL;
	fbk_die(text);
}

static void read_iomem(void)
{
	FILE *f = fopen("/proc/iomem", "re");
	char line[256];
	struct range r;

	if (!f)
		fail("/proc/iomem");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %lx-%lx", &r.start, &r.end) != 2)
			continue;
		r.end++;
		if (strstr(line, " : System RAM") && nr_ram < MAX_RANGES)
			ram[nr_ram++] = r;
		else if (strstr(line, " : Crash kernel") && r.end - r.start > crash.end - crash.start)
			crash = r;
	}
	fclose(f);
	if (!nr_ram || !crash.end)
		fail("no memory is kept for a crash kernel");
}

static void *read_disk(const char *path, uint64_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t done = 0;
	char *p;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, ret_len))
		fail(path);
	p = malloc(*ret_len);
	while (p && done < *ret_len) {
		ssize_t n = read(fd, p + done, *ret_len - done);

		if (n <= 0)
			fail(path);
		done += (uint64_t)n;
	}
	close(fd);
	if (!p)
		fail("memory");
	return p;
}

/* One or two numbers out of a file of /sys. Return: how many. */
static int numbers(const char *path, const char *format, uint64_t *a, uint64_t *b)
{
	FILE *f = fopen(path, "re");
	int n = f ? fscanf(f, format, a, b) : 0;

	if (f)
		fclose(f);
	return n;
}

static Elf64_Phdr *add(Elf64_Ehdr *h, uint32_t type, uint64_t at, uint64_t len)
{
	Elf64_Phdr *p = (Elf64_Phdr *)(h + 1) + h->e_phnum++;

	*p = (Elf64_Phdr){ .p_type = type, .p_flags = PF_R | PF_W | PF_X, .p_offset = at, .p_paddr = at, .p_filesz = len, .p_memsz = len };
	return p;
}

/* Where the memory of this kernel is, without the other one's, and where its last words will be. */
static void *elf_header(void)
{
	Elf64_Ehdr *h = calloc(1, ELF_ROOM);
	uint64_t at, len;
	char path[80];

	if (!h)
		fail("memory");
	*h = (Elf64_Ehdr){ .e_type = ET_CORE, .e_machine = EM_AARCH64, .e_version = EV_CURRENT, .e_phoff = sizeof(*h),
			   .e_ehsize = sizeof(*h), .e_phentsize = sizeof(Elf64_Phdr) };
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_ident[EI_VERSION] = EV_CURRENT;
	for (unsigned int cpu = 0; cpu < 8; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/crash_notes", cpu);
		if (numbers(path, "%lx", &at, NULL) != 1)
			continue;
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/crash_notes_size", cpu);
		if (numbers(path, "%lu", &len, NULL) == 1)
			add(h, PT_NOTE, at, len)->p_flags = 0;
	}
	if (numbers("/sys/kernel/vmcoreinfo", "%lx %lx", &at, &len) != 2)
		fail("/sys/kernel/vmcoreinfo");
	add(h, PT_NOTE, at, len)->p_flags = 0;
	for (unsigned int i = 0; i < nr_ram; i++) {
		struct range r = ram[i];

		if (crash.start > r.start && crash.start < r.end) {
			add(h, PT_LOAD, r.start, crash.start - r.start);
			r.start = crash.start;
		}
		if (crash.end > r.start && crash.start <= r.start)
			r.start = crash.end < r.end ? crash.end : r.end;
		if (r.end > r.start)
			add(h, PT_LOAD, r.start, r.end - r.start);
	}
	return h;
}

static void *device_tree(uint64_t elf, uint64_t initrd, uint64_t initrd_len, const char *args)
{
	int fd = open("/sys/firmware/fdt", O_RDONLY | O_CLOEXEC), chosen, r;
	char *old = calloc(1, TREE_ROOM), *tree = calloc(1, TREE_ROOM);
	fdt64_t usable[2] = { cpu_to_fdt64(crash.start), cpu_to_fdt64(crash.end - crash.start) };
	fdt64_t header[2] = { cpu_to_fdt64(elf), cpu_to_fdt64(ELF_ROOM) };

	if (fd < 0 || !old || !tree || read(fd, old, TREE_ROOM) <= 0)
		fail("/sys/firmware/fdt");
	close(fd);
	r = fdt_open_into(old, tree, TREE_ROOM);
	chosen = r ? r : fdt_path_offset(tree, "/chosen");
	if (chosen < 0)
		fail("the device tree");
	r = fdt_setprop_string(tree, chosen, "bootargs", args);
	r |= fdt_setprop_u64(tree, chosen, "linux,initrd-start", initrd);
	r |= fdt_setprop_u64(tree, chosen, "linux,initrd-end", initrd + initrd_len);
	r |= fdt_setprop(tree, chosen, "linux,usable-memory-range", usable, sizeof(usable));
	r |= fdt_setprop(tree, chosen, "linux,elfcorehdr", header, sizeof(header));
	if (r)
		fail("changing the device tree");
	free(old);
	return tree;
}

static struct kexec_segment segment(const void *buf, uint64_t len, uint64_t at, uint64_t mem_len)
{
	return (struct kexec_segment){ buf, len, (void *)(uintptr_t)at, (mem_len + PAGE - 1) & ~(PAGE - 1) };
}

int main(int argc, char **argv)
{
	/* ldr x17, kernel; ldr x0, tree; x1 to x3 are zero; br x17 */
	static struct {
		uint32_t code[6];
		uint64_t kernel, tree;
	} start = { { 0x580000d1, 0x580000e0, 0xaa1f03e1, 0xaa1f03e2, 0xaa1f03e3, 0xd61f0220 }, 0, 0 };
	uint64_t kernel_len, initrd_len, text_offset, image_len, kernel, initrd, tree, elf, entry;
	struct kexec_segment part[5];
	char args[1024] = "";
	struct fbk_line l;
	const char *image;
	const void *disk;

	if (fbk_say_open("crash-load"))
		return 70;
	if (argc < 3)
		fail("usage: crash-load KERNEL-DISK INITRD-DISK [WORD...]");
	for (int i = 3; i < argc; i++)
		snprintf(args + strlen(args), sizeof(args) - strlen(args), "%s%s", i > 3 ? " " : "", argv[i]);
	read_iomem();
	image = read_disk(argv[1], &kernel_len);
	disk = read_disk(argv[2], &initrd_len);
	if (kernel_len < 64 || memcmp(image + 56, "ARM\x64", 4))
		fail(argv[1]);
	memcpy(&text_offset, image + 8, 8);
	memcpy(&image_len, image + 16, 8);
	if (image_len < kernel_len)
		image_len = kernel_len;

	/* Each behind the other; the kernel wants its boundary. */
	entry = (crash.start + GRANULE - 1) & ~(GRANULE - 1);
	elf = entry + GRANULE;
	tree = elf + ELF_ROOM;
	kernel = ((tree + TREE_ROOM + KERNEL_ALIGN - 1) & ~(KERNEL_ALIGN - 1)) + text_offset;
	initrd = (kernel + image_len + GRANULE - 1) & ~(GRANULE - 1);
	if (initrd + initrd_len > crash.end)
		fail("crashkernel= is too small");
	start.kernel = kernel;
	start.tree = tree;
	part[0] = segment(&start, sizeof(start), entry, GRANULE);
	part[1] = segment(elf_header(), ELF_ROOM, elf, ELF_ROOM);
	part[2] = segment(device_tree(elf, initrd, initrd_len, args), TREE_ROOM, tree, TREE_ROOM);
	part[3] = segment(image, kernel_len, kernel, image_len);
	part[4] = segment(disk, initrd_len, initrd, initrd_len);
	if (syscall(SYS_kexec_load, entry, 5, part, KEXEC_ON_CRASH | KEXEC_ARCH_AARCH64))
		fbk_die("kexec_load");
	fbk_line_start(&l);
	fbk_line_text(&l, "loaded");
	fbk_line_hex(&l, "at", crash.start);
	fbk_line_dec(&l, "mib", (int64_t)((crash.end - crash.start) >> 20));
	fbk_line_say(&l);
	return 0;
}
