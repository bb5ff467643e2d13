/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sea.h - what a KVM_EXIT_ARM_SEA says: class, which addresses are valid, how severe.
 */
#ifndef FIREBREAK_SEA_H
#define FIREBREAK_SEA_H

#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Two layouts of the exit exist; mainline's is law, the other was only ever proposed. */
enum fbk_abi {
	FBK_ABI_MAINLINE = 0, /* Linux 6.19 and later, and our series: u64 flags, esr, gva, gpa */
	FBK_ABI_PROPOSED = 1, /* as first proposed: u64 esr, flags, gva, gpa; other flag bits */
};

/* Bits of fbk_sea_exit.flags with FBK_ABI_MAINLINE. */
#define FBK_KVM_SEA_FLAG_GPA_VALID (UINT64_C(1) << 0)
#define FBK_KVM_SEA_FLAG_GVA_VALID (UINT64_C(1) << 1) /* our addition; stock kernels never set it */

/* Bits of fbk_sea_exit.flags with FBK_ABI_PROPOSED. */
#define FBK_KVM_SEA_PROPOSED_FLAG_GVA_VALID (UINT64_C(1) << 0)
#define FBK_KVM_SEA_PROPOSED_FLAG_GPA_VALID (UINT64_C(1) << 1)

#define FBK_SEA_EXIT_LEN 32 /* bytes of the exit's fields in kvm_run, both layouts */

/* The exit's fields by name, whatever their order was. */
struct fbk_sea_exit {
	enum fbk_abi abi; /* what flags means */
	uint64_t flags;
	uint64_t esr; /* sanitised ESR_EL2 */
	uint64_t gva;
	uint64_t gpa;
};

enum fbk_abort_kind {
	FBK_ABORT_DATA = 0,
	FBK_ABORT_INSTRUCTION = 1,
	FBK_ABORT_UNKNOWN = 2, /* learnt by SIGBUS: nothing tells load, store or fetch */
};

/* Synchronous Error Type. Values as in ESR_ELx.SET; 1 is reserved and read as the gravest. */
enum fbk_severity {
	FBK_SEVERITY_UER = 0, /* recoverable */
	FBK_SEVERITY_RESERVED = 1,
	FBK_SEVERITY_UC = 2,  /* uncontainable */
	FBK_SEVERITY_UEO = 3, /* restartable */
};

/* Bits of fbk_abort.flags. */
#define FBK_SEA_HAS_GVA (1u << 0)  /* gva is valid */
#define FBK_SEA_HAS_GPA (1u << 1)  /* gpa is valid */
#define FBK_SEA_HAS_ESR (1u << 2)  /* esr is what the hardware said */
#define FBK_SEA_HAS_SET (1u << 3)  /* severity was stated by the syndrome; else it is UER by default */
#define FBK_SEA_ON_WALK (1u << 4)  /* on a stage-1 table walk or table update; walk_level is valid */
#define FBK_SEA_PARITY (1u << 5)   /* synchronous parity or ECC error */
#define FBK_SEA_EA (1u << 6)	   /* ESR.EA: implementation-defined class, "slave error" */
#define FBK_SEA_CM (1u << 7)	   /* data: cache maintenance or address translation instruction; WRITE then says nothing */
#define FBK_SEA_WRITE (1u << 8)	   /* data: ESR.WnR. UNKNOWN for atomic accesses: inform, never decide by it */
#define FBK_SEA_SAME_EL (1u << 9)  /* the class was "taken without a change of EL" */

/* One decoded abort, whatever the source. */
struct fbk_abort {
	uint32_t flags; /* FBK_SEA_* */
	enum fbk_abort_kind kind;
	enum fbk_severity severity;
	int32_t walk_level; /* -1 to 3, with FBK_SEA_ON_WALK */
	uint64_t esr;	    /* with FBK_SEA_HAS_ESR */
	struct fbk_gva gva; /* with FBK_SEA_HAS_GVA; else 0 */
	struct fbk_gpa gpa; /* with FBK_SEA_HAS_GPA; else 0 */
};

/**
 * fbk_sea_exit_read - name the fields of the exit in either layout
 * @abi: which layout
 * @raw: FBK_SEA_EXIT_LEN bytes copied from kvm_run's exit union (borrowed; host byte order, any alignment)
 * @ret: the fields
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, or no such layout.
 * Context: any thread; async-signal-safe; does not allocate.
 * Spec:    [K4]
 */
FBK_API FBK_MUST_CHECK int fbk_sea_exit_read(enum fbk_abi abi, const void *raw, struct fbk_sea_exit *ret);

/**
 * fbk_sea_decode - classify a KVM_EXIT_ARM_SEA report
 * @in:  exit fields (borrowed)
 * @ret: decoded abort; gpa valid only with FBK_SEA_HAS_GPA, gva only with FBK_SEA_HAS_GVA
 *
 * The GVA is valid when FnV is clear; in the proposed layout its flag must be set as well.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument or no such layout; -EBADMSG the class or status code is no external abort.
 * Units:   gva, gpa in bytes; gpa is page-granular.
 * Context: any thread; async-signal-safe; does not allocate.
 * Spec:    [KVM-API "KVM_EXIT_ARM_SEA"], [ARM-ARM "ESR_EL2, ISS for Data Abort"], [K3, K4]
 */
FBK_API FBK_MUST_CHECK int fbk_sea_decode(const struct fbk_sea_exit *in, struct fbk_abort *ret);

/**
 * fbk_sea_poison - the abort that a consumed poisoned page amounts to, when only its address is known
 * @gpa: the byte or page that was consumed
 * @ret: kind FBK_ABORT_UNKNOWN, severity UER, gpa valid
 *
 * Return:  0.
 * Errors:  -EINVAL null argument.
 * Context: any thread; async-signal-safe; does not allocate.
 */
FBK_API FBK_MUST_CHECK int fbk_sea_poison(struct fbk_gpa gpa, struct fbk_abort *ret);

/**
 * fbk_sea_kind_name, fbk_severity_name, fbk_source_name - one stable word each, as in events
 *
 * Return:  static string; "invalid" for a value outside the enumeration.
 * Context: any thread; async-signal-safe.
 */
FBK_API const char *fbk_sea_kind_name(enum fbk_abort_kind kind);
FBK_API const char *fbk_severity_name(enum fbk_severity severity);
FBK_API const char *fbk_source_name(enum fbk_source source);

/**
 * fbk_sea_status_text - a fault status code in words for humans
 * @fsc: ESR bits 5:0
 *
 * Return:  static string; "not an external abort" for any other code.
 * Context: any thread; async-signal-safe.
 * Spec:    [ARM-ARM "ESR_EL2, ISS for Data Abort"]
 */
FBK_API const char *fbk_sea_status_text(uint32_t fsc);

FBK_EXTERN_C_END

#endif
