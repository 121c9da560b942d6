#include "benches/load/modes.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>

#include "benches/load/frame.hpp"
#include "benches/load/late_join_mode.hpp"
#include "benches/load/presence_mode.hpp"
#include "benches/load/process_probe.hpp"
#include "benches/load/reconnect_modes.hpp"
#include "benches/load/window.hpp"

namespace bench {
namespace {

constexpr Nanoseconds stall = 5'000'000'000;

bool line_on_standard_input() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, 0) > 0 && (input.revents & POLLIN) != 0 && std::getchar() != EOF;
}

/// What all timed modes report.
std::string report(std::string_view mode, const Options& options, std::size_t count,
                   const Window& window, Latencies& latencies) {
    return fmt::format(
        R"({{"mode":"{}","dialect":"{}","sockets":{},"count":{},"seconds":{:.3f},"per_second":{:.0f},)"
        R"("p50_us":{:.1f},"p99_us":{:.1f},"max_us":{:.1f},"server_cpu_s":{:.2f},"server_cpu_us_each":{:.3f},)"
        R"("generator_cpu_s":{:.2f},"limit":"{}"}})",
        mode, options.dialect.name, options.sockets, count, window.seconds,
        static_cast<double>(count) / window.seconds, latencies.percentile(0.5),
        latencies.percentile(0.99), latencies.percentile(1), window.server_cpu,
        window.server_cpu * 1e6 / static_cast<double>(count), window.own_cpu,
        window.generator_is_limit() ? "generator" : "server");
}

/// Socket 0 publishes; every socket, itself included, receives. A message counts as through when
/// all have it; each socket gets the messages in order, so its number of deliveries says which one
/// arrived.
class Broadcast : public Listener {
  public:
    Broadcast(Swarm& swarm, const Dialect& dialect, std::size_t in_flight)
        : swarm_(swarm),
          frame_(client_frame(Opcode::text, dialect.publish())),
          in_flight_(in_flight),
          received_(swarm.size()),
          sent_at_(in_flight),
          reached_(in_flight) {}

    /// Publishes up to that many more, for at most that long, and waits until all are through.
    void run(std::size_t messages, double seconds) {
        const std::size_t goal = published_ + messages;
        const auto end = now() + static_cast<Nanoseconds>(seconds * 1e9);
        progress_ = now();
        for (bool more = true; more || through_ < published_;) {
            more = more && published_ < goal && now() < end;
            while (more && published_ < goal && published_ - through_ < in_flight_) publish();
            if (!swarm_.poll(100) && now() - progress_ > stall)
                throw std::runtime_error(fmt::format("message {} reached {} of {} sockets",
                                                     through_, reached_[through_ % in_flight_],
                                                     swarm_.size()));
        }
    }
    void on_message(std::size_t socket, Meaning meaning, Nanoseconds at) override {
        if (meaning != Meaning::delivery) return;
        const std::size_t message = received_[socket]++;
        if (message >= published_) throw std::runtime_error("a delivery that nobody sent");
        latencies.add(at - sent_at_[message % in_flight_]);
        progress_ = at;
        if (++reached_[message % in_flight_] == swarm_.size()) ++through_;
    }

    Latencies latencies;

  private:
    void publish() {
        const std::size_t slot = published_++ % in_flight_;
        reached_[slot] = 0;
        sent_at_[slot] = now();
        swarm_.send(0, frame_);
    }

    Swarm& swarm_;
    std::string frame_;
    std::size_t in_flight_;
    std::vector<std::size_t> received_;
    std::vector<Nanoseconds> sent_at_;
    std::vector<std::size_t> reached_;
    std::size_t published_ = 0;
    std::size_t through_ = 0;
    Nanoseconds progress_ = 0;
};

/// Every socket has one message under way, all the time.
class Echo : public Listener {
  public:
    Echo(Swarm& swarm, const Dialect& dialect)
        : swarm_(swarm),
          frame_(client_frame(Opcode::text, dialect.echo())),
          sent_at_(swarm.size()) {}

    void run(double seconds) {
        const auto end = now() + static_cast<Nanoseconds>(seconds * 1e9);
        progress_ = now();
        going_ = true;
        for (std::size_t i = 0; i < swarm_.size(); ++i) send(i);
        while (under_way_ > 0) {
            if (!swarm_.poll(100) && now() - progress_ > stall)
                throw std::runtime_error(fmt::format("{} echoes are missing", under_way_));
            going_ = now() < end;
        }
    }
    void on_message(std::size_t socket, Meaning meaning, Nanoseconds at) override {
        if (meaning != Meaning::echo) return;
        latencies.add(at - sent_at_[socket]);
        progress_ = at;
        --under_way_;
        if (going_) send(socket);
    }

    Latencies latencies;

  private:
    void send(std::size_t socket) {
        ++under_way_;
        sent_at_[socket] = now();
        swarm_.send(socket, frame_);
    }

    Swarm& swarm_;
    std::string frame_;
    std::vector<Nanoseconds> sent_at_;
    std::size_t under_way_ = 0;
    Nanoseconds progress_ = 0;
    bool going_ = false;
};

