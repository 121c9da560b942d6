#include "bennu/net/outside_testing.hpp"

#include <array>

#include "bennu/runtime/process.hpp"
#include "bennu/runtime/reactor/sim_network.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

void compute(Duration time) {
    // In steps: what follows from an event is timed from the end of its step.
    constexpr Duration step = 100us;
    for (; time > Duration::zero(); time -= step)
        simulated_network()->advance(reactor().now() + std::min(step, time));
}

OutsideClients::OutsideClients(SocketAddress address)
    : network_(*simulated_network()),
      reactor_(network_.make_reactor()),
      address_(std::move(address)) {}

OutsideClients::~OutsideClients() = default;

void OutsideClients::ask(Duration after, std::string bytes) {
    const std::size_t client = sockets_.size();
    sockets_.push_back(-1);
    network_.after(after, [this, client, bytes = std::move(bytes)] {
        const SocketHandle socket = sockets_[client] = reactor_->connect(address_).value();
        network_.after(100us, [this, socket, bytes] { (void)reactor_->write(socket, bytes); });
    });
}

std::vector<std::string> OutsideClients::answers() {
    std::vector<std::string> answers;
    for (const SocketHandle socket : sockets_) {
        std::array<char, 4096> bytes;
        const IoResult got = reactor_->read(socket, bytes);
        answers.emplace_back(bytes.data(), got.kind == IoResult::Kind::done ? got.bytes : 0);
    }
    return answers;
}

}  // namespace bennu::net
