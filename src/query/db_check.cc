// See db_check.h. Rows are read in batches: a transaction that lasted for the whole check would hold up the engine's
// -wal (F40).
#include "query/db_check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/file.h"
#include "query/database.h"
#include "query/log_line.h"
#include "query/log_reader.h"
#include "query/paths.h"
#include "query/time_text.h"
#include "store/log_state.h"
#include "store/metric_codec.h"
#include "store/metric_format.h"
#include "store/segment_blob.h"
#include "store/span_block.h"
#include "store/trace_codec.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::size_t kIntegrityErrorsMax = 20;

/// What is found, and how far it has come: bytes of blobs and files over all there are.
class Checking {
 public:
  explicit Checking(const std::function<bool(double)>& progress) : progress_(progress) {}
  CheckReport report;
  double bytes_all = 1;

  void found(Damage damage) {
    ++report.damaged;
    if (report.damages.size() < kDamagesMax) report.damages.push_back(std::move(damage));
  }
  /// False: it is to end.
  bool passed(std::uint64_t bytes) {
    bytes_ += static_cast<double>(bytes);
    if (!progress_(std::min(1.0, bytes_ / bytes_all))) report.interrupted = true;
    return !report.interrupted;
  }

 private:
  const std::function<bool(double)>& progress_;
  double bytes_ = 0;
};

