// Where the rings of a home are: the candidate directories, listing, liveness, making and unlinking. DESIGN 5,
// PROTOCOL 8.
//
// Writers take the first directory that works; readers list all of them, every time. No function here follows a
// symbolic link or accepts a directory that is not ours (owner, 0700).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "ring/layout.h"

namespace honeylink::telemetry::ring {

/// The home directory itself: `given`, else HONEYLINK_HOME, else $HOME/.honeylink, else the password database.
/// Absolute; empty: none.
[[nodiscard]] std::string home_path(const std::string& given);

/// $XDG_RUNTIME_DIR/honeylink/<hash>, /run/user/<uid>/honeylink/<hash>, /dev/shm/honeylink-<uid>/<hash>, <home>/run;
/// each once. <hash> is of the home's absolute path, so that two homes of one user do not mix.
[[nodiscard]] std::vector<std::string> ring_directories(const std::string& home);

struct RingFile {
  std::string directory, name;  // name: <32 hex>.ring
  std::uint64_t bytes = 0;
  bool alive = false;
};
/// All rings of a home, also those that cannot be opened (bytes 0). Ignores .new-* files that somebody still makes;
/// unlinks old ones.
[[nodiscard]] std::vector<RingFile> list_rings(const std::string& home);

/// A new ring file: made unnamed or under a hidden name, allocated in full, locked, then linked as <id>.ring (PROTOCOL
/// 8). The lock is held by a mapping of one page, MADV_DONTFORK, whose address is `lock_page`: as long as this address
/// space lives.
struct NewRing {
  Fd file;
  std::string directory, name;
  void* lock_page = nullptr;
  bool visible = false;
};
enum class RingFileError : std::uint8_t { none, no_directory, no_space, too_large, system };
/// Reserves the bytes; not yet visible: publish_ring() links it after the header is written. To keep the home under
/// kRingsBytesMax, the oldest dead rings are unlinked and told in `unlinked` (also when the making then fails): the
/// caller writes them into its header. too_large: living processes leave no room; nothing was unlinked for it.
[[nodiscard]] RingFileError make_ring(const std::string& home, const std::uint8_t (&id)[16], std::uint64_t bytes,
                                      NewRing& made, std::vector<UnlinkedRing>& unlinked, std::string& why);
/// Before start(): in /dev/shm, with an empty `directory`; publish_ring() gives it a name there when the home is known.
[[nodiscard]] RingFileError make_unnamed_ring(const std::uint8_t (&id)[16], std::uint64_t bytes, NewRing& made,
                                              std::string& why);
[[nodiscard]] bool publish_ring(const std::string& home, const std::uint8_t (&id)[16], NewRing& ring, std::string& why);
[[nodiscard]] bool unlink_ring(const std::string& directory, const std::string& name) noexcept;

}  // namespace honeylink::telemetry::ring
