// See held_ids.h.
#include "query/held_ids.h"

#include <string>

#include "query/trace_reader.h"
#include "store/trace_codec.h"

namespace honeylink::telemetry::query {
namespace {

constexpr int kDepthMax = 2;  // an attribute of an event or link; the codec nests no deeper

bool holds(std::span<const std::uint8_t> bytes, std::string_view pseudonym, int depth) {
  store::StoredItems items(bytes, 0);
  for (store::StoredItem item; items.next(item);) {
    const std::string_view elements(reinterpret_cast<const char*>(item.elements.data()), item.elements.size());
    if (item.type == ItemType::text && item.text == pseudonym) return true;
    if (item.type == ItemType::id && json_value(item) == "\"" + std::string(pseudonym) + "\"") return true;
    if (item.type == ItemType::texts && elements.find(pseudonym) != std::string_view::npos) return true;
    if ((item.type == ItemType::event || item.type == ItemType::link) && depth < kDepthMax &&
        holds(item.items, pseudonym, depth + 1))
      return true;
  }
  return false;
}

}  // namespace

bool holds_pseudonym(std::span<const std::uint8_t> items, std::string_view pseudonym) {
  return holds(items, pseudonym, 0);
}

}  // namespace honeylink::telemetry::query