std::uint64_t size_of(const std::string& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

/// A database under check. One whose tables cannot be read is one damage.
struct Checked {
  Checking& checking;
  const char* store;
  store::Connection connection;

  void damaged(std::string where, std::string what, std::int64_t oldest = 0, std::int64_t newest = 0) const {
    checking.found({store, std::move(where), std::move(what), oldest, newest});
  }

  /// `sql`: key first, `WHERE key > ?1 ORDER BY key LIMIT 64` at its end. False: it is to end.
  bool each(const char* table, const char* sql, const std::function<std::uint64_t(store::Statement&)>& look) {
    store::Statement rows = connection.prepare(sql);
    if (!rows) return damaged(table, connection.error()), true;
    std::int64_t key = INT64_MIN;
    for (;;) {
      rows.bind(1, key);
      int code = SQLITE_DONE, count = 0;
      std::uint64_t bytes = 0;
      while ((code = rows.step()) == SQLITE_ROW) {
        if (rows.integer(0) <= key) return damaged(table, "its rows are out of order"), true;  // it would never end
        ++count, ++checking.report.rows;
        key = rows.integer(0);
        bytes += look(rows);
      }
      const std::string why = code == SQLITE_DONE ? std::string() : connection.error();
      rows.reset();
      if (!checking.passed(bytes)) return false;
      if (code != SQLITE_DONE) return damaged(std::string(table) + " after " + std::to_string(key), why), true;
      if (count == 0) return true;
    }
  }
  void check_integrity() {
    store::Statement rows = connection.prepare("PRAGMA integrity_check(" + std::to_string(kIntegrityErrorsMax) + ")");
    int code = SQLITE_MISUSE;
    while (rows && (code = rows.step()) == SQLITE_ROW) {
      if (rows.text(0) != "ok") damaged("database", std::string(rows.text(0)));
    }
    if (code != SQLITE_DONE) damaged("database", connection.error());
  }
};

std::string numbered(const char* table, std::int64_t key) { return std::string(table) + ' ' + std::to_string(key); }

// --- metrics.db

std::uint64_t check_tick(Checked& db, const std::set<std::uint32_t>& series, store::Statement& row) {
  const auto bytes = row.blob(3);
  const std::int64_t at = seconds_as_ns(row.integer(1));
  store::MetricBlob blob(bytes);
  std::uint64_t points = 0, strangers = 0;
  for (store::StoredPoint point; blob.next(point); ++points) strangers += series.contains(point.sid) ? 0 : 1;
  db.checking.report.points += points;
  if (!blob.sound() || blob.damaged()) {
    db.damaged(numbered("hot", row.integer(0)), blob.sound() ? "its points end early" : "its checksum does not fit", at,
               at);
  } else if (points != row.number(2)) {
    db.damaged(numbered("hot", row.integer(0)),
               "it holds " + std::to_string(points) + " points and says " + std::to_string(row.number(2)), at, at);
  } else if (!store::is_tick(row.integer(1))) {
    db.damaged(numbered("hot", row.integer(0)), "its time is no time", at, at);
  } else if (strangers != 0) {
    db.damaged(numbered("hot", row.integer(0)), std::to_string(strangers) + " points are of series that are not there",
               at, at);
  }
  return bytes.size();
}

std::uint64_t check_segment(Checked& db, store::SegmentWorkspace& work, store::Statement& row) {
  const auto bytes = row.blob(5);
  const std::string where = numbered("seg", row.integer(0));
  const std::int64_t oldest = seconds_as_ns(row.integer(2)), newest = seconds_as_ns(row.integer(3));
  const auto directory = store::SegmentDirectory::read(bytes, bytes.size());
  if (!directory) return db.damaged(where, "its directory's checksum does not fit", oldest, newest), bytes.size();
  std::uint64_t points = 0;
  store::SeriesPoints decoded;
  for (const store::SegmentEntry& entry : directory->entries) {
    decoded.clear();
    points += entry.points;
    const auto body = bytes.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
    if (!store::read_series(directory->grid, entry, body, work, decoded))
      db.damaged(where + ", series " + std::to_string(entry.sid), "its checksum or its columns do not fit", oldest,
                 newest);
  }
  db.checking.report.points += points;
  if (points != row.number(4))
    db.damaged(where, "it holds " + std::to_string(points) + " points and says " + std::to_string(row.number(4)),
               oldest, newest);
  if (directory->grid.tier != row.integer(1))
    db.damaged(where, "it is of another tier than its row says", oldest, newest);
  return bytes.size();
}

void check_metrics(Checked& db) {
  std::set<std::uint32_t> series;
  store::SegmentWorkspace work;
  db.check_integrity();
  db.each("series", "SELECT sid FROM series WHERE sid > ?1 ORDER BY sid LIMIT 64",
          [&](store::Statement& row) { return series.insert(static_cast<std::uint32_t>(row.integer(0))), 0U; }) &&
      db.each("seg", "SELECT id, tier, t0, t1, n, data FROM seg WHERE id > ?1 ORDER BY id LIMIT 16",
              [&](store::Statement& row) { return check_segment(db, work, row); }) &&
      db.each("hot", "SELECT commit_no, tick, n, data FROM hot WHERE commit_no > ?1 ORDER BY commit_no LIMIT 64",
              [&](store::Statement& row) { return check_tick(db, series, row); });
}

// --- traces.db

/// What blocks refer to, looked up as readers do.
struct Dictionaries {
  explicit Dictionaries(store::Connection& connection)
      : key_row(connection.prepare("SELECT trace_key, span_key FROM idkey WHERE id = ?")),
        value_row(connection.prepare("SELECT data FROM val WHERE id = ?")) {}
  store::Statement key_row, value_row;
  std::map<std::uint32_t, std::unique_ptr<IdCipher>> keys;
  std::map<std::uint32_t, std::string> values;

  const IdCipher* key(std::uint32_t id) {
    auto& cipher = keys[id];
    if (cipher == nullptr && key_row && key_row.bind(1, id).step() == SQLITE_ROW) {
      std::array<std::uint8_t, 16> trace{}, span{};
      const auto a = key_row.blob(0), b = key_row.blob(1);
      std::copy_n(a.begin(), std::min(a.size(), trace.size()), trace.begin());
      std::copy_n(b.begin(), std::min(b.size(), span.size()), span.begin());
      cipher = std::make_unique<IdCipher>(trace, span);
    }
    key_row.reset();
    return cipher.get();
  }
  bool value(std::uint32_t id, std::string_view& text) {
    const auto known = values.find(id);
    if (known != values.end()) return text = known->second, true;
    const bool there =
        value_row && value_row.bind(1, id).step() == SQLITE_ROW && store::unpack_value(value_row.blob(0), text);
    if (there) text = values.emplace(id, std::string(text)).first->second;
    value_row.reset();
    return there;
  }
};

std::uint64_t check_drain(Checked& db, Dictionaries& known, store::Statement& row) {
  const auto bytes = row.blob(4);
  store::TraceBlob blob(bytes);
  std::uint64_t spans = 0, strangers = 0;
  for (store::StoredSpan span; blob.next(span); ++spans) strangers += known.key(span.source) == nullptr ? 1 : 0;
  db.checking.report.spans += spans;
  std::string what;
  if (!blob.sound()) what = "its checksum does not fit";
  else if (blob.damaged()) what = "its spans end early";
  else if (spans != row.number(3))
    what = "it holds " + std::to_string(spans) + " spans and says " + std::to_string(row.number(3));
  else if (strangers != 0) what = std::to_string(strangers) + " spans are of a process that is not there";
  if (!what.empty()) db.damaged(numbered("hot", row.integer(0)), what, row.integer(1), row.integer(2));
  return bytes.size();
}

std::uint64_t check_block(Checked& db, Dictionaries& known, store::SpanBlockReader& block, store::Statement& row) {
  const auto zone_bytes = row.blob(4), bytes = row.blob(5);
  const auto bad = [&](std::string what) {
    db.damaged(numbered("blk", row.integer(0)), std::move(what), row.integer(1), row.integer(2));
  };
  store::SpanZone zone;
  if (!store::read_zone(zone_bytes, zone)) bad("its zone map's checksum does not fit");
  std::uint64_t spans = 0;
  if (!block.open(
          bytes, [&](std::uint32_t id) { return known.key(id); },
          [&](std::uint32_t id, std::string_view& text) { return known.value(id, text); })) {
    bad(store::SpanBlockReader::sound(bytes) ? "its columns do not fit" : "its checksum does not fit");
  } else {
    store::StoredSpan span;
    while (spans < block.count() && block.read(static_cast<std::size_t>(spans), span)) ++spans;
    if (spans != block.count()) bad("its spans cannot be read from number " + std::to_string(spans) + " on");
    else if (spans != row.number(3))
      bad("it holds " + std::to_string(spans) + " spans and says " + std::to_string(row.number(3)));
  }
  db.checking.report.spans += spans;
  return bytes.size() + zone_bytes.size();
}

void check_traces(Checked& db) {
  Dictionaries known(db.connection);
  store::SpanBlockReader block;
  db.check_integrity();
  db.each("val", "SELECT id, data FROM val WHERE id > ?1 ORDER BY id LIMIT 64",
          [&](store::Statement& row) {
            std::string_view value;
            if (!store::unpack_value(row.blob(1), value))
              db.damaged(numbered("val", row.integer(0)), "its checksum does not fit");
            return row.blob(1).size();
          }) &&
      db.each("blk", "SELECT id, t0, t1, n, zone, data FROM blk WHERE id > ?1 ORDER BY id LIMIT 16",
              [&](store::Statement& row) { return check_block(db, known, block, row); }) &&
      db.each("hot", "SELECT id, t0, t1, n, data FROM hot WHERE id > ?1 ORDER BY id LIMIT 64",
              [&](store::Statement& row) { return check_drain(db, known, row); });
}

/// Empty: it could be looked at, or is not there.
std::optional<Problem> check_database(Checking& checking, const char* store, const std::string& path,
                                      void (*check)(Checked&)) {
  if (checking.report.interrupted) return std::nullopt;
  auto opened = open_database(path);
  if (opened.ok()) {
    Checked db{checking, store, std::move(opened.value())};
    ++checking.report.databases;
    check(db);
    return std::nullopt;
  }
  const Problem& problem = opened.problem();
  if (problem.kind == ProblemKind::not_found) return std::nullopt;
  store::Connection again;
  int code = again.open(path, store::Access::read_only, 0);
  if (code == SQLITE_OK && again.integer("SELECT count(*) FROM sqlite_schema", -1) < 0) code = again.result();
  if ((code & 0xff) != SQLITE_NOTADB && (code & 0xff) != SQLITE_CORRUPT) return problem;
  ++checking.report.databases;
  checking.found({store, "database", problem.why, 0, 0});
  return std::nullopt;
}

// --- logs

void check_logs(Checking& checking, const std::string& home) {
  const auto held = hold_log_files(home);
  if (!held.ok()) return checking.found({"logs", "files", held.problem().what, 0, 0});
  for (const HeldLog& log : held.value()) {
    if (checking.report.interrupted) return;
    const LogFile& file = log.file;
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    std::uint64_t number = 0, strange = 0, first = 0;
    const auto problem = read_log_file(log, [&](std::string_view line) {
      ++number;
      if (!parse_log_line(line).sound && ++strange == 1) first = number;
      return true;
    });
    ++checking.report.files, checking.report.lines += number;
    if (problem) checking.found({"logs", name, problem->why + " after line " + std::to_string(number), 0, 0});
    if (strange != 0) {
      checking.found(
          {"logs", name + ", line " + std::to_string(first),
           "it is no JSON" + (strange == 1 ? std::string() : ", nor are " + std::to_string(strange - 1) + " more"), 0,
           0});
    }
    if (!checking.passed(file.bytes)) return;
  }
  std::string why;
  const std::string path = logs_directory(home) + "/state";
  if (!file_exists(path)) return;
  const Fd file = open_file(path, O_RDONLY, 0, why);
  store::LogState state;
  if (!file || !store::read_log_state(file.get(), state))
    checking.found({"logs", "state", file ? "neither of its halves is whole" : why, 0, 0});
}

}  // namespace

Answer<CheckReport> check_stores(const std::string& home, const std::function<bool(double)>& progress) {
  Checking checking(progress);
  checking.bytes_all = static_cast<double>(size_of(metrics_path(home)) + size_of(traces_path(home)));
  for (const LogFile& file : list_log_files(home)) checking.bytes_all += static_cast<double>(file.bytes);
  checking.bytes_all = std::max(checking.bytes_all, 1.0);
  if (auto problem = check_database(checking, "metrics", metrics_path(home), check_metrics)) return *problem;
  if (auto problem = check_database(checking, "traces", traces_path(home), check_traces)) return *problem;
  check_logs(checking, home);
  return std::move(checking.report);
}

}  // namespace honeylink::telemetry::query
