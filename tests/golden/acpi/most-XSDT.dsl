
[000h 0000   4]                    Signature : "XSDT"    [Extended System Description Table]
[004h 0004   4]                 Table Length : 0000004C
[008h 0008   1]                     Revision : 01
[009h 0009   1]                     Checksum : 66
[00Ah 0010   6]                       Oem ID : "FBREAK"
[010h 0016   8]                 Oem Table ID : "FIREBRK1"
[018h 0024   4]                 Oem Revision : 00000001
[01Ch 0028   4]              Asl Compiler ID : "FBRK"
[020h 0032   4]        Asl Compiler Revision : 00000001

[024h 0036   8]       ACPI Table Address   0 : 0000000040000488
[02Ch 0044   8]       ACPI Table Address   1 : 00000000400005A0
[034h 0052   8]       ACPI Table Address   2 : 0000000040000878
[03Ch 0060   8]       ACPI Table Address   3 : 00000000400008D8
[044h 0068   8]       ACPI Table Address   4 : 0000000040000928

Raw Table Data: Length 76 (0x4C)

    0000: 58 53 44 54 4C 00 00 00 01 66 46 42 52 45 41 4B  // XSDTL....fFBREAK
    0010: 46 49 52 45 42 52 4B 31 01 00 00 00 46 42 52 4B  // FIREBRK1....FBRK
    0020: 01 00 00 00 88 04 00 40 00 00 00 00 A0 05 00 40  // .......@.......@
    0030: 00 00 00 00 78 08 00 40 00 00 00 00 D8 08 00 40  // ....x..@.......@
    0040: 00 00 00 00 28 09 00 40 00 00 00 00              // ....(..@....
