// A filter over the foreign trace ids of a block (table foreign_ids, docs/formats/traces_db.md): says "not there" or
// "perhaps". Written by the packer, asked by query for ids that no key of the database has made.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace honeylink::telemetry::store {

/// Halves of an id. Ids are random or keyed permutations: their bits are as good as hashes.
using ForeignId = std::pair<std::uint64_t, std::uint64_t>;

/// Empty for no ids.
[[nodiscard]] std::vector<std::uint8_t> make_foreign_filter(std::span<const ForeignId> ids);
/// True also where the filter is damaged or of a version to come: then the block has to be looked into.
[[nodiscard]] bool may_hold(std::span<const std::uint8_t> filter, const ForeignId& id) noexcept;

}  // namespace honeylink::telemetry::store
