#include "benches/load/options.hpp"

#include <charconv>
#include <stdexcept>

namespace bench {
namespace {

template <typename Number>
Number number(std::string_view name, std::string_view text, Number least, Number most) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        throw std::invalid_argument(std::string(name) + " is a number from " +
                                    std::to_string(least) + " to " + std::to_string(most));
    return value;
}

Mode mode_of(std::string_view name) {
    if (name == "channels-broadcast") return Mode::broadcast;
    if (name == "channels-idle") return Mode::idle;
    if (name == "echo") return Mode::echo;
    if (name == "channels-crowd") return Mode::crowd;
    if (name == "channels-storm") return Mode::storm;
    if (name == "channels-churn") return Mode::churn;
    if (name == "channels-presence") return Mode::presence;
    if (name == "channels-late-join") return Mode::late_join;
    throw std::invalid_argument("no such mode: " + std::string(name));
}

}  // namespace

std::string usage() {
    return "bench_load MODE --port P [OPTION VALUE]…\n"
           "MODE: channels-broadcast, channels-idle, channels-crowd, channels-storm, "
           "channels-churn,\n"
           "      channels-presence, channels-late-join, echo\n"
           "--dialect phoenix|raw|socketio   --topic room:bench   --payload 100 (bytes of JSON)\n"
           "--sockets 1000   --messages 1000   --in-flight 1   --seconds 5   --hold 3\n"
           "--sources 16 (addresses from 127.0.0.2 on)   --first-source 0   --opening 256 "
           "(handshakes at once)   "
           "--patience 60\n"
           "--cycles 10000 (churn)   --watchers 100   --changes 1000 (presence, a second)\n"
           "--server-pid PID (its CPU and memory are watched)\n"
           "prints one JSON object\n";
}

Options parse_options(int argc, char** argv) {
    if (argc < 2) throw std::invalid_argument(usage());
    Options options{.mode = mode_of(argv[1])};
    options.dialect.mode = options.mode;
    for (int i = 2; i < argc; i += 2) {
        const std::string_view name = argv[i];
        if (i + 1 == argc) throw std::invalid_argument(std::string(name) + " needs a value");
        const std::string_view value = argv[i + 1];
        if (name == "--port")
            options.swarm.port = number(name, value, 1, 65535);
        else if (name == "--dialect")
            options.dialect.name = value;
        else if (name == "--topic")
            options.dialect.topic = value;
        else if (name == "--payload")
            options.dialect.payload = number<std::size_t>(name, value, 12, 60000);
        else if (name == "--sockets")
            options.sockets = number<std::size_t>(name, value, 1, 19900);
        else if (name == "--messages")
            options.messages = number<std::size_t>(name, value, 1, 1000000);
        else if (name == "--in-flight")
            options.in_flight = number<std::size_t>(name, value, 1, 64);
        else if (name == "--seconds")
            options.seconds = number(name, value, 0.1, 60.0);
        else if (name == "--hold")
            options.hold = number(name, value, 0.0, 600.0);
        else if (name == "--sources")
            options.swarm.sources = number(name, value, 1U, 250U);
        else if (name == "--first-source")
            options.swarm.first_source = number(name, value, 0U, 60000U);
        else if (name == "--opening")
            options.swarm.opening = number(name, value, 1U, 20000U);
        else if (name == "--patience")
            options.swarm.patience = number(name, value, 1.0, 600.0);
        else if (name == "--cycles")
            options.cycles = number<std::size_t>(name, value, 1, 10'000'000);
        else if (name == "--watchers")
            options.watchers = number<std::size_t>(name, value, 1, 1000);
        else if (name == "--changes")
            options.changes = number(name, value, 2.0, 100'000.0);
        else if (name == "--server-pid")
            options.server_pid = number(name, value, 1, 1 << 22);
        else
            throw std::invalid_argument("no such option: " + std::string(name) + "\n" + usage());
    }
    if (options.swarm.port == 0) throw std::invalid_argument("--port is missing\n" + usage());
    return options;
}

}  // namespace bench
