// base/json.h under the names that query and cli call it by.
#pragma once
#include "base/json.h"
#include "base/text.h"

namespace honeylink::telemetry::query {

using telemetry::json_number;
using telemetry::json_string;
using telemetry::json_text_of;
using telemetry::JsonMember;
using telemetry::JsonWriter;
using telemetry::read_json_object;

}  // namespace honeylink::telemetry::query
