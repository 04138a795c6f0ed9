// The table `spans`: one row a stored span. Attributes and events are JSON, for json_extract() and ->>.
#include "query/json.h"
#include "query/sql_tables.h"
#include "query/table_module.h"
#include "query/time_text.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::query {
namespace {

std::string json_of(const std::vector<NamedJson>& attributes) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : attributes) json.key(name).raw(value);
  return json.end_object().str();
}

std::string json_of(const std::vector<SpanEventView>& events) {
  JsonWriter json;
  json.begin_array();
  for (const SpanEventView& event : events) {
    json.begin_object()
        .key("name")
        .text(event.name)
        .key("time_unix_nano")
        .text(std::to_string(event.time_unix_ns))
        .key("attributes")
        .raw(json_of(event.attributes))
        .end_object();
  }
  return json.end_array().str();
}

struct SpansTable {
  static constexpr const char* kSchema =
      "CREATE TABLE spans(trace_id TEXT, span_id TEXT, parent_span_id TEXT, name TEXT, service TEXT, module TEXT, kind "
      "TEXT, status TEXT, status_message TEXT,"
      " start TEXT, start_unix_nano INTEGER, duration_ns INTEGER, kept TEXT, unfinished INTEGER, slow INTEGER, scope "
      "TEXT, attributes TEXT, events TEXT)";
  static constexpr int kTimeColumn = 10;
  explicit SpansTable(std::string at) : home(std::move(at)) {}
  std::string home;

  /// Views are made when a column of the row is asked for; `WHERE name = …` then costs the name, not the attributes.
  class Cursor {
   public:
    explicit Cursor(SpansTable& table) : home_(table.home) {}
    bool begin(std::int64_t since, std::int64_t until, std::string& why) {
      auto opened = TraceReader::open(home_);
      if (!opened.ok() && opened.problem().kind == ProblemKind::not_found) return reader_.reset(), true;
      if (!opened.ok()) return why = opened.problem().what + ": " + opened.problem().why, false;
      reader_ = std::move(opened.value());
      walk_.emplace(reader_->walk(since, until));
      return true;
    }
    bool next() {
      viewed_ = false;
      return reader_ && walk_->next(span_, source_);
    }
    void column(sqlite3_context* context, int i) {
      switch (i) {
        case 0:
          return result_text(context, hex(reader_->trace_id(span_, *source_)));
        case 1:
          return result_text(context, hex(source_->ids.span_id(span_.span)));
        case 3:
          return result_text(context, reader_->text(span_.name));
        case 4:
          return result_text(context, source_->service);
        case 5:
          return result_text(context, source_->module);
        case 6:
          return result_text(context, kind_name(span_.kind));
        case 7:
          return result_text(context, status_name(span_.status));
        case 9:
          return result_text(context, format_utc(span_.start_unix_ns));
        case 10:
          return sqlite3_result_int64(context, span_.start_unix_ns);
        case 11:
          return sqlite3_result_int64(context, span_.duration_ns);
        case 12:
          return result_text(context, kept_name(span_.kept));
        case 13:
          return sqlite3_result_int(context, span_.unfinished ? 1 : 0);
        case 14:
          return sqlite3_result_int(context, span_.slow ? 1 : 0);
        default:
          break;
      }
      const SpanView& view = this->view();
      switch (i) {
        case 2:
          return view.has_parent ? result_text(context, hex(view.parent_span_id)) : sqlite3_result_null(context);
        case 8:
          return view.status_text.empty() ? sqlite3_result_null(context) : result_text(context, view.status_text);
        case 15:
          return result_text(context, view.scope);
        case 16:
          return result_text(context, json_of(view.attributes));
        default:
          return result_text(context, json_of(view.events));
      }
    }

   private:
    const SpanView& view() {
      if (!viewed_) view_ = reader_->view(span_, *source_);
      viewed_ = true;
      return view_;
    }
    std::string home_;
    std::unique_ptr<TraceReader> reader_;
    std::optional<TraceReader::Walk> walk_;
    store::StoredSpan span_;
    const TraceSource* source_ = nullptr;
    SpanView view_;
    bool viewed_ = false;
  };
};

}  // namespace

bool add_spans_table(sqlite3* db, const std::string& home) {
  return TableModule<SpansTable>::add(db, "spans", home) == SQLITE_OK;
}

}  // namespace honeylink::telemetry::query
