// Files as this product uses them: by descriptor, never through a symbolic link, private by default.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace honeylink::telemetry {

/// Owns a descriptor. Movable value.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept;
  ~Fd();
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// mkdir -p with 0700 for what it makes; then checks the last part: a directory, ours, forced to 0700. Empty `why` on
/// success.
bool make_private_directory(const std::string& path, std::string& why);
/// open(2) with O_NOFOLLOW | O_CLOEXEC; refuses what is not a regular file of ours.
[[nodiscard]] Fd open_file(const std::string& path, int flags, mode_t mode, std::string& why);
/// Whole or false (errno set); handles EINTR and short transfers.
bool read_exactly(int fd, void* to, std::size_t bytes, std::uint64_t offset) noexcept;
bool write_exactly(int fd, const void* from, std::size_t bytes, std::uint64_t offset) noexcept;
bool append_exactly(int fd, std::string_view bytes) noexcept;
bool read_whole(const std::string& path, std::size_t bytes_max, std::string& to, std::string& why);
/// Writes beside, fsyncs, renames: the old content or the new, never a part.
bool replace_file(const std::string& path, std::string_view content, mode_t mode, std::string& why);

/// Open-file-description locks (fcntl F_OFD_*). try_lock: false where somebody else holds it.
bool try_lock(int fd) noexcept;
/// Tries again every 10 ms until `timeout_ms` have passed.
bool lock_within(int fd, std::int64_t timeout_ms) noexcept;
[[nodiscard]] bool is_locked(int fd) noexcept;
/// A lock that lasts exactly as long as this address space (PROTOCOL 8): through its own open() and a one-page
/// MADV_DONTFORK mapping, the descriptor closed. nullptr where it is held by another, or on error. release: munmap.
/// Makes the file (0600) where it is missing.
[[nodiscard]] void* lock_for_process_life(int directory_or_cwd, const std::string& path) noexcept;
/// The same for a writable descriptor that comes from an open() of its own (not a dup): a file without a name has no
/// path.
[[nodiscard]] void* hold_lock(Fd file) noexcept;
void release_process_lock(void* page) noexcept;

}  // namespace honeylink::telemetry
