// A trace as lines: see waterfall.h.
#include "cli/waterfall.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "query/time_text.h"
#include "query/unicode.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::size_t kBarColumns = 24;
constexpr std::size_t kNameColumnsMax = 44;
constexpr std::size_t kDepthShown = 16;  // deeper spans are drawn at this depth, with the number

/// "├ " and "└ " in front of a span, "│ " for each ancestor that has further children.
std::string branch_of(const query::TraceTree& tree, std::size_t node, const Style& style) {
  const query::TreeNode& at = tree.nodes[node];
  if (at.depth == 0) return {};
  if (at.depth > kDepthShown) return std::string(style.sign("└ ", "` ")) + "(" + std::to_string(at.depth) + ") ";
  std::vector<std::string_view> parts{at.last_child ? style.sign("└ ", "` ") : style.sign("├ ", "+ ")};
  for (std::uint32_t up = at.parent; up != query::TreeNode::kNoParent && tree.nodes[up].depth > 0;
       up = tree.nodes[up].parent) {
    parts.push_back(tree.nodes[up].last_child ? std::string_view("  ") : style.sign("│ ", "| "));
  }
  std::string branch;
  for (std::size_t i = parts.size(); i-- > 0;) branch += parts[i];
  return branch;
}

/// The span's place in the whole; at least one cell is filled.
std::string bar_of(const query::SpanView& span, const query::TraceTree& tree, bool critical, const Style& style) {
  const auto whole = static_cast<double>(std::max<std::int64_t>(1, tree.duration_ns()));
  const auto cells = static_cast<double>(kBarColumns);
  const auto offset = static_cast<double>(span.start_unix_ns - tree.start_unix_ns) / whole * cells;
  const auto first = std::min(kBarColumns - 1, static_cast<std::size_t>(std::max(0.0, offset)));
  const auto length =
      static_cast<std::size_t>(std::lround(std::max(0.0, static_cast<double>(span.duration_ns) / whole * cells)));
  const std::size_t filled = std::clamp<std::size_t>(length, 1, kBarColumns - first);
  std::string bar;
  for (std::size_t i = 0; i < filled; ++i) bar += style.sign("█", "#");
  const Colour colour = span.is_error() ? Colour::red : critical ? Colour::orange : Colour::blue;
  return std::string(first, ' ') + style.paint(colour, bar) + std::string(kBarColumns - first - filled, ' ');
}

std::string percent_of(std::int64_t part, std::int64_t whole) {
  std::array<char, 16> text{};
  const int n =
      std::snprintf(text.data(), text.size(), "%.0f %%",
                    100.0 * static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(1, whole)));
  return {text.data(), static_cast<std::size_t>(n)};
}

std::string notes_of(const query::SpanView& span, const query::TraceTree& tree, std::size_t node, const Style& style,
                     bool self_times) {
  const query::TreeNode& at = tree.nodes[node];
  std::string notes;
  const auto add = [&notes](const std::string& note) { notes += "  " + note; };
  if (span.is_error()) {
    const std::string why = span.status_text.empty() ? "" : ": " + terminal_safe(span.status_text);
    add(style.paint(Colour::red, std::string(style.sign("■", "!")) + " error" + why));
  }
  if (span.unfinished)
    add(style.paint(Colour::orange, std::string(style.sign("◆", "*")) + " unfinished: its process died"));
  if (at.orphan) add("(its parent is not stored)");
  const bool has_children = node + 1 < tree.nodes.size() && tree.nodes[node + 1].parent == node;
  if (self_times && has_children && at.self_ns > 0)
    add(style.paint(Colour::dim, "self " + query::format_duration(at.self_ns)));
  const std::int64_t whole = tree.nodes.empty() ? 0 : tree.duration_ns();
  if (node == tree.slowest && tree.nodes.size() > 1) {
    add(style.paint(Colour::bold,
                    std::string(style.sign("←", "<-")) + " critical path " + percent_of(at.critical_ns, whole)));
  }
  return notes;
}

std::string pad(const std::string& text, std::size_t columns, bool right = false) {
  const std::size_t used = query::columns_of(text);
  const std::string space(used < columns ? columns - used : 0, ' ');
  return right ? space + text : text + space;
}

}  // namespace

std::string draw_waterfall(const std::vector<query::SpanView>& spans, const query::TraceTree& tree, const Style& style,
                           const WaterfallOptions& options) {
  const std::size_t rows = options.rows_max == 0 ? tree.nodes.size() : std::min(options.rows_max, tree.nodes.size());
  std::vector<std::string> names(rows), services(rows);
  std::size_t name_columns = 0, service_columns = 0;
  for (std::size_t n = 0; n < rows; ++n) {
    const query::SpanView& span = spans[tree.nodes[n].span];
    names[n] = branch_of(tree, n, style) + terminal_safe(span.name);
    services[n] = terminal_safe(span.module.empty() ? span.service : span.module);
    name_columns = std::max(name_columns, query::columns_of(names[n]));
    service_columns = std::max(service_columns, query::columns_of(services[n]));
  }
  if (options.columns != 0) {
    const std::size_t fixed = 2 + 2 + 12 + 1 + kBarColumns + 2 + std::min<std::size_t>(service_columns, 24);
    name_columns = std::min(name_columns, std::clamp<std::size_t>(options.columns > fixed ? options.columns - fixed : 0,
                                                                  16, kNameColumnsMax));
    service_columns = std::min<std::size_t>(service_columns, 24);
  }
  std::string out;
  for (std::size_t n = 0; n < rows; ++n) {
    const query::SpanView& span = spans[tree.nodes[n].span];
    std::string line = "  " + pad(query::cut_to_columns(names[n], name_columns, !style.utf8()), name_columns);
    line += "  " + pad(query::format_duration(span.duration_ns), 10, true);
    line += " " + bar_of(span, tree, tree.nodes[n].critical_ns > 0, style);
    line += "  " + pad(query::cut_to_columns(services[n], service_columns, !style.utf8()), service_columns);
    line += notes_of(span, tree, n, style, options.self_times);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  return out;
}

}  // namespace honeylink::telemetry::cli
