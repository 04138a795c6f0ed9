// honeytel audit verify: what is proved, what does not fit, and what nothing inside a home can prove.
#include <charconv>

#include "audit/verify.h"
#include "base/text.h"
#include "cli/audit_commands.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "query/database.h"
#include "query/json.h"
#include "query/paths.h"
#include "query/status.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr const char* kDatabase = "metrics.db";
constexpr const char* kGiven = "--head";

std::string_view name_of(audit::AnchorState state) {
  switch (state) {
    case audit::AnchorState::holds:
      return "holds";
    case audit::AnchorState::contradicted:
      return "contradicted";
    case audit::AnchorState::gone:
      return "gone";
    case audit::AnchorState::not_kept:
      break;
  }
  return "not_kept";
}

std::vector<audit::Anchor> stored_anchors(const std::string& home) {
  std::vector<audit::Anchor> anchors;
  auto opened = query::open_database(query::metrics_path(home));
  if (!opened.ok()) return anchors;
  store::Statement rows = opened.value().prepare("SELECT seq, hash FROM audit_anchor ORDER BY seq");
  while (rows && rows.step() == SQLITE_ROW) {
    audit::Anchor anchor{kDatabase, rows.number(0), {}};
    // A row that is no hash contradicts whatever entry it names.
    (void)unhex(rows.text(1), anchor.hash);
    anchors.push_back(std::move(anchor));
  }
  return anchors;
}

/// "HASH" or "NUMBER:HASH".
bool read_given(const std::string& given, audit::Anchor& to) {
  const std::size_t colon = given.find(':');
  to.where = kGiven;
  if (colon != std::string::npos) {
    const auto [end, error] = std::from_chars(given.data(), given.data() + colon, to.seq);
    if (error != std::errc{} || end != given.data() + colon || to.seq == 0) return false;
  }
  return unhex(std::string_view(given).substr(colon == std::string::npos ? 0 : colon + 1), to.hash);
}

bool is_held_elsewhere(const audit::Verification& found, bool at_the_end) {
  for (const auto& [anchor, state] : found.anchors) {
    if (anchor.where != kGiven || state != audit::AnchorState::holds) continue;
    if (!at_the_end || anchor.hash == found.head) return true;
  }
  return false;
}

std::vector<std::string> proved(const audit::Verification& found) {
  std::vector<std::string> lines;
  if (found.entries == 0 || !found.sound()) return lines;
  lines.push_back(query::format_count(found.entries) + " entries, " + std::to_string(found.first_seq) + " to " +
                  std::to_string(found.last_seq) + ", from " + query::format_local(found.first_unix_ns).substr(0, 19) +
                  " to " + query::format_local(found.last_unix_ns).substr(0, 19) +
                  ", stand as they were signed: none was changed, removed, moved or added");
  std::uint64_t rows = 0;
  std::string where;
  for (const auto& [anchor, state] : found.anchors) {
    if (state != audit::AnchorState::holds) continue;
    if (anchor.where == kDatabase && ++rows > 1) continue;
    where += (where.empty() ? "" : ", ") + anchor.where;
  }
  if (rows > 1) where += " (" + query::format_count(rows) + " rows)";
  if (!where.empty()) lines.push_back("the log reaches as far as " + where + " say");
  return lines;
}

std::vector<std::string> not_proved(const audit::Verification& found) {
  std::vector<std::string> lines;
  if (found.entries == 0) return lines;
  if (!is_held_elsewhere(found, false))
    lines.emplace_back(
        "that this whole home was not put back to an earlier copy: only a head kept elsewhere tells (honeytel audit "
        "anchor, then verify --head)");
  if (!is_held_elsewhere(found, true))
    lines.push_back("entries since " + query::format_local(found.epoch_began_unix_ns).substr(0, 19) +
                    ", the current epoch: whoever could read keys/audit.key since then could have written them anew");
  if (!found.began_here)
    lines.push_back("what stood before entry " + std::to_string(found.first_seq) + ": it was deleted after a year");
  return lines;
}

