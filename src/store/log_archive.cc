// See log_archive.h.
#include "store/log_archive.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/killpoint.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::string_view kPrefix = "honeylink.log.", kCompressed = ".zst", kHalfMade = ".zst.tmp";
constexpr int kLevel = 1;  // logs of one program compress well at any level, and the engine's time is dear
constexpr std::size_t kStepBytes = 128 * 1024;

bool parse(std::string_view name, RotatedLog& log, bool& half_made) {
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  half_made = name.ends_with(kHalfMade);
  log.compressed = !half_made && name.ends_with(kCompressed);
  if (half_made) name.remove_suffix(kHalfMade.size());
  if (log.compressed) name.remove_suffix(kCompressed.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), log.number);
  return error == std::errc() && end == name.data() + name.size() && !name.empty();
}

}  // namespace

struct LogArchive::Compression {
  RotatedLog from;
  std::string beside;
  Fd in, out;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::vector<char> input = std::vector<char>(kStepBytes), output = std::vector<char>(ZSTD_CStreamOutSize());
  std::uint64_t read = 0, written = 0;
  ~Compression() { ZSTD_freeCCtx(context); }

  /// One buffer; `last`: also the end of the frame.
  bool compress(std::size_t size, bool last) {
    ZSTD_inBuffer in_buffer{input.data(), size, 0};
    for (;;) {
      ZSTD_outBuffer out_buffer{output.data(), output.size(), 0};
      const std::size_t left =
          ZSTD_compressStream2(context, &out_buffer, &in_buffer, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) || !write_exactly(out.get(), output.data(), out_buffer.pos, written)) return false;
      written += out_buffer.pos;
      if (last ? left == 0 : in_buffer.pos == in_buffer.size) return true;
    }
  }
};

std::vector<RotatedLog> rotated_logs(const std::string& directory) {
  std::vector<RotatedLog> found;
  DIR* listing = ::opendir(directory.c_str());
  if (listing == nullptr) return found;
  while (const dirent* entry = ::readdir(listing)) {
    RotatedLog log;
    bool half_made = false;
    struct stat info {};
    if (!parse(entry->d_name, log, half_made) || half_made) continue;
    log.path = directory + "/" + entry->d_name;
    if (::lstat(log.path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    log.bytes = static_cast<std::uint64_t>(info.st_size), log.inode = info.st_ino;
    found.push_back(std::move(log));
  }
  ::closedir(listing);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.number != b.number ? a.number < b.number : a.compressed > b.compressed;
  });
  found.erase(
      std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.number == b.number; }),
      found.end());
  return found;
}

std::string read_compressed_log(const std::string& path, std::size_t bytes_max) {
  std::string text, why;
  const Fd file = open_file(path, O_RDONLY, 0, why);
  ZSTD_DCtx* context = ZSTD_createDCtx();
  std::vector<char> input(ZSTD_DStreamInSize()), output(ZSTD_DStreamOutSize());
  std::uint64_t at = 0;
  for (ssize_t got = 0; file && context != nullptr && text.size() < bytes_max; at += static_cast<std::uint64_t>(got)) {
    got = ::pread(file.get(), input.data(), input.size(), static_cast<off_t>(at));
    if (got <= 0) break;
    ZSTD_inBuffer in{input.data(), static_cast<std::size_t>(got), 0};
    bool failed = false;
    for (bool more = true; more && !failed;) {
      ZSTD_outBuffer out{output.data(), output.size(), 0};
      failed = ZSTD_isError(ZSTD_decompressStream(context, &out, &in)) != 0;
      text.append(output.data(), out.pos);
      more = in.pos < in.size || out.pos == out.size;
    }
    if (failed) break;
  }
  ZSTD_freeDCtx(context);
  if (text.size() > bytes_max) text.resize(bytes_max);
  return text;
}

LogArchive::LogArchive(std::string directory) : directory_(std::move(directory)) {}
LogArchive::~LogArchive() { abandon(); }

