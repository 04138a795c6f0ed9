// What keeps an open-file-description lock held? The liveness of a ring rests on the answer: the lock must live exactly
// as long as the owner's address space, under fork, _Fork and exec. Exit 1 if this kernel answers otherwise.
// Built and run by run.sh machine; takes a second; uses a file in the current folder.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;
static const char kPath[] = "lock_lifetime.file";
static int failures;

enum Child { kNone, kFork, kForkCloses, kForkClosesAndUnmaps, kRawFork, kSpawn };
struct Owner {
  bool close_after_map;    // the descriptor is closed once the file is mapped
  bool map_from_another;   // the mapping comes from a second open(), as the ring's own mapping does
  bool dont_fork;          // MADV_DONTFORK on the mapping
  enum Child child;
};

static int try_lock(int file) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(file, F_OFD_SETLK, &lock);
}

static void expect(const char* moment, bool held) {
  int file = open(kPath, O_RDONLY | O_CLOEXEC);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  bool is_held = fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(file);
  printf("    %-34s %-9s %s\n", moment, is_held ? "held" : "released", is_held == held ? "" : "NOT WHAT WAS EXPECTED");
  failures += is_held != held;
}

static pid_t make_child(struct Owner how, int file, void* page) {
  if (how.child == kNone) return 0;
  if (how.child == kSpawn) {
    pid_t child = 0;
    char* arguments[] = {"sleep", "5", NULL};
    return posix_spawnp(&child, "sleep", NULL, NULL, arguments, environ) == 0 ? child : 0;
  }
  int ready[2];
  char byte = 0;
  if (pipe2(ready, O_CLOEXEC) != 0) _exit(9);
  pid_t child = how.child == kRawFork ? _Fork() : fork();
  if (child != 0) {
    if (read(ready[0], &byte, 1) != 1) _exit(9);  // the child has closed what it closes
    return child;
  }
  if (how.child == kForkCloses || how.child == kForkClosesAndUnmaps) close(file);
  if (how.child == kForkClosesAndUnmaps) munmap(page, 4096);
  if (write(ready[1], &byte, 1) != 1) _exit(9);
  for (;;) pause();
}

// The owner: takes the lock, maps, makes its child, reports the child's pid, waits to be killed.
static void own(struct Owner how, int report) {
  int file = open(kPath, O_RDWR | O_CLOEXEC);
  if (try_lock(file) != 0) _exit(9);
  int mapped = how.map_from_another ? open(kPath, O_RDWR | O_CLOEXEC) : file;
  void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mapped, 0);
  if (how.map_from_another) close(mapped);
  if (how.dont_fork) madvise(page, 4096, MADV_DONTFORK);
  if (how.close_after_map) close(file);
  pid_t child = make_child(how, file, page);
  if (write(report, &child, sizeof child) != sizeof child) _exit(9);
  for (;;) pause();
}

static void run(const char* what, struct Owner how, bool held_by_child) {
  printf("  %s\n", what);
  int pipe_ends[2];
  pid_t child = 0;
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) exit(2);
  pid_t owner = fork();
  if (owner == 0) own(how, pipe_ends[1]);
  close(pipe_ends[1]);
  if (read(pipe_ends[0], &child, sizeof child) != sizeof child) exit(2);
  close(pipe_ends[0]);
  expect("while the owner lives", true);
  kill(owner, SIGKILL);
  waitpid(owner, NULL, 0);
  expect(child > 0 ? "owner killed, its child lives" : "owner killed", held_by_child);
  if (child <= 0) return;
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);  // this program is the subreaper: the orphan is ours
  expect("child killed too", false);
}

int main(void) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int file = open(kPath, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ftruncate(file, 4096) != 0) return 2;
  close(file);
  printf("lock_lifetime: who holds an open-file-description lock\n");
  run("descriptor kept, no child", (struct Owner){.child = kNone}, false);
  run("descriptor closed: the mapping holds the lock", (struct Owner){.close_after_map = true}, false);
  run("fork child does nothing", (struct Owner){.child = kFork}, true);
  run("fork child closes the descriptor only", (struct Owner){.child = kForkCloses}, true);
  run("fork child closes and unmaps", (struct Owner){.child = kForkClosesAndUnmaps}, false);
  run("mapped from another open(), fork child closes the descriptor",
      (struct Owner){.map_from_another = true, .child = kForkCloses}, false);
  run("what rings do: one MADV_DONTFORK page, descriptor closed; fork child does nothing",
      (struct Owner){.close_after_map = true, .dont_fork = true, .child = kFork}, false);
  run("the same, child made by _Fork() without atfork handlers",
      (struct Owner){.close_after_map = true, .dont_fork = true, .child = kRawFork}, false);
  run("the same, a spawned program", (struct Owner){.close_after_map = true, .dont_fork = true, .child = kSpawn}, false);
  unlink(kPath);
  return failures != 0;
}
