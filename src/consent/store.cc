// See store.h: reading and listing. Writing is in store_write.cc.
#include "consent/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/text.h"

namespace honeylink::telemetry::consent {
namespace {

constexpr std::string_view kSuffix = ".receipt";
constexpr std::size_t kCaBytesMax = 4 << 20;

std::int64_t ns_of(const timespec& time) noexcept { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; }

Checked refuse(Checked checked, std::string why) {
  checked.state = State::refused;
  checked.why = std::move(why);
  return checked;
}

/// A directory that others may write lets them put receipts into it.
bool directory_is_private(const std::string& path, std::string& why) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return why = path + ": " + std::strerror(errno), false;
  if (!S_ISDIR(info.st_mode)) return why = path + " is a symbolic link or no directory", false;
  if (info.st_uid != ::geteuid()) return why = path + " belongs to another user", false;
  if ((info.st_mode & 0077) != 0) return why = path + " is open to others; make it private: chmod 700", false;
  return true;
}

/// The bytes of the receipt's file into `bytes`; `checked` gets its identity and, where nothing can be read, its state.
bool read_file(Checked& checked, std::string& bytes) {
  errno = 0;
  std::string why;
  const Fd file = open_file(checked.path, O_RDONLY, 0, why);
  if (!file) {
    checked.state = errno == ENOENT ? State::none : State::refused;
    if (checked.state == State::refused) checked.why = why;
    struct stat link {};
    if (::lstat(checked.path.c_str(), &link) == 0) checked.identity = identity_of(link);
    return false;
  }
  struct stat info {};
  checked.state = State::refused;
  if (::fstat(file.get(), &info) != 0) return checked.why = "it cannot be looked at", false;
  checked.identity = identity_of(info);
  if ((info.st_mode & 0077) != 0)
    return checked.why = "others may read or write it; a receipt is for its owner only (0600)", false;
  if (info.st_size <= 0 || static_cast<std::size_t>(info.st_size) > kReceiptBytesMax)
    return checked.why = "it is empty or too large for a receipt", false;
  bytes.resize(static_cast<std::size_t>(info.st_size));
  if (!read_exactly(file.get(), bytes.data(), bytes.size(), 0)) return checked.why = "it cannot be read", false;
  return true;
}

bool read_authorities(Checked& checked) {
  const Receipt& receipt = checked.receipt;
  if (receipt.ca_file.empty()) return true;
  std::string why;
  // Certificates are public and often root's own: no owner is asked for, their hash was granted.
  const Fd file(::open(receipt.ca_file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      static_cast<std::size_t>(info.st_size) > kCaBytesMax)
    return checked.why = "its certificates in " + receipt.ca_file + " cannot be read", false;
  checked.ca_pem.resize(static_cast<std::size_t>(info.st_size));
  if (!read_exactly(file.get(), checked.ca_pem.data(), checked.ca_pem.size(), 0) ||
      hex(audit::sha256(checked.ca_pem)) != receipt.ca_sha256)
    return checked.why = "the certificates in " + receipt.ca_file + " are not those that were granted", false;
  return true;
}

/// `endpoint`: whose receipt it should be; nullptr: the one that its name says.
Checked check_file(const std::string& home, const std::string& name, const Endpoint* endpoint, const Clock& clock) {
  Checked checked;
  checked.path = consent_directory(home) + "/" + name;
  if (endpoint != nullptr) checked.receipt.endpoint = *endpoint;
  std::string bytes, why;
  struct stat directory {};
  if (::lstat(consent_directory(home).c_str(), &directory) != 0 && errno == ENOENT) return checked;
  if (!directory_is_private(consent_directory(home), why)) return refuse(std::move(checked), why);
  if (!read_file(checked, bytes)) return checked;
  audit::PublicKey install{};
  const audit::KeyState key = audit::read_consent_public_key(home, install, why);
  if (key == audit::KeyState::none) why = "the key that it was signed with is gone (keys/consent.key)";
  if (key != audit::KeyState::ready) return refuse(std::move(checked), why);
  Receipt receipt;
  const bool sound = read_receipt(bytes, install, receipt, why);
  if (endpoint == nullptr || sound) checked.receipt = receipt;
  if (!sound) return refuse(std::move(checked), why);
  if (receipt_name(receipt.endpoint) != name || (endpoint != nullptr && receipt.endpoint != *endpoint))
    return refuse(std::move(checked), "it was granted for " + receipt.endpoint.text());
  if (receipt.uid != ::geteuid())
    return refuse(std::move(checked), "it was granted by user " + std::to_string(receipt.uid));
  if (clock.realtime_ns() >= receipt.expires_unix_ns) return checked.state = State::expired, checked;
  if (!read_authorities(checked)) return checked.state = State::refused, checked;
  return checked.state = State::valid, checked;
}

}  // namespace

FileIdentity identity_of(const struct stat& info) noexcept {
  return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size), ns_of(info.st_mtim), ns_of(info.st_ctim)};
}

std::string consent_directory(const std::string& home) { return home + "/consent"; }

Checked check_receipt(const std::string& home, const Endpoint& endpoint, const Clock& clock) {
  return check_file(home, receipt_name(endpoint), &endpoint, clock);
}

std::vector<Checked> list_receipts(const std::string& home, const Clock& clock) {
  std::vector<Checked> all;
  DIR* entries = ::opendir(consent_directory(home).c_str());
  if (entries == nullptr) return all;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string name = entry->d_name;
    if (!name.ends_with(kSuffix)) continue;
    Checked checked = check_file(home, name, nullptr, clock);
    if (checked.state != State::none) all.push_back(std::move(checked));
  }
  ::closedir(entries);
  std::sort(all.begin(), all.end(), [](const Checked& a, const Checked& b) {
    return std::pair(a.receipt.endpoint.text(), a.path) < std::pair(b.receipt.endpoint.text(), b.path);
  });
  return all;
}

}  // namespace honeylink::telemetry::consent
