// Field numbers of OTLP 1.9 (opentelemetry/proto/{common,resource,trace,logs,metrics}/v1 and collector/*/v1) and of the
// google.rpc messages that a gRPC error carries. Numbers of protobuf fields never change; only those that we write or
// read stand here. One enum a message, named as there.
#pragma once
#include <cstdint>
#include <protozero/types.hpp>

namespace honeylink::telemetry::exporting::otlp {

using Tag = protozero::pbf_tag_type;

template <class Field>
constexpr Tag tag_of(Field field) noexcept {
  return static_cast<Tag>(field);
}
/// OTLP's times are unsigned.
constexpr std::uint64_t nanos(std::int64_t unix_ns) noexcept {
  return unix_ns < 0 ? 0 : static_cast<std::uint64_t>(unix_ns);
}

enum class AnyValue : Tag { string_value = 1, bool_value = 2, int_value = 3, double_value = 4, array_value = 5 };
enum class ArrayValue : Tag { values = 1 };
enum class KeyValue : Tag { key = 1, value = 2 };
enum class Scope : Tag { name = 1, version = 2 };  // InstrumentationScope
enum class Resource : Tag { attributes = 1 };

/// Export{Trace,Logs,Metrics}ServiceRequest, Resource{Spans,Logs,Metrics}, Scope{Spans,Logs,Metrics}: alike in all
/// three.
enum class Request : Tag { resource_items = 1 };
enum class ResourceItems : Tag { resource = 1, scope_items = 2 };
enum class ScopeItems : Tag { scope = 1, items = 2, schema_url = 3 };
/// Export{Trace,Logs,Metrics}ServiceResponse and Export{…}PartialSuccess.
enum class Response : Tag { partial_success = 1 };
enum class PartialSuccess : Tag { rejected = 1, error_message = 2 };

enum class Span : Tag {
  trace_id = 1,
  span_id = 2,
  trace_state = 3,
  parent_span_id = 4,
  name = 5,
  kind = 6,
  start_time_unix_nano = 7,
  end_time_unix_nano = 8,
  attributes = 9,
  dropped_attributes_count = 10,
  events = 11,
  dropped_events_count = 12,
  links = 13,
  status = 15,
  flags = 16
};
enum class Event : Tag { time_unix_nano = 1, name = 2, attributes = 3 };
enum class Link : Tag { trace_id = 1, span_id = 2, attributes = 4, flags = 6 };
enum class Status : Tag { message = 2, code = 3 };
inline constexpr std::uint32_t kFlagSampled = 0x1, kFlagHasIsRemote = 0x100, kFlagIsRemote = 0x200;  // SpanFlags

enum class LogRecord : Tag {
  time_unix_nano = 1,
  severity_number = 2,
  severity_text = 3,
  body = 5,
  attributes = 6,
  dropped_attributes_count = 7,
  flags = 8,
  trace_id = 9,
  span_id = 10,
  observed_time_unix_nano = 11,
  event_name = 12
};

enum class Metric : Tag { name = 1, description = 2, unit = 3, gauge = 5, sum = 7, exponential_histogram = 10 };
enum class Gauge : Tag { data_points = 1 };
enum class Sum : Tag { data_points = 1, aggregation_temporality = 2, is_monotonic = 3 };
enum class ExponentialHistogram : Tag { data_points = 1, aggregation_temporality = 2 };
inline constexpr std::int32_t kCumulative = 2;  // AggregationTemporality
enum class NumberPoint : Tag {                  // NumberDataPoint
  start_time_unix_nano = 2,
  time_unix_nano = 3,
  as_double = 4,
  exemplars = 5,
  as_int = 6,
  attributes = 7
};
enum class HistogramPoint : Tag {  // ExponentialHistogramDataPoint
  attributes = 1,
  start_time_unix_nano = 2,
  time_unix_nano = 3,
  count = 4,
  sum = 5,
  scale = 6,
  zero_count = 7,
  positive = 8,
  exemplars = 11,
  min = 12,
  max = 13
};
enum class Buckets : Tag { offset = 1, bucket_counts = 2 };
enum class Exemplar : Tag { time_unix_nano = 2, as_double = 3, span_id = 4, trace_id = 5 };

enum class RpcStatus : Tag { code = 1, message = 2, details = 3 };  // google.rpc.Status
enum class Any : Tag { type_url = 1, value = 2 };                   // google.protobuf.Any
enum class RetryInfo : Tag { retry_delay = 1 };                     // google.rpc.RetryInfo
enum class Duration : Tag { seconds = 1, nanos = 2 };               // google.protobuf.Duration

}  // namespace honeylink::telemetry::exporting::otlp
