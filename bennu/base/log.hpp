#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/attribute.hpp"

namespace bennu {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error, off };

std::string_view to_string(LogLevel level);
Result<LogLevel> parse_log_level(std::string_view text);

/// One line, as it reaches the sink. Everything is borrowed for the duration of the call.
struct LogRecord {
    LogLevel level;
    Timestamp at;
    std::string_view message;
    std::span<const Attribute> attributes;
    std::span<const Attribute> context;  ///< of the thread at that moment (request id, pid, …)
};

/// Renders one line without its newline. `text` is for people; control characters, line breaks and
/// escape sequences in messages and values are escaped in both forms, so that no input can forge a
/// line or drive a terminal.
std::string format_log_text(const LogRecord& record, bool colour);
std::string format_log_json(const LogRecord& record);

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    /// Where lines go: "stderr", "stdout", or the path of a file to append to.
    std::string output = "stderr";
    /// Writes on a thread of its own; a full queue drops the oldest lines rather than block a
    /// shard.
    bool async = true;
};

/// Sets the process-wide log up; called once at start, again only in tests and tools.
Result<> configure_log(const LogOptions& options);
void set_log_level(LogLevel level);
/// Waits until every line so far is written. Called on the way out.
void flush_log();

namespace detail {
extern std::atomic<LogLevel> log_level;
void log_write(LogLevel level, std::string_view message, Attributes attributes);

/// While alive, lines of this thread are queued for an asynchronous log without waking its thread:
/// `wake_log_writer` is left to the caller, who does it as soon as `log_wake_due` and nothing more
/// urgent is. What is still due at the end is done then.
class DeferredLogWakes {
  public:
    DeferredLogWakes();
    ~DeferredLogWakes();
    DeferredLogWakes(const DeferredLogWakes&) = delete;
    DeferredLogWakes& operator=(const DeferredLogWakes&) = delete;

  private:
    bool outer_;
};
extern constinit thread_local bool log_wake_due;
/// May be called by a signal handler.
void wake_log_writer();
}  // namespace detail

inline bool log_enabled(LogLevel level) {
    return level >= detail::log_level.load(std::memory_order_relaxed);
}

/// `log_info("listening", {{"port", port}, {"host", host}});` The message is constant text; what
/// varies is an attribute. Costs one load when the level is off. Safe from any thread.
inline void log_at(LogLevel level, std::string_view message, Attributes attributes = {}) {
    if (log_enabled(level)) detail::log_write(level, message, attributes);
}
inline void log_trace(std::string_view message, Attributes attributes = {}) {
    log_at(LogLevel::trace, message, attributes);
}
inline void log_debug(std::string_view message, Attributes attributes = {}) {
    log_at(LogLevel::debug, message, attributes);
}
inline void log_info(std::string_view message, Attributes attributes = {}) {
    log_at(LogLevel::info, message, attributes);
}
inline void log_warning(std::string_view message, Attributes attributes = {}) {
    log_at(LogLevel::warning, message, attributes);
}
inline void log_error(std::string_view message, Attributes attributes = {}) {
    log_at(LogLevel::error, message, attributes);
}

/// Attributes that go with every line of this thread until replaced. The runtime points it at the
/// running process's own (request id, pid); the span and what it borrows must stay alive until the
/// next call. Returns what was there.
std::span<const Attribute> set_log_context(std::span<const Attribute> context);

/// While alive, collects the lines of every thread instead of writing them, as `level message
/// key=value …`. For tests.
class LogCapture {
  public:
    explicit LogCapture(LogLevel level = LogLevel::trace);
    ~LogCapture();
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;

    std::vector<std::string> lines() const;
    bool contains(std::string_view text) const;

  private:
    friend void detail::log_write(LogLevel, std::string_view, Attributes);
    struct State;
    std::shared_ptr<State> state_;
    LogLevel previous_;
};

}  // namespace bennu
