/* Notes each fsync and fdatasync that succeeded: the file, and how long it was when the call began.
 *
 * Loaded in front of the store by proof/power.py. What is longer than noted there is lost with the power.
 * SYNCED names the file that the notes go to: "<inode> <bytes>" a line.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int notes = -1;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("SYNCED");
  if (path) notes = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int noted(int fd, const char *name) {
  int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  struct stat before;
  int is_file = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
  int result = sync(fd);
  if (result == 0 && is_file && notes >= 0) {
    char line[64];
    int length = snprintf(line, sizeof line, "%llu %llu\n", (unsigned long long)before.st_ino,
                          (unsigned long long)before.st_size);
    if (write(notes, line, length) != length) abort();
  }
  return result;
}

int fsync(int fd) { return noted(fd, "fsync"); }
int fdatasync(int fd) { return noted(fd, "fdatasync"); }
