// See private_directory.h. A file `lock` that somebody holds says that the directory is in use. It is locked before it
// gets that name, so that one that is there and free is of a dead process.
#include "cli/private_directory.h"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace honeylink::telemetry::cli {
namespace {

constexpr const char *kLock = "/lock", *kLockBefore = "/lock.new";
constexpr std::chrono::minutes kBeingMade(1);  // without a lock it may be about to get one

void remove_left_behind(const std::string& parent, std::string_view prefix) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(prefix) || entry.is_symlink(ignored) ||
        !entry.is_directory(ignored))
      continue;
    std::string why;
    const Fd lock = open_file(entry.path().string() + kLock, O_RDWR, 0, why);
    const auto changed = std::filesystem::last_write_time(entry.path(), ignored);
    const bool old = std::filesystem::file_time_type::clock::now() - changed > kBeingMade;
    if (lock ? try_lock(lock.get()) : old) std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

bool PrivateDirectory::make(const std::string& parent, std::string_view prefix, std::string& why) {
  remove_left_behind(parent, prefix);
  std::string directory = parent + '/' + std::string(prefix) + "XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return why = parent + ": " + std::strerror(errno), false;
  path_ = directory;
  lock_ = open_file(path_ + kLockBefore, O_RDWR | O_CREAT | O_EXCL, 0600, why);
  if (!lock_) return false;
  if (try_lock(lock_.get()) && std::rename((path_ + kLockBefore).c_str(), (path_ + kLock).c_str()) == 0) return true;
  return why = path_ + ": " + std::strerror(errno), false;
}

}  // namespace honeylink::telemetry::cli