std::string run_broadcast(const Options& options, Swarm& swarm, const Dialect& dialect) {
    swarm.open(options.sockets);
    Broadcast broadcast(swarm, dialect, options.in_flight);
    swarm.listen(&broadcast);
    broadcast.run(std::min<std::size_t>(options.messages, 200), 1);
    broadcast.latencies.clear();
    Window window(options.server_pid);
    broadcast.run(options.messages, options.seconds);
    window.close();
    return report("channels-broadcast", options, broadcast.latencies.count(), window,
                  broadcast.latencies);
}

std::string run_echo(const Options& options, Swarm& swarm, const Dialect& dialect) {
    swarm.open(options.sockets);
    Echo echo(swarm, dialect);
    swarm.listen(&echo);
    echo.run(std::min(options.seconds, 0.5));
    echo.latencies.clear();
    Window window(options.server_pid);
    echo.run(options.seconds);
    window.close();
    return report("echo", options, echo.latencies.count(), window, echo.latencies);
}

/// When the one broadcast reached each socket of a part of a crowd.
class Reached : public Listener {
  public:
    explicit Reached(std::size_t sockets) : heard_(sockets) {}
    void on_message(std::size_t socket, Meaning meaning, Nanoseconds at) override {
        if (meaning != Meaning::delivery) return;
        if (heard_[socket]) throw std::runtime_error("a delivery came twice");
        heard_[socket] = true;
        if (count++ == 0) first = at;
        last = at;
    }
    std::size_t count = 0;
    Nanoseconds first = 0, last = 0;

  private:
    std::vector<bool> heard_;
};

/// One of the processes that hold a crowd: says when its sockets have joined, publishes when it is
/// told to (a line on its standard input), and waits until the broadcast, whoever sent it, has
/// reached all of them.
std::string run_crowd(const Options& options, Swarm& swarm, const Dialect& dialect) {
    const Nanoseconds began = now();
    swarm.open(options.sockets);
    const Nanoseconds joined = now();
    std::printf("{\"joined\":%zu,\"seconds\":%.3f}\n", swarm.size(),
                static_cast<double>(joined - began) / 1e9);
    std::fflush(stdout);
    Reached reached(swarm.size());
    swarm.listen(&reached);
    Nanoseconds sent = 0;
    const auto end = joined + static_cast<Nanoseconds>(options.hold * 1e9);
    while (reached.count < swarm.size()) {
        swarm.poll(20);
        if (sent == 0 && line_on_standard_input()) {
            sent = now();
            swarm.send(0, client_frame(Opcode::text, dialect.publish()));
        }
        if (now() > end)
            throw std::runtime_error(
                fmt::format("the broadcast reached {} of {} sockets", reached.count, swarm.size()));
    }
    return fmt::format(R"({{"mode":"channels-crowd","sockets":{},"sent":{},"first":{},"last":{}}})",
                       swarm.size(), sent, reached.first, reached.last);
}

/// A hundredth of the sockets come and go first, so that what a server makes once is not counted as
/// theirs.
std::string run_idle(const Options& options, Swarm& swarm) {
    swarm.open(options.sockets / 100 + 1);
    swarm.close_all();
    swarm.poll_for(options.hold);
    const auto before = probe(options.server_pid);
    Window window(options.server_pid);
    swarm.open(options.sockets);
    window.close();
    swarm.poll_for(options.hold);
    const auto after = probe(options.server_pid);
    const auto sockets = static_cast<double>(options.sockets);
    return fmt::format(
        R"({{"mode":"channels-idle","dialect":"{}","sockets":{},"seconds":{:.3f},"joins_per_second":{:.0f},)"
        R"("server_cpu_us_each":{:.1f},"memory_before":{},"memory_after":{},"bytes_each":{:.0f},)"
        R"("generator_cpu_s":{:.2f},"limit":"{}"}})",
        options.dialect.name, options.sockets, window.seconds, sockets / window.seconds,
        window.server_cpu * 1e6 / sockets, before.pss, after.pss,
        (static_cast<double>(after.pss) - static_cast<double>(before.pss)) / sockets,
        window.own_cpu, window.generator_is_limit() ? "generator" : "server");
}

}  // namespace

std::string run_mode(const Options& options) {
    const auto dialect = make_dialect(options.dialect);
    Swarm swarm(options.swarm, *dialect);
    switch (options.mode) {
        case Mode::broadcast:
            return run_broadcast(options, swarm, *dialect);
        case Mode::echo:
            return run_echo(options, swarm, *dialect);
        case Mode::idle:
            return run_idle(options, swarm);
        case Mode::crowd:
            return run_crowd(options, swarm, *dialect);
        case Mode::storm:
            return run_storm(options, swarm);
        case Mode::churn:
            return run_churn(options, swarm);
        case Mode::presence:
            return run_presence(options, swarm);
        case Mode::late_join:
            return run_late_join(options, swarm);
    }
    throw std::logic_error("no such mode");
}

}  // namespace bench
