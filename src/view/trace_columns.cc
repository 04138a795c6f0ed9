// See trace_columns.h. The widest columns stand first, so that each is aligned to its width.
#include "view/trace_columns.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <unordered_map>

#include "base/coding.h"

namespace honeylink::telemetry::view {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are copied as they lie in memory");
constexpr std::string_view kMagic = "HTTRACE1";
constexpr std::uint32_t kDepthMax = 65'535;

template <class T>
void put_column(std::string& to, const std::vector<T>& column) {
  to.append(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T));
}

/// Texts by number, each once.
class Texts {
 public:
  std::uint32_t number_of(const std::string& text) {
    const auto [known, fresh] = numbers_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
    if (fresh) texts_.push_back(replace_invalid_utf8(text));
    return known->second;
  }
  [[nodiscard]] const std::vector<std::string>& all() const noexcept { return texts_; }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> texts_;
};

std::uint8_t flags_of(const query::SpanView& span, const query::TreeNode& node, bool logged) noexcept {
  const auto flag = [](bool set, std::uint8_t bit) { return set ? unsigned{bit} : 0U; };
  return static_cast<std::uint8_t>(flag(span.is_error(), kSpanError) | flag(node.critical_ns > 0, kSpanCritical) |
                                   flag(span.unfinished, kSpanUnfinished) | flag(!span.events.empty(), kSpanEvents) |
                                   flag(logged, kSpanLogs) | flag(node.orphan, kSpanOrphan));
}

}  // namespace

std::string encode_columns(const std::vector<query::SpanView>& spans, const query::TraceTree& tree,
                           const std::unordered_set<std::string>& logged) {
  const std::size_t n = tree.nodes.size();
  std::vector<double> start(n), duration(n), self(n);
  std::vector<query::SpanIdBytes> ids(n);
  std::vector<std::int32_t> parent(n);
  std::vector<std::uint32_t> name(n), service(n), lengths;
  std::vector<std::uint16_t> depth(n);
  std::vector<std::uint8_t> flags(n);
  Texts texts;
  for (std::size_t i = 0; i < n; ++i) {
    const query::TreeNode& node = tree.nodes[i];
    const query::SpanView& span = spans[node.span];
    start[i] = static_cast<double>(span.start_unix_ns - tree.start_unix_ns);
    duration[i] = static_cast<double>(span.duration_ns), self[i] = static_cast<double>(node.self_ns);
    ids[i] = span.span_id;
    parent[i] = node.parent == query::TreeNode::kNoParent ? -1 : static_cast<std::int32_t>(node.parent);
    name[i] = texts.number_of(span.name);
    service[i] = texts.number_of(span.module.empty() ? span.service : span.module);
    depth[i] = static_cast<std::uint16_t>(std::min(node.depth, kDepthMax));
    flags[i] = flags_of(span, node, !logged.empty() && logged.contains(hex(span.span_id)));
  }
  for (const std::string& text : texts.all()) lengths.push_back(static_cast<std::uint32_t>(text.size()));
  std::string bytes(kMagic);
  put_fixed(bytes, static_cast<std::uint32_t>(n));
  put_fixed(bytes, static_cast<std::uint32_t>(texts.all().size()));
  put_fixed(bytes, tree.start_unix_ns);
  put_column(bytes, start), put_column(bytes, duration), put_column(bytes, self), put_column(bytes, ids);
  put_column(bytes, parent), put_column(bytes, name), put_column(bytes, service), put_column(bytes, lengths);
  put_column(bytes, depth), put_column(bytes, flags);
  for (const std::string& text : texts.all()) bytes += text;
  return bytes;
}

}  // namespace honeylink::telemetry::view