void LogArchive::load() {
  std::vector<std::string> half_made_files;
  if (DIR* listing = ::opendir(directory_.c_str())) {
    while (const dirent* entry = ::readdir(listing)) {
      RotatedLog log;
      bool half_made = false;
      if (parse(entry->d_name, log, half_made) && half_made)
        half_made_files.push_back(directory_ + "/" + entry->d_name);
    }
    ::closedir(listing);
  }
  for (const std::string& path : half_made_files) ::unlink(path.c_str());
  files_ = rotated_logs(directory_);
  for (const RotatedLog& log : files_) {
    if (log.compressed) ::unlink(log.path.substr(0, log.path.size() - kCompressed.size()).c_str());
  }
}

void LogArchive::add(std::uint64_t number) {
  RotatedLog log;
  log.number = number;
  log.path = directory_ + "/" + std::string(kPrefix) + std::to_string(number);
  struct stat info {};
  if (::lstat(log.path.c_str(), &info) == 0)
    log.bytes = static_cast<std::uint64_t>(info.st_size), log.inode = info.st_ino;
  files_.push_back(std::move(log));
  failed_ = false;
}

bool LogArchive::begin() {
  const auto plain = std::find_if(files_.begin(), files_.end(), [](const RotatedLog& log) { return !log.compressed; });
  if (plain == files_.end() || failed_) return false;
  killpoint("log.rotate.before_archive");
  auto next = std::make_unique<Compression>();
  std::string why;
  next->from = *plain;
  next->beside = plain->path + std::string(kHalfMade);
  next->in = open_file(plain->path, O_RDONLY, 0, why);
  ::unlink(next->beside.c_str());
  next->out = open_file(next->beside, O_WRONLY | O_CREAT | O_EXCL, 0644, why);
  running_ = std::move(next);
  if (!running_->in || !running_->out || running_->context == nullptr || ::fchmod(running_->out.get(), 0644) != 0)
    return abandon(), false;
  ZSTD_CCtx_setParameter(running_->context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(running_->context, ZSTD_c_checksumFlag, 1);
  return true;
}

void LogArchive::step(std::uint64_t bytes) {
  for (std::uint64_t done = 0; done < bytes;) {
    if (running_ == nullptr && !begin()) return;
    const std::size_t want =
        static_cast<std::size_t>(std::min<std::uint64_t>(kStepBytes, running_->from.bytes - running_->read));
    if (!read_exactly(running_->in.get(), running_->input.data(), want, running_->read)) return abandon();
    running_->read += want, done += want + 1;
    const bool last = running_->read >= running_->from.bytes;
    if (!running_->compress(want, last)) return abandon();
    if (last && !end()) return abandon();
  }
}

bool LogArchive::end() {
  const std::string compressed = running_->from.path + std::string(kCompressed);
  if (::fdatasync(running_->out.get()) != 0 || ::rename(running_->beside.c_str(), compressed.c_str()) != 0)
    return false;
  killpoint("log.rotate.after_archive");
  ::unlink(running_->from.path.c_str());
  killpoint("log.rotate.after_unlink");
  for (RotatedLog& log : files_) {
    if (log.number == running_->from.number)
      log.compressed = true, log.path = compressed, log.bytes = running_->written;
  }
  running_.reset();
  return true;
}

void LogArchive::abandon() {
  if (running_ == nullptr) return;
  ::unlink(running_->beside.c_str());
  running_.reset();
  failed_ = true;
}

void LogArchive::finish() {
  while (running_ != nullptr || begin()) step(std::uint64_t{1} << 20);
}

std::uint64_t LogArchive::bytes() const noexcept {
  std::uint64_t sum = running_ != nullptr ? running_->written : 0;
  for (const RotatedLog& log : files_) sum += log.bytes;
  return sum;
}

std::uint64_t LogArchive::highest_number() const noexcept { return files_.empty() ? 0 : files_.back().number; }

std::string LogArchive::plain_with_inode(std::uint64_t inode) const {
  for (const RotatedLog& log : files_) {
    if (!log.compressed && log.inode == inode) return log.path;
  }
  return {};
}

bool LogArchive::drop_oldest() {
  if (files_.empty()) return false;
  if (running_ != nullptr && running_->from.number == files_.front().number) abandon(), failed_ = false;
  ::unlink(files_.front().path.c_str());
  files_.erase(files_.begin());
  return true;
}

}  // namespace honeylink::telemetry::store
