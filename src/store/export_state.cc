// See export_state.h.
#include "store/export_state.h"

#include <algorithm>
#include <charconv>

namespace honeylink::telemetry::store {
namespace {

constexpr std::string_view kHead = "honeytel-export 1\n";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

template <class T>
void read_number(std::string_view text, T& number) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) number = value;
}

void read_line(std::string_view line, ExportState& state) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view name = line.substr(0, space), value = line.substr(space + 1);
  for (const auto& [known, member] : kExportTotals)
    if (name == known) return read_number(value, state.totals.*member);
  if (name == "backlog") read_number(value, state.backlog);
  else if (name == "answered") read_number(value, state.answered_unix_ns);
  else if (name == "failing") read_number(value, state.failing_since_unix_ns);
  else if (name == "said") state.said = value;
}

}  // namespace

void ExportTotals::add(const ExportTotals& more) noexcept {
  for (const auto& [name, member] : kExportTotals) this->*member += more.*member;
}

std::string write_export_state(const ExportState& state) {
  std::string text(kHead);
  text += state.acknowledged + "\n";
  const auto put = [&](const char* name, auto value) {
    if (value != 0) text += std::string(name) + " " + std::to_string(value) + "\n";
  };
  for (const auto& [name, member] : kExportTotals) put(name, state.totals.*member);
  put("backlog", state.backlog);
  put("answered", state.answered_unix_ns);
  put("failing", state.failing_since_unix_ns);
  std::string said = state.said;
  std::replace(said.begin(), said.end(), '\n', ' ');
  if (!said.empty()) text += "said " + said + "\n";
  return text;
}

bool read_export_state(std::string_view text, ExportState& state) {
  if (!text.starts_with(kHead) || !text.ends_with('\n')) return false;
  text.remove_prefix(kHead.size());
  if (text.empty()) return false;
  ExportState read;
  read.acknowledged = take_line(text);
  while (!text.empty()) read_line(take_line(text), read);
  state = std::move(read);
  return true;
}

std::string export_state_path(const std::string& home, std::string_view receipt_file, std::string_view signal) {
  return home + "/export/" + std::string(receipt_file.substr(0, receipt_file.find('.'))) + "." + std::string(signal);
}

}  // namespace honeylink::telemetry::store