void print_json(const Call& call, const audit::Verification& found) {
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("sound").boolean(found.sound()).key("entries").count(found.entries);
  json.key("epochs").count(found.epochs).key("first_seq").count(found.first_seq).key("last_seq").count(found.last_seq);
  const auto time = [&](const char* key, std::int64_t ns) {
    json.key(key);
    if (found.entries == 0) json.null();
    else json.text(query::format_utc(ns));
  };
  time("first", found.first_unix_ns);
  time("last", found.last_unix_ns);
  json.key("head").text(found.entries == 0 ? "" : hex(found.head)).key("ended").boolean(found.ended);
  json.key("findings").begin_array();
  for (const audit::Finding& f : found.findings) {
    json.begin_object().key("fault").text(audit::name_of(f.fault)).key("file").text(f.file).key("line").count(f.line);
    json.key("seq").count(f.seq).key("what").text(f.what).end_object();
  }
  json.end_array().key("findings_total").count(found.findings_total).key("anchors").begin_array();
  for (const auto& [anchor, state] : found.anchors) {
    json.begin_object().key("where").text(anchor.where).key("seq").count(anchor.seq);
    json.key("hash").text(hex(anchor.hash)).key("state").text(name_of(state)).end_object();
  }
  json.end_array();
  const auto texts = [&](const char* key, const std::vector<std::string>& lines) {
    json.key(key).begin_array();
    for (const std::string& line : lines) json.text(line);
    json.end_array();
  };
  texts("proved", proved(found));
  texts("not_proved", not_proved(found));
  call.terminal.print(json.end_object().str() + "\n");
}

void print_words(const Call& call, const audit::Verification& found) {
  const Style& style = call.terminal.style;
  const std::string verdict = found.sound()
                                  ? style.paint(Colour::blue, std::string(style.sign("● whole", "whole")))
                                  : style.paint(Colour::red, std::string(style.sign("■ NOT WHOLE", "NOT WHOLE")));
  call.terminal.print("  the audit log is " + verdict + "\n");
  for (const audit::Finding& f : found.findings) {
    std::string where = f.file;
    if (f.line != 0) where += ":" + std::to_string(f.line);
    if (f.seq != 0) where += (where.empty() ? "" : ", ") + std::string("entry ") + std::to_string(f.seq);
    call.terminal.print("  " + style.paint(Colour::red, std::string(audit::name_of(f.fault))) + "  " +
                        terminal_safe(where.empty() ? f.what : where + ": " + f.what) + "\n");
  }
  if (found.findings.size() < found.findings_total)
    call.terminal.print("  and " + query::format_count(found.findings_total - found.findings.size()) + " more\n");
  for (const std::string& line : proved(found)) call.terminal.print("  proved      " + terminal_safe(line) + "\n");
  for (const std::string& line : not_proved(found)) call.terminal.print("  not proved  " + terminal_safe(line) + "\n");
}

}  // namespace

int audit_verify(Call& call, const std::string& home) {
  std::vector<audit::Anchor> anchors = stored_anchors(home);
  if (call.has("head") && !read_given(call.text("head"), anchors.emplace_back()))
    return report(call.terminal, usage_problem("--head cannot be '" + call.text("head") + "'",
                                               "it takes 64 hexadecimal digits, or a number, a colon and these",
                                               "honeytel audit anchor prints one"));
  Progress progress(call.terminal, "verifying");
  const Interrupt interrupt;
  const audit::Verification found = audit::verify_log(home, anchors, [&](double share) {
    progress.update(share);
    return !interrupt.asked();
  });
  progress.clear();
  if (interrupt.asked()) return call.terminal.say("interrupted; nothing was changed"), kInterrupted;
  if (found.entries == 0 && found.sound())
    return report(call.terminal, {query::ProblemKind::not_found, "there is no audit log yet",
                                  "nothing was decided in " + home + " so far", ""});
  if (call.format() == Format::table) print_words(call, found);
  else print_json(call, found);
  return found.sound() ? kOk : kFailed;
}

}  // namespace honeylink::telemetry::cli
