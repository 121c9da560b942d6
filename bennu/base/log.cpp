#include "bennu/base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <cstdlib>

#include "bennu/base/log_format.hpp"
#include "bennu/base/log_writer.hpp"

namespace bennu {

namespace detail {
constinit std::atomic<LogLevel> log_level{LogLevel::info};
}

namespace {

struct Backend {
    std::shared_ptr<spdlog::logger> logger;
    std::unique_ptr<detail::LogWriter> writer;  ///< none: written by whoever logs
    LogFormat format = LogFormat::text;
    bool colour = false;
};

Result<spdlog::sink_ptr> open_sink(const std::string& output) {
    if (output == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    if (output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
    try {
        return std::make_shared<spdlog::sinks::basic_file_sink_mt>(output);
    } catch (const spdlog::spdlog_ex& failure) {
        return Error(ErrorKind::io, "log_file", failure.what());
    }
}

bool is_terminal(const std::string& output) {
    if (output == "stderr") return isatty(STDERR_FILENO) == 1;
    return output == "stdout" && isatty(STDOUT_FILENO) == 1;
}

/// The line says its level itself, and whether it is wanted was decided before it was made.
void write_line(spdlog::logger& logger, std::string_view line) {
    logger.log(spdlog::level::critical, spdlog::string_view_t(line.data(), line.size()));
}

Result<std::unique_ptr<Backend>> open_backend(const LogOptions& options) {
    Result<spdlog::sink_ptr> sink = open_sink(options.output);
    if (!sink) return std::move(sink).error();
    auto backend = std::make_unique<Backend>();
    backend->format = options.format;
    backend->colour = is_terminal(options.output);
    backend->logger = std::make_shared<spdlog::logger>("bennu", *sink);
    backend->logger->set_pattern("%v");
    backend->logger->set_level(spdlog::level::trace);
    if (options.async) {
        spdlog::logger* logger = backend->logger.get();
        backend->writer = std::make_unique<detail::LogWriter>(detail::LogWriter::Sink{
            .write = [logger](std::string_view line) { write_line(*logger, line); },
            .flush = [logger] { logger->flush(); },
            .lost =
                [logger, format = options.format](std::uint64_t count) {
                    const Attribute attribute{"lines", static_cast<std::int64_t>(count)};
                    const LogRecord record{LogLevel::warning,
                                           system_now(),
                                           "the log was too slow",
                                           {&attribute, 1},
                                           {}};
                    write_line(*logger, format == LogFormat::json ? format_log_json(record)
                                                                  : format_log_text(record, false));
                }});
    } else {
        backend->logger->flush_on(spdlog::level::trace);
    }
    return backend;
}

/// The backend in use. Earlier ones stay allocated: another thread may be in the middle of a line,
/// and set-up happens once in the life of a server.
struct Backends {
    std::mutex mutex;
    std::vector<std::unique_ptr<Backend>> all;
};
/// Beside the others: a signal handler looks at it.
constinit std::atomic<Backend*> current{nullptr};
Backends& backends() {
    static auto* const instance = new Backends;  // outlives every static destructor that logs
    return *instance;
}

Backend& current_backend() {
    Backends& state = backends();
    if (Backend* backend = current.load(std::memory_order_acquire)) return *backend;
    const std::lock_guard lock(state.mutex);
    if (state.all.empty()) {
        state.all.push_back(std::move(open_backend({.async = false}).value()));
        current.store(state.all.back().get(), std::memory_order_release);
    }
    return *current.load(std::memory_order_acquire);
}

thread_local std::span<const Attribute> thread_context;
constinit thread_local bool wakes_deferred = false;

}  // namespace

struct LogCapture::State {
    static inline std::mutex mutex;
    static inline std::atomic<State*> active{nullptr};

    std::vector<std::string> lines;
    State* outer = nullptr;

    static bool take(const LogRecord& record) {
        if (!active.load(std::memory_order_acquire)) return false;
        const std::lock_guard lock(mutex);
        State* state = active.load(std::memory_order_relaxed);
        if (!state) return false;
        const std::string line = format_log_text(record, false);
        state->lines.push_back(line.substr(line.find(' ') + 1));
        return true;
    }
};

LogCapture::LogCapture(LogLevel level)
    : state_(std::make_shared<State>()),
      previous_(detail::log_level.load(std::memory_order_relaxed)) {
    const std::lock_guard lock(State::mutex);
    state_->outer = State::active.load(std::memory_order_relaxed);
    State::active.store(state_.get(), std::memory_order_release);
    set_log_level(level);
}

LogCapture::~LogCapture() {
    const std::lock_guard lock(State::mutex);
    State::active.store(state_->outer, std::memory_order_release);
    set_log_level(previous_);
}

std::vector<std::string> LogCapture::lines() const {
    const std::lock_guard lock(State::mutex);
    return state_->lines;
}

bool LogCapture::contains(std::string_view text) const {
    for (const std::string& line : lines()) {
        if (line.find(text) != std::string::npos) return true;
    }
    return false;
}

void detail::log_write(LogLevel level, std::string_view message, Attributes attributes) {
    const LogRecord record{level, system_now(), message,
                           std::span(attributes.begin(), attributes.size()), thread_context};
    if (LogCapture::State::take(record)) return;
    Backend& backend = current_backend();
    std::string line;
    line.reserve(256);
    if (backend.format == LogFormat::json) {
        append_log_json(line, record);
    } else {
        append_log_text(line, record, backend.colour);
    }
    if (!backend.writer) {
        write_line(*backend.logger, line);
        return;
    }
    backend.writer->push(line);
    if (wakes_deferred) {
        log_wake_due = true;
    } else {
        backend.writer->wake();
    }
}

constinit thread_local bool detail::log_wake_due = false;

void detail::wake_log_writer() {
    log_wake_due = false;
    Backend* backend = current.load(std::memory_order_acquire);
    if (backend && backend->writer) backend->writer->wake();
}

void detail::hurry_log_writer() {
    Backend* backend = current.load(std::memory_order_acquire);
    if (backend && backend->writer) backend->writer->hurry();
}

detail::DeferredLogWakes::DeferredLogWakes() : outer_(std::exchange(wakes_deferred, true)) {}
detail::DeferredLogWakes::~DeferredLogWakes() {
    wakes_deferred = outer_;
    if (log_wake_due) wake_log_writer();
}

Result<> configure_log(const LogOptions& options) {
    Result<std::unique_ptr<Backend>> opened = open_backend(options);
    if (!opened) return std::move(opened).error();
    flush_log();
    Backends& state = backends();
    const std::lock_guard lock(state.mutex);
    state.all.push_back(std::move(*opened));
    current.store(state.all.back().get(), std::memory_order_release);
    set_log_level(options.level);
    static const int registered = std::atexit(flush_log);
    (void)registered;
    return {};
}

void set_log_level(LogLevel level) {
    detail::log_level.store(level, std::memory_order_relaxed);
}

void flush_log() {
    Backend* backend = current.load(std::memory_order_acquire);
    // A dead disk must not hang the exit.
    if (backend && backend->writer) backend->writer->flush(std::chrono::seconds(5));
}

std::span<const Attribute> set_log_context(std::span<const Attribute> context) {
    return std::exchange(thread_context, context);
}

}  // namespace bennu
