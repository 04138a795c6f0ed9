// See log_source.h.
#include "export/log_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/file.h"
#include "store/log_archive.h"

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::uint64_t kFarBehind = std::uint64_t{4} << 20;  // then the newest lines first, the rest as a gap
constexpr std::uint64_t kFileBytesMax = 10'000'000;           // of a log file (docs/formats/log_files.md)
constexpr std::uint64_t kOffset = 0xffff'ffffULL;

constexpr std::uint64_t file_number(std::uint64_t position) noexcept { return position >> 32; }

// Every line of ours begins {"timestamp":"…","time_unix_nano":"…". nullopt: it does not.
std::optional<std::int64_t> time_of(std::string_view line) {
  constexpr std::string_view kKey = "\"time_unix_nano\":\"";
  const std::size_t at = line.substr(0, 128).find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  std::int64_t time = 0;
  const char* begin = line.data() + at + kKey.size();
  const auto [end, error] = std::from_chars(begin, line.data() + line.size(), time);
  return error == std::errc{} && end != begin ? std::optional(time) : std::nullopt;
}

// From an offset on, at most `bytes` and whole lines only.
bool read_lines(const std::string& path, std::uint64_t offset, std::size_t bytes, std::string& to) {
  std::string why;
  const Fd file = open_file(path, O_RDONLY, 0, why);
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return false;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (offset > size) return false;
  to.resize(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size - offset)));
  return to.empty() || read_exactly(file.get(), to.data(), to.size(), offset);
}

}  // namespace

LogSource::LogSource(std::string directory, std::int64_t from_unix_ns, std::uint64_t committed)
    : directory_(std::move(directory)), from_unix_ns_(from_unix_ns), committed_(committed), live_from_(committed) {}

void LogSource::committed(std::uint64_t position) {
  const std::lock_guard lock(mutex_);
  committed_ = position;
}

std::uint64_t LogSource::amount(Range range) const {
  const std::uint64_t files = file_number(range.last) - file_number(range.first);
  const std::uint64_t bytes = files * kFileBytesMax + (range.last & kOffset);
  return bytes - std::min(bytes, range.first & kOffset);
}

bool LogSource::has_live() const {
  const std::lock_guard lock(mutex_);
  return live_from_ != committed_;
}

std::uint64_t LogSource::stored_below() {
  const std::lock_guard lock(mutex_);
  return live_from_;
}

std::uint64_t LogSource::first_allowed() {
  const std::uint64_t now = stored_below();
  for (const store::RotatedLog& rotated : store::rotated_logs(directory_)) {
    struct stat info {};
    if (::lstat(rotated.path.c_str(), &info) != 0 || rotated.number >= file_number(now)) continue;
    if (info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec >= from_unix_ns_)
      return log_position(rotated.number, 0);
  }
  return log_position(file_number(now), 0);
}

const std::string* LogSource::file_of(std::uint64_t number) {
  if (unpacked_number_ == number && number != 0) return &unpacked_;
  for (const store::RotatedLog& rotated : store::rotated_logs(directory_)) {
    if (rotated.number != number) continue;
    unpacked_.clear();
    unpacked_number_ = number;
    if (rotated.compressed) unpacked_ = store::read_compressed_log(rotated.path);
    else if (!read_lines(rotated.path, 0, SIZE_MAX, unpacked_)) unpacked_number_ = 0;
    return unpacked_number_ == number ? &unpacked_ : nullptr;
  }
  return nullptr;
}

// The file that is being written has no number of its own yet: it is the newest one for as long as no rotated file has
// that number.
LogSource::Piece LogSource::read(Range range, std::size_t bytes_max) {
  Piece piece;
  const std::uint64_t number = file_number(range.first), offset = range.first & kOffset;
  std::uint64_t newest = 0;
  {
    const std::lock_guard lock(mutex_);
    newest = file_number(committed_);
  }
  const bool ends_here = file_number(range.last) == number;
  const std::size_t wanted =
      ends_here ? static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, (range.last & kOffset) - offset))
                : bytes_max;
  if (const std::string* rotated = file_of(number)) {
    if (offset < rotated->size()) piece.lines = rotated->substr(offset, wanted);
    piece.readable = true;
  } else if (number == newest && read_lines(directory_ + "/honeylink.log", offset, wanted, piece.lines)) {
    if (file_of(number) != nullptr) return read(range, bytes_max);  // rotated in this moment: what was read is the next
    piece.readable = true;
  }
  const bool cut = piece.lines.size() == wanted && !(ends_here && offset + wanted == (range.last & kOffset));
  if (cut) piece.lines.resize(piece.lines.rfind('\n') + 1);
  piece.end = range.first + piece.lines.size();
  if (!piece.lines.empty() || (number == newest && piece.readable)) return piece;
  // Nothing more of this file: go on with the next one that there is.
  std::uint64_t next = newest;
  for (const store::RotatedLog& rotated : store::rotated_logs(directory_))
    if (rotated.number > number) next = std::min(next, rotated.number);
  piece.end = std::min(range.last, log_position(std::max(next, number + 1), 0));
  return piece;
}

Batch LogSource::encode(Range range, Piece piece) {
  Batch batch;
  batch.range = {range.first, piece.end};
  std::string_view rest = piece.lines;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    const auto time = time_of(line);
    if (time && *time < from_unix_ns_) continue;
    if (time && request_.add(line, *time)) ++batch.items;
    else ++batch.unreadable;
  }
  batch.request = request_.finish();
  return batch;
}

std::optional<Batch> LogSource::live(std::size_t bytes_max) {
  Range range;
  {
    const std::lock_guard lock(mutex_);
    if (live_from_ == committed_) return std::nullopt;
    if (file_number(live_from_) == file_number(committed_) && committed_ - live_from_ > kFarBehind)
      live_from_ = committed_;
    range = {live_from_, committed_};
  }
  if (range.first == range.last) return std::nullopt;
  // A line is up to twice as long as its record; half of the bound leaves room for both.
  Batch batch = encode(range, read(range, bytes_max / 2));
  batch.live = true;
  const std::lock_guard lock(mutex_);
  live_from_ = batch.range.last;
  return batch;
}

std::optional<Batch> LogSource::stored(Range gap, std::size_t bytes_max) {
  return encode(gap, read(gap, bytes_max / 2));
}

}  // namespace honeylink::telemetry::exporting
