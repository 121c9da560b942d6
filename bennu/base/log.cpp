#include "bennu/base/log.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>

namespace bennu {

namespace detail {
constinit std::atomic<LogLevel> log_level{LogLevel::info};
}

namespace {

constexpr std::size_t queue_lines = 8192;

/// The last sink of every logger: tells when all that was logged before has been written.
class FlushGate final : public spdlog::sinks::sink {
  public:
    void log(const spdlog::details::log_msg&) override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
    void flush() override {
        const std::lock_guard lock(mutex_);
        ++flushes_;
        done_.notify_all();
    }
    std::uint64_t flushes() {
        const std::lock_guard lock(mutex_);
        return flushes_;
    }
    bool wait_past(std::uint64_t count) {
        std::unique_lock lock(mutex_);
        return done_.wait_for(lock, std::chrono::milliseconds(200),
                              [&] { return flushes_ > count; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable done_;
    std::uint64_t flushes_ = 0;
};

struct Backend {
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::logger> logger;
    std::shared_ptr<FlushGate> gate;
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

Result<std::unique_ptr<Backend>> open_backend(const LogOptions& options) {
    Result<spdlog::sink_ptr> sink = open_sink(options.output);
    if (!sink) return std::move(sink).error();
    auto backend = std::make_unique<Backend>();
    backend->gate = std::make_shared<FlushGate>();
    backend->format = options.format;
    backend->colour = is_terminal(options.output);
    const std::initializer_list<spdlog::sink_ptr> sinks{*sink, backend->gate};
    if (options.async) {
        backend->pool = std::make_shared<spdlog::details::thread_pool>(queue_lines, 1);
        backend->logger = std::make_shared<spdlog::async_logger>(
            "bennu", sinks, backend->pool, spdlog::async_overflow_policy::overrun_oldest);
    } else {
        backend->logger = std::make_shared<spdlog::logger>("bennu", sinks);
    }
    backend->logger->set_pattern("%v");
    backend->logger->set_level(spdlog::level::trace);
    backend->logger->flush_on(spdlog::level::trace);
    return backend;
}

/// The backend in use. Earlier ones stay allocated: another thread may be in the middle of a line,
/// and set-up happens once in the life of a server.
struct Backends {
    std::mutex mutex;
    std::vector<std::unique_ptr<Backend>> all;
    std::atomic<Backend*> current{nullptr};
};
Backends& backends() {
    static auto* const instance = new Backends;  // outlives every static destructor that logs
    return *instance;
}

Backend& current_backend() {
    Backends& state = backends();
    if (Backend* backend = state.current.load(std::memory_order_acquire)) return *backend;
    const std::lock_guard lock(state.mutex);
    if (state.all.empty()) {
        state.all.push_back(std::move(open_backend({.async = false}).value()));
        state.current.store(state.all.back().get(), std::memory_order_release);
    }
    return *state.current.load(std::memory_order_acquire);
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::trace:
            return spdlog::level::trace;
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::off:
            break;
    }
    return spdlog::level::off;
}

thread_local std::span<const Attribute> thread_context;

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
    const std::string line = backend.format == LogFormat::json
                                 ? format_log_json(record)
                                 : format_log_text(record, backend.colour);
    backend.logger->log(spdlog_level(level), spdlog::string_view_t(line));
}

Result<> configure_log(const LogOptions& options) {
    Result<std::unique_ptr<Backend>> opened = open_backend(options);
    if (!opened) return std::move(opened).error();
    flush_log();
    Backends& state = backends();
    const std::lock_guard lock(state.mutex);
    state.all.push_back(std::move(*opened));
    state.current.store(state.all.back().get(), std::memory_order_release);
    set_log_level(options.level);
    static const int registered = std::atexit(flush_log);
    (void)registered;
    return {};
}

void set_log_level(LogLevel level) {
    detail::log_level.store(level, std::memory_order_relaxed);
}

void flush_log() {
    Backend* backend = backends().current.load(std::memory_order_acquire);
    if (!backend) return;
    // The request itself may be overrun in a full queue, so that it is repeated; a dead disk must
    // not hang the exit.
    for (int attempt = 0; attempt < 25; ++attempt) {
        const std::uint64_t before = backend->gate->flushes();
        backend->logger->flush();
        if (!backend->pool ||
            (backend->gate->wait_past(before) && backend->pool->queue_size() == 0)) {
            return;
        }
    }
}

std::span<const Attribute> set_log_context(std::span<const Attribute> context) {
    return std::exchange(thread_context, context);
}

}  // namespace bennu
