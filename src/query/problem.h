// What may go wrong when somebody looks: a value, in three short lines (UX 17). Made by query, shown by cli, which
// turns the kind into an exit code. A plain value; any thread.
#pragma once
#include <optional>
#include <string>
#include <utility>

namespace honeylink::telemetry::query {

enum class ProblemKind : unsigned char { failed, usage, environment, not_found, busy, no_consent };

struct Problem {
  ProblemKind kind = ProblemKind::failed;
  std::string what;   // what did not work
  std::string why;    // the cause, with the path and, where known, the process
  std::string to_do;  // what the reader can do about it
};

/// A value or a Problem.
template <class T>
class Answer {
 public:
  Answer(T value)
      : value_(std::move(value)) {}  // NOLINT(*explicit*): `return value;` and `return problem;` are the point
  Answer(Problem problem) : problem_(std::move(problem)) {}  // NOLINT(*explicit*)
  [[nodiscard]] bool ok() const noexcept { return value_.has_value(); }
  [[nodiscard]] T& value() noexcept { return *value_; }
  [[nodiscard]] const T& value() const noexcept { return *value_; }
  [[nodiscard]] const Problem& problem() const noexcept { return problem_; }

 private:
  std::optional<T> value_;
  Problem problem_;
};

}  // namespace honeylink::telemetry::query
