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
  enum PushedAt : std::size_t { kTraceId, kName };
  static constexpr std::array kPushed{PushedColumn{0, Pushed::text, 1e-6}, PushedColumn{3, Pushed::text, 0.1}};
  explicit SpansTable(SqlHome at) : home(std::move(at)) {}
  SqlHome home;

  /// Views are made when a column of the row is asked for; `GROUP BY name` then costs the name, not the attributes.
  class Cursor {
   public:
    explicit Cursor(SpansTable& table) : home_(table.home->path) {}
    bool begin(const Pushed& pushed, std::string& why) {
      walk_.reset();
      trace_.reset();
      auto opened = TraceReader::open(home_);
      if (!opened.ok() && opened.problem().kind == ProblemKind::not_found) return reader_.reset(), true;
      if (!opened.ok()) return why = told(opened.problem()), false;
      reader_ = std::move(opened.value());
      if (pushed.texts[kTraceId]) return begin_trace(*pushed.texts[kTraceId], why);
      std::optional<std::uint32_t> name;
      if (pushed.texts[kName] && *pushed.texts[kName] != kUnknownName) {
        name = reader_->name_id(*pushed.texts[kName]);
        if (!name) return reader_.reset(), true;
      }
      walk_.emplace(reader_->walk(pushed.since_unix_ns, pushed.until_unix_ns, name));
      return true;
    }
    bool next(std::string& why) {
      viewed_ = false;
      if (trace_) {
        if (at_ == trace_->size()) return false;
        view_ = std::move((*trace_)[at_++]);
        return viewed_ = true;
      }
      if (!walk_ || !reader_) return false;
      if (walk_->next(span_, source_)) return true;
      if (walk_->failed()) why = told(reader_->problem());
      return false;
    }
    [[nodiscard]] std::uint64_t damaged() const { return reader_ ? reader_->damaged_blobs() : 0; }
    void column(sqlite3_context* context, int i) {
      if (viewed_ || !head_column(context, i)) view_column(context, i, view());
    }

   private:
    static constexpr std::string_view kUnknownName = "_unknown";  // also of spans whose name the database has lost

    static std::string told(const Problem& problem) { return problem.what + ": " + problem.why; }
    bool begin_trace(std::string_view id, std::string& why) {
      at_ = 0;
      trace_.emplace();
      std::string whole;
      if (id.size() != 2 * sizeof(TraceIdBytes) || !normalize_trace_prefix(id, whole) || whole != id) return true;
      auto found = reader_->trace(whole);
      if (found.ok()) trace_ = std::move(found.value());
      else if (found.problem().kind != ProblemKind::not_found) return why = told(found.problem()), false;
      return true;
    }
    /// What needs no view of the span. False: this column does.
    bool head_column(sqlite3_context* context, int i) {
      switch (i) {
        case 0:
          return result_text(context, hex(reader_->trace_id(span_, *source_))), true;
        case 1:
          return result_text(context, hex(source_->ids.span_id(span_.span))), true;
        case 3:
          return result_text(context, reader_->text(span_.name)), true;
        case 4:
          return result_text(context, source_->service), true;
        case 5:
          return result_text(context, source_->module), true;
        default:
          return common_column(context, i, span_);
      }
    }
    /// What a stored span and its view call by the same names.
    template <class Span>
    static bool common_column(sqlite3_context* context, int i, const Span& span) {
      switch (i) {
        case 6:
          return result_text(context, kind_name(span.kind)), true;
        case 7:
          return result_text(context, status_name(span.status)), true;
        case 9:
          return result_text(context, format_utc(span.start_unix_ns)), true;
        case 10:
          return sqlite3_result_int64(context, span.start_unix_ns), true;
        case 11:
          return sqlite3_result_int64(context, span.duration_ns), true;
        case 12:
          return result_text(context, kept_name(span.kept)), true;
        case 13:
          return sqlite3_result_int(context, span.unfinished ? 1 : 0), true;
        case 14:
          return sqlite3_result_int(context, span.slow ? 1 : 0), true;
        default:
          return false;
      }
    }
    static void view_column(sqlite3_context* context, int i, const SpanView& view) {
      switch (i) {
        case 0:
          return result_text(context, hex(view.trace_id));
        case 1:
          return result_text(context, hex(view.span_id));
        case 2:
          return view.has_parent ? result_text(context, hex(view.parent_span_id)) : sqlite3_result_null(context);
        case 3:
          return result_text(context, view.name);
        case 4:
          return result_text(context, view.service);
        case 5:
          return result_text(context, view.module);
        case 8:
          return view.status_text.empty() ? sqlite3_result_null(context) : result_text(context, view.status_text);
        case 15:
          return result_text(context, view.scope);
        case 16:
          return result_text(context, json_of(view.attributes));
        case 17:
          return result_text(context, json_of(view.events));
        default:
          static_cast<void>(common_column(context, i, view));
      }
    }
    const SpanView& view() {
      if (!viewed_) view_ = reader_->view(span_, *source_);
      viewed_ = true;
      return view_;
    }

    std::string home_;
    std::unique_ptr<TraceReader> reader_;
    std::optional<TraceReader::Walk> walk_;
    std::optional<std::vector<SpanView>> trace_;  // instead of the walk: one trace by its id
    std::size_t at_ = 0;
    store::StoredSpan span_;
    const TraceSource* source_ = nullptr;
    SpanView view_;
    bool viewed_ = false;
  };
};

}  // namespace

bool add_spans_table(sqlite3* db, const SqlHome& home) {
  return TableModule<SpansTable>::add(db, "spans", home) == SQLITE_OK;
}

}  // namespace honeylink::telemetry::query
