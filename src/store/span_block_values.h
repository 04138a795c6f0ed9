// Attribute values that recur, once for the whole database (table val of docs/formats/traces_db.md). The packer asks
// for ids while it writes a block and stores what is new in the same transaction; readers look ids up.
//
// Must stay true: an id is never given to another value; ids only grow, so that what old blocks alone name can be
// deleted when they are gone.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace honeylink::telemetry::store {

/// Looks an id up; the text stays valid as long as the reader of the block. False: there is no such row, or its
/// checksum does not fit.
using ValueLookup = std::function<bool(std::uint32_t id, std::string_view& value)>;

/// The writing side. Not thread-safe; owned by the packer. Bounded: when it is full, a new epoch begins, and values
/// that still recur get new ids.
class SpanValues {
 public:
  static constexpr std::size_t kValuesMax = 16'384, kBytesMax = 1'000'000;
  static constexpr std::size_t kValueBytesMax = 128, kValueBytesMin = 4;  // shorter ones cost no more in place

  /// 0: not there.
  [[nodiscard]] std::uint32_t find(std::string_view value) const {
    const auto known = ids_.find(value);
    return known == ids_.end() ? 0 : known->second;
  }
  /// 0: too short, too long, or no room in this epoch.
  std::uint32_t add(std::string_view value);
  /// A row of the table, at opening.
  void load(std::uint32_t id, std::string_view value);
  /// Before a block: makes room if there is none.
  void begin_block();
  /// The least id that blocks from now on may name.
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  void set_epoch(std::uint32_t first) noexcept { epoch_ = first, next_ = next_ < first ? first : next_; }
  /// What add() gave ids to since the last stored().
  [[nodiscard]] const std::vector<std::pair<std::uint32_t, std::string_view>>& fresh() const noexcept { return fresh_; }
  void stored() noexcept { fresh_.clear(); }
  void clear() noexcept;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;  // its keys do not move
  std::vector<std::pair<std::uint32_t, std::string_view>> fresh_;
  std::size_t bytes_ = 0;
  std::uint32_t next_ = 1, epoch_ = 1;
};

/// A row's data: checksum, then the value. unpack: false where they do not fit.
[[nodiscard]] std::string pack_value(std::string_view value);
[[nodiscard]] bool unpack_value(std::span<const std::uint8_t> row, std::string_view& value) noexcept;

}  // namespace honeylink::telemetry::store
