// HTTP load that wrk does not make: at a rate instead of a concurrency, idle, or dribbling.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>

#include "benches/load/http/connections.hpp"
#include "benches/load/process_probe.hpp"

namespace bench::http {
namespace {

struct Options {
    std::string mode;
    Connections::Options to;
    std::string path = "/";
    std::size_t connections = 64;  ///< at most 19,900: a process opens 20,000 descriptors
    double rate = 1000;            ///< requests a second, at most 200,000
    double seconds = 2;            ///< at most 60
    int server_pid = 0;
};

double number(std::string_view name, std::string_view text, double least, double most) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        throw std::invalid_argument(fmt::format("{} is a number from {} to {}", name, least, most));
    return value;
}

Options parse(int argc, char** argv) {
    if (argc < 2 || argc % 2 != 0)
        throw std::invalid_argument(
            "bench_http_load rate|idle|dribble --port P [--path /] [--connections 64] [--rate "
            "1000]\n"
            "[--seconds 2] [--sources 16] [--server-pid PID]; prints one JSON object");
    Options options{.mode = argv[1]};
    for (int i = 2; i < argc; i += 2) {
        const std::string_view name = argv[i], value = argv[i + 1];
        if (name == "--port")
            options.to.port = static_cast<int>(number(name, value, 1, 65535));
        else if (name == "--sources")
            options.to.sources = static_cast<unsigned>(number(name, value, 1, 250));
        else if (name == "--path")
            options.path = value;
        else if (name == "--connections")
            options.connections = static_cast<std::size_t>(number(name, value, 1, 19900));
        else if (name == "--rate")
            options.rate = number(name, value, 1, 200000);
        else if (name == "--seconds")
            options.seconds = number(name, value, 0.1, 60);
        else if (name == "--server-pid")
            options.server_pid = static_cast<int>(number(name, value, 1, 1 << 22));
        else
            throw std::invalid_argument(fmt::format("no such option: {}", name));
    }
    return options;
}

std::string request(std::string_view path) {
    return fmt::format("GET {} HTTP/1.1\r\nhost: bench\r\n\r\n", path);
}

Nanoseconds after(Nanoseconds from, double seconds) {
    return from + static_cast<Nanoseconds>(seconds * 1e9);
}

/// Opens them all, a few hundred at a time; throws when that takes too long.
class Opening {
  public:
    Opening(Connections& connections, std::size_t count)
        : connections_(connections), count_(count) {}
    void opened() { ++open_; }
    void run() {
        const Nanoseconds late = after(now(), 60);
        while (open_ < count_) {
            while (asked_ < count_ && asked_ - open_ < 256) {
                connections_.open(connections_.add());
                ++asked_;
            }
            connections_.poll(10);
            if (now() > late)
                throw std::runtime_error(fmt::format("only {} of {} connected", open_, count_));
        }
    }

  private:
    Connections& connections_;
    std::size_t count_, asked_ = 0, open_ = 0;
};

/// Requests at a rate, whatever becomes of those before. One whose turn it is while every
/// connection waits for an answer is late, and its latency counts from when it was due. Beside them
/// a health check every 20 ms, each other one over a new connection.
class Rate final : public Watcher {
  public:
    explicit Rate(const Options& options)
        : options_(options), connections_(options.to, *this), request_(request(options.path)) {}

