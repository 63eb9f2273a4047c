/* The machine, as far as it tells whether a process id that was written down still means the same process. */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#define MACHINE_BOOT_ID_SIZE 37

/* The id of this start of the machine (/proc/sys/kernel/random/boot_id, random(4)), with NUL. Returns 0, or -1 and an empty text when it is not known. */
int machine_boot_id(char id[MACHINE_BOOT_ID_SIZE]);

#endif
