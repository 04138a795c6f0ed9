// Carries a context to other processes: headers of HTTP, metadata of gRPC, environment variables, any map or setter.
// Part of telemetry.h. Works without start(). Sources: W3C Trace Context level 2, W3C Baggage, OpenTelemetry
// "Propagators API".
//
//   tel::inject(request.headers);                                                     // a map of headers, or
//   grpc::ClientContext tel::inject([&](auto name, auto value) { request.set(name, value); });            // anything
//   else const tel::Context from = tel::extract(request.headers);                          // a server; {.parent =
//   &from}
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "honeylink/context.h"
#include "honeylink/internal/export.h"

namespace honeylink::telemetry {

/// The fields that inject() may write, for carriers that must clear or allow them (OpenTelemetry, "Fields").
inline constexpr std::array<std::string_view, 3> kPropagationFields{"traceparent", "tracestate", "baggage"};

/// A carrier to write to: anything callable as set(name, value). Names are lower case ("traceparent", "tracestate",
/// "baggage").
template <class F>
concept HeaderSetter = std::invocable<F&, std::string_view, std::string_view>;

namespace internal {
template <class T>
concept TextLike = std::convertible_to<const T&, std::string_view> ||
    requires(const T& t) {  // std::string, grpc::string_ref
  { t.data() } -> std::convertible_to<const char*>;
  { t.size() } -> std::convertible_to<std::size_t>;
};
constexpr std::string_view as_text(const TextLike auto& t) {
  if constexpr (std::is_convertible_v<decltype(t), std::string_view>) return t;
  else return {t.data(), t.size()};
}

/// Fed with every header; decides by name (in any case) and keeps what it needs: the texts may die when header()
/// returns. On the stack of one thread.
class HONEYLINK_API Extractor {
 public:
  void header(std::string_view name, std::string_view value) noexcept;
  [[nodiscard]] Context finish(const Context& base) const noexcept;

 private:
  SpanContext span_;
  TraceState state_;
  Baggage baggage_;
  bool parent_seen_ = false, parent_twice_ = false, state_malformed_ = false;
};
HONEYLINK_API void inject(const Context&, void (*set)(void*, std::string_view, std::string_view), void* carrier);
[[nodiscard]] HONEYLINK_API bool is_propagation_field(std::string_view name) noexcept;  // in any case

/// A carrier that holds fields and can forget one: std::map, std::multimap, std::unordered_map, cpp-httplib's Headers.
template <class M>
concept HeaderMap = !HeaderSetter<M> && requires(M & m, std::string_view text) {
  typename M::key_type;
  typename M::mapped_type;
  { m.begin()->first } -> TextLike;
  m.erase(m.begin());
  m.emplace(typename M::key_type(text), typename M::mapped_type(text));
};
/// A sequence of (name, value) pairs: std::vector, std::list, std::deque.
template <class M>
concept HeaderList = !HeaderSetter<M> && !HeaderMap<M> && requires(M & m, std::string_view text) {
  { m.begin()->first } -> TextLike;
  m.erase(m.begin());
  m.push_back(
      typename M::value_type{typename M::value_type::first_type(text), typename M::value_type::second_type(text)});
};
template <class M>
void forget_propagation_fields(M& headers) {
  for (auto field = headers.begin(); field != headers.end();) {
    if (is_propagation_field(as_text(field->first))) field = headers.erase(field);
    else ++field;
  }
}
}  // namespace internal

/// A carrier to read from: a range of (name, value) pairs: std::map, std::multimap, vector of pairs, cpp-httplib's
/// Headers, gRPC's client_metadata(). For other shapes, `extract_from`.
template <class R>
concept HeaderRange = requires(const R& r) {
  r.begin();
  r.end();
  { r.begin()->first } -> internal::TextLike;
  { r.begin()->second } -> internal::TextLike;
};

/// Writes traceparent and, if there is any, tracestate, where the context has a valid span; baggage, if there is any,
/// always. No allocation of ours. Never throws, unless `set` does. `inject([&](auto name, auto value) {
/// request.set(name, value); });`
template <HeaderSetter F>
void inject(F&& set, const Context& context = Context::current()) {
  struct Carrier {
    std::remove_reference_t<F>& set;
  } carrier{set};  // a struct, because a function has no void*
  internal::inject(
      context,
      [](void* to, std::string_view name, std::string_view value) { static_cast<Carrier*>(to)->set(name, value); },
      &carrier);
}
/// The same into a carrier that may hold fields of an earlier request: where anything is written, all three are
/// replaced, in whatever case they stand, so that neither a second traceparent nor another trace's tracestate or
/// baggage remains.
template <internal::HeaderMap M>
void inject(M& headers, const Context& context = Context::current()) {
  if (context.span().is_valid() || context.baggage().size() > 0) internal::forget_propagation_fields(headers);
  inject([&](std::string_view name,
             std::string_view value) { headers.emplace(typename M::key_type(name), typename M::mapped_type(value)); },
         context);
}
template <internal::HeaderList M>
void inject(M& headers, const Context& context = Context::current()) {
  using Field = typename M::value_type;
  if (context.span().is_valid() || context.baggage().size() > 0) internal::forget_propagation_fields(headers);
  inject(
      [&](std::string_view name, std::string_view value) {
        headers.push_back(Field{typename Field::first_type(name), typename Field::second_type(value)});
      },
      context);
}
/// The same into anything with gRPC's AddMetadata (grpc::ClientContext), without including gRPC. Once per call: gRPC
/// cannot replace.
template <class M>
requires(!HeaderSetter<M> && requires(M & m) {
  m.AddMetadata("", "");
}) void inject(M& client_context, const Context& context = Context::current()) {
  inject(
      [&](std::string_view name, std::string_view value) {
        client_context.AddMetadata({name.data(), name.size()}, {value.data(), value.size()});
      },
      context);
}

/// The sender's context, marked remote. The span is `base`'s where the headers hold none or a malformed one (never an
/// error: W3C §4.2), the baggage is `base`'s where they hold none. Two traceparent fields are malformed; several
/// tracestate or baggage fields are joined in order. Names in any case. Allocates only for tracestate and baggage.
template <HeaderRange R>
[[nodiscard]] Context extract(const R& headers, const Context& base = Context()) {
  internal::Extractor extractor;
  for (const auto& [name, value] : headers) extractor.header(internal::as_text(name), internal::as_text(value));
  return extractor.finish(base);
}
/// For carriers of another shape: `each` is called once with a sink and calls sink(name, value) for every field.
template <class F>
[[nodiscard]] Context extract_from(F&& each, const Context& base = Context()) {
  internal::Extractor extractor;
  each([&](std::string_view name, std::string_view value) { extractor.header(name, value); });
  return extractor.finish(base);
}

/// The context that a parent process passed in TRACEPARENT, TRACESTATE, BAGGAGE (`honeytel run`, CI systems); else the
/// root context. A program that runs with more rights than its caller (set-uid) takes nothing over. Not while another
/// thread calls setenv().
[[nodiscard]] HONEYLINK_API Context context_from_environment() noexcept;

}  // namespace honeylink::telemetry
