// See file.h. Everything goes through descriptors, so that what was checked is what is used.
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/limits.h"

namespace honeylink::telemetry {
namespace {

std::string said(std::string_view what, const std::string& path, int error) {
  return std::string(what) + " " + path + ": " + std::strerror(error);
}

void close_quietly(int fd) noexcept {
  const int kept = errno;
  ::close(fd);
  errno = kept;
}

bool lock_operation(int fd, int command, short type, struct flock& lock) noexcept {
  lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;  // start 0, length 0: the whole file
  int answer = 0;
  do answer = ::fcntl(fd, command, &lock);
  while (answer != 0 && errno == EINTR);
  return answer == 0;
}

}  // namespace

Fd& Fd::operator=(Fd&& o) noexcept {
  if (this != &o) {
    if (fd_ >= 0) close_quietly(fd_);
    fd_ = std::exchange(o.fd_, -1);
  }
  return *this;
}
Fd::~Fd() {
  if (fd_ >= 0) close_quietly(fd_);
}

bool make_private_directory(const std::string& path, std::string& why) {
  why.clear();
  if (path.empty()) return why = "no directory is named", false;
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    if (::mkdir(path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST) {
      // A parent that we may not write (EROFS, EACCES) is fine as long as it exists.
      struct stat parent {};
      const int error = errno;
      if (::stat(path.substr(0, at).c_str(), &parent) != 0 || !S_ISDIR(parent.st_mode)) {
        return why = said("cannot make directory", path.substr(0, at), error), false;
      }
    }
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return why = said("cannot make directory", path, errno), false;
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) {
    if (errno == ELOOP || errno == ENOTDIR)
      return why = path + " is a symbolic link or not a directory; it is not followed", false;
    return why = said("cannot open directory", path, errno), false;
  }
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) return why = said("cannot look at", path, errno), false;
  if (info.st_uid != ::geteuid()) return why = path + " belongs to another user", false;
  if ((info.st_mode & 07777) != 0700 && ::fchmod(directory.get(), 0700) != 0)
    return why = said("cannot make private", path, errno), false;
  return true;
}

Fd open_file(const std::string& path, int flags, mode_t mode, std::string& why) {
  why.clear();
  // O_NONBLOCK: a FIFO under this name must not hang us before fstat refuses it.
  Fd file(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode));
  if (!file) {
    const int error = errno;
    why = error == ELOOP ? path + " is a symbolic link; it is not followed" : said("cannot open", path, error);
    errno = error;
    return {};
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return why = said("cannot look at", path, errno), Fd();
  if (!S_ISREG(info.st_mode)) return why = path + " is not a regular file", errno = EINVAL, Fd();
  if (info.st_uid != ::geteuid()) return why = path + " belongs to another user", errno = EPERM, Fd();
  return file;
}

bool read_exactly(int fd, void* to, std::size_t bytes, std::uint64_t offset) noexcept {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(fd, at, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) return errno = ENODATA, false;
    at += got, offset += static_cast<std::uint64_t>(got), bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_exactly(int fd, const void* from, std::size_t bytes, std::uint64_t offset) noexcept {
  const auto* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t done = ::pwrite(fd, at, bytes, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    if (done == 0) return errno = ENOSPC, false;
    at += done, offset += static_cast<std::uint64_t>(done), bytes -= static_cast<std::size_t>(done);
  }
  return true;
}

bool append_exactly(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    if (done == 0) return errno = ENOSPC, false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

bool read_whole(const std::string& path, std::size_t bytes_max, std::string& to, std::string& why) {
  to.clear();
  const Fd file = open_file(path, O_RDONLY, 0, why);
  if (!file) return false;
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return why = said("cannot look at", path, errno), false;
  // The size is a hint: the file may grow while it is read. One byte more than allowed tells "too large" from "just
  // right".
  while (to.size() <= bytes_max) {
    const std::size_t had = to.size();
    std::size_t step = info.st_size > 0 && had < static_cast<std::size_t>(info.st_size)
                           ? static_cast<std::size_t>(info.st_size) - had
                           : 4096;
    if (step > bytes_max + 1 - had) step = bytes_max + 1 - had;
    to.resize(had + step);
    const ssize_t got = ::pread(file.get(), to.data() + had, step, static_cast<off_t>(had));
    to.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return why = said("cannot read", path, errno), false;
    if (got == 0) return true;
  }
  to.clear();
  return why = path + " is larger than " + std::to_string(bytes_max) + " bytes", errno = EFBIG, false;
}

bool replace_file(const std::string& path, std::string_view content, mode_t mode, std::string& why) {
  const std::string beside = path + ".new-" + std::to_string(::getpid());
  ::unlink(beside.c_str());  // of a process of this number that died here
  {
    const Fd file = open_file(beside, O_WRONLY | O_CREAT | O_EXCL, mode, why);
    if (!file) return false;
    if (::fchmod(file.get(), mode) != 0 || !append_exactly(file.get(), content) || ::fsync(file.get()) != 0) {
      why = said("cannot write", beside, errno);
      ::unlink(beside.c_str());
      return false;
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    why = said("cannot rename to", path, errno);
    ::unlink(beside.c_str());
    return false;
  }
  // The name is durable only once its directory is; where a file system cannot do that, the content still is whole.
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) ::fsync(directory.get());
  return true;
}

bool try_lock(int fd) noexcept {
  struct flock lock;
  return lock_operation(fd, F_OFD_SETLK, F_WRLCK, lock);
}

bool lock_within(int fd, std::int64_t timeout_ms) noexcept {
  constexpr std::int64_t kPauseMs = 10;
  const timespec pause{0, kPauseMs * 1'000'000};
  for (std::int64_t waited = 0; !try_lock(fd); waited += kPauseMs) {
    if (waited >= timeout_ms) return false;
    ::nanosleep(&pause, nullptr);
  }
  return true;
}

bool is_locked(int fd) noexcept {
  struct flock lock;
  return lock_operation(fd, F_OFD_GETLK, F_WRLCK, lock) && lock.l_type != F_UNLCK;
}

void* hold_lock(Fd file) noexcept {
  if (!file || !try_lock(file.get())) return nullptr;
  // The mapping keeps the open file description, and with it the lock, when the descriptor is closed; a fork child does
  // not get it.
  void* page = ::mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, file.get(), 0);
  if (page == MAP_FAILED) return nullptr;
  if (::madvise(page, kPageBytes, MADV_DONTFORK) != 0) {
    ::munmap(page, kPageBytes);
    return nullptr;
  }
  return page;
}

void* lock_for_process_life(int directory_or_cwd, const std::string& path) noexcept {
  return hold_lock(
      Fd(::openat(directory_or_cwd, path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600)));
}

void release_process_lock(void* page) noexcept {
  if (page != nullptr) ::munmap(page, kPageBytes);
}

}  // namespace honeylink::telemetry
