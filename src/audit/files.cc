// See files.h.
#include "audit/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "audit/entry.h"
#include "base/file.h"
#include "base/text.h"

namespace honeylink::telemetry::audit {
namespace {

constexpr std::string_view kRotated = "audit.log.";
constexpr std::size_t kSeqDigits = 12;
constexpr std::string_view kHeadBegin = "honeylink-audit-head 1 ";
constexpr std::size_t kHeadBytesMax = 512, kStep = 64 * 1024;
// A tail that holds one whole line, however long, and what a torn write left of another.
constexpr std::uint64_t kTailBytes = 4 * kLineBytesMax;

bool is_rotated(std::string_view name) noexcept {
  return name.size() == kRotated.size() + kSeqDigits && name.starts_with(kRotated) &&
         name.find_first_not_of("0123456789", kRotated.size()) == std::string_view::npos;
}

std::string head_text(std::uint64_t seq, const Hash& hash) {
  return std::string(kHeadBegin) + std::to_string(seq) + " " + hex(hash);
}

std::string failure(const std::string& path) { return "cannot read " + path + ": " + std::strerror(errno); }

}  // namespace

std::string rotated_path(const std::string& home, std::uint64_t first_seq) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%012llu", static_cast<unsigned long long>(first_seq));
  return audit_directory(home) + "/" + std::string(kRotated) + digits;
}

std::vector<std::string> list_files(const std::string& home) {
  std::vector<std::string> files;
  bool newest = false;
  if (DIR* entries = ::opendir(audit_directory(home).c_str())) {
    while (const dirent* entry = ::readdir(entries)) {
      const std::string_view name = entry->d_name;
      newest = newest || name == "audit.log";
      if (is_rotated(name)) files.push_back(audit_directory(home) + "/" + entry->d_name);
    }
    ::closedir(entries);
  }
  std::sort(files.begin(), files.end());
  if (newest) files.push_back(log_path(home));
  return files;
}

bool read_tail(const std::string& path, Tail& to, std::string& why) {
  to = Tail{};
  const Fd file = open_file(path, O_RDONLY, 0, why);
  struct stat info {};
  if (!file) return false;
  if (::fstat(file.get(), &info) != 0) return why = failure(path), false;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  std::string bytes(static_cast<std::size_t>(std::min(size, kTailBytes)), '\0');
  const std::uint64_t from = size - bytes.size();
  if (!read_exactly(file.get(), bytes.data(), bytes.size(), from)) return why = failure(path), false;
  const std::size_t end = bytes.rfind('\n');
  if (end == std::string::npos) return to.torn_bytes = size, true;
  to.whole_bytes = from + end + 1;
  to.torn_bytes = size - to.whole_bytes;
  const std::size_t before = end == 0 ? std::string::npos : bytes.rfind('\n', end - 1);
  to.line =
      bytes.substr(before == std::string::npos ? 0 : before + 1, end - (before == std::string::npos ? 0 : before + 1));
  return true;
}

bool for_each_line(const std::string& path, const std::function<bool(std::string_view, std::uint64_t)>& visit,
                   std::uint64_t& torn, std::string& why) {
  torn = 0;
  const Fd file = open_file(path, O_RDONLY, 0, why);
  struct stat info {};
  if (!file) return false;
  if (::fstat(file.get(), &info) != 0) return why = failure(path), false;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  std::string pending;
  std::uint64_t number = 0;
  for (std::uint64_t at = 0; at < size;) {
    const std::size_t had = pending.size(), step = static_cast<std::size_t>(std::min<std::uint64_t>(kStep, size - at));
    pending.resize(had + step);
    if (!read_exactly(file.get(), pending.data() + had, step, at)) return why = failure(path), false;
    at += step;
    std::size_t begin = 0;
    for (std::size_t end = pending.find('\n', had); end != std::string::npos; end = pending.find('\n', begin)) {
      if (!visit(std::string_view(pending).substr(begin, end - begin), ++number)) return true;
      begin = end + 1;
    }
    pending.erase(0, begin);
    // Megabytes without a line feed are no log: what is beyond a line's bound need not be held.
    if (pending.size() > kTailBytes) torn += pending.size(), pending.clear();
  }
  torn += pending.size();
  return true;
}

HeadState read_head(const std::string& home, Head& to, std::string& why) {
  const std::string path = audit_directory(home) + "/head";
  std::string text;
  errno = 0;
  if (!read_whole(path, kHeadBytesMax, text, why))
    return errno == ENOENT ? (why.clear(), HeadState::none) : HeadState::unusable;
  const std::string_view all(text);
  why = path + " is damaged";
  const std::size_t space = all.rfind(' ');
  if (!all.starts_with(kHeadBegin) || !all.ends_with('\n') || space == std::string_view::npos)
    return HeadState::unusable;
  const std::string_view number = all.substr(kHeadBegin.size(), all.find(' ', kHeadBegin.size()) - kHeadBegin.size());
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), to.seq);
  if (error != std::errc{} || end != number.data() + number.size() ||
      !unhex(all.substr(space + 1, all.size() - space - 2), to.signature) || space < 2 * kHashBytes ||
      !unhex(all.substr(space - 2 * kHashBytes, 2 * kHashBytes), to.hash) ||
      head_text(to.seq, to.hash) != all.substr(0, space))
    return HeadState::unusable;
  why.clear();
  return HeadState::ready;
}

bool write_head(const std::string& home, std::uint64_t seq, const Hash& hash, const SigningKey& key, std::string& why) {
  const std::string text = head_text(seq, hash);
  return replace_file(audit_directory(home) + "/head", text + " " + hex(key.sign(kHeadDomain, text)) + "\n", 0600, why);
}

bool is_signed_by(const Head& head, const PublicKey& key) {
  return verify(key, kHeadDomain, head_text(head.seq, head.hash), head.signature);
}

}  // namespace honeylink::telemetry::audit
