// Rotated logs: honeylink.log.<n> waiting to be compressed, honeylink.log.<n>.zst, the oldest deleted first. Used by
// LogFiles; its listing also by query.
//
// Compressing goes in steps beside the commits, so that no drain waits for a whole file. A kill leaves the plain file
// and a .tmp that the next start removes; a rotated file is thus always there once, as .zst or plain.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"

namespace honeylink::telemetry::store {

struct RotatedLog {
  std::uint64_t number = 0;
  bool compressed = false;
  std::uint64_t bytes = 0, inode = 0;
  std::string path;
};
/// Ascending by number. Where both forms are there (a kill between rename and unlink) only the compressed one is
/// listed.
[[nodiscard]] std::vector<RotatedLog> rotated_logs(const std::string& directory);

/// The lines of a .zst, whole; what could be read of a damaged one. At most `bytes_max`.
[[nodiscard]] std::string read_compressed_log(const std::string& path, std::size_t bytes_max = std::size_t{1} << 28);

/// Not thread-safe; owned by LogFiles.
class LogArchive {
 public:
  explicit LogArchive(std::string directory);
  ~LogArchive();
  /// Reads the directory; removes what a kill left half made.
  void load();
  /// A file that was just renamed to honeylink.log.<number>.
  void add(std::uint64_t number);
  /// Compresses at most `bytes` more. Errors are not fatal: the plain file stays and is tried again after the next
  /// rotation.
  void step(std::uint64_t bytes);
  /// All there is, for tests and an orderly end.
  void finish();
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  [[nodiscard]] std::uint64_t highest_number() const noexcept;
  /// The path of the plain file with this inode, empty if none.
  [[nodiscard]] std::string plain_with_inode(std::uint64_t inode) const;
  /// Deletes the oldest; false: there is none.
  bool drop_oldest();

 private:
  struct Compression;
  bool begin();
  bool end();
  void abandon();
  std::string directory_;
  std::vector<RotatedLog> files_;
  std::unique_ptr<Compression> running_;
  bool failed_ = false;
};

}  // namespace honeylink::telemetry::store
