/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* image.c - see image.h */
#include "image.h"
#include "bytes.h"
#include "platform.h"

int fbk_image_parse(const void *head, size_t head_len, uint64_t file_len, struct fbk_image *ret, const char **why)
{
	const uint8_t *h = head;
	uint64_t text_offset, len, flags;

	*why = NULL;
	if (head_len >= 2 && h[0] == 0x1f && h[1] == 0x8b)
		*why = "is gzip-compressed: unpack it first (zcat)";
	else if (head_len >= 8 && h[0] == 'M' && h[1] == 'Z' && !memcmp(h + 4, "zimg", 4))
		*why = "is a compressed EFI zboot image: an uncompressed arm64 Image is needed";
	else if (head_len >= 4 && !memcmp(h, "\x7f" "ELF", 4))
		*why = "is an ELF file: the arm64 Image made from it is needed";
	else if (head_len < FBK_IMAGE_HEADER_LEN || file_len < FBK_IMAGE_HEADER_LEN)
		*why = "is too short for an arm64 Image header (64 bytes)";
	else if (memcmp(h + 56, "ARM\x64", 4))
		*why = "is no arm64 Linux Image (no \"ARM\\x64\" at byte 56)";
	if (*why)
		return -EBADMSG;

	text_offset = fbk_get_le(h + 8, 8);
	len = fbk_get_le(h + 16, 8);
	flags = fbk_get_le(h + 24, 8);
	if (!len)
		*why = "gives no image size (a kernel before 3.17)";
	else if (flags & 1)
		*why = "is a big-endian kernel";
	else if (text_offset >= FBK_KERNEL_ALIGN || text_offset % FBK_PAGE_SIZE)
		*why = "has a nonsense text offset in its header";
	else if (len > FBK_RAM_MAX || file_len > FBK_RAM_MAX)
		*why = "claims a nonsense size in its header";
	if (*why)
		return -EBADMSG;

	/* What follows the image in its file (a signature) is loaded with it, and does no harm there. */
	ret->text_offset = text_offset;
	ret->len = len > file_len ? len : file_len;
	return 0;
}

/*
 * The lowest address from @at on, at @offset from a multiple of @align, from which @len bytes up to @end hold nothing
 * bad; 0: none.
 */
static uint64_t find_room(uint64_t at, uint64_t align, uint64_t offset, uint64_t len, uint64_t end,
			  const struct fbk_bad *bad, unsigned int nr_bad)
{
	uint64_t start = ((at + align - 1) & ~(align - 1)) + offset;

	for (unsigned int i = 0; i < nr_bad; i++) {
		uint64_t first = bad[i].gpa.addr, behind = first + bad[i].len;

		if (behind > start && first < start + len)
			start = ((behind + align - 1) & ~(align - 1)) + offset;
	}
	return start < end && len <= end - start ? start : 0;
}

int fbk_image_place(const struct fbk_image *image, uint64_t initrd_len, uint64_t ram_len, const struct fbk_bad *bad,
		    unsigned int nr_bad, struct fbk_placement *ret)
{
	uint64_t end = FBK_RAM_BASE + ram_len, kernel, initrd = 0;

	kernel = find_room(FBK_FREE_GPA, FBK_KERNEL_ALIGN, image->text_offset, image->len, end, bad, nr_bad);
	if (!kernel)
		return -ENOSPC;
	if (initrd_len) {
		initrd = find_room(kernel + image->len, FBK_RAM_GRANULE, 0, initrd_len, end, bad, nr_bad);
		if (!initrd)
			return -E2BIG;
	}
	ret->kernel.addr = kernel;
	ret->initrd.addr = initrd;
	return 0;
}
