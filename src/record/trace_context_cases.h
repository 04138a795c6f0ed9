// The 41 situations of the W3C trace-context suite as a table of our own, written from the specification (level 2):
// what arrives, and what a service must then send on. Read by propagation_test.cc (in process) and by
// interop/w3c/service_test.cc (over HTTP).
#pragma once
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace honeylink::telemetry::testing {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

enum class Trace { inherited, fresh };

/// One request to the service, which answers it with `calls` requests of its own.
struct Exchange {
  HeaderList in;
  Trace trace = Trace::inherited;
  std::string state = {};  // the outgoing tracestate, exactly; empty: none is sent
  int calls = 1;
  int random_flag = -1;  // 0 or 1 where the outgoing flag must have that value
};
struct Situation {
  const char* name;
  std::vector<Exchange> exchanges;
};

inline const std::string kTraceText = "12345678901234567890123456789012", kParentText = "1234567890123456";
inline const std::string kParentHeader = "00-" + kTraceText + "-" + kParentText + "-01";

inline Exchange with_parent(const std::string& parent, Trace trace) { return {{{"traceparent", parent}}, trace}; }
inline Exchange with_states(const std::vector<std::string>& states, const std::string& expected) {
  HeaderList in{{"traceparent", kParentHeader}};
  for (const auto& state : states) in.emplace_back("tracestate", state);
  return {in, Trace::inherited, expected};
}
inline Exchange fresh(const std::string& parent) { return with_parent(parent, Trace::fresh); }
inline Exchange inherited(const std::string& parent) { return with_parent(parent, Trace::inherited); }

inline std::string members(int from, int to) {
  std::string list;
  for (int i = from; i <= to; ++i) {
    const std::string number = (i < 10 ? "0" : "") + std::to_string(i);
    list += (list.empty() ? "bar" : ",bar") + number + "=" + number;
  }
  return list;
}

inline std::vector<Situation> traceparent_situations() {
  const std::string t = kTraceText, p = kParentText;
  const std::string zeros(32, '0');
  return {
      {"both headers missing", {{{}, Trace::fresh}}},
      {"traceparent without tracestate", {inherited(kParentHeader)}},
      {"traceparent twice (T6)",
       {{{{"traceparent", "00-" + t.substr(1) + "1-" + p + "-01"}, {"traceparent", kParentHeader}}, Trace::fresh},
        {{{"traceparent", kParentHeader}, {"traceparent", kParentHeader}}, Trace::fresh}}},
      {"traceparent under a wrong name",
       {{{{"trace-parent", kParentHeader}}, Trace::fresh}, {{{"trace.parent", kParentHeader}}, Trace::fresh}}},
      {"traceparent's name in any case (T4)",
       {{{{"TraceParent", kParentHeader}}}, {{{"TrAcEpArEnT", kParentHeader}}}, {{{"TRACEPARENT", kParentHeader}}}}},
      {"version 00 with more behind it (T2)",
       {fresh(kParentHeader + "."), fresh(kParentHeader + "-what-comes"), fresh(kParentHeader + "-")}},
      {"an unknown version (T3)",
       {inherited("cc" + kParentHeader.substr(2)), inherited("cc" + kParentHeader.substr(2) + "-what-comes"),
        inherited("cc" + kParentHeader.substr(2) + "-"), fresh("cc" + kParentHeader.substr(2) + ".what-comes")}},
      {"version ff (T1)", {fresh("ff" + kParentHeader.substr(2))}},
      {"illegal characters in the version",
       {fresh(".0" + kParentHeader.substr(2)), fresh("0." + kParentHeader.substr(2)),
        fresh("CC" + kParentHeader.substr(2))}},
      {"version too long", {fresh("0" + kParentHeader), fresh("00" + kParentHeader)}},
      {"version too short", {fresh(kParentHeader.substr(1))}},
      {"trace id all zero (T5)", {fresh("00-" + zeros + "-" + p + "-01")}},
      {"illegal characters in the trace id (T4)",
       {fresh("00-." + t.substr(1) + "-" + p + "-01"), fresh("00-" + t.substr(1) + ".-" + p + "-01"),
        fresh("00-" + t.substr(1) + "A-" + p + "-01")}},
      {"trace id too long", {fresh("00-" + t + "3-" + p + "-01")}},
      {"trace id too short", {fresh("00-" + t.substr(1) + "-" + p + "-01")}},
      {"parent id all zero (T5)", {fresh("00-" + t + "-" + zeros.substr(16) + "-01")}},
      {"illegal characters in the parent id",
       {fresh("00-" + t + "-." + p.substr(1) + "-01"), fresh("00-" + t + "-" + p.substr(1) + ".-01"),
        fresh("00-" + t + "-" + p.substr(1) + "B-01")}},
      {"parent id too long", {fresh("00-" + t + "-" + p + "7-01")}},
      {"parent id too short", {fresh("00-" + t + "-" + p.substr(1) + "-01")}},
      {"illegal characters in the flags",
       {fresh("00-" + t + "-" + p + "-.0"), fresh("00-" + t + "-" + p + "-0."), fresh("00-" + t + "-" + p + "-0A")}},
      {"flags too long", {fresh("00-" + t + "-" + p + "-001")}},
      {"flags too short", {fresh("00-" + t + "-" + p + "-1")}},
      {"white space around traceparent (T7)",
       {inherited(" " + kParentHeader), inherited("\t" + kParentHeader), inherited(kParentHeader + " "),
        inherited(kParentHeader + "\t"), inherited("\t " + kParentHeader + " \t")}},
      {"the random-trace-id flag of level 2",
       {{{{"traceparent", "00-" + t + "-" + p + "-02"}}, Trace::inherited, "", 1, 1},
        {{{"traceparent", "00-" + t + "-" + p + "-03"}}, Trace::inherited, "", 1, 1},
        {{{"traceparent", "00-" + t + "-" + p + "-01"}}, Trace::inherited, "", 1, 0},
        {{{"traceparent", "00-" + t + "-" + p + "-ff"}}, Trace::inherited, "", 1, 1}}},
  };
}

inline std::vector<Situation> tracestate_situations() {
  const std::string all_values = [] {
    std::string text;
    for (char c = 0x20; c < 0x7f; ++c) {
      if (c != ',' && c != '=') text += c;
    }
    return text;
  }();
  const std::string all_keys = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
  const std::string k256(256, 'z'), t241(241, 't'), v14(14, 'v');
  const std::string parent = kParentHeader;
  return {
      {"tracestate without a traceparent that is well-formed (T8)",
       {{{{"tracestate", "foo=1"}}, Trace::fresh},
        {{{"tracestate", "foo=1,bar=2"}}, Trace::fresh},
        {{{"traceparent", parent + "."}, {"tracestate", "foo=1"}}, Trace::fresh}}},
      {"tracestate and traceparent", {with_states({"foo=1,bar=2"}, "foo=1,bar=2")}},
      {"tracestate under a wrong name",
       {{{{"traceparent", parent}, {"trace-state", "foo=1"}}}, {{{"traceparent", parent}, {"trace.state", "foo=1"}}}}},
      {"tracestate's name in any case",
       {{{{"traceparent", parent}, {"TraceState", "foo=1"}}, Trace::inherited, "foo=1"},
        {{{"traceparent", parent}, {"TrAcEsTaTe", "foo=1"}}, Trace::inherited, "foo=1"},
        {{{"TRACESTATE", "foo=1"}, {"traceparent", parent}}, Trace::inherited, "foo=1"}}},
      {"an empty tracestate (T10)",
       {with_states({""}, ""), with_states({"foo=1", ""}, "foo=1"), with_states({"", "foo=1"}, "foo=1"),
        with_states({",foo=1,, \t ,bar=2,"}, "foo=1,bar=2")}},
      {"several tracestate headers (T10)",
       {with_states({"foo=1,bar=2", "rojo=1,congo=2", "baz=3"}, "foo=1,bar=2,rojo=1,congo=2,baz=3")}},
      {"a key twice: the newer, first one stays",
       {with_states({"foo=1,foo=1"}, "foo=1"), with_states({"foo=1,foo=2"}, "foo=1"),
        with_states({"foo=1", "foo=1"}, "foo=1"), with_states({"foo=1", "bar=3,foo=2"}, "foo=1,bar=3")}},
      {"every character that is allowed",
       {with_states({all_keys + "=" + all_values}, all_keys + "=" + all_values),
        with_states({all_keys + "@a-z0-9_-*/=" + all_values}, all_keys + "@a-z0-9_-*/=" + all_values),
        with_states({"0" + all_keys + "=1"}, "0" + all_keys + "=1")}},
      {"white space around members (T7)",
       {with_states({"foo=1 \t , \t bar=2, \t baz=3"}, "foo=1,bar=2,baz=3"),
        with_states({"foo=1\t \t,\t \tbar=2,\t \tbaz=3"}, "foo=1,bar=2,baz=3"), with_states({" foo=1"}, "foo=1"),
        with_states({"\tfoo=1"}, "foo=1"), with_states({"foo=1 "}, "foo=1"), with_states({"foo=1\t"}, "foo=1"),
        with_states({"\t foo=1 \t"}, "foo=1")}},
      {"illegal characters in a key (T9)",
       {with_states({"foo =1"}, ""), with_states({"FOO=1"}, ""), with_states({"foo.bar=1"}, ""),
        with_states({"bar=2,_foo=1"}, "")}},
      {"vendor keys: level 2 allows @ anywhere but in front",
       {with_states({"@foo=1,bar=2"}, ""), with_states({"foo@=1,bar=2"}, "foo@=1,bar=2"),
        with_states({"foo@@bar=1,bar=2"}, "foo@@bar=1,bar=2"),
        with_states({"foo@bar@baz=1,bar=2"}, "foo@bar@baz=1,bar=2")}},
      {"32 members, and 33 (T9)",
       {with_states({members(1, 10), members(11, 20), members(21, 30), members(31, 32)}, members(1, 32)),
        with_states({members(1, 10), members(11, 20), members(21, 30), members(31, 33)}, ""),
        with_states({members(1, 33)}, "")}},
      {"a key of 256 characters, and of 257 (T9)",
       {with_states({"foo=1", k256 + "=1"}, "foo=1," + k256 + "=1"), with_states({"foo=1", k256 + "z=1"}, ""),
        with_states({"foo=1", t241 + "@" + v14 + "=1"}, "foo=1," + t241 + "@" + v14 + "=1"),
        with_states({"foo=1", "t@v" + v14 + "=1"}, "foo=1,t@v" + v14 + "=1")}},
      {"an illegal value (T9)",
       {with_states({"foo=bar=baz"}, ""), with_states({"foo=,bar=3"}, ""), with_states({"bar=3,foo"}, ""),
        with_states({"foo=a\tb"}, ""), with_states({"foo=" + std::string(257, 'v')}, "")}},
  };
}

inline std::vector<Situation> call_situations() {
  return {
      {"several calls with a valid traceparent", {{{{"traceparent", kParentHeader}}, Trace::inherited, "", 3}}},
      {"several calls without traceparent", {{{}, Trace::fresh, "", 3}}},
      {"several calls with an illegal traceparent",
       {{{{"traceparent", "00-" + std::string(32, '0') + "-" + kParentText + "-01"}}, Trace::fresh, "", 3}}},
  };
}

inline std::vector<Situation> situations() {
  std::vector<Situation> all = traceparent_situations();
  for (const auto& more : {tracestate_situations(), call_situations()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// What is wrong with the headers that the service sent, one list per call; empty: nothing.
inline std::string complaint(const Exchange& exchange, const std::vector<HeaderList>& sent) {
  if (sent.size() != static_cast<std::size_t>(exchange.calls)) return "made " + std::to_string(sent.size()) + " calls";
  std::set<std::string> parents, traces;
  for (const auto& headers : sent) {
    std::vector<std::string> parent, state;
    for (const auto& [name, value] : headers) {
      if (name == "traceparent") parent.push_back(value);
      if (name == "tracestate") state.push_back(value);
    }
    if (parent.size() != 1 || parent[0].size() != 55 || parent[0].substr(0, 3) != "00-")
      return "sent no single traceparent";
    if (parent[0].find_first_not_of("0123456789abcdef-") != std::string::npos) return "sent " + parent[0];
    const std::string trace = parent[0].substr(3, 32), flags = parent[0].substr(53);
    traces.insert(trace);
    parents.insert(parent[0].substr(36, 16));
    if ((trace == kTraceText) != (exchange.trace == Trace::inherited)) return "sent trace id " + trace;
    if (trace == std::string(32, '0')) return "sent an invalid trace id";
    for (const auto& [name, value] : exchange.in) {
      if (exchange.trace == Trace::fresh && value.find(trace) != std::string::npos) return "took over " + trace;
    }
    if (exchange.random_flag >= 0 && (std::stoi(flags, nullptr, 16) >> 1 & 1) != exchange.random_flag)
      return "sent flags " + flags;
    const std::vector<std::string> expected =
        exchange.state.empty() ? std::vector<std::string>() : std::vector{exchange.state};
    if (state != expected)
      return "sent tracestate " + (state.empty() ? "(none)" : state[0]) + ", not " + exchange.state;
  }
  if (parents.contains(kParentText) || parents.contains(std::string(16, '0')))
    return "sent a parent id that is not its own";
  if (parents.size() != sent.size()) return "sent a parent id twice";
  if (exchange.trace == Trace::inherited && traces.size() != 1) return "sent several trace ids";
  return {};
}

}  // namespace honeylink::telemetry::testing
