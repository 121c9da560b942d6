#pragma once

#include "bennu/base/log.hpp"

namespace bennu {

/// What format_log_text and format_log_json return, appended.
void append_log_text(std::string& out, const LogRecord& record, bool colour);
void append_log_json(std::string& out, const LogRecord& record);

}  // namespace bennu
