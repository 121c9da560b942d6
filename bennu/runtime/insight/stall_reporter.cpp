#include "bennu/runtime/insight/stall_reporter.hpp"

#include <pthread.h>

#include <string>

#include "bennu/base/log.hpp"
#include "bennu/runtime/insight/symbols.hpp"

namespace bennu {

constinit EventName stall_event{"runtime.stall"};

StallDetector::Reporter::Reporter(StallOptions stall_options) : options(stall_options) {
    ::sem_init(&ready_, 0, 0);
    thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), "stalls");
        load_symbols();
        run();
    });
}

StallDetector::Reporter::~Reporter() {
    stopping_.store(true);
    ::sem_post(&ready_);
    thread_.join();
    ::sem_destroy(&ready_);
}

StallRecord* StallDetector::Reporter::take() {
    for (StallRecord& record : records_) {
        int expected = StallRecord::empty;
        if (record.state.compare_exchange_strong(expected, StallRecord::filling)) return &record;
    }
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
}

void StallDetector::Reporter::publish(StallRecord& record) {
    record.state.store(StallRecord::full, std::memory_order_release);
    ::sem_post(&ready_);
}

void StallDetector::Reporter::run() {
    while (true) {
        while (::sem_wait(&ready_) != 0) {}
        bool last = stopping_.load();
        for (StallRecord& record : records_) {
            if (record.state.load(std::memory_order_acquire) != StallRecord::full) continue;
            if (allowed()) {
                report(record);
            } else {
                suppressed_.fetch_add(1, std::memory_order_relaxed);
            }
            record.state.store(StallRecord::empty, std::memory_order_release);
        }
        if (last) return;
    }
}

bool StallDetector::Reporter::allowed() {
    auto now = std::chrono::steady_clock::now();
    std::erase_if(recent_, [&](auto at) { return now - at > std::chrono::minutes(1); });
    if (recent_.size() >= options.reports_per_minute) return false;
    recent_.push_back(now);
    return true;
}

void StallDetector::Reporter::report(const StallRecord& record) {
    std::string stack, function;
    for (int i = 0; i < record.frames; ++i) {
        // A return address is one past its call; the innermost frame is where it was interrupted.
        auto address = reinterpret_cast<std::uintptr_t>(record.stack[static_cast<std::size_t>(i)]);
        SymbolName symbol = symbol_at(i == 0 ? address : address - 1);
        if (function.empty() && symbol.of_program && !symbol.of_library_code())
            function = symbol.name;
        stack.append(stack.empty() ? "" : "\n").append(symbol.name);
    }
    if (function.empty()) function = "unknown";
    unsigned suppressed = suppressed_.exchange(0, std::memory_order_relaxed);
    std::string pid = record.pid ? record.pid.to_string() : "none";
    log_warning("a handler holds its shard", {{"function", function},
                                              {"held", record.held},
                                              {"shard", unsigned{record.shard}},
                                              {"pid", pid},
                                              {"suppressed", suppressed},
                                              {"stack", stack}});
    emit(stall_event, {{"held", record.held}, {"suppressed", suppressed}},
         {{"shard", unsigned{record.shard}},
          {"pid", pid},
          {"function", function},
          {"stack", stack}});
}

}  // namespace bennu
