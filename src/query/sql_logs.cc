// The table `logs`: one row a line of the log files, rotated ones included. A file is read when the walk reaches it,
// and held as lines while its rows are given: at most what one file holds.
#include <vector>

#include "query/json.h"
#include "query/log_reader.h"
#include "query/sql_tables.h"
#include "query/table_module.h"
#include "query/time_text.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::query {
namespace {

struct LogsTable {
  static constexpr const char* kSchema =
      "CREATE TABLE logs(time TEXT, time_unix_nano INTEGER, level TEXT, event TEXT, service TEXT, module TEXT, message "
      "TEXT, trace_id TEXT, span_id TEXT,"
      " fields TEXT, line TEXT)";
  static constexpr int kTimeColumn = 1;
  static constexpr std::array kPushed{PushedColumn{7, Pushed::text, 1e-2}};
  explicit LogsTable(SqlHome at) : home(std::move(at)) {}
  SqlHome home;

  class Cursor {
   public:
    explicit Cursor(LogsTable& table) : home_(table.home->path) {}
    bool begin(const Pushed& pushed, std::string& why) {
      filter_.since_unix_ns = pushed.since_unix_ns, filter_.until_unix_ns = pushed.until_unix_ns;
      // Other texts may stand in a line in another spelling; SQLite compares those.
      const std::string_view trace = pushed.texts[0].value_or("");
      if (!normalize_trace_prefix(trace, filter_.trace_prefix) || filter_.trace_prefix != trace)
        filter_.trace_prefix.clear();
      auto held = hold_log_files(home_);
      if (!held.ok()) return why = held.problem().what + ": " + held.problem().why, false;
      files_ = std::move(held.value());
      file_ = at_ = 0;
      damaged_ = 0;
      lines_.clear();
      return true;
    }
    bool next(std::string&) {
      for (;;) {
        while (at_ < lines_.size()) {
          if (passes(lines_[at_++], filter_, line_)) return true;
        }
        if (file_ == files_.size()) return false;
        lines_.clear();
        at_ = 0;
        const HeldLog& log = files_[file_++];
        if (log.file.modified_unix_ns < filter_.since_unix_ns) continue;
        // Of a damaged file what comes before the damage.
        if (read_log_file(log, [&](std::string_view line) { return lines_.emplace_back(line), true; })) ++damaged_;
      }
    }
    [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
    void column(sqlite3_context* context, int i) {
      switch (i) {
        case 0:
          return result_text(context, format_utc(line_.time_unix_ns));
        case 1:
          return sqlite3_result_int64(context, line_.time_unix_ns);
        case 2:
          return result_text(context, line_.level);
        case 3:
          return result_text(context, line_.event);
        case 4:
          return result_text(context, line_.service);
        case 5:
          return result_text(context, line_.module);
        case 6:
          return line_.message.empty() ? sqlite3_result_null(context) : result_text(context, line_.message);
        case 7:
          return line_.trace_id.empty() ? sqlite3_result_null(context) : result_text(context, line_.trace_id);
        case 8:
          return line_.span_id.empty() ? sqlite3_result_null(context) : result_text(context, line_.span_id);
        case 9:
          return result_text(context, fields());
        default:
          return result_text(context, line_.raw);
      }
    }

   private:
    std::string fields() const {
      JsonWriter json;
      json.begin_object();
      for (const auto& [name, value] : line_.fields) json.key(name).raw(value);
      return json.end_object().str();
    }
    std::string home_;
    LogFilter filter_;
    std::vector<HeldLog> files_;
    std::vector<std::string> lines_;
    std::size_t file_ = 0, at_ = 0;
    std::uint64_t damaged_ = 0;
    LogLine line_;
  };
};

}  // namespace

bool add_logs_table(sqlite3* db, const SqlHome& home) {
  return TableModule<LogsTable>::add(db, "logs", home) == SQLITE_OK;
}

}  // namespace honeylink::telemetry::query