    std::string run() {
        Opening opening(connections_, options_.connections);
        opening_ = &opening;
        opening.run();
        opening_ = nullptr;
        due_of_.resize(options_.connections);
        for (std::size_t i = 0; i < options_.connections; ++i) idle_.push_back(i);
        probe_ = connections_.add();
        const Nanoseconds start = now(), end = after(start, options_.seconds);
        Nanoseconds next_probe = start;
        std::size_t made = 0;
        for (Nanoseconds at = start; at < end; at = now()) {
            for (; after(start, static_cast<double>(made) / options_.rate) <= at; ++made)
                waiting_.push_back(after(start, static_cast<double>(made) / options_.rate));
            // Who asks at all gives up some day: the backlog stays within a second.
            for (; !waiting_.empty() && at - waiting_.front() > 1'000'000'000; ++given_up_)
                waiting_.pop_front();
            send_waiting();
            if (at >= next_probe) {
                next_probe = at + 20'000'000;
                probe(at);
            }
            connections_.poll(waiting_.empty() || idle_.empty() ? 1 : 0);
        }
        // A second for what is under way still.
        const double window = static_cast<double>(now() - start) / 1e9;
        const std::size_t good = ok_;
        for (const Nanoseconds late = after(now(), 1); under_way() && now() < late;)
            connections_.poll(10);
        return fmt::format(
            R"({{"seconds":{:.3f},"made":{},"good":{},"per_second":{:.1f},"refused":{},"other":{},"lost":{},)"
            R"("given_up":{},"p50_us":{:.0f},"p99_us":{:.0f},"health_checks":{},"health_failed":{},)"
            R"("health_p99_us":{:.0f}}})",
            window, made, good, static_cast<double>(good) / window, refused_, other_, lost_,
            given_up_ + waiting_.size(), latencies_.percentile(0.5), latencies_.percentile(0.99),
            probes_, probes_failed_, probe_latencies_.percentile(0.99));
    }

    void on_open(std::size_t connection) override {
        if (opening_) return opening_->opened();
        if (connection == probe_) return connections_.send(connection, request("/livez"), true);
        idle_.push_back(connection);
    }
    void on_answer(std::size_t connection, int status) override {
        if (connection == probe_) {
            probing_ = false;
            if (status != 200) ++probes_failed_;
            probe_latencies_.add(now() - probed_);
            return;
        }
        if (status == 200) {
            ++ok_;
            latencies_.add(now() - due_of_[connection]);
        } else {
            ++(status == 503 ? refused_ : other_);
        }
        idle_.push_back(connection);
    }
    void on_closed(std::size_t connection) override {
        if (opening_) throw std::runtime_error("a connection was refused");
        if (connection == probe_) {
            probes_failed_ += probing_ ? 1 : 0;
            probing_ = false;
            return;
        }
        ++lost_;
        connections_.open(connection);
    }

  private:
    void send_waiting() {
        while (!waiting_.empty() && !idle_.empty()) {
            const std::size_t connection = idle_.front();
            idle_.pop_front();
            if (!connections_.is_open(connection) || connections_.busy(connection)) continue;
            due_of_[connection] = waiting_.front();
            waiting_.pop_front();
            connections_.send(connection, request_, true);
        }
    }
    bool under_way() const { return idle_.size() < options_.connections || probing_; }
    void probe(Nanoseconds at) {
        // The one before has not been answered: over a second of that is a failure.
        if (probing_ && at - probed_ < 1'000'000'000) return;
        if (probing_) ++probes_failed_;
        probing_ = true;
        probed_ = at;
        if (++probes_ % 2 == 0 && connections_.is_open(probe_)) {
            connections_.send(probe_, request("/livez"), true);
        } else {
            connections_.open(probe_);
        }
    }

    Options options_;
    Connections connections_;
    std::string request_;
    Opening* opening_ = nullptr;
    std::deque<std::size_t> idle_;
    std::deque<Nanoseconds> waiting_;  ///< when they were due
    std::vector<Nanoseconds> due_of_;
    std::size_t probe_ = 0;
    Nanoseconds probed_ = 0;
    bool probing_ = false;
    std::size_t ok_ = 0, refused_ = 0, other_ = 0, lost_ = 0, given_up_ = 0;
    std::size_t probes_ = 0, probes_failed_ = 0;
    Latencies latencies_, probe_latencies_;
};

/// Connections that asked once and stay: what each of them costs the server.
class Idle final : public Watcher {
  public:
    explicit Idle(const Options& options)
        : options_(options), connections_(options.to, *this), request_(request(options.path)) {}

    std::string run() {
        const std::size_t before = probe(options_.server_pid).pss;
        Opening opening(connections_, options_.connections);
        opening_ = &opening;
        opening.run();
        const Nanoseconds late = after(now(), 30);
        while (answered_ < options_.connections && now() < late) connections_.poll(10);
        if (answered_ < options_.connections) throw std::runtime_error("not all were answered");
        for (const Nanoseconds end = after(now(), options_.seconds); now() < end;)
            connections_.poll(50);
        const std::size_t now_held = probe(options_.server_pid).pss;
        return fmt::format(R"({{"connections":{},"pss_before":{},"pss":{},"bytes_each":{:.1f}}})",
                           options_.connections, before, now_held,
                           (static_cast<double>(now_held) - static_cast<double>(before)) /
                               static_cast<double>(options_.connections));
    }
    void on_open(std::size_t connection) override {
        opening_->opened();
        connections_.send(connection, request_, true);
    }
    void on_answer(std::size_t, int) override { ++answered_; }
    void on_closed(std::size_t) override { throw std::runtime_error("a connection was closed"); }

  private:
    Options options_;
    Connections connections_;
    std::string request_;
    Opening* opening_ = nullptr;
    std::size_t answered_ = 0;
};

/// Connections that send a byte of a header field now and then, and come back when they are thrown
/// out. `rate` is how many bytes all of them together send a second.
class Dribble final : public Watcher {
  public:
    explicit Dribble(const Options& options) : options_(options), connections_(options.to, *this) {}

    std::string run() {
        Opening opening(connections_, options_.connections);
        opening_ = &opening;
        opening.run();
        opening_ = nullptr;
        std::puts("ready");
        std::fflush(stdout);
        const Nanoseconds start = now(), end = after(start, options_.seconds);
        std::size_t sent = 0, next = 0;
        for (Nanoseconds at = start; at < end; at = now()) {
            while (after(start, static_cast<double>(sent) / options_.rate) <= at) {
                ++sent;
                next = (next + 1) % options_.connections;
                if (connections_.is_open(next)) connections_.send(next, "a", false);
            }
            // Not all at once: they are the slow ones.
            for (int i = 0; i < 32 && !closed_.empty(); ++i) {
                connections_.open(closed_.front());
                closed_.pop_front();
            }
            connections_.poll(5);
        }
        return fmt::format(R"({{"connections":{},"bytes":{},"thrown_out":{}}})",
                           options_.connections, sent, thrown_out_);
    }
    void on_open(std::size_t connection) override {
        if (opening_) opening_->opened();
        connections_.send(connection, "GET / HTTP/1.1\r\nhost: bench\r\nx: ", false);
    }
    void on_answer(std::size_t, int) override {}
    void on_closed(std::size_t connection) override {
        if (opening_) throw std::runtime_error("a connection was refused");
        ++thrown_out_;
        closed_.push_back(connection);
    }

  private:
    Options options_;
    Connections connections_;
    Opening* opening_ = nullptr;
    std::deque<std::size_t> closed_;
    std::size_t thrown_out_ = 0;
};

std::string run(const Options& options) {
    if (options.mode == "rate") return Rate(options).run();
    if (options.mode == "idle") return Idle(options).run();
    if (options.mode == "dribble") return Dribble(options).run();
    throw std::invalid_argument("no such mode: " + options.mode);
}

}  // namespace
}  // namespace bench::http

int main(int argc, char** argv) {
    try {
        std::puts(bench::http::run(bench::http::parse(argc, argv)).c_str());
        return 0;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench_http_load: %s\n", problem.what());
        return 1;
    }
}
