// A home, or a part of one, as one SQLite file: `honeytel bundle` and `honeytel db backup` write it, every reading
// command opens it by `--home FILE` (docs/formats/archive.md; decision 0013). Main thread.
//
// The layout is SQLite's own archive (table sqlar), so that `sqlite3 -A -x -f FILE` unpacks it where there is no
// honeytel. A file appears under its name when it is whole. What is opened may come from anybody: names, sizes and
// types are checked before a byte is written.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "cli/private_directory.h"
#include "query/problem.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::cli {

inline constexpr int kArchiveApplicationId = 0x484c5442;  // "HLTB"
inline constexpr int kArchiveVersion = 1;
inline constexpr std::uint64_t kArchivedFileBytesMax = 999'000'000;  // SQLite's bound of a blob is 10^9
inline constexpr std::uint64_t kArchiveFilesMax = 4'096;

/// May a file of this name be in an archive? Fixed names of a home and rotated logs; nothing that could point
/// elsewhere.
[[nodiscard]] bool is_archived_name(std::string_view name) noexcept;

/// True: go on. Told the bytes that were moved.
using Moved = std::function<bool(std::uint64_t)>;

class ArchiveWriter {
 public:
  ArchiveWriter() = default;
  ~ArchiveWriter() = default;  // without finish() nothing remains
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  /// Refuses where `path` is there already. `kind`: "bundle", "backup".
  [[nodiscard]] std::optional<query::Problem> create(const std::string& path, std::string_view kind);
  /// A fact about the archive, for whoever reads it: "since", "made".
  [[nodiscard]] std::optional<query::Problem> note(std::string_view key, std::string_view value);
  [[nodiscard]] std::optional<query::Problem> add_file(std::string_view name, const std::string& from,
                                                       const Moved& moved);
  /// What is open, whatever its name is by now; `from` is for messages.
  [[nodiscard]] std::optional<query::Problem> add_open_file(std::string_view name, int file, const std::string& from,
                                                            const Moved& moved);
  [[nodiscard]] std::optional<query::Problem> add_text(std::string_view name, std::string_view content);
  /// Synced and named.
  [[nodiscard]] std::optional<query::Problem> finish();
  /// A private directory beside the archive, for what is made on the way; gone with the writer, or with the next one.
  [[nodiscard]] const std::string& workshop() const noexcept { return workshop_.path(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] query::Problem failed(std::string why) const;
  [[nodiscard]] bool add_row(std::string_view name, std::uint64_t bytes);
  std::string path_;
  PrivateDirectory workshop_;
  store::Connection connection_;  // closed before what it writes in is removed
  std::uint64_t bytes_ = 0, files_ = 0;
};

/// A home unpacked into a private directory of the temporary files, for as long as this lives. What others that were
/// killed left there is removed.
class UnpackedHome {
 public:
  [[nodiscard]] static query::Answer<std::unique_ptr<UnpackedHome>> open(const std::string& archive);
  [[nodiscard]] const std::string& path() const noexcept { return directory_.path(); }

 private:
  UnpackedHome() = default;
  PrivateDirectory directory_;
};

}  // namespace honeylink::telemetry::cli
